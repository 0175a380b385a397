//! Characters that were written as others: `\n`, `\u0022`, `\x27`, `%20`, `%2520`. Their last one is a letter or a digit, and none
//! of the word behind it.

/// So far an escape reaches from the sign that it begins with.
const LONGEST: usize = 11;

/// Where the escape ends whose sign stands here.
pub(super) fn end(bytes: &[u8], sign: usize) -> Option<usize> {
    let rest = bytes.get(sign + 1..)?;
    let are = |from: usize, count: usize, kind: fn(&u8) -> bool| {
        rest.get(from..from + count)
            .is_some_and(|part| part.iter().all(kind))
    };
    let length = match (*bytes.get(sign)?, *rest.first()?) {
        (b'%', _) => {
            // What was escaped twice: `%2520`.
            let mut again = 0;
            while again + 4 < LONGEST
                && rest[again..].starts_with(b"25")
                && are(again + 2, 2, u8::is_ascii_hexdigit)
            {
                again += 2;
            }
            are(again, 2, u8::is_ascii_hexdigit).then_some(again + 2)?
        }
        (b'\\', b'u') if are(1, 4, u8::is_ascii_hexdigit) => 5,
        (b'\\', b'U') if are(1, 8, u8::is_ascii_hexdigit) => 9,
        (b'\\', b'x') if are(1, 2, u8::is_ascii_hexdigit) => 3,
        (b'\\', _) if are(0, 3, |byte| (b'0'..=b'7').contains(byte)) => 3,
        (b'\\', byte) if b"nrtfbvae0".contains(&byte) => 1,
        _ => return None,
    };
    Some(sign + 1 + length)
}

/// Whether an escape ends here.
pub(super) fn is_behind_one(bytes: &[u8], at: usize) -> bool {
    let signs = at.saturating_sub(LONGEST)..at.saturating_sub(1);
    signs
        .rev()
        .any(|sign| b"\\%".contains(&bytes[sign]) && end(bytes, sign) == Some(at))
}

/// Whether a word may begin here: what stands before is none of it.
pub(super) fn word_begins(bytes: &[u8], at: usize) -> bool {
    at == 0 || !bytes[at - 1].is_ascii_alphanumeric() || is_behind_one(bytes, at)
}

/// Where the word begins of which letters begin here: behind the escape that the first of them belong to, and no further than
/// `most`.
pub(super) fn behind(bytes: &[u8], at: usize, most: usize) -> usize {
    let mut starts = at..=most.min(at + LONGEST);
    starts
        .find(|start| is_behind_one(bytes, *start))
        .unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::super::Redactor;
    use super::*;

    #[test]
    fn an_escape_ends_where_the_word_behind_it_begins() {
        for (escape, whole) in [
            ("\\n", true),
            ("\\r\\n", true),
            ("\\t", true),
            ("\\u0022", true),
            ("\\U0001f511", true),
            ("\\x27", true),
            ("\\033", true),
            ("%20", true),
            ("%2F", true),
            ("%2520", true),
            ("%252520", true),
            ("\\q", false),
            ("\\u00g2", false),
            ("%2", false),
            ("%zz", false),
        ] {
            let text = format!("a{escape}ghp");
            let at = text.len() - 3;
            assert_eq!(is_behind_one(text.as_bytes(), at), whole, "{text}");
        }
    }

    #[test]
    fn a_token_is_told_by_its_shape_behind_whatever_was_escaped() {
        let redactor = Redactor::default();
        let tokens = [
            "gh\u{70}_16C7e42F292c6912E7710c838347Ae178B4a",
            "sk-\u{61}nt-api03-a1B2c3D4e5F6g7H8i9J0",
            "AK\u{49}AIOSFODNN7EXAMPLE",
            "glpat\u{2d}a1B2c3D4e5F6g7H8i9J0",
            "xoxb\u{2d}123456789012-123456789012-a1B2c3D4e5F6g7H8i9J0",
            "eyJ\u{68}bGciOiJIUzI1NiJ9.eyJzdWIiOiI0MiJ9.a1B2c3D4e5F6g7H8i9J0",
            "SG\u{2e}a1B2c3D4e5F6g7H8i9J0k1.a1B2c3D4e5F6g7H8i9J0a1B2c3D4e5F6g7H8i9J0abc",
            "pat\u{41}bCdEfGhIjKlMn.0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            "0123456789abcdef0123456789abcdef-us\u{31}4",
            "abc8\u{51}~a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6",
        ];
        for escape in [
            "\\n",
            "\\t",
            "\\r\\n",
            "\\u0022",
            "\\x27",
            "\\u001b[31m",
            "%20",
            "%22",
            "%3D",
            "%2F",
            "%0A",
            "%2520",
            "%3A%20",
            "\\\\n",
        ] {
            for token in tokens {
                let redacted = redactor
                    .redact(&format!("failed:{escape}{token}"))
                    .into_owned();
                assert!(
                    redacted.starts_with(&format!("failed:{escape}[redacted: ")),
                    "{escape} {token}: {redacted}"
                );
            }
        }
    }

    #[test]
    fn a_name_behind_an_escape_is_the_same_name() {
        let redactor = Redactor::default();
        for (text, expected) in [
            (
                "a=1\\napi_key=a1B2c3D4e5F6",
                "a=1\\napi_key=[redacted: key]",
            ),
            (
                "{\\u0022api_key\\u0022:\\u0022a1B2c3D4e5F6\\u0022,\\u0022id\\u0022:1}",
                "{\\u0022api_key\\u0022:\\u0022[redacted: key]\\u0022,\\u0022id\\u0022:1}",
            ),
            (
                "x%3Fa%3D1%26api_key%3Da1B2c3D4e5F6%26b%3D2",
                "x%3Fa%3D1%26api_key%3D[redacted: key]%26b%3D2",
            ),
        ] {
            assert_eq!(redactor.redact(text), expected);
        }
    }
}
