//! What all pictures share: the canvas, texts and labels.

use plotters::coord::Shift;
use plotters::prelude::*;

/// What a picture is drawn on, and what may go wrong in drawing it.
pub(crate) type Canvas<'a> = DrawingArea<SVGBackend<'a>, Shift>;
pub(crate) type Drawn = Result<(), String>;

/// The colour of an infinite value. No scale has it.
pub(crate) const INFINITE: RGBColor = RGBColor(200, 30, 60);

/// Text of a size. Its capitals are a little lower than that many pixels.
pub(crate) fn text(size: i32) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&BLACK)
}

pub(crate) fn fail(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// A label cut to a number of letters, with only the letters that XML can hold.
pub(crate) fn short(label: &str, most: usize) -> String {
    let mut letters: Vec<char> = label.chars().take(most + 1).collect();
    if letters.len() > most {
        letters.truncate(most.saturating_sub(1));
        letters.push('…');
    }
    let visible = |c: char| if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') { '\u{fffd}' } else { c };
    letters.into_iter().map(visible).collect()
}

/// The end of a name, where a path has its file.
pub(crate) fn end_of(name: &str, most: usize) -> String {
    let letters = name.chars().count();
    if letters <= most {
        return name.to_owned();
    }
    let end: String = name.chars().skip(letters + 1 - most).collect();
    format!("…{end}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_keep_their_start_and_names_their_end() {
        assert_eq!(
            (short("Harper F", 8), short("Harper\nF 2", 8)),
            ("Harper F".to_owned(), "Harper\u{fffd}…".to_owned())
        );
        assert_eq!(end_of("p.npy", 30), "p.npy");
        assert_eq!(end_of(&format!("{}/p.npy", "a".repeat(40)), 30), format!("…{}/p.npy", "a".repeat(23)));
    }
}
