//! Telegram's HTML (<https://core.telegram.org/bots/api#html-style>), read as the service reads it, with its words for what
//! is wrong.

const TAGS: [&str; 14] = [
    "b",
    "strong",
    "i",
    "em",
    "u",
    "ins",
    "s",
    "strike",
    "del",
    "code",
    "pre",
    "a",
    "blockquote",
    "tg-spoiler",
];

/// The text that is seen, and what of it is bold.
pub(super) fn parse(html: &str) -> Result<(String, Vec<String>), String> {
    let mut text = String::new();
    let mut bold = Vec::new();
    let mut open: Vec<(String, usize)> = Vec::new();
    let mut at = 0;
    while let Some(character) = html[at..].chars().next() {
        let rest = &html[at..];
        match character {
            '&' => {
                let (meant, length) = entity(rest).unwrap_or(('&', 1));
                text.push(meant);
                at += length;
            }
            '<' => {
                let end = rest
                    .find('>')
                    .ok_or_else(|| format!("Unclosed start tag at byte offset {at}"))?;
                let inside = &rest[1..end];
                if let Some(name) = inside.strip_prefix('/') {
                    let (expected, from) = open
                        .pop()
                        .ok_or_else(|| format!("Unexpected end tag at byte offset {at}"))?;
                    if name.trim() != expected && !name.is_empty() {
                        return Err(format!(
                            "Unmatched end tag at byte offset {at}, expected \"</{expected}>\", found \"</{name}>\""
                        ));
                    }
                    if expected == "b" || expected == "strong" {
                        bold.push(text[from..].to_owned());
                    }
                } else {
                    let name = inside.split_whitespace().next().unwrap_or_default();
                    let name = name.to_lowercase();
                    if !TAGS.contains(&name.as_str()) {
                        return Err(format!(
                            "Unsupported start tag \"{name}\" at byte offset {at}"
                        ));
                    }
                    open.push((name, text.len()));
                }
                at += end + 1;
            }
            other => {
                text.push(other);
                at += other.len_utf8();
            }
        }
    }
    match open.pop() {
        Some((name, _)) => Err(format!(
            "Can't find end tag corresponding to start tag \"{name}\""
        )),
        None => Ok((text, bold)),
    }
}

/// What an entity means, and how long it is. One that is none is text.
fn entity(rest: &str) -> Option<(char, usize)> {
    let named = [
        ("&lt;", '<'),
        ("&gt;", '>'),
        ("&amp;", '&'),
        ("&quot;", '"'),
    ];
    if let Some((name, meant)) = named.iter().find(|(name, _)| rest.starts_with(name)) {
        return Some((*meant, name.len()));
    }
    let number = rest.strip_prefix("&#")?;
    let end = number.find(';').filter(|end| *end <= 8)?;
    let code = match number[..end].strip_prefix('x') {
        Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16).ok()?,
        None => number[..end].parse().ok()?,
    };
    Some((char::from_u32(code)?, end + 3))
}

#[test]
fn it_reads_as_the_service_does() {
    let bold = |text: &str| vec![text.to_owned()];
    for (html, expected) in [
        (
            "a &lt;b&gt; &amp; &#65;",
            Ok(("a <b> & A".to_owned(), vec![])),
        ),
        (
            "<b>a &amp; b</b> c",
            Ok(("a & b c".to_owned(), bold("a & b"))),
        ),
        ("&copy; & >", Ok(("&copy; & >".to_owned(), vec![]))),
        (
            "<b>a",
            Err("Can't find end tag corresponding to start tag \"b\""),
        ),
        ("a</b>", Err("Unexpected end tag at byte offset 1")),
        (
            "<b>a</i>",
            Err("Unmatched end tag at byte offset 4, expected \"</b>\", found \"</i>\""),
        ),
        (
            "<h1>a</h1>",
            Err("Unsupported start tag \"h1\" at byte offset 0"),
        ),
        ("a < b", Err("Unclosed start tag at byte offset 2")),
    ] {
        assert_eq!(parse(html), expected.map_err(str::to_owned), "{html}");
    }
}
