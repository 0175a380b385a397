//! Where the value of a name begins, and how the two are joined.

use super::names::{Name, before, is_constant};
use super::nouns::{Noun, is};
use super::values::{self, Joint};

/// Where the value begins that belongs to a name, and how it is joined.
pub(super) struct Joined<'text> {
    pub(super) at: usize,
    pub(super) joint: Joint,
    /// The quote in which the name stands alone.
    pub(super) quote: Option<&'text str>,
}

/// Finds the value of a name.
pub(super) fn joined<'text>(text: &'text str, name: &Name) -> Option<Joined<'text>> {
    let bytes = text.as_bytes();
    let mut at = name.place.end;
    let mut own = None;
    if let Some(quote) = values::quote(text, at) {
        at += quote.len();
        own = Some(quote);
    }
    // `config["password"] = …`
    if own.is_some() && bytes.get(at) == Some(&b']') {
        at += 1;
    }
    let behind = blanks(text, at);
    let rest = &text[behind..];
    // A path of names: `Secret::new`.
    if rest.starts_with("::") {
        return None;
    }
    let joints = [
        (":-", Joint::Equals),
        ("=>", Joint::Equals),
        ("->", Joint::Equals),
        ("：", Joint::Colon),
        ("==", Joint::Equals),
        (":=", Joint::Equals),
        ("=", Joint::Equals),
        (":", Joint::Colon),
        ("%3D", Joint::Escaped),
        ("%3d", Joint::Escaped),
        ("%3A", Joint::Escaped),
    ];
    if let Some((sign, joint)) = joints.iter().find(|(sign, _)| rest.starts_with(sign)) {
        let mut start = blanks(text, behind + sign.len());
        // A block of YAML: `password: |`, and the value below.
        for block in ["|\n", "|-\n", ">\n", ">-\n"] {
            if text[start..].starts_with(block) {
                start += block.len();
                start += text[start..].len() - text[start..].trim_start_matches([' ', '\t']).len();
                break;
            }
        }
        return Some(Joined {
            at: start,
            joint: *joint,
            quote: own,
        });
    }
    without_sign(text, name, own, at, behind)
}

/// The value of a name behind which no sign stands: in a tag, behind a flag, in a sentence. `at` is where the name ends with its
/// quotes, `behind` where the blanks after it do.
fn without_sign<'text>(
    text: &'text str,
    name: &Name,
    own: Option<&'text str>,
    at: usize,
    behind: usize,
) -> Option<Joined<'text>> {
    let rest = &text[behind..];
    let written = &text[name.place.clone()];
    let is_flag = written.starts_with('-');
    let found =
        |at: usize, joint: Joint, quote: Option<&'text str>| Some(Joined { at, joint, quote });
    if rest.starts_with('>') && is_tag(text, name.place.start) {
        return found(behind + 1, Joint::Tag, None);
    }
    if is_flag && own.is_some() && rest.starts_with(',') {
        let start = blanks(text, behind + 1);
        values::quote(text, start)?;
        return found(start, Joint::Space, own);
    }
    if is_flag && own.is_none() && behind > at {
        return found(behind, Joint::Space, None);
    }
    let spoken = name.noun.is_chosen() && own.is_none() && behind > at;
    // SQL: `PASSWORD 'value'`; netrc: `login user password value`; Redis: `requirepass value`.
    let sql = spoken && matches!(rest.as_bytes().first(), Some(b'\'' | b'"'));
    let configured = is(written, &["requirepass", "masterpass", "bindpw", "rootpw"]);
    if sql || (spoken && (configured || behind_a_login(text, name.place.start))) {
        return found(behind, Joint::Space, None);
    }
    // `SET PASSWORD = PASSWORD('value')`
    if written == "PASSWORD" && text[at..].starts_with("('") {
        return found(at + 1, Joint::Equals, None);
    }
    if let Some(at) = paired(text, at) {
        return found(at, Joint::Equals, own.or(Some("\"")));
    }
    let at = (own.is_none() && behind > at).then(|| said(text, name, behind))??;
    found(at, Joint::Said, None)
}

/// Where the blanks end that begin here.
fn blanks(text: &str, at: usize) -> usize {
    let blanks = text.as_bytes()[at..].iter().take(16);
    at + blanks.take_while(|byte| b" \t".contains(byte)).count()
}

/// `<password>` or `<ns:password>`, from where the name begins.
fn is_tag(text: &str, at: usize) -> bool {
    let bytes = text.as_bytes();
    let space = bytes[..at].iter().rev().take(24);
    let space = space.take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b':');
    before(text, at - space.count()) == Some(b'<')
}

/// `password is value`, `token value`, `PASSWORD value`: where the value begins.
fn said(text: &str, name: &Name, behind: usize) -> Option<usize> {
    let (rest, noun) = (&text[behind..], name.noun);
    // `set -x PGPASSWORD value`
    let variable = noun.is_chosen() && is_constant(&text[name.place.clone()]);
    // The last is how MySQL says it.
    let verbs = ["is: ", "is ", "was ", "is generated for root@localhost: "];
    let verb = verbs.iter().rev().find(|verb| rest.starts_with(**verb));
    match verb {
        Some(verb) if noun.is_chosen() || noun == Noun::Token => Some(behind + verb.len()),
        None if variable || noun == Noun::Token => Some(behind),
        _ => None,
    }
}

/// `machine host login user password value`
fn behind_a_login(text: &str, at: usize) -> bool {
    const REACH: usize = 80;
    let mut from = at.saturating_sub(REACH);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let mut words = text[from..at].split_ascii_whitespace().rev();
    words.next().is_some() && words.next() == Some("login")
}

/// `{"name": "DB_PASSWORD", "value": "…"}`, in all the ways in which that is written: the beginning of the value.
fn paired(text: &str, at: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let blank = |from: usize| {
        let blanks = bytes[from..].iter().take(32);
        from + blanks
            .take_while(|byte| b" \t\r\n,\"'\\".contains(byte))
            .count()
    };
    let start = blank(at);
    if start == at || !text.get(start..start + 5)?.eq_ignore_ascii_case("value") {
        return None;
    }
    let mut behind = start + 5;
    if let Some(quote) = values::quote(text, behind) {
        behind += quote.len();
    }
    let rest = text[behind..].trim_start_matches([' ', '\t']);
    let rest = rest.strip_prefix([':', '='])?;
    Some(text.len() - rest.trim_start_matches([' ', '\t']).len())
}
