//! Reads `.env` as python-dotenv reads it (its `parser.py` and `variables.py` are the source of the rules), because
//! the predecessor's users bring their file unchanged: an unquoted value may hold spaces, a lone `$` stays, only
//! `${NAME}` and `${NAME:-default}` expand, and a line that is no assignment is passed over.
//!
//! Values are never part of a problem.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::problem::{Location, Problem};

/// An assignment, before variables in it are expanded.
#[derive(Debug, PartialEq, Eq)]
struct Assignment {
    name: String,
    /// `None`: a name alone, which takes back what was assigned before.
    value: Option<String>,
    line: u32,
}

/// The variables of a `.env` file with the line of each. `process` holds the real environment, which wins.
pub(super) fn read(
    file: &Arc<str>,
    text: &str,
    process: &BTreeMap<String, String>,
    problems: &mut Vec<Problem>,
) -> BTreeMap<String, (String, u32)> {
    let (assignments, refused) = parse(text.strip_prefix('\u{feff}').unwrap_or(text));
    for line in refused {
        let location = Location {
            file: Arc::clone(file),
            line,
            column: 1,
        };
        let problem = Problem::warning("this line is no assignment, and is passed over");
        let hint = "write NAME=value; a quote that was opened must be closed";
        problems.push(problem.at(&location, "").hint(hint));
    }
    let mut variables: BTreeMap<String, (String, u32)> = BTreeMap::new();
    for Assignment { name, value, line } in assignments {
        let Some(value) = value else {
            variables.remove(&name);
            continue;
        };
        let value = expand(&value, |name| {
            let own = || variables.get(name).map(|(value, _)| value.clone());
            process.get(name).cloned().or_else(own)
        });
        variables.insert(name, (value, line));
    }
    variables
}

fn parse(text: &str) -> (Vec<Assignment>, Vec<u32>) {
    let mut reader = Reader {
        rest: text,
        line: 1,
    };
    let mut assignments = Vec::new();
    let mut refused = Vec::new();
    loop {
        reader.skip(char::is_whitespace);
        if reader.rest.is_empty() {
            return (assignments, refused);
        }
        let line = reader.line;
        if reader.rest.starts_with('#') {
            reader.skip_line();
            continue;
        }
        let before = (reader.rest, reader.line);
        if let Some((name, value)) = reader.assignment() {
            assignments.push(Assignment { name, value, line });
        } else {
            (reader.rest, reader.line) = before;
            reader.skip_line();
            refused.push(line);
        }
    }
}

struct Reader<'a> {
    rest: &'a str,
    line: u32,
}

impl<'a> Reader<'a> {
    fn take(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(bytes);
        let breaks = taken.matches('\n').count();
        self.line += u32::try_from(breaks).unwrap_or(u32::MAX);
        self.rest = rest;
        taken
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !wanted(c)).unwrap_or(self.rest.len());
        self.take(end)
    }

    fn skip(&mut self, wanted: impl Fn(char) -> bool) {
        self.take_while(wanted);
    }

    fn skip_line(&mut self) {
        self.skip(|c| c != '\n' && c != '\r');
    }

    fn skip_blanks(&mut self) {
        self.skip(|c| c.is_whitespace() && c != '\n' && c != '\r');
    }

    fn assignment(&mut self) -> Option<(String, Option<String>)> {
        let exported = self.rest.strip_prefix("export");
        if exported.is_some_and(|after| after.starts_with([' ', '\t'])) {
            self.take("export".len());
            self.skip_blanks();
        }
        let name = if self.rest.starts_with('\'') {
            self.quoted('\'')?
        } else {
            let name = self.take_while(|c| c != '=' && c != '#' && !c.is_whitespace());
            name.to_owned()
        };
        if name.is_empty() {
            return None;
        }
        self.skip_blanks();
        if !self.rest.starts_with('=') {
            return self.line_ends().then_some((name, None));
        }
        self.take(1);
        let after_sign = self.rest;
        self.skip_blanks();
        let is_comment = self.rest.starts_with('#') && self.rest.len() < after_sign.len();
        let value = if let Some(quote @ ('\'' | '"')) = self.rest.chars().next() {
            let value = self.quoted(quote)?;
            if !self.line_ends() {
                return None;
            }
            value
        } else {
            let line = self.take_while(|c| c != '\n' && c != '\r');
            if is_comment {
                String::new()
            } else {
                unquoted(line).to_owned()
            }
        };
        Some((name, Some(value)))
    }

    /// Whether nothing but blanks and a comment is left of the line; passes over them.
    fn line_ends(&mut self) -> bool {
        self.skip_blanks();
        if self.rest.starts_with('#') {
            self.skip_line();
        }
        self.rest.is_empty() || self.rest.starts_with(['\n', '\r'])
    }

    /// A quoted text, which may span lines. `None` if the quote is never closed.
    fn quoted(&mut self, quote: char) -> Option<String> {
        let mut escaped = false;
        let end = self.rest.char_indices().skip(1).find(|(_, c)| {
            let closes = *c == quote && !escaped;
            escaped = *c == '\\' && !escaped;
            closes
        });
        let (end, _) = end?;
        let inner = &self.take(end + 1)[1..end];
        Some(unescape(inner, quote))
    }
}

/// A `#` begins a comment only after white space.
fn unquoted(text: &str) -> &str {
    let comment = text
        .char_indices()
        .zip(text.chars().skip(1))
        .find(|((_, before), here)| before.is_whitespace() && *here == '#')
        .map(|((index, _), _)| index);
    text[..comment.unwrap_or(text.len())].trim_end()
}

/// In single quotes only `\\` and `\'` mean something; in double quotes also the usual letters.
fn unescape(text: &str, quote: char) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        let next = characters.peek().copied();
        let replaced = match (c, next) {
            ('\\', Some('\\')) => Some('\\'),
            ('\\', Some('\'')) => Some('\''),
            ('\\', Some(letter)) if quote == '"' => match letter {
                '"' => Some('"'),
                'a' => Some('\u{7}'),
                'b' => Some('\u{8}'),
                'f' => Some('\u{c}'),
                'n' => Some('\n'),
                'r' => Some('\r'),
                't' => Some('\t'),
                'v' => Some('\u{b}'),
                _ => None,
            },
            _ => None,
        };
        match replaced {
            Some(replacement) => {
                plain.push(replacement);
                characters.next();
            }
            None => plain.push(c),
        }
    }
    plain
}

/// Replaces `${NAME}` and `${NAME:-default}`; a name that is not set gives its default, or nothing.
fn expand(text: &str, variable: impl Fn(&str) -> Option<String>) -> String {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let Some(length) = rest[start..].find('}') else {
            break;
        };
        let inner = &rest[start + 2..start + length];
        let (name, default) = inner.split_once(":-").unwrap_or((inner, ""));
        expanded.push_str(&rest[..start]);
        if name.contains(':') {
            expanded.push_str(&rest[start..=start + length]);
        } else {
            expanded.push_str(&variable(name).unwrap_or_else(|| default.to_owned()));
        }
        rest = &rest[start + length + 1..];
    }
    expanded.push_str(rest);
    expanded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> BTreeMap<String, String> {
        let mut problems = Vec::new();
        let process = BTreeMap::from([("HOME".to_owned(), "/home/me".to_owned())]);
        read(&".env".into(), text, &process, &mut problems)
            .into_iter()
            .map(|(name, (value, _))| (name, value))
            .collect()
    }

    #[test]
    fn values_are_read_as_python_dotenv_reads_them() {
        for (line, value) in [
            ("A=b", "b"),
            ("A = b ", "b"),
            ("export A=b", "b"),
            ("A=b c d", "b c d"),
            ("A=pa$word", "pa$word"),
            ("A=pa$$w", "pa$$w"),
            ("A=b # comment", "b"),
            ("A=b#no", "b#no"),
            ("A=#no comment", "#no comment"),
            ("A= # a comment", ""),
            ("A=", ""),
            ("A='b # c'", "b # c"),
            ("A='b' # c", "b"),
            ("A='it\\'s'", "it's"),
            ("A='b\\n'", "b\\n"),
            ("A=\"b\\nc\"", "b\nc"),
            ("A=\"b\\\"c\"", "b\"c"),
            ("A=\"b\nc\"", "b\nc"),
            ("A=b\\nc", "b\\nc"),
            ("A=\"x=y\"", "x=y"),
            ("A=x=y", "x=y"),
            ("'A'=b", "b"),
            ("A=b\r\n", "b"),
            ("A=${HOME}/x", "/home/me/x"),
            ("A='${HOME}'", "/home/me"),
            ("A=${NOT_SET}x", "x"),
            ("A=${NOT_SET:-y}", "y"),
            ("A=$HOME", "$HOME"),
            ("A=${open", "${open"),
            ("B=1\nA=${B}2", "12"),
            ("A=1\nA=2", "2"),
            ("\u{feff}A=b", "b"),
        ] {
            assert_eq!(
                values(line).get("A").map(String::as_str),
                Some(value),
                "{line:?}"
            );
        }
    }

    #[test]
    fn a_name_alone_takes_back_what_was_assigned() {
        assert!(values("A=1\nA\n").is_empty());
    }

    #[test]
    fn a_line_that_is_no_assignment_costs_itself_alone() {
        let mut problems = Vec::new();
        let text = "A='open\nB=2\nC=\"x\" trailing hunter2\n = 5\nONLY_A_NAME\nD=4\n";
        let read = read(&".env".into(), text, &BTreeMap::new(), &mut problems);
        assert_eq!(read.keys().collect::<Vec<_>>(), ["B", "D"]);
        let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(said.len(), 3, "{said:?}");
        assert!(said[0].starts_with(".env:1:1 this line is no assignment"));
        assert!(!said.concat().contains("hunter2"));
    }
}
