//! What is a link, and what only looks like one. Chat clients make links, mentions and commands of words by themselves; what
//! was collected, or said by a model, must not become one. The only links of ours are runbooks.

use super::blocks::{Line, Span};

/// Advice as a line: where it ends with one of these links, that is one.
pub(super) fn with_link<'a>(text: &str, links: impl Iterator<Item = &'a str>) -> Line {
    let mut links =
        links.filter(|link| link.starts_with("https://") || link.starts_with("http://"));
    let link = links.find_map(|link| Some((text.strip_suffix(link)?, link)));
    match link.filter(|(before, _)| before.ends_with(' ')) {
        Some((before, link)) => vec![Span::Text(before.to_owned()), Span::Link(link.to_owned())],
        None => vec![Span::Text(text.to_owned())],
    }
}

/// A stretch of text, and whether it stands for itself: a command, an address, a name that a client would act upon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stretch<'a> {
    pub(super) text: &'a str,
    pub(super) is_code: bool,
}

/// The stretches of a text: what stands between two back-ticks, and words that a chat client would act upon.
pub(super) fn stretches(text: &str) -> Vec<Stretch<'_>> {
    let mut stretches = Vec::new();
    let mut rest = text;
    while let Some((before, quoted, behind)) = quoted_in(rest) {
        add_words(&mut stretches, before);
        stretches.push(Stretch {
            text: quoted,
            is_code: true,
        });
        rest = behind;
    }
    add_words(&mut stretches, rest);
    stretches
}

/// What stands before, within and behind the first pair of back-ticks. What they enclose begins and ends with what is seen.
fn quoted_in(text: &str) -> Option<(&str, &str, &str)> {
    let start = text.find('`')?;
    let inside = &text[start + 1..];
    let end = inside.find('`')?;
    let quoted = &inside[..end];
    let is_whole = !quoted.is_empty() && quoted.trim() == quoted;
    is_whole.then(|| (&text[..start], quoted, &inside[end + 1..]))
}

fn add_words<'a>(stretches: &mut Vec<Stretch<'a>>, text: &'a str) {
    let mut from = 0;
    for word in text.split(char::is_whitespace) {
        let at = word.as_ptr().addr() - text.as_ptr().addr();
        let Some((start, end)) = acted_upon(word) else {
            continue;
        };
        let (start, end) = (at + start, at + end);
        if from < start {
            stretches.push(Stretch {
                text: &text[from..start],
                is_code: false,
            });
        }
        stretches.push(Stretch {
            text: &text[start..end],
            is_code: true,
        });
        from = end;
    }
    if from < text.len() {
        stretches.push(Stretch {
            text: &text[from..],
            is_code: false,
        });
    }
}

/// Where in a word that is which a client acts upon, without the punctuation around it: links with and without a scheme,
/// addresses of e-mail, mentions, commands, tags (<https://core.telegram.org/api/entities>).
fn acted_upon(word: &str) -> Option<(usize, usize)> {
    let is_edge = |one: char| !(one.is_alphanumeric() || "@/#$".contains(one));
    let start = word.len() - word.trim_start_matches(is_edge).len();
    let core = word[start..].trim_end_matches(|one: char| !(one.is_alphanumeric() || one == '/'));
    let begins_with = |signs: &str| {
        let first = core.chars().next().is_some_and(|one| signs.contains(one));
        first && core.chars().nth(1).is_some_and(char::is_alphanumeric)
    };
    let is_acted_upon = core.contains("://")
        || core.contains('@')
        || begins_with("/#$")
        || core
            .split(|one: char| !(one.is_alphanumeric() || ".-_".contains(one)))
            .any(is_host);
    is_acted_upon.then(|| (start, start + core.len()))
}

/// Whether a client may take it for the name of a host: its last part has letters alone, and two at least.
fn is_host(word: &str) -> bool {
    let Some((first, last)) = word.trim_matches('.').rsplit_once('.') else {
        return false;
    };
    last.chars().count() >= 2
        && last.chars().all(char::is_alphabetic)
        && first.ends_with(char::is_alphanumeric)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn marked(text: &str) -> String {
        let stretches = stretches(text).into_iter();
        let marked = stretches.map(|one| {
            if one.is_code {
                format!("[{}]", one.text)
            } else {
                one.text.to_owned()
            }
        });
        marked.collect()
    }

    #[test]
    fn what_a_client_would_act_upon_stands_for_itself() {
        for (text, expected) in [
            (
                "disk_free_percent of /data is 9 < 10",
                "disk_free_percent of [/data] is 9 < 10",
            ),
            (
                "see `du -xh / | sort -h`, then rest",
                "see [du -xh / | sort -h], then rest",
            ),
            (
                "web /reboot_all@evilbot @victim",
                "web [/reboot_all@evilbot] [@victim]",
            ),
            (
                "(t.me/evil), http://evil.example/c.",
                "([t.me/evil]), [http://evil.example/c].",
            ),
            (
                "db-1.example.com:5432 refused",
                "[db-1.example.com:5432] refused",
            ),
            ("me@example.com #tag $USD", "[me@example.com] [#tag] [$USD]"),
            (
                "at 09:40, 2.5 of 10.0.0.5:22 ms / e.g. #2",
                "at 09:40, 2.5 of 10.0.0.5:22 ms / e.g. [#2]",
            ),
            ("a ` b", "a ` b"),
            ("` a `", "` a `"),
            ("größe 東京", "größe 東京"),
        ] {
            assert_eq!(marked(text), expected);
        }
    }

    #[test]
    fn only_what_is_ours_is_a_link() {
        let ours = ["https://wiki.example/disk"];
        let line = |text: &str| with_link(text, ours.into_iter());
        assert_eq!(
            line("web: follow the runbook https://wiki.example/disk")[1],
            Span::Link(ours[0].to_owned())
        );
        for text in [
            "web: follow the runbook https://evil.example/disk",
            "xhttps://wiki.example/disk",
            "https://wiki.example/disk: start it",
        ] {
            assert_eq!(line(text).len(), 1, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_lost(text in "[a-z@/.:#$` ]{0,40}|\\PC{0,60}") {
            let seen: String = stretches(&text).iter().map(|one| one.text).collect();
            let without = |text: &str| text.replace('`', "");
            prop_assert_eq!(without(&seen), without(&text));
        }
    }
}
