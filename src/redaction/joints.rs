//! Where the value of a name begins, and how the two are joined.

use super::names::{Name, before};
use super::nouns::is;
use super::rows;
use super::spoken::said;
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
    // `config["password"] = …`, `[password] => …`
    let bare_in_brackets = own.is_none() && before(text, name.place.start) == Some(b'[');
    if (own.is_some() || bare_in_brackets) && bytes.get(at) == Some(&b']') {
        at += 1;
    }
    // `user%5Bpassword%5D=value`
    if text[..name.place.start].ends_with('B') && text[at..].starts_with("%5D") {
        at += 3;
    }
    // `password.........."value"`
    let dots = bytes[at..]
        .iter()
        .take(64)
        .take_while(|byte| **byte == b'.')
        .count();
    if dots >= 3 && values::quote(text, at + dots).is_some() {
        return Some(Joined {
            at: at + dots,
            joint: Joint::Equals,
            quote: own,
        });
    }
    // `**Password**: value`
    if text[at..].starts_with("**") && text[..name.place.start].ends_with("**") {
        at += 2;
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
        ("=&gt;", Joint::Equals),
        ("-&gt;", Joint::Equals),
        ("->", Joint::Equals),
        ("：", Joint::Colon),
        ("==", Joint::Equals),
        (":=", Joint::Equals),
        ("=", Joint::Equals),
        (":", Joint::Colon),
        ("%3D", Joint::Escaped),
        ("%3d", Joint::Escaped),
        ("%3A", Joint::Escaped),
        ("%253D", Joint::Escaped),
        ("\\u003d", Joint::Equals),
        ("\\u003D", Joint::Equals),
        ("&#61;", Joint::Equals),
        ("&#x3D;", Joint::Equals),
    ];
    if let Some((sign, joint)) = joints.iter().find(|(sign, _)| rest.starts_with(sign)) {
        let mut start = blanks(text, behind + sign.len());
        // `[password] => [host] => db`: none was given.
        if bare_in_brackets && text[start..].starts_with('[') {
            return None;
        }
        start = rows::behind_a_tag(text, start);
        if name.is_many(text) {
            start = rows::first_member(text, start).unwrap_or(start);
        }
        if let Some(block) = below(text, start) {
            start = block;
        }
        if let Some(value) = within(text, start) {
            start = value;
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
    if let Some(tag) = tag_end(rest).filter(|_| is_tag(text, name.place.start)) {
        return found(behind + tag, Joint::Tag, None);
    }
    if let Some(quote) = own {
        let value = second(text, name, quote, behind).or_else(|| serialized(text, behind));
        if let Some(at) = value {
            return found(at, Joint::Equals, own);
        }
        if let Some(at) = rows::element(text, name, quote, behind) {
            return found(at, Joint::Tag, None);
        }
        // `OPTIONS ("user" 'ann', "password" 'value')`
        if name.noun.is_chosen() && quote == "\"" && behind > at && rest.starts_with('\'') {
            return found(behind, Joint::Space, own);
        }
    }
    if let Some(at) = rows::column(text, name, at) {
        return found(at, Joint::Equals, None);
    }
    if let Some(at) = rows::next_cell(text, at) {
        return found(at, Joint::Said, None);
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
    let configured = is(
        written,
        &[
            "requirepass",
            "masterpass",
            "masterauth",
            "bindpw",
            "rootpw",
        ],
    );
    // `aws configure set aws_secret_access_key value`
    if behind > at && text[..name.place.start].ends_with("configure set ") {
        return found(behind, Joint::Space, None);
    }
    if sql || (spoken && (configured || behind_a_login(text, name.place.start))) {
        return found(behind, Joint::Space, None);
    }
    // `SET PASSWORD FOR 'ann'@'%' = 'value'`
    if written.eq_ignore_ascii_case("password")
        && let Some(whose) = rest.strip_prefix("FOR ")
    {
        let reach = whose
            .bytes()
            .take(96)
            .take_while(|byte| byte.is_ascii() && *byte != b'\n')
            .count();
        if let Some(sign) = whose[..reach].find(" = ") {
            return found(text.len() - whose.len() + sign + 3, Joint::Equals, None);
        }
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

/// A block of YAML: `password: |`, and the value below. Where a text was brought on one line, behind a blank.
fn below(text: &str, at: usize) -> Option<usize> {
    let rest = text[at..].strip_prefix(['|', '>'])?;
    let rest = rest.strip_prefix(['-', '+']).unwrap_or(rest);
    let value = rest.trim_start_matches(['\r', '\n', ' ', '\t']);
    let between = &rest[..rest.len() - value.len()];
    let mut first = value.bytes().take_while(|byte| !byte.is_ascii_whitespace());
    // `password: | grep` is no block.
    let is_below = between.contains('\n') || first.any(|byte| byte.is_ascii_digit());
    let is_apart = !between.is_empty() && !value.is_empty() && is_below;
    is_apart.then_some(text.len() - value.len())
}

/// `{"password": {"value": "…"}}`: where the value begins.
fn within(text: &str, at: usize) -> Option<usize> {
    let rest = text[at..].strip_prefix('{')?;
    let start = text.len() - rest.trim_start_matches([' ', '\n']).len();
    let quote = values::quote(text, start)?;
    let name = start + quote.len();
    let names = ["value", "plain", "plaintext", "text", "secret", "string"];
    let ends = |name: &&str| {
        let behind = rest_behind(text, start + quote.len(), name)?;
        behind.strip_prefix(quote)
    };
    let behind = names.iter().find_map(ends)?;
    let behind = behind.trim_start_matches(' ').strip_prefix(':')?;
    let value = text.len() - behind.trim_start_matches(' ').len();
    (value > name && values::quote(text, value).is_some()).then_some(value)
}

/// What stands behind a word, if it stands here.
fn rest_behind<'text>(text: &'text str, at: usize, word: &str) -> Option<&'text str> {
    let found = text.get(at..at + word.len())?;
    found
        .eq_ignore_ascii_case(word)
        .then(|| &text[at + word.len()..])
}

/// `('password', 'value')`, `define('DB_PASSWORD', 'value')`: where the value begins.
fn second(text: &str, name: &Name, quote: &str, at: usize) -> Option<usize> {
    // `set_config('app.jwt_secret', 'value', false)`
    let dotted = |c: char| c.is_ascii_alphanumeric() || "._".contains(c);
    let open = text[..name.place.start]
        .trim_end_matches(dotted)
        .strip_suffix(quote)?;
    let open = open.trim_end_matches(' ').strip_suffix('(')?;
    let start = text.len() - text[at..].strip_prefix(',')?.trim_start_matches(' ').len();
    let value = values::quote(text, start)?;
    let end = values::quoted_end(text, start + value.len(), value);
    let is_defined = open.ends_with("define") || open.ends_with("set_config");
    if is_defined {
        return Some(start);
    }
    let behind = text[end..].strip_prefix(value)?.trim_start_matches(' ');
    let is_pair = behind.starts_with(')') && !values::is_word(&text[start + value.len()..end]);
    is_pair.then_some(start)
}

/// `s:8:"password";s:5:"value"` of PHP: where the value begins.
fn serialized(text: &str, at: usize) -> Option<usize> {
    let rest = text[at..].strip_prefix(";s:")?;
    let digits = rest.bytes().take(8).take_while(u8::is_ascii_digit).count();
    let value = rest[digits..].strip_prefix(':')?;
    let start = text.len() - value.len();
    values::quote(text, start).map(|_| start)
}

/// Where the blanks end that begin here.
fn blanks(text: &str, at: usize) -> usize {
    let blanks = text.as_bytes()[at..].iter().take(16);
    at + blanks.take_while(|byte| b" \t".contains(byte)).count()
}

/// Where a tag ends, from what stands behind its name: `>`, or attributes and `>`.
fn tag_end(rest: &str) -> Option<usize> {
    const LONGEST: usize = 200;
    let inside = rest.bytes().take(LONGEST);
    let length = inside.take_while(|byte| !b"<>".contains(byte)).count();
    if rest.as_bytes().get(length) != Some(&b'>') {
        return None;
    }
    let attributes = &rest[..length];
    let is_open = attributes.is_empty() || (attributes.contains('=') && !attributes.ends_with('/'));
    is_open.then_some(length + 1)
}

/// `<password>` or `<ns:password>`, from where the name begins.
fn is_tag(text: &str, at: usize) -> bool {
    let bytes = text.as_bytes();
    let space = bytes[..at].iter().rev().take(24);
    let space = space.take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b':');
    before(text, at - space.count()) == Some(b'<')
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
    let word = ["value", "content"]
        .into_iter()
        .find(|word| rest_behind(text, start, word).is_some())?;
    if start == at {
        return None;
    }
    let mut behind = start + word.len();
    if let Some(quote) = values::quote(text, behind) {
        behind += quote.len();
    }
    let rest = text[behind..].trim_start_matches([' ', '\t']);
    let rest = rest.strip_prefix([':', '='])?;
    Some(text.len() - rest.trim_start_matches([' ', '\t']).len())
}
