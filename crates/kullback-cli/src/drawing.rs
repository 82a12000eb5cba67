//! What all pictures share: the canvas, texts and labels.

use plotters::coord::Shift;
use plotters::prelude::*;

/// What a picture is drawn on, and what may go wrong in drawing it.
pub(crate) type Canvas<'a> = DrawingArea<SVGBackend<'a>, Shift>;
pub(crate) type Drawn = Result<(), String>;

/// The colour of an infinite value. No scale has it.
pub(crate) const INFINITE: RGBColor = RGBColor(200, 30, 60);
/// The colour of what has no value. No scale has it.
pub(crate) const NOTHING: RGBColor = RGBColor(176, 176, 176);

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
    letters.into_iter().map(visible).collect()
}

/// The colour goes from dark for 0 to light for the largest value. So near rows stand out, in print and for colour-blind readers
/// too.
pub(crate) fn colour(value: f64, largest: f64) -> RGBColor {
    if value.is_nan() {
        return NOTHING;
    }
    if value.is_infinite() {
        return INFINITE;
    }
    // Five colours, each of one hue and evenly brighter than the one before.
    const SCALE: [[f64; 3]; 5] =
        [[18.0, 32.0, 74.0], [39.0, 87.0, 130.0], [76.0, 148.0, 158.0], [157.0, 200.0, 164.0], [247.0, 240.0, 205.0]];
    let at = if largest > 0.0 { (value / largest).clamp(0.0, 1.0) * 4.0 } else { 0.0 };
    let (low, high) = (at.floor() as usize, at.ceil() as usize);
    let mix = |i: usize| (SCALE[low][i] + (SCALE[high][i] - SCALE[low][i]) * at.fract()).round() as u8;
    RGBColor(mix(0), mix(1), mix(2))
}

/// Text as it stands in an element or an attribute of XML, with only the letters that XML can hold.
pub(crate) fn escaped(label: &str) -> String {
    let mut text = String::with_capacity(label.len());
    for letter in label.chars().map(visible) {
        match letter {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '"' => text.push_str("&quot;"),
            '\'' => text.push_str("&apos;"),
            letter => text.push(letter),
        }
    }
    text
}

/// The letter, or a mark in place of one that XML cannot hold.
fn visible(letter: char) -> char {
    if letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}') { '\u{fffd}' } else { letter }
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

    #[test]
    fn colours_go_from_dark_to_light() {
        let brightness = |value| {
            let RGBColor(r, g, b) = colour(value, 2.0);
            u32::from(r) + u32::from(g) + u32::from(b)
        };
        assert!((0..20).all(|i| brightness(f64::from(i) * 0.1) < brightness(f64::from(i + 1) * 0.1)));
        assert_eq!(colour(0.0, 0.0), colour(0.0, 1.0));
        assert_ne!(colour(f64::NAN, 1.0), colour(f64::INFINITY, 1.0));
    }

    #[test]
    fn no_label_leaves_its_element() {
        assert_eq!(
            escaped("a<b> & \"c\" 'd'\u{1b}\u{ffff}"),
            "a&lt;b&gt; &amp; &quot;c&quot; &apos;d&apos;\u{fffd}\u{fffd}"
        );
    }
}
