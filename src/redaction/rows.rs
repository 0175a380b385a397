//! Names and values that stand in rows and lists: cells of a table, columns of a key, members of a list, elements of XML.

use super::names::{Name, before};
use super::values;

/// So far a cell or a key is looked at.
const REACH: usize = 96;

/// `<property name="password">value`: where the value begins, from what stands behind the quote.
pub(super) fn element(text: &str, name: &Name, quote: &str, behind: usize) -> Option<usize> {
    let open = text[..name.place.start]
        .trim_end_matches(|c: char| c.is_ascii_alphanumeric() || "._-:".contains(c));
    let open = open.strip_suffix(quote)?.strip_suffix('=')?;
    let attribute = open
        .bytes()
        .rev()
        .take(24)
        .take_while(u8::is_ascii_alphabetic)
        .count();
    let attribute = &open[open.len() - attribute..];
    if !["name", "key", "id", "field"].contains(&attribute) {
        return None;
    }
    let rest = text[behind..].bytes().take(REACH);
    let length = rest.take_while(|byte| !b"<>".contains(byte)).count();
    let inside = text.get(behind..behind + length)?;
    let is_open = text[behind + length..].starts_with('>')
        && !inside.ends_with('/')
        && !["value=", "content="]
            .iter()
            .any(|value| inside.contains(value));
    is_open.then_some(behind + length + 1)
}

/// `<td>DB_PASSWORD</td><td><pre>value`: where the value begins.
pub(super) fn next_cell(text: &str, at: usize) -> Option<usize> {
    const MOST_TAGS: usize = 5;
    let mut start = at;
    if !text[at..].starts_with("</") {
        return None;
    }
    for _ in 0..MOST_TAGS {
        let Some(rest) = text[start..].strip_prefix('<') else {
            break;
        };
        let tag = rest
            .bytes()
            .take(REACH)
            .take_while(|byte| !b"<>\n".contains(byte))
            .count();
        if rest.as_bytes().get(tag) != Some(&b'>') {
            return None;
        }
        start += tag + 2;
    }
    (start < text.len() && !text[start..].starts_with('<')).then_some(start)
}

/// `Key (email, api_key)=(ann, value) already exists`: where the value begins that belongs to the name.
pub(super) fn column(text: &str, name: &Name, at: usize) -> Option<usize> {
    let (first, bytes) = (name.place.start, text.as_bytes());
    let back = bytes[..first].iter().rev().take(REACH);
    let back = back
        .take_while(|byte| byte.is_ascii_alphanumeric() || b"_, ".contains(byte))
        .count();
    if before(text, first - back) != Some(b'(') {
        return None;
    }
    let columns = text[first - back..first].matches(',').count();
    let rest = bytes[at..].iter().take(REACH);
    let rest = rest
        .take_while(|byte| byte.is_ascii_alphanumeric() || b"_, ".contains(byte))
        .count();
    let mut start = at + rest;
    if !text.get(start..)?.starts_with(")=(") {
        return None;
    }
    start += ")=(".len();
    for _ in 0..columns {
        start += text[start..].split(['\n', ')']).next()?.find(", ")? + 2;
    }
    (start < text.len()).then_some(start)
}

/// The first member of a list: `["value"`, or of YAML below its name: `\n  - value`.
pub(super) fn first_member(text: &str, at: usize) -> Option<usize> {
    if text[at..].starts_with('[') && values::quote(text, at + 1).is_some() {
        return Some(at + 1);
    }
    let rest = text[at..].trim_start_matches(['\r', '\n', ' ', '\t']);
    let between = &text[at..text.len() - rest.len()];
    let value = rest
        .strip_prefix("- ")
        .filter(|_| between.contains('\n') && between.len() < REACH)?;
    Some(text.len() - value.len())
}

/// The value of the next member of a list, from where that of the last one ends.
pub(super) fn next_member(text: &str, at: usize) -> Option<usize> {
    let rest = text[at..].trim_start_matches(['"', '\'']);
    if let Some(behind) = rest.strip_prefix(',') {
        let behind = behind.trim_start_matches(' ');
        values::quote(text, text.len() - behind.len())?;
        return Some(text.len() - behind.len());
    }
    first_member(text, text.len() - rest.len())
}

/// Behind what says in YAML of which type a value is, or by which name it is known: `!!binary value`, `&anchor value`.
pub(super) fn behind_a_tag(text: &str, at: usize) -> usize {
    const TAGS: [&str; 6] = ["!!binary", "!!str", "!binary", "!str", "!vault", "!unsafe"];
    let rest = &text[at..];
    let word = rest
        .bytes()
        .take(32)
        .take_while(u8::is_ascii_graphic)
        .count();
    let is_tag = TAGS.contains(&&rest[..word]);
    let is_anchor = rest.starts_with('&')
        && word > 1
        && rest.as_bytes()[1].is_ascii_alphabetic()
        && !rest[..word].contains(['=', ';', '(']);
    if (is_tag || is_anchor) && rest[word..].starts_with(' ') {
        at + word + 1
    } else {
        at
    }
}
