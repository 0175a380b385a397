//! Puts variables and files into the scalars of a document, after it was parsed: a value can then neither change
//! the structure nor move a position, and never shows up in a message.

use std::path::Path;

use super::Environment;
use super::hidden::Hidden;
use super::load::read_at_most;
use crate::document::{Node, NodeValue, Path as DocumentPath, Source, is_name, shown_name};
use crate::problem::{Location, Problem, nearest};

/// What reading the files finds beside their content.
#[derive(Default)]
pub(super) struct Found {
    pub problems: Vec<Problem>,
    /// The values that were put in, which must not be shown.
    pub hidden: Hidden,
    /// Where nothing could be put in: what is said of these places later follows from that.
    pub broken: Vec<Location>,
}

/// Expands `${NAME}`, `${NAME:-default}` and `${file:path}` in every scalar; `$${` stands for a literal `${`.
/// Relative paths are taken from `directory`.
pub(super) fn expand(
    node: &mut Node,
    path: &DocumentPath,
    environment: &Environment,
    directory: &Path,
    found: &mut Found,
) {
    let location = node.location.clone();
    match &mut node.value {
        NodeValue::Sequence(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                expand(item, &path.index(index), environment, directory, found);
            }
        }
        NodeValue::Mapping(entries) => {
            for entry in entries {
                let path = path.key(&entry.key);
                expand(&mut entry.value, &path, environment, directory, found);
            }
        }
        NodeValue::Scalar { text, .. } if text.contains("${") => {
            let mut expander = Expander {
                environment,
                directory,
                location: &location,
                path,
                sources: Vec::new(),
                found,
            };
            let filled = expander.text(text);
            let sources = expander.sources;
            *text = filled;
            if !sources.is_empty() {
                node.source = Source::Expanded(sources.join(" and ").into());
            }
        }
        NodeValue::Null | NodeValue::Scalar { .. } => {}
    }
}

/// The largest file that is one value: a certificate chain has a few thousand bytes.
const LARGEST_FILE_BYTES: usize = 1024 * 1024;

fn text_of(bytes: Vec<u8>) -> std::io::Result<String> {
    let refuse = |why: &str| std::io::Error::new(std::io::ErrorKind::InvalidData, why);
    if bytes.len() > LARGEST_FILE_BYTES {
        return Err(refuse("it is larger than 1 MiB"));
    }
    String::from_utf8(bytes).map_err(|_| refuse("it is not UTF-8"))
}

struct Expander<'a> {
    environment: &'a Environment,
    directory: &'a Path,
    location: &'a Location,
    path: &'a DocumentPath,
    sources: Vec<String>,
    found: &'a mut Found,
}

impl Expander<'_> {
    fn text(&mut self, text: &str) -> String {
        let mut expanded = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find("${") {
            if rest[..start].ends_with('$') {
                expanded.push_str(&rest[..start - 1]);
                expanded.push_str("${");
                rest = &rest[start + 2..];
                continue;
            }
            expanded.push_str(&rest[..start]);
            let Some(length) = rest[start..].find('}') else {
                self.refuse(
                    "a `${` without its `}`",
                    "write `${NAME}`, or `$${` for a literal `${`",
                );
                return expanded;
            };
            let inner = &rest[start + 2..start + length];
            expanded.push_str(&self.value(inner));
            rest = &rest[start + length + 1..];
        }
        expanded.push_str(rest);
        expanded
    }

    fn value(&mut self, inner: &str) -> String {
        if let Some(file) = inner.strip_prefix("file:") {
            return self.file(file);
        }
        let (name, default) = match inner.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (inner, None),
        };
        let is_variable = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !is_variable {
            let hint = "write `${NAME}`, `${NAME:-default}` or `${file:path}`, or `$${` for a literal `${`";
            self.refuse("a `${…}` that names no variable", hint);
            return String::new();
        }
        let value = self.environment.get(name);
        match (value, default) {
            (Some(value), None) => {
                let value = value.to_owned();
                self.note_variable(name, &value);
                value
            }
            (Some(value), Some(_)) if !value.is_empty() => {
                let value = value.to_owned();
                self.note_variable(name, &value);
                value
            }
            (_, Some(default)) => {
                self.sources
                    .push(format!("the default of {}", shown_name(name)));
                default.to_owned()
            }
            (None, None) => {
                let near = nearest(name, self.environment.names());
                let also = near.map_or_else(String::new, |near| format!("; `{near}` is set"));
                let written = if is_name(name) { name } else { "NAME" };
                self.refuse(
                    &format!("the variable {} is not set", shown_name(name)),
                    &format!(
                        "set it in the environment or in `.env`, or write `${{{written}:-default}}`{also}"
                    ),
                );
                String::new()
            }
        }
    }

    fn note_variable(&mut self, name: &str, value: &str) {
        self.found.hidden.add_variable(name, value);
        let origin = self.environment.origin(name).unwrap_or_default();
        self.sources
            .push(format!("{} ({origin})", shown_name(name)));
    }

    fn file(&mut self, name: &str) -> String {
        let read = read_at_most(&self.directory.join(name), LARGEST_FILE_BYTES).and_then(text_of);
        self.sources.push(format!("the file {}", shown_name(name)));
        match read {
            // Editors and `echo` end a file with a line break that is not part of the secret.
            Ok(text) => {
                let text = text.trim_end_matches(['\n', '\r']);
                self.found.hidden.add_file(text);
                text.to_owned()
            }
            Err(error) => {
                self.refuse(
                    &format!("the file {} cannot be read: {error}", shown_name(name)),
                    "give the path from the working directory, and let our user read it",
                );
                String::new()
            }
        }
    }

    fn refuse(&mut self, message: &str, hint: &str) {
        let problem = Problem::error(message).at(self.location, self.path.to_string());
        self.found.broken.push(self.location.clone());
        self.found.problems.push(problem.hint(hint));
    }
}
