//! How wide the columns of a table are, and how a cell's text is broken or cut to fit.
//!
//! Our own because a cell may have several looks, and some columns may be cut while others may lose nothing.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::blocks::{Column, Fit};

/// The blanks between two columns.
pub(super) const GAP: usize = 2;

/// A column is not made narrower than this: below it nothing can be read, and the terminal may break the line.
const NARROWEST: usize = 12;

/// How many terminal cells the text takes.
pub(super) fn width_of(text: &str) -> usize {
    text.width()
}

/// The widths that fit, made from the natural ones by taking from the widest column that may give.
pub(super) fn fitted(columns: &[Column], natural: &[usize], room: Option<usize>) -> Vec<usize> {
    let mut widths = natural.to_vec();
    let Some(room) = room else { return widths };
    let gaps = GAP * columns.len().saturating_sub(1);
    loop {
        let is_over = widths.iter().sum::<usize>() + gaps > room;
        let widest = (widths.iter().copied().enumerate())
            .filter(|(index, width)| columns[*index].fit != Fit::Whole && *width > NARROWEST)
            .max_by_key(|(_, width)| *width);
        match widest {
            // One at a time, so that columns of the same width give alike.
            Some((index, width)) if is_over => widths[index] = width - 1,
            _ => return widths,
        }
    }
}

/// The text cut to a width, with `…` where something is missing.
#[must_use]
pub fn cut(text: &str, width: usize) -> String {
    if width_of(text) <= width {
        return text.to_owned();
    }
    let (head, _) = split(text, width.saturating_sub(1));
    format!("{head}…")
}

/// The text over as many lines as it takes, broken at blanks where there are any.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut rest = text;
    while width_of(rest) > width {
        let (head, tail) = split(rest, width.max(2));
        // A break exactly at the border needs no earlier one.
        let blank = if tail.starts_with(' ') {
            Some(head.len())
        } else {
            head.rfind(' ')
        };
        if let Some(blank) = blank.filter(|blank| !head[..*blank].trim().is_empty()) {
            lines.push(rest[..blank].trim_end().to_owned());
            rest = rest[blank..].trim_start();
        } else {
            lines.push(head.to_owned());
            rest = tail;
        }
    }
    if !rest.is_empty() || lines.is_empty() {
        lines.push(rest.to_owned());
    }
    lines
}

/// The longest beginning that fits, at least one character, and the rest.
fn split(text: &str, width: usize) -> (&str, &str) {
    let mut taken = 0;
    for (index, character) in text.char_indices() {
        taken += character.width().unwrap_or(0);
        if taken > width && index > 0 {
            return text.split_at(index);
        }
    }
    (text, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(fit: Fit) -> Column {
        Column { title: "", fit }
    }

    #[test]
    fn the_widest_column_gives_first() {
        let columns = [Fit::Whole, Fit::Wrap, Fit::Cut].map(column);
        for (natural, room, expected) in [
            ([7, 10, 40], None, [7, 10, 40]),
            ([7, 10, 40], Some(80), [7, 10, 40]),
            ([7, 10, 40], Some(51), [7, 10, 30]),
            ([7, 30, 60], Some(51), [7, 20, 20]),
            ([7, 30, 60], Some(10), [7, 12, 12]),
        ] {
            assert_eq!(fitted(&columns, &natural, room), expected);
        }
    }

    #[test]
    fn text_is_broken_at_blanks() {
        for (text, width, expected) in [
            ("", 5, vec![""]),
            ("one two", 7, vec!["one two"]),
            ("one two three", 7, vec!["one two", "three"]),
            ("one two three", 8, vec!["one two", "three"]),
            ("abcdefgh", 3, vec!["abc", "def", "gh"]),
            ("東京東京", 4, vec!["東京", "東京"]),
            ("  a b", 3, vec!["  a", "b"]),
        ] {
            assert_eq!(wrapped(text, width), expected);
        }
    }

    #[test]
    fn what_is_cut_says_so() {
        assert_eq!(cut("response", 8), "response");
        assert_eq!(cut("response", 5), "resp…");
        assert_eq!(cut("東京東京", 5), "東京…");
    }
}
