//! Secrets on lines of a shell and of servers where nothing but the words of a program around them tells what they are.

use std::ops::Range;

use super::findings::Findings;
use super::marks;
use super::random::is_random;
use super::values;

/// Programs that read a secret from what is piped into them.
pub(super) const READERS: [&str; 7] = [
    "| docker login",
    "| podman login",
    "| helm registry login",
    "| gh auth login",
    "| kinit",
    "| sudo -s",
    "| cryptsetup",
];

/// So far from the words something is looked for.
const REACH: usize = 160;

fn window(text: &str, start: usize, most: usize) -> &str {
    let mut end = text.len().min(start + most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[start..end]
}

fn add(text: &str, place: Range<usize>, what: &'static str, findings: &mut Findings) {
    if !values::stands_in(&text[place.clone()]) && marks::end(text, place.start).is_none() {
        findings.add(place, what);
    }
}

/// `echo SECRET | docker login …`, from the bar on.
pub(super) fn look(text: &str, bar: usize, findings: &mut Findings) {
    let end = text[..bar].trim_end_matches([' ', '"', '\'']).len();
    let word = text.as_bytes()[..end].iter().rev().take(REACH);
    let start = end
        - word
            .take_while(|byte| !b" \t\r\n\"'".contains(byte))
            .count();
    let before = text[..start].trim_end_matches(['"', '\'']);
    let is_said = ["echo ", "echo -n ", "printf ", "printf %s "]
        .iter()
        .any(|said| before.ends_with(said));
    if is_said && text.is_char_boundary(start) {
        add(text, start..end, marks::PASSWORD, findings);
    }
}

/// `Login incorrect (pap): [user/SECRET]` of RADIUS, from what stands behind the first words.
pub(super) fn look_at_radius(text: &str, behind: usize, findings: &mut Findings) {
    let line = window(text, behind, REACH);
    let line = line.split('\n').next().unwrap_or_default();
    let found = line.find('[').and_then(|open| {
        let slash = open + line[open..].find('/')?;
        let close = slash + line[slash..].find(']')?;
        // `<via Auth-Type = EAP>`
        (!line[open..slash].contains(' ') && !line[slash + 1..].starts_with('<'))
            .then_some(slash + 1..close)
    });
    if let Some(place) = found.filter(|place| !place.is_empty()) {
        add(
            text,
            behind + place.start..behind + place.end,
            marks::PASSWORD,
            findings,
        );
    }
}

/// `createUser name SHA "SECRET" AES "SECRET"` of SNMP.
pub(super) fn look_at_snmp(text: &str, behind: usize, findings: &mut Findings) {
    let line = window(text, behind, REACH);
    let line = line.split('\n').next().unwrap_or_default();
    for method in [" SHA", " MD5", " AES", " DES"] {
        let Some(found) = line.find(method) else {
            continue;
        };
        let rest = line[found + method.len()..]
            .trim_start_matches(|c: char| c.is_ascii_digit() || c == '-');
        let Some(value) = rest.strip_prefix(" \"") else {
            continue;
        };
        let start = behind + line.len() - value.len();
        let end = start + value.find('"').unwrap_or(value.len());
        if start < end {
            add(text, start..end, marks::PASSWORD, findings);
        }
    }
}

/// The private part of a JSON web key, from what stands behind `"d":`.
pub(super) fn look_at_jwk(text: &str, behind: usize, findings: &mut Findings) {
    const SHORTEST: usize = 32;
    const AROUND: usize = 512;
    let at = behind + usize::from(text[behind..].starts_with(' '));
    if !text[at..].starts_with('"') {
        return;
    }
    let made = |byte: &&u8| byte.is_ascii_alphanumeric() || b"_-".contains(byte);
    let end = at + 1 + text.as_bytes()[at + 1..].iter().take_while(made).count();
    let mut from = behind.saturating_sub(AROUND);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let is_key =
        text[from..behind].contains("\"kty\"") || window(text, end, AROUND).contains("\"kty\"");
    let value = window(text, at + 1, (end - at - 1).min(64));
    if is_key && end - at > SHORTEST && is_random(value) {
        findings.add(at + 1..end, marks::PRIVATE_KEY);
    }
}

/// `seed phrase: ocean guitar …`: twelve words and more.
pub(super) fn look_at_phrase(text: &str, behind: usize, findings: &mut Findings) {
    const FEWEST: usize = 12;
    const MOST: usize = 24;
    const LONGEST_WORD: usize = 8;
    let blanks = text[behind..]
        .bytes()
        .take(4)
        .take_while(|byte| b" :=\"'".contains(byte))
        .count();
    let start = behind + blanks;
    let (mut at, mut end, mut words) = (start, start, 0);
    while words < MOST {
        let word = text[at..]
            .bytes()
            .take(LONGEST_WORD + 1)
            .take_while(u8::is_ascii_lowercase)
            .count();
        if !(3..=LONGEST_WORD).contains(&word) {
            break;
        }
        end = at + word;
        words += 1;
        if !text[end..].starts_with(' ') {
            break;
        }
        at = end + 1;
    }
    if words >= FEWEST {
        findings.add(start..end, marks::SECRET);
    }
}
