//! Text that wants to be obeyed, through everything that a model is asked and that it answers.

mod answers;
mod obedient;
mod questions;
mod runs;
mod worlds;

use std::sync::LazyLock;

use regex::Regex;
use roundsman::render::escape::plain;

/// A text that wants to be obeyed.
#[derive(Debug, Clone)]
pub(super) struct Hostile {
    pub(super) name: String,
    pub(super) text: String,
}

/// All of them, as they stand in the file beside this.
pub(super) fn corpus() -> Vec<Hostile> {
    let lines = include_str!("corpus.txt").lines();
    let entries = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let entries: Vec<Hostile> = entries
        .map(|line| {
            let (name, text) = line.split_once(" | ").expect("a name and a text");
            Hostile {
                name: name.to_owned(),
                text: repeated(text),
            }
        })
        .collect();
    assert!(entries.len() >= 120, "{} entries", entries.len());
    entries
}

/// `<<3>>ab` is `ababab`.
fn repeated(text: &str) -> String {
    let times = text
        .strip_prefix("<<")
        .and_then(|rest| rest.split_once(">>"))
        .and_then(|(times, text)| Some((times.parse::<usize>().ok()?, text)));
    match times {
        Some((times, text)) => unescaped(text).repeat(times),
        None => unescaped(text),
    }
}

fn unescaped(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text.chars();
    while let Some(one) = rest.next() {
        if one != '\\' {
            plain.push(one);
            continue;
        }
        plain.push(match rest.next().expect("something behind a `\\`") {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            '\\' => '\\',
            'u' => {
                let digits: String = rest.by_ref().take_while(|one| *one != '}').collect();
                let number = u32::from_str_radix(digits.trim_start_matches('{'), 16);
                char::from_u32(number.expect("a number")).expect("a character")
            }
            other => panic!("`\\{other}` in {text}"),
        });
    }
    plain
}

/// What is obeyed, by a terminal, a chat, a browser, a reader who taps.
static OBEYED: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let patterns = [
        r"://",
        r"@",
        r"\]\(",
        r"[<>`{}]",
        r"[⟦⟧]",
        r"(?i)(^|[^a-z])(mailto|tel|tg|javascript|data|file):\S",
        r"(?i)\bevil\.example",
        r"(?i)\bwww\.",
        r"(^| )([*_~])[^ *_~][^*_~]*([*_~])( |$)",
    ];
    let patterns = patterns.into_iter().map(Regex::new);
    patterns.collect::<Result<_, _>>().expect("patterns")
});

/// What of a text would be obeyed; `None`: nothing.
pub(super) fn obeyed_in(text: &str) -> Option<String> {
    let found = OBEYED.iter().find_map(|one| Some((one.find(text)?, one)));
    if let Some((found, pattern)) = found {
        return Some(format!("`{}` by `{pattern}`", found.as_str()));
    }
    (plain(text) != text).then(|| "a character that is not seen".to_owned())
}

#[test]
fn what_would_be_obeyed_is_found_in_nearly_all_that_is_hostile() {
    assert_eq!(
        obeyed_in("db-1 fails: 'shop' answered 503 at 09:53, 2.5 %"),
        None
    );
    for text in [
        "a https://x",
        "@here",
        "evil.example/fix",
        "*all is well*",
        "a\u{202e}",
        "a\nb",
    ] {
        assert!(obeyed_in(text).is_some(), "{text:?}");
    }
    let names: std::collections::BTreeSet<String> =
        corpus().into_iter().map(|one| one.name).collect();
    assert_eq!(names.len(), corpus().len(), "each has its own name");
}
