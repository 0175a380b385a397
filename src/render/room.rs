//! As many blocks as there is room for: what is left out is counted, and is the same in every form that is made of them.

use std::borrow::Cow;

use super::blocks::{Block, Line, Span};
use super::escape::{plain, shortened};

/// What a row, a cell and a span take besides their text, in bytes, where the markup is that of HTML.
const ROW_BYTES: usize = 60;
const CELL_BYTES: usize = 110;
const SPAN_BYTES: usize = 36;

/// The blocks, no longer than about `most_bytes` together as HTML, which is the longest form that they have; no text in them
/// is longer than `longest` characters.
#[must_use]
pub fn within(blocks: &[Block], most_bytes: usize, longest: usize) -> Vec<Block> {
    let mut room = Room {
        bytes: most_bytes,
        longest,
        left_out: 0,
    };
    let mut kept = Vec::with_capacity(blocks.len());
    for block in blocks {
        match block {
            Block::Title(line) => kept.extend(room.line(line).map(Block::Title)),
            Block::Heading(text) => {
                let line = room.line(&vec![Span::Text(text.clone())]);
                let text = line.map(|line| line.iter().map(Span::text).collect());
                kept.extend(text.map(Block::Heading));
            }
            Block::Paragraph(line) => kept.extend(room.line(line).map(Block::Paragraph)),
            Block::List(lines) => {
                let lines: Vec<Line> = lines.iter().filter_map(|line| room.line(line)).collect();
                if !lines.is_empty() {
                    kept.push(Block::List(lines));
                }
            }
            Block::Table { columns, rows } => {
                let rows: Vec<Vec<Line>> = rows.iter().filter_map(|row| room.row(row)).collect();
                if !rows.is_empty() {
                    kept.push(Block::Table { columns, rows });
                }
            }
        }
    }
    if room.left_out > 0 {
        let text = format!("… and {} lines more", room.left_out);
        kept.push(Block::Paragraph(vec![Span::Text(text)]));
    }
    kept
}

struct Room {
    bytes: usize,
    longest: usize,
    left_out: usize,
}

impl Room {
    fn line(&mut self, line: &Line) -> Option<Line> {
        self.row(std::slice::from_ref(line))?.pop()
    }

    /// The cells, or nothing once there was no room for a row before: nobody finds a hole in the middle.
    fn row(&mut self, cells: &[Line]) -> Option<Vec<Line>> {
        let short: Vec<Line> = (cells.iter())
            .map(|cell| cell.iter().map(|span| self.short(span)).collect())
            .collect();
        let spans = short.iter().flatten();
        let spans: usize = spans.map(|span| bytes(span.text()) + SPAN_BYTES).sum();
        let cost = spans + CELL_BYTES * cells.len() + ROW_BYTES;
        if self.left_out > 0 || cost > self.bytes {
            self.left_out += 1;
            return None;
        }
        self.bytes -= cost;
        Some(short)
    }

    fn short(&self, span: &Span) -> Span {
        let Cow::Owned(text) = shortened(span.text(), self.longest) else {
            return span.clone();
        };
        match span {
            Span::Strong(_) => Span::Strong(text),
            Span::Faint(_) => Span::Faint(text),
            Span::Toned(_, status) => Span::Toned(text, *status),
            // Half of an address leads elsewhere.
            Span::Text(_) | Span::Link(_) | Span::Status(_) => Span::Text(text),
        }
    }
}

/// What a text takes once it is escaped.
fn bytes(text: &str) -> usize {
    let escaped = |byte: u8| match byte {
        b'&' | b'<' | b'>' | b'"' | b'\'' => 6,
        _ => 1,
    };
    plain(text).bytes().map(escaped).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::blocks::line;
    use crate::render::digest::digest;
    use crate::render::samples::mixed;

    #[test]
    fn what_fits_stays_as_it_is() {
        let blocks = digest(&mixed());
        assert_eq!(within(&blocks, 100_000, 500), blocks);
    }

    #[test]
    fn what_does_not_fit_is_counted_and_the_beginning_stays() {
        let lines = (0..100).map(|number| line(format!("line {number}")));
        let blocks = [
            Block::Heading("Lines".to_owned()),
            Block::List(lines.collect()),
            Block::Paragraph(line("the end")),
        ];
        let kept = within(&blocks, 3_400, 500);
        let [
            Block::Heading(_),
            Block::List(lines),
            Block::Paragraph(rest),
        ] = &kept[..]
        else {
            panic!("{kept:?}");
        };
        assert_eq!(lines[0], line("line 0"));
        assert_eq!(
            rest[0].text(),
            format!("… and {} lines more", 101 - lines.len())
        );
    }

    #[test]
    fn long_texts_are_shortened() {
        let blocks = [Block::Paragraph(line("größer".repeat(100)))];
        let kept = within(&blocks, 100_000, 5);
        assert_eq!(
            kept,
            [Block::Paragraph(line("größe… (595 more characters)"))]
        );
    }
}
