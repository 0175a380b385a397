//! Takes secrets out of text by their value.

use std::fmt;
use std::ops::Range;
use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, Input, MatchKind};

use super::Secret;
use super::needles::{self, Needle};

/// What stands in the place of a secret.
pub const HIDDEN: &str = "[hidden]";

/// Takes secrets out of text that was made from what holds them, such as an address with a token in its path; also where they
/// were escaped, encoded, or broken over lines.
#[derive(Default, Clone)]
pub struct Redactor {
    secrets: Vec<Secret>,
    /// Made when it is first asked for.
    search: OnceLock<Option<Search>>,
}

/// All that is searched for. An automaton is shared between those that were cloned.
#[derive(Clone)]
struct Search {
    automaton: AhoCorasick,
    needles: std::sync::Arc<[Needle]>,
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Redactor").field(&self.secrets).finish()
    }
}

impl Redactor {
    /// Adds a secret to take out. Shorter values are no secrets, and would be found inside of ordinary words.
    pub fn add(&mut self, secret: &str) {
        let is_known = self.secrets.iter().any(|known| known.expose() == secret);
        if secret.len() >= needles::SHORTEST && !is_known {
            self.secrets.push(Secret::new(secret));
            self.search = OnceLock::new();
        }
    }

    /// Adds all that another one takes out.
    pub fn join(&mut self, other: &Self) {
        for secret in &other.secrets {
            self.add(secret.expose());
        }
    }

    /// Whether one of them is in a text.
    #[must_use]
    pub fn is_in(&self, text: &str) -> bool {
        !self.places(text).is_empty()
    }

    /// Puts `[hidden]` in the place of every secret.
    pub fn redact(&self, text: &mut String) {
        let places = self.places(text);
        if places.is_empty() {
            return;
        }
        let mut out = String::with_capacity(text.len());
        let mut copied = 0;
        for place in places {
            out.push_str(&text[copied..place.start]);
            out.push_str(HIDDEN);
            copied = place.end;
        }
        out.push_str(&text[copied..]);
        *text = out;
    }

    /// Where they are, in order; none overlaps another.
    #[must_use]
    pub fn places(&self, text: &str) -> Vec<Range<usize>> {
        let search = self.search.get_or_init(|| Search::new(&self.secrets));
        let Some(search) = search else {
            return Vec::new();
        };
        if !text.contains('\n') {
            return search.places(text, text, &[(0, 0)]);
        }
        let (joined, places) = joined(text);
        search.places(text, &joined, &places)
    }
}

/// The text without ends of lines and the blanks around them, and where its parts were: from this place on, so much was left
/// out.
fn joined(text: &str) -> (String, Vec<(usize, usize)>) {
    let mut out = String::with_capacity(text.len());
    let mut places = vec![(0, 0)];
    let mut at = 0;
    for line in text.split('\n') {
        let kept = if at == 0 {
            line
        } else {
            line.trim_start_matches([' ', '\t'])
        };
        let start = at + line.len() - kept.len();
        at += line.len() + 1;
        if start > 0 {
            let before = out.trim_end_matches([' ', '\t', '\r']).len();
            out.truncate(before);
            // Blank lines leave nothing.
            while places.pop_if(|(place, _)| *place >= before).is_some() {}
            places.push((before, start - before));
        }
        out.push_str(kept);
    }
    (out, places)
}

/// Where a place in what was joined is in the text itself.
fn origin(places: &[(usize, usize)], at: usize) -> usize {
    let behind = places.partition_point(|(place, _)| *place <= at);
    at + places[..behind].last().map_or(0, |(_, left_out)| *left_out)
}

impl Search {
    fn new(secrets: &[Secret]) -> Option<Self> {
        let needles: Vec<Needle> = (secrets.iter())
            .flat_map(|secret| needles::of(secret.expose()))
            .collect();
        if needles.is_empty() {
            return None;
        }
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(needles.iter().map(|needle| &needle.text))
            .expect("a dozen texts for each secret, far from what an automaton can hold");
        Some(Self {
            automaton,
            needles: needles.into(),
        })
    }

    /// Where they are in a text that was joined so.
    fn places(&self, text: &str, joined: &str, lines: &[(usize, usize)]) -> Vec<Range<usize>> {
        let mut places: Vec<Range<usize>> = Vec::new();
        let mut from = 0;
        // Behind the first character of one, another may begin.
        while let Some(hit) = self.automaton.find(Input::new(joined).range(from..)) {
            from = hit.start() + 1;
            let found = origin(lines, hit.start())..origin(lines, hit.end() - 1) + 1;
            let last = places.last().map_or(0, |last| last.end);
            if found.end <= last {
                continue;
            }
            let in_base64 = self.needles[hit.pattern().as_usize()].in_base64;
            let place = if in_base64 {
                whole_base64(text, found, last)
            } else {
                found
            };
            match places.last_mut().filter(|last| place.start < last.end) {
                Some(last) => last.end = place.end,
                None => places.push(place),
            }
        }
        places
    }
}

/// All that is base64 around a part of it, but for what was found before: its ends tell of the secret too.
fn whole_base64(text: &str, part: Range<usize>, from: usize) -> Range<usize> {
    let made = |byte: &&u8| byte.is_ascii_alphanumeric() || b"+/-_".contains(byte);
    let bytes = text.as_bytes();
    let from = from.min(part.start);
    let before = bytes[from..part.start]
        .iter()
        .rev()
        .take_while(made)
        .count();
    let behind = bytes[part.end..].iter().take_while(made).count();
    let end = part.end + behind;
    let padding = bytes[end..]
        .iter()
        .take(2)
        .take_while(|byte| **byte == b'=');
    part.start - before..end + padding.count()
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

    use super::*;

    /// With all that has to be escaped somewhere.
    const CANARY: &str = "canary&7f3a \"q/<b>'\\+é";

    fn redacted(secrets: &[&str], text: &str) -> String {
        let mut redactor = Redactor::default();
        for secret in secrets {
            redactor.add(secret);
        }
        let mut text = text.to_owned();
        redactor.redact(&mut text);
        text
    }

    #[test]
    fn secrets_are_taken_out_and_short_ones_are_none() {
        let mut redactor = Redactor::default();
        redactor.add("canary-7f3a");
        redactor.add("abc");
        let mut text = "https://host/canary-7f3a/abc".to_owned();
        assert!(redactor.is_in(&text));
        redactor.redact(&mut text);
        assert_eq!(text, "https://host/[hidden]/abc");
        assert!(!redactor.is_in(&text));
        assert!(!format!("{redactor:?}").contains("canary"));
    }

    #[test]
    fn one_that_comes_back_in_another_dress_goes_too() {
        for dressed in [
            CANARY.to_owned(),
            serde_json::to_string(CANARY)
                .expect("JSON")
                .trim_matches('"')
                .to_owned(),
            "canary%267f3a%20%22q%2F%3Cb%3E%27%5C%2B%C3%A9".to_owned(),
            "canary%267f3a%20%22q%2f%3cb%3e%27%5c%2b%c3%a9".to_owned(),
            "canary%267f3a+%22q%2F%3Cb%3E%27%5C%2B%C3%A9".to_owned(),
            "canary&amp;7f3a &quot;q/&lt;b&gt;&#x27;\\+é".to_owned(),
            "canary&amp;7f3a &#34;q/&lt;b&gt;&#39;\\+é".to_owned(),
            CANARY.to_uppercase(),
            CANARY.to_lowercase(),
            CANARY.replace("7f3a", "7f\n  3a"),
            CANARY.replace("7f3a", "7f3\r\na"),
        ] {
            let text = format!("<{dressed}> was refused\nby db");
            assert_eq!(
                redacted(&[CANARY], &text),
                "<[hidden]> was refused\nby db",
                "{dressed}"
            );
        }
    }

    #[test]
    fn go_writes_signs_of_html_in_json_as_numbers() {
        let text = "a canary\\u0026\\u003c7f3a\\u003e b";
        assert_eq!(redacted(&["canary&<7f3a>"], text), "a [hidden] b");
    }

    #[test]
    fn base64_of_one_goes_whole_whoever_it_stands_behind() {
        for secret in [
            "canary",
            "canary-7f3a",
            "canary?7~~>>f3a~",
            "aaaaaaaaaaaaaaaaaa",
        ] {
            for before in ["", "a:", "bb:", "anna:", "ßé:"] {
                for behind in ["", "\n", "!!", "xyz"] {
                    let pair = format!("{before}{secret}{behind}");
                    for encoded in [STANDARD.encode(&pair), URL_SAFE_NO_PAD.encode(&pair)] {
                        let text = format!("Authorization: Basic {encoded}\nHost: db");
                        let expected = "Authorization: Basic [hidden]\nHost: db";
                        assert_eq!(redacted(&[secret], &text), expected, "{pair:?}");
                    }
                }
            }
        }
        let lines = STANDARD.encode(format!("{}canary-7f3a-canary-8e2b", "x".repeat(50)));
        let (first, second) = lines.split_at(76);
        let text = redacted(
            &["canary-7f3a-canary-8e2b"],
            &format!("{first}\n{second}\nend"),
        );
        assert_eq!(text, "[hidden]\nend");
    }

    #[test]
    fn what_only_looks_like_one_stays() {
        for text in [
            "CANARY-7F3A of another case",
            "canary-7f3",
            "y2FuYXJ5LTdmM2E",
            "a canary, and 7f3a",
            "canary%2D7f3b",
        ] {
            assert_eq!(redacted(&["canary-7f3a"], text), text);
        }
        assert_eq!(
            redacted(&["longer-canary-7f3a"], "LONGER-CANARY-7F3A"),
            "[hidden]"
        );
        assert_eq!(redacted(&[], "canary\n"), "canary\n");
    }

    #[test]
    fn those_that_overlap_are_hidden_together() {
        let secrets = ["canary-7f3a", "7f3a-tail-1", "canary"];
        assert_eq!(
            redacted(&secrets, "at canary-7f3a-tail-1, canary."),
            "at [hidden], [hidden]."
        );
        assert_eq!(
            redacted(&["key\nin-lines\n"], "a key\nin-lines\nb"),
            "a [hidden]\nb"
        );
    }

    #[test]
    fn for_one_secret_a_dozen_things_are_searched_at_most() {
        for secret in [
            CANARY,
            "canary",
            "a b&c d\"e'f<g>h\u{201c}",
            &"x/y+".repeat(400),
        ] {
            let needles = needles::of(secret);
            assert!((1..=12).contains(&needles.len()), "{}", needles.len());
            assert!(needles.iter().all(|needle| needle.text.len() >= 6));
        }
        assert_eq!(needles::of("canary-7f3a").len(), 4);
        assert_eq!(needles::of("longer-canary-7f3a").len(), 5);
    }

    #[test]
    fn blank_lines_and_long_texts_cost_no_more_than_their_length() {
        let time = |length: usize| {
            let text = "canary-7f3a \n\n \n".repeat(length);
            let began = std::time::Instant::now();
            assert!(redacted(&["canary-7f3a", "canary\n7"], &text).starts_with("[hidden]"));
            began.elapsed()
        };
        let short = time(1_000).max(std::time::Duration::from_millis(1));
        assert!(time(16_000) < 100 * short);
    }
}
