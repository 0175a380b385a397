//! Reads typed structs from a tree. Serde stops at the first mistake, so a mistake is noted, its node is taken
//! away, and the rest is read again, until nothing more is found.

use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess,
    Visitor,
};

use super::error::{Found, ReadError, Sort};
use super::shown::{is_name, shown};
use super::word::AS_WRITTEN;
use super::{Entry, Node, NodeValue, Path, Segment, Source};
use crate::problem::Problem;

/// Reads one value; stops at the first mistake.
///
/// # Errors
/// The first mistake, with its path from `node`.
pub fn from_node<T: DeserializeOwned>(node: &Node) -> Result<T, ReadError> {
    T::deserialize(NodeReader { node }).map_err(|error| in_words_of(node, error))
}

/// Reads one value and notes every mistake in it. What was wrong is left out of the value, so that checks of the
/// whole can go on; `None` if nothing can be made of the rest.
///
/// `read` reads the node, for example [`from_node`]; `also_known` are keys that were taken out of the node before.
pub fn read_all<T>(
    node: &Node,
    path: &Path,
    also_known: &[&str],
    problems: &mut Vec<Problem>,
    read: impl Fn(&Node) -> Result<T, ReadError>,
) -> Option<T> {
    let mut error = match read(node) {
        Ok(value) => return Some(value),
        Err(error) => error,
    };
    let mut rest = node.clone();
    let mut removed: Vec<Vec<Segment>> = Vec::new();
    loop {
        let at = error.path();
        let wanted = match error.sort {
            Sort::MissingKey(key) => [&at[..], &[Segment::Key(key.to_owned())]].concat(),
            _ => at.clone(),
        };
        // What is missing because it was wrong, and what is wrong because a part of it was, has been told of.
        let told =
            |removed: &Vec<Segment>| wanted.starts_with(removed) || removed.starts_with(&wanted);
        if !removed.iter().any(told) {
            problems.push(error.into_problem(path, &node.location, also_known));
        }
        // An item of a list leaves its place behind: what is still wrong with that is taken away with the list.
        let mut at = at;
        while removed.contains(&at) || !rest.remove(&at) {
            at.pop()?;
        }
        removed.push(at);
        match read(&rest) {
            Ok(value) => return Some(value),
            Err(next) => error = next,
        }
    }
}

/// Completes an error that only knows that a value was wrong, not what the value was, and takes a value out of it
/// that came from a variable or a file.
fn in_words_of(node: &Node, mut error: ReadError) -> ReadError {
    if !error.is_of_this_node() {
        return error;
    }
    let expected = match &error.sort {
        Sort::UnknownWord { known } => {
            let words: Vec<String> = known.iter().map(|word| format!("`{word}`")).collect();
            Some((
                format!("one of {}", words.join(", ")),
                node.describe_choice(),
            ))
        }
        Sort::WrongValue { expected } => Some((expected.clone(), node.describe())),
        _ => None,
    };
    if let Some((expected, found)) = expected {
        error.message = format!("expected {expected}, found {found}");
        error.sort = Sort::Other;
    }
    let is_own_word =
        matches!(error.sort, Sort::Other) && !error.message.contains(&node.describe());
    let is_about_a_value = node.text().is_some() || !is_own_word;
    error.about = is_about_a_value.then(|| Box::new(Found::at(node)));
    if let Some(text) = node.text()
        && !may_be_in_a_message(node, text)
        && error.message.contains(text)
    {
        let expected = error.message.split(", found ").next().unwrap_or_default();
        error.message = if !text.is_empty() && expected.contains(text) {
            format!("{} does not fit here", node.describe())
        } else {
            format!("{expected}, found {}", node.describe())
        };
    }
    error
}

/// Whether a message may have the text in it, as a part of a word or by itself.
fn may_be_in_a_message(node: &Node, text: &str) -> bool {
    // What is shorter stands in every message.
    const SHORTEST: usize = 4;
    node.source == Source::File
        && (text.len() < SHORTEST
            || (!node.private && (is_name(text) || shown(text).contains(text))))
}

struct NodeReader<'a> {
    node: &'a Node,
}

/// Words for yes and no, as YAML 1.1 has them: the predecessor's reader takes them all.
fn truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" => Some(true),
        "false" | "no" | "off" => Some(false),
        _ => None,
    }
}

/// A number's text without the separators that YAML 1.1 allows in it.
pub(super) fn digits(text: &str) -> String {
    text.trim().replace('_', "")
}

macro_rules! whole_numbers {
    ($($method:ident, $visit:ident, $number:ty;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
            let parsed = self.node.text().and_then(|text| digits(text).parse::<$number>().ok());
            match parsed {
                Some(number) => visitor.$visit(number).map_err(|error| in_words_of(self.node, error)),
                None => Err(ReadError::expected(
                    &format!("a whole number from {} to {}", <$number>::MIN, <$number>::MAX),
                    self.node,
                )),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for NodeReader<'_> {
    type Error = ReadError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        let node = self.node;
        let result = match &node.value {
            NodeValue::Null => visitor.visit_unit(),
            NodeValue::Sequence(_) => return self.deserialize_seq(visitor),
            NodeValue::Mapping(_) => return self.deserialize_map(visitor),
            NodeValue::Scalar { text, plain: false } => visitor.visit_str(text),
            NodeValue::Scalar { text, plain: true } => {
                if let Some(flag) = truth(text) {
                    visitor.visit_bool(flag)
                } else if let Ok(number) = digits(text).parse::<u64>() {
                    visitor.visit_u64(number)
                } else if let Ok(number) = digits(text).parse::<i64>() {
                    visitor.visit_i64(number)
                } else {
                    match digits(text).parse::<f64>() {
                        Ok(number) if number.is_finite() => visitor.visit_f64(number),
                        _ => visitor.visit_str(text),
                    }
                }
            }
        };
        result.map_err(|error| in_words_of(node, error))
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match self.node.text().and_then(truth) {
            Some(flag) => visitor.visit_bool(flag),
            None => Err(ReadError::expected("`true` or `false`", self.node)),
        }
    }

    whole_numbers! {
        deserialize_i8, visit_i8, i8;
        deserialize_i16, visit_i16, i16;
        deserialize_i32, visit_i32, i32;
        deserialize_i64, visit_i64, i64;
        deserialize_u8, visit_u8, u8;
        deserialize_u16, visit_u16, u16;
        deserialize_u32, visit_u32, u32;
        deserialize_u64, visit_u64, u64;
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        let parsed = (self.node.text()).and_then(|text| digits(text).parse::<f64>().ok());
        match parsed {
            Some(number) if number.is_finite() => {
                (visitor.visit_f64(number)).map_err(|error| in_words_of(self.node, error))
            }
            _ => Err(ReadError::expected("a number", self.node)),
        }
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match self.node.text() {
            Some(text) => visitor
                .visit_str(text)
                .map_err(|error| in_words_of(self.node, error)),
            None => Err(ReadError::expected("a text", self.node)),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match self.node.value {
            NodeValue::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match self.node.value {
            NodeValue::Null => visitor.visit_unit(),
            _ => Err(ReadError::expected("nothing", self.node)),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        match self.node.value {
            NodeValue::Scalar { .. } if name == AS_WRITTEN => self.deserialize_str(visitor),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match &self.node.value {
            NodeValue::Sequence(items) => (visitor.visit_seq(Items {
                items: items.iter().enumerate(),
            }))
            .map_err(|error| in_words_of(self.node, error)),
            NodeValue::Null => visitor.visit_seq(Items {
                items: [].iter().enumerate(),
            }),
            _ => Err(ReadError::expected("a list", self.node)),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match &self.node.value {
            NodeValue::Mapping(entries) => (visitor.visit_map(Entries {
                entries: entries.iter(),
                value: None,
            }))
            .map_err(|error| in_words_of(self.node, error)),
            NodeValue::Null => visitor.visit_map(Entries {
                entries: [].iter(),
                value: None,
            }),
            _ => Err(ReadError::expected("a map of keys", self.node)),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        known: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        match &self.node.value {
            NodeValue::Scalar { text, .. } => visitor
                .visit_enum(text.as_str().into_deserializer())
                .map_err(|error| in_words_of(self.node, error)),
            NodeValue::Mapping(entries) if entries.len() == 1 => {
                visitor.visit_enum(de::value::MapAccessDeserializer::new(Entries {
                    entries: entries.iter(),
                    value: None,
                }))
            }
            _ => Err(ReadError::expected(
                &format!("one of {}", known.join(", ")),
                self.node,
            )),
        }
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_unit()
    }
}

struct Items<'a> {
    items: std::iter::Enumerate<std::slice::Iter<'a, Node>>,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = ReadError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, ReadError> {
        let Some((index, node)) = self.items.next() else {
            return Ok(None);
        };
        seed.deserialize(NodeReader { node })
            .map(Some)
            .map_err(|error| in_words_of(node, error).within(&node.location, Segment::Index(index)))
    }
}

struct Entries<'a> {
    entries: std::slice::Iter<'a, Entry>,
    value: Option<&'a Entry>,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = ReadError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, ReadError> {
        let Some(entry) = self.entries.next() else {
            return Ok(None);
        };
        self.value = Some(entry);
        seed.deserialize(entry.key.as_str().into_deserializer())
            .map(Some)
            .map_err(|error: ReadError| {
                error.within(&entry.key_location, Segment::Key(entry.key.clone()))
            })
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, ReadError> {
        let Some(entry) = self.value.take() else {
            return Err(ReadError::new("a value without its key"));
        };
        seed.deserialize(NodeReader { node: &entry.value })
            .map_err(|error| {
                in_words_of(&entry.value, error)
                    .within(&entry.value.location, Segment::Key(entry.key.clone()))
            })
    }
}
