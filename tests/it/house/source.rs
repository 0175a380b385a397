//! Rust source as the checks want to see it: without comments, without the text of strings, without tests.

/// The code with comments and the contents of strings blanked out. Lines stay where they are.
pub(super) fn code_only(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < bytes.len() {
        let rest = &text[at..];
        let (skipped, shown) = if rest.starts_with("//") {
            (rest.find('\n').unwrap_or(rest.len()), false)
        } else if rest.starts_with("/*") {
            (block_comment(rest), false)
        } else if let Some(length) = string(text, at) {
            (length, false)
        } else {
            (rest.chars().next().map_or(1, char::len_utf8), true)
        };
        let piece = &rest[..skipped];
        if shown {
            out.push_str(piece);
        } else {
            let lines = piece.matches('\n').count();
            out.push_str(if lines == 0 { " " } else { "" });
            out.push_str(&"\n".repeat(lines));
        }
        at += skipped;
    }
    out
}

/// How long the block comment is that begins here; they nest.
fn block_comment(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

/// How long the string or character is that begins at `at`, if one does. A lifetime is none.
fn string(text: &str, at: usize) -> Option<usize> {
    let rest = &text[at..];
    let after_word =
        (text[..at].chars().next_back()).is_some_and(|c| c.is_alphanumeric() || c == '_');
    if rest.starts_with('"') {
        return Some(quoted(rest, '"'));
    }
    if let Some(inside) = rest.strip_prefix('\'') {
        let mut characters = inside.chars();
        let first_two = (characters.next(), characters.next());
        let is_character = matches!(first_two, (Some('\\'), _) | (Some(_), Some('\'')));
        return is_character.then(|| quoted(rest, '\''));
    }
    if after_word {
        return None;
    }
    let prefix = ["br", "cr", "r"]
        .into_iter()
        .find(|prefix| rest.starts_with(prefix))?;
    let hashes = rest[prefix.len()..]
        .chars()
        .take_while(|c| *c == '#')
        .count();
    let body = prefix.len() + hashes;
    if !rest[body..].starts_with('"') {
        return None;
    }
    let end = format!("\"{}", "#".repeat(hashes));
    let length = rest[body + 1..]
        .find(&end)
        .map_or(rest.len(), |found| body + 1 + found + end.len());
    Some(length)
}

fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, character) in rest.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if character == quote => return at + character.len_utf8(),
            _ => {}
        }
    }
    rest.len()
}

/// Code (see [`code_only`]) with its `#[cfg(test)] mod … { … }` blanked out.
pub(super) fn without_tests(code: &str) -> String {
    let mut out = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(found) = rest.find("#[cfg(test)]") {
        let item = &rest[found + "#[cfg(test)]".len()..];
        let brace = item
            .find('{')
            .filter(|brace| item.trim_start().starts_with("mod ") && !item[..*brace].contains(';'));
        let Some(brace) = brace else {
            let next = rest.len() - item.len();
            out.push_str(&rest[..next]);
            rest = item;
            continue;
        };
        let end = closing_brace(&item[brace..]).map_or(item.len(), |end| brace + end);
        out.push_str(&rest[..found]);
        out.push_str(&"\n".repeat(item[..end].matches('\n').count()));
        rest = &item[end..];
    }
    out.push_str(rest);
    out
}

/// Where the block that begins here ends.
fn closing_brace(block: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, character) in block.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
    }
    None
}

#[test]
fn comments_and_strings_are_no_code() {
    let text = "let a = \"crate::x \\\" // no\"; // crate::y\n/* crate::z /* in */\n */ let b = '\"';\n\
                fn f<'a>(c: &'a str) { r#\"crate::\"q\"#; b'\\''; for_r(\"x\") }\n";
    let code = code_only(text);
    assert!(!code.contains("crate") && !code.contains("//"), "{code}");
    assert!(
        code.contains("let b =") && code.contains("fn f<'a>(c: &'a str)"),
        "{code}"
    );
    assert!(code.trim_end().ends_with('}'), "{code}");
    assert_eq!(code.lines().count(), text.lines().count());
}

#[test]
fn tests_are_taken_out() {
    let code = "fn a() {}\n#[cfg(test)]\nmod tests {\n  fn b() { if x {} }\n}\nfn c() {}\n";
    let rest = without_tests(code);
    assert!(
        rest.contains("fn a") && rest.contains("fn c") && !rest.contains("fn b"),
        "{rest}"
    );
    assert_eq!(rest.lines().count(), code.lines().count());
    let elsewhere = "#[cfg(test)]\nmod tests;\nfn a() { b() }\n";
    assert_eq!(without_tests(elsewhere), elsewhere);
}
