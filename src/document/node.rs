use std::fmt;
use std::sync::Arc;

use super::shown::{is_name, shown, shown_choice};
use crate::problem::Location;

/// A value with its position.
#[derive(Clone)]
pub struct Node {
    /// Where it stands. What comes through an alias or a merge key is where it was defined.
    pub location: Location,
    /// What it is.
    pub value: NodeValue,
    /// Where its text came from.
    pub source: Source,
    /// Whether it stands under a key whose value is a secret, or may hold one: then nothing of it is shown.
    pub private: bool,
}

/// What a node is. Its text may have come from a variable, which only the node knows: it has no `Debug` of its own.
#[derive(Clone)]
pub enum NodeValue {
    /// Nothing: `~`, `null`, or an empty value.
    Null,
    /// A text. A number is its digits, as they were written.
    Scalar {
        /// The text.
        text: String,
        /// Without quotes: it may be meant as a number or a yes.
        plain: bool,
    },
    /// A list.
    Sequence(Vec<Node>),
    /// A map, in the order it was written.
    Mapping(Vec<Entry>),
}

/// A key and its value.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key stands.
    pub key_location: Location,
    /// The value.
    pub value: Node,
}

/// Where the text of a scalar came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// From the file itself.
    File,
    /// From variables or other files, named here. Such a text is never shown.
    Expanded(Arc<str>),
}

impl Node {
    /// A node as it stands in a file.
    pub fn new(location: Location, value: NodeValue) -> Self {
        Self {
            location,
            value,
            source: Source::File,
            private: false,
        }
    }

    /// Lets nothing of it be shown, and nothing of what it holds.
    pub(super) fn hide(&mut self) {
        self.private = true;
        match &mut self.value {
            NodeValue::Sequence(items) => items.iter_mut().for_each(Self::hide),
            NodeValue::Mapping(entries) => {
                for entry in entries {
                    entry.value.hide();
                }
            }
            NodeValue::Null | NodeValue::Scalar { .. } => {}
        }
    }

    /// The entry of that key, if this is a map that has it.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == key)
    }

    /// The value of that key, if this is a map that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// Its entries, if it is a map.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        match &self.value {
            NodeValue::Mapping(entries) => entries,
            _ => &[],
        }
    }

    /// Its items, if it is a list.
    #[must_use]
    pub fn items(&self) -> &[Self] {
        match &self.value {
            NodeValue::Sequence(items) => items,
            _ => &[],
        }
    }

    /// Its text, if it is a scalar.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            NodeValue::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// Its text, if a message may show it as it is: it is no secret by where it stands and came from.
    pub(super) fn open_text(&self) -> Option<&str> {
        let is_open = !self.private && self.source == Source::File;
        self.text().filter(|_| is_open)
    }

    /// What it is, for a sentence that begins with "found". Never shows what may be a secret.
    #[must_use]
    pub fn describe(&self) -> String {
        self.described_by(shown)
    }

    /// What it is, where one of a few words was expected.
    pub(super) fn describe_choice(&self) -> String {
        self.described_by(shown_choice)
    }

    fn described_by(&self, shown: fn(&str) -> String) -> String {
        match (&self.value, &self.source) {
            (NodeValue::Null, _) => "nothing".to_owned(),
            (NodeValue::Sequence(_), _) => "a list".to_owned(),
            (NodeValue::Mapping(_), _) => "a map".to_owned(),
            (NodeValue::Scalar { .. }, Source::Expanded(from)) => format!("the text of {from}"),
            (NodeValue::Scalar { .. }, Source::File) if self.private => "a text".to_owned(),
            (NodeValue::Scalar { text, .. }, Source::File) => shown(text),
        }
    }

    /// Takes the node at the path away: the entry of its key, or the item of its index. Says whether there was one.
    pub fn remove(&mut self, path: &[Segment]) -> bool {
        let Some((first, rest)) = path.split_first() else {
            return false;
        };
        match (&mut self.value, first) {
            (NodeValue::Mapping(entries), Segment::Key(key)) => {
                let Some(index) = entries.iter().position(|entry| entry.key == *key) else {
                    return false;
                };
                if rest.is_empty() {
                    entries.remove(index);
                    true
                } else {
                    entries[index].value.remove(rest)
                }
            }
            (NodeValue::Sequence(items), Segment::Index(index)) if *index < items.len() => {
                if rest.is_empty() {
                    // The place stays, so that the indices of its neighbours stay right.
                    let location = items[*index].location.clone();
                    items[*index] = Self::new(location, NodeValue::Null);
                    true
                } else {
                    items[*index].remove(rest)
                }
            }
            _ => false,
        }
    }
}

impl fmt::Debug for Node {
    /// Never shows what may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            NodeValue::Sequence(items) => f.debug_list().entries(items).finish(),
            NodeValue::Mapping(entries) => {
                let entries = entries.iter().map(|entry| (&entry.key, &entry.value));
                f.debug_map().entries(entries).finish()
            }
            NodeValue::Null | NodeValue::Scalar { .. } => {
                write!(f, "{} at {}", self.describe(), self.location)
            }
        }
    }
}

/// One step into a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// Into a map.
    Key(String),
    /// Into a list, from 0.
    Index(usize),
}

/// A way into a document: `targets.vps_servers[3].port`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Path(pub Vec<Segment>);

impl Path {
    /// The path to a key below this one.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        self.join(&[Segment::Key(key.to_owned())])
    }

    /// The path to an item below this one.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.join(&[Segment::Index(index)])
    }

    /// This path and more.
    #[must_use]
    pub fn join(&self, more: &[Segment]) -> Self {
        Self([&self.0, more].concat())
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Key(key) => {
                    let dot = if position == 0 { "" } else { "." };
                    // A secret may stand where a key should.
                    let key = if is_name(key) { key } else { "…" };
                    write!(f, "{dot}{key}")?;
                }
                Segment::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_text_that_came_from_a_variable() {
        let location = Location {
            file: "a.yaml".into(),
            line: 1,
            column: 6,
        };
        let scalar = |text: &str| {
            let (text, plain) = (text.to_owned(), true);
            Node::new(location.clone(), NodeValue::Scalar { text, plain })
        };
        let mut secret = scalar("canary");
        secret.source = Source::Expanded("`TOKEN` (.env:1)".into());
        let entry = Entry {
            key: "token".to_owned(),
            key_location: location.clone(),
            value: Node::new(
                location.clone(),
                NodeValue::Sequence(vec![secret, scalar("seen")]),
            ),
        };
        let node = Node::new(location.clone(), NodeValue::Mapping(vec![entry]));
        assert_eq!(
            format!("{node:?}"),
            r#"{"token": [the text of `TOKEN` (.env:1) at a.yaml:1:6, `seen` at a.yaml:1:6]}"#
        );
    }
}
