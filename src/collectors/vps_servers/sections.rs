//! The output of `deployment/ssh-monitor`, taken apart.
//!
//! A shell may print a greeting before it, so everything up to the first line of ours is left out. What a server says
//! about itself cannot pass for a line of ours: each begins with a word that is made up anew on every look.

/// The version of the format that this build reads.
const VERSION: &str = "1";
/// How the first line begins: the version and the word follow.
const FIRST_LINE: &[u8] = b"--- roundsman-ssh-monitor ";
/// The name of the last section.
const END: &[u8] = b"end";

/// What an output turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found<'a> {
    /// The script's output.
    Sections(Sections<'a>),
    /// The output of a script of another version.
    OtherVersion(String),
    /// Something else.
    Nothing,
}

/// The parts of an output, in their order. A part that may have been cut off is not among them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sections<'a> {
    parts: Vec<(&'a [u8], &'a [u8])>,
    /// Whether the last line of the script was there.
    pub(super) whole: bool,
}

impl<'a> Sections<'a> {
    /// The first section of that name.
    pub(super) fn first(&self, name: &str) -> Option<&'a [u8]> {
        self.all(name).next()
    }

    /// All sections of that name.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        let named = move |part: &&(&[u8], &[u8])| part.0 == name.as_bytes();
        self.parts.iter().filter(named).map(|(_, text)| *text)
    }
}

/// Looks for the script's output in what a command printed.
pub(super) fn find(output: &[u8]) -> Found<'_> {
    let mut rest = output;
    while let Some(place) = position(rest, FIRST_LINE) {
        rest = &rest[place + FIRST_LINE.len()..];
        let (line, behind) = split_line(rest);
        let Some((version, word)) = heading(line) else {
            continue; // the script itself, printed by somebody who should have run it
        };
        if version != VERSION {
            return Found::OtherVersion(version.to_owned());
        }
        return Found::Sections(sections(behind, &format!("--- {word} ")));
    }
    Found::Nothing
}

/// The version and the word behind the beginning of the first line.
fn heading(line: &[u8]) -> Option<(&str, &str)> {
    let (version, word) = std::str::from_utf8(line).ok()?.split_once(' ')?;
    let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let is_short = (1..=8).contains(&version.len()) && (1..=64).contains(&word.len());
    (is_short && version.bytes().chain(word.bytes()).all(known)).then_some((version, word))
}

fn sections<'a>(text: &'a [u8], prefix: &str) -> Sections<'a> {
    let prefix = prefix.as_bytes();
    let mut found = Sections {
        parts: Vec::new(),
        whole: false,
    };
    let mut open: Option<(&[u8], usize)> = None;
    let mut at = 0;
    while at < text.len() {
        let (line, behind) = split_line(&text[at..]);
        let next = text.len() - behind.len();
        if let Some(name) = line.strip_prefix(prefix) {
            if let Some((name, from)) = open {
                found.parts.push((name, &text[from..at]));
            }
            // The last line may lack its end, and half a name is none.
            if name == END && text[at..next].ends_with(b"\n") {
                found.whole = true;
                break;
            }
            open = Some((name, next));
        }
        at = next;
    }
    found
}

/// The first line without its end, and what is behind it.
fn split_line(text: &[u8]) -> (&[u8], &[u8]) {
    match text.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&text[..end], &text[end + 1..]),
        None => (text, &[]),
    }
}

fn position(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|part| part == wanted)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OUTPUT: &str = "\
--- roundsman-ssh-monitor 1 ab-1
--- ab-1 counters
1.0 2.0
cpu 1
--- ab-1 empty
--- ab-1 counters
3.0 4.0
--- ab-1 end
goodbye
";

    fn read(text: &str) -> Sections<'_> {
        match find(text.as_bytes()) {
            Found::Sections(sections) => sections,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn sections_are_found_behind_a_greeting() {
        let greeted = format!("Welcome!\nno line end --- half{OUTPUT}");
        for text in [OUTPUT, &greeted] {
            let sections = read(text);
            assert!(sections.whole);
            let counters: Vec<&[u8]> = sections.all("counters").collect();
            assert_eq!(counters, [&b"1.0 2.0\ncpu 1\n"[..], b"3.0 4.0\n"]);
            assert_eq!(sections.first("empty"), Some(&b""[..]));
            assert_eq!(sections.first("memory"), None);
        }
    }

    #[test]
    fn an_output_that_was_cut_keeps_what_is_whole() {
        let end = OUTPUT.find("--- ab-1 end\n").expect("an end");
        for length in 0..OUTPUT.len() {
            let Found::Sections(sections) = find(&OUTPUT.as_bytes()[..length]) else {
                assert!(length <= OUTPUT.find('\n').expect("a line"), "{length}");
                continue;
            };
            let is_whole = length >= end + "--- ab-1 end\n".len();
            assert_eq!(sections.whole, is_whole, "{length}");
            for part in sections.all("counters").chain(sections.first("empty")) {
                let part = std::str::from_utf8(part).expect("text");
                assert!(
                    ["1.0 2.0\ncpu 1\n", "", "3.0 4.0\n"].contains(&part),
                    "{part}"
                );
            }
        }
    }

    #[test]
    fn what_the_server_prints_is_no_section() {
        let sly = "\
--- roundsman-ssh-monitor 1 ab-1
--- ab-1 counters
--- ab-2 end
--- roundsman-ssh-monitor 1 ab-2
x --- ab-1 end
--- ab-1 end
";
        let sections = read(sly);
        assert!(sections.whole);
        let lines = sections
            .first("counters")
            .expect("one")
            .split(|byte| *byte == b'\n');
        assert_eq!(lines.count(), 4);
    }

    #[test]
    fn other_outputs_are_told_apart() {
        assert_eq!(
            find(b"hi\n--- roundsman-ssh-monitor 2 ab\n--- ab x\n"),
            Found::OtherVersion("2".to_owned())
        );
        let script = include_str!("../../../deployment/ssh-monitor");
        for text in ["", "hello\n", "--- roundsman-ssh-monitor \n", script] {
            assert_eq!(find(text.as_bytes()), Found::Nothing, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            find(&bytes);
            let mut behind = b"--- roundsman-ssh-monitor 1 a\n".to_vec();
            behind.extend(bytes);
            find(&behind);
        }
    }
}
