//! Markdown output: a table as GitHub shows it. Numbers have the text that they have in CSV, and stand at the right.

use std::io::Write;

use arrow_array::RecordBatch;
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_schema::{ArrowError, Schema};

use super::sink::Sink;

pub(crate) struct MarkdownWriter(Sink);

impl MarkdownWriter {
    pub(crate) fn new(mut sink: Sink, schema: &Schema) -> std::io::Result<Self> {
        let (mut header, mut line) = (String::from("|"), String::from("|"));
        for field in schema.fields() {
            header.push_str(&format!(" {} |", escaped(field.name())));
            line.push_str(if field.data_type().is_numeric() { "---:|" } else { "---|" });
        }
        sink.write_all(format!("{header}\n{line}\n").as_bytes())?;
        Ok(Self(sink))
    }

    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        let options = FormatOptions::default();
        let columns = batch.columns().iter().map(|column| ArrayFormatter::try_new(column.as_ref(), &options));
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        for row in 0..batch.num_rows() {
            let mut line = String::from("|");
            for column in &columns {
                line.push_str(&format!(" {} |", escaped(&column.value(row).try_to_string()?)));
            }
            line.push('\n');
            self.0.write_all(line.as_bytes())?;
        }
        Ok(())
    }
}

/// A text that Markdown shows as it is, in one line. An underscore between letters is one already.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = ' ';
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let is_inside = before.is_alphanumeric() && letters.peek().is_some_and(|next| next.is_alphanumeric());
        match letter {
            '_' if is_inside => {}
            '\\' | '|' | '*' | '_' | '`' | '<' | '[' => out.push('\\'),
            _ => {}
        }
        out.push(if letter.is_control() { ' ' } else { letter });
        before = letter;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_markdown_would_take_for_its_own_is_escaped() {
        for (text, want) in [
            ("js_distance", "js_distance"),
            ("_a_|b*", r"\_a\_\|b\*"),
            (r"a\|b", r"a\\\|b"),
            ("<b>[x](y)`z`", r"\<b>\[x](y)\`z\`"),
            ("two\nlines", "two lines"),
            ("0.1e-5", "0.1e-5"),
        ] {
            assert_eq!(escaped(text), want);
        }
    }
}
