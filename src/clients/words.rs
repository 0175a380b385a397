//! The words of others, made fit for our messages.

/// How many characters of a stranger's message are worth reading.
const MOST: usize = 200;

/// On one line, and no longer than anybody reads.
pub(crate) fn shortened(text: &str) -> String {
    shortened_to(text, MOST)
}

/// The same with a length of one's own, in characters.
pub(crate) fn shortened_to(text: &str, most: usize) -> String {
    let mut characters = text.trim().chars();
    let mut short: String = (characters.by_ref().take(most))
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if characters.next().is_some() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_are_kept_short_and_on_one_line() {
        assert_eq!(shortened(" two\nlines\u{1b}[31m "), "two lines [31m");
        assert_eq!(shortened_to("abcdef", 3), "abc…");
        assert_eq!(shortened_to("abc", 3), "abc");
    }
}
