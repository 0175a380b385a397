//! Keys whose first line was cut off, and perhaps the last: lines of base64 that follow each other.

use std::ops::Range;

use super::findings::Findings;
use super::marks;

/// A line of a key is no shorter, but for the last, and the first where that was cut.
const SHORTEST_LINE: usize = 64;

/// So many lines are a key.
const FEWEST_LINES: usize = 3;

/// So far before the lines, what they are is looked for: the first line of a block, and the headers behind it.
const HEADERS: usize = 256;

fn made(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/=".contains(&byte)
}

/// Looks for lines of base64 in the whole text.
pub(super) fn look(text: &str, findings: &mut Findings) {
    let bytes = text.as_bytes();
    let mut at = 0;
    // A line that begins here covers the last of so many places. Where it does not, none begins before that.
    while at + SHORTEST_LINE <= bytes.len() {
        let probe = at + SHORTEST_LINE - 1;
        let covered = bytes[at..=probe].iter().rev();
        let covered = covered.take_while(|byte| made(**byte)).count();
        if covered < SHORTEST_LINE {
            at = probe + 1 - covered;
            continue;
        }
        let (end, lines) = lines_from(bytes, at);
        if lines >= FEWEST_LINES && is_key(text, at, end) {
            findings.add(begin(bytes, at)..end, marks::PRIVATE_KEY);
        }
        at = end;
    }
}

/// Where the lines end of which one begins here, and how many they are.
fn lines_from(bytes: &[u8], start: usize) -> (usize, usize) {
    let run = |from: usize| from + bytes[from..].iter().take_while(|byte| made(**byte)).count();
    let (mut end, mut lines) = (run(start), 1);
    loop {
        let next = behind_break(bytes, end);
        let line = run(next);
        if next == end || line == next {
            return (end, lines);
        }
        if line - next >= SHORTEST_LINE {
            (end, lines) = (line, lines + 1);
            continue;
        }
        // The last line, unless it is a word.
        let last = &bytes[next..line];
        let odd = last
            .iter()
            .any(|byte| byte.is_ascii_digit() || b"+/=".contains(byte));
        let alone = bytes
            .get(line)
            .is_none_or(|byte| b"\r\n\\\"'-".contains(byte) || *byte >= 0x80);
        return if odd || (alone && last.len() >= 4) {
            (line, lines)
        } else {
            (end, lines)
        };
    }
}

/// Where the next line begins behind an end of one: a real one, an escaped one, or a blank in its place.
fn behind_break(bytes: &[u8], at: usize) -> usize {
    let blanks = bytes[at..].iter().take(24);
    let mut behind = at
        + blanks
            .take_while(|byte| b"\r\n\t >|".contains(byte))
            .count();
    if behind > at {
        return behind;
    }
    while matches!(bytes.get(behind..behind + 2), Some(b"\\n" | b"\\r")) {
        behind += 2;
    }
    behind
}

/// Where the key begins: a part of a line before the first whole one belongs to it where nothing stands before that.
fn begin(bytes: &[u8], start: usize) -> usize {
    // The second half of `\\n` was taken for the first letter of the line.
    let escaped = start > 0 && bytes[start - 1] == b'\\' && b"nr".contains(&bytes[start]);
    let start = start + usize::from(escaped);
    let mut line = start;
    while line >= 2 && matches!(&bytes[line - 2..line], b"\\n" | b"\\r") {
        line -= 2;
    }
    let breaks = bytes[..line].iter().rev().take(8);
    line -= breaks
        .take_while(|byte| b"\r\n\t >|".contains(byte))
        .count();
    let part = bytes[..line].iter().rev().take(SHORTEST_LINE);
    let first = line - part.take_while(|byte| made(**byte)).count();
    let is_cut = first == 0 || bytes[..first].ends_with("…".as_bytes());
    if line < start && is_cut { first } else { start }
}

/// Whether lines are a key: neither what is public, nor digests.
fn is_key(text: &str, start: usize, end: usize) -> bool {
    let inside = &text.as_bytes()[start..end];
    let is_base64 = inside.iter().any(|byte| (b'g'..=b'z').contains(byte))
        && inside.iter().any(|byte| (b'G'..=b'Z').contains(byte))
        && inside.iter().any(u8::is_ascii_digit);
    is_base64 && !is_public(text, start..end)
}

/// Whether the first line of a block that is no private key stands before, or the last of one behind.
fn is_public(text: &str, place: Range<usize>) -> bool {
    let mut from = place.start.saturating_sub(HEADERS);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let before = &text[from..place.start];
    let behind = text[place.end..].trim_start_matches(['\r', '\n', '\\', 'n', 'r', ' ', '>']);
    let private = |name: &str| {
        name.split("---")
            .next()
            .is_some_and(|name| name.contains("PRIV"))
    };
    let begun = before
        .rfind("-- BEGIN ")
        .or_else(|| before.rfind("--BEGIN "));
    let begun = begun
        .map(|at| &before[at..])
        .filter(|block| !block.contains("END "));
    let ended = behind.trim_start_matches('-').trim_start();
    let ended = behind
        .starts_with("----")
        .then_some(ended)
        .filter(|name| name.starts_with("END "));
    begun.is_some_and(|name| !private(name.trim_start_matches('-')))
        || ended.is_some_and(|name| !private(name))
}

#[cfg(test)]
mod tests {
    use super::super::Redactor;

    fn line(number: usize, length: usize) -> String {
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        (0..length)
            .map(|at| char::from(alphabet[(at * 37 + number * 11 + at * at) % 64]))
            .collect()
    }

    fn lines(count: usize, between: &str) -> String {
        let all: Vec<_> = (0..count).map(|number| line(number, 64)).collect();
        all.join(between)
    }

    #[test]
    fn a_key_without_its_first_and_its_last_line_goes_whole() {
        let redactor = Redactor::default();
        for between in ["\n", "\r\n", "\\n", " ", "\n  ", "\n> "] {
            for (before, behind) in [
                ("", ""),
                ("read: ", ""),
                ("", &format!("{between}{}", line(7, 20))[..]),
                ("…", "…"),
                (&format!("{}{between}", line(8, 30)), ""),
                ("read: ", " and so on"),
            ] {
                let text = format!("{before}{}{behind}", lines(4, between));
                let redacted = redactor.redact(&text);
                let left = redacted.replace("[redacted: private key]", "");
                assert!(
                    left.len() <= 16,
                    "{between:?} {before:?} {behind:?}: {redacted}"
                );
                assert_eq!(redactor.redact(&redacted), redacted);
            }
        }
    }

    #[test]
    fn what_is_public_stays() {
        let redactor = Redactor::default();
        let key = lines(4, "\n");
        let digests =
            "9b74c9897bac770ffc029102a200c5de5d1a0f3e6c2d4b8a7f9e0d1c2b3a4f5e\n".repeat(5);
        for text in [
            format!("-----BEGIN CERTIFICATE-----\n{key}\n-----END CERTIFICATE-----"),
            format!("{key}\nabcd\n-----END CERTIFICATE-----"),
            format!("-----BEGIN CERTIFICATE-----\n{key}"),
            format!("-----BEGIN PUBLIC KEY----- {}", lines(3, " ")),
            format!(
                "---- BEGIN SSH2 PUBLIC KEY ----\nComment: \"ann\"\n{key}\n---- END SSH2 PUBLIC KEY ----"
            ),
            format!("-----BEGIN PGP SIGNATURE-----\nVersion: 2\n\n{key}"),
            format!("signature {}", lines(2, "\n")),
            digests,
            format!("digest {}", line(1, 128)),
        ] {
            assert_eq!(redactor.redact(&text), text);
        }
    }
}
