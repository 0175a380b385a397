//! The words that values are made of, each checked as it is read.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{self, Deserializer, SeqAccess, Visitor};

use super::shown::shown;

/// A value that is written as a text and read by `FromStr`.
pub trait Word: FromStr<Err: fmt::Display> {
    /// What is expected, for messages and for the schema's description.
    const EXPECTED: &'static str;
}

/// A [`Word`] as serde and schemars see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Written<T>(
    /// What was read.
    pub T,
);

impl<'de, T: Word> Deserialize<'de> for Written<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Words<T>(PhantomData<T>);
        impl<T: Word> Visitor<'_> for Words<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(T::EXPECTED)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Words(PhantomData)).map(Self)
    }
}

impl<T: Word> JsonSchema for Written<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        T::EXPECTED.into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "description": T::EXPECTED})
    }
}

/// A length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DurationText(
    /// More than none.
    pub Duration,
);

impl FromStr for DurationText {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match humantime::parse_duration(text) {
            Ok(duration) if !duration.is_zero() && Self::months(text).is_none() => {
                Ok(Self(duration))
            }
            _ => Err(format!(
                "expected {}, found {}",
                Self::EXPECTED,
                shown(text)
            )),
        }
    }
}

impl DurationText {
    /// How [`Word::EXPECTED`] begins.
    pub(super) const EXPECTED_IN_WORDS: &'static str = "a length of time";

    /// What to do about a length in months or years, which the library takes for 30.44 and 365.25 days: nobody looks, or
    /// is told, in such steps, and `5M` is meant to be five minutes.
    pub(super) fn months(text: &str) -> Option<String> {
        let mut units = text.split(|c: char| !c.is_alphabetic());
        let unit = units.find(|unit| {
            matches!(
                *unit,
                "M" | "month" | "months" | "y" | "Y" | "yr" | "yrs" | "year" | "years"
            )
        })?;
        Some(if unit == "M" {
            let minutes = text.trim().replace('M', "m");
            format!("`M` would be a month: write `{minutes}` for minutes, `d` for days")
        } else {
            "write days, such as `90d`: months and years have no fixed length".to_owned()
        })
    }
}

/// Reads a length of time as the command line takes it; none at all is one too.
///
/// # Errors
/// It is none, or is in months or years.
pub fn length_of_time(text: &str) -> Result<Duration, String> {
    if let Some(hint) = DurationText::months(text) {
        return Err(hint);
    }
    humantime::parse_duration(text).map_err(|error| error.to_string())
}

impl Word for DurationText {
    const EXPECTED: &'static str = "a length of time such as `30s`, `5m` or `1h 30m`";
}

/// A link that people follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkText(
    /// As it was written.
    pub String,
);

impl FromStr for LinkText {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match url::Url::parse(text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(Self(text.to_owned())),
            _ => Err(format!(
                "expected {}, found {}",
                Self::EXPECTED,
                shown(text)
            )),
        }
    }
}

impl Word for LinkText {
    const EXPECTED: &'static str = "a link that begins with `https://` or `http://`";
}

/// One text, or a list of them, each read by `FromStr`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneOrMany<T = String>(
    /// In the order they were written.
    pub Vec<T>,
);

/// As a name of a newtype struct: asks the reader of a document for scalars as they are written, so that the label
/// `1.10` does not become the number 1.1. Other readers take no notice.
pub(super) const AS_WRITTEN: &str = "a text as it is written";

impl<T> Default for OneOrMany<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: FromStr<Err: fmt::Display>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Item<T>(T);
        impl<'de, T: FromStr<Err: fmt::Display>> Deserialize<'de> for Item<T> {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map(Self).map_err(de::Error::custom)
            }
        }
        struct Texts<T>(PhantomData<T>);
        impl<'de, T: FromStr<Err: fmt::Display>> Visitor<'de> for Texts<T> {
            type Value = Vec<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of texts")
            }

            fn visit_newtype_struct<D: Deserializer<'de>>(
                self,
                deserializer: D,
            ) -> Result<Vec<T>, D::Error> {
                deserializer.deserialize_any(self)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Vec<T>, E> {
                Ok(vec![text.parse().map_err(E::custom)?])
            }

            fn visit_unit<E: de::Error>(self) -> Result<Vec<T>, E> {
                Ok(Vec::new())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<T>, A::Error> {
                let mut texts = Vec::new();
                while let Some(Item(text)) = items.next_element()? {
                    texts.push(text);
                }
                Ok(texts)
            }
        }
        deserializer
            .deserialize_newtype_struct(AS_WRITTEN, Texts(PhantomData))
            .map(Self)
    }
}

impl<T> JsonSchema for OneOrMany<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "OneOrMany".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"anyOf": [
            {"type": "string"},
            {"type": "array", "items": {"type": "string"}}
        ]})
    }
}

/// Milliseconds, more than none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Milliseconds(
    /// From 1 to a day.
    pub u64,
);

impl Milliseconds {
    /// A day: whoever waits longer has mixed up the units.
    const MOST: u64 = 86_400_000;

    /// As a length of time.
    #[must_use]
    pub fn duration(self) -> Duration {
        Duration::from_millis(self.0)
    }
}

impl FromStr for Milliseconds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // The predecessor's reader takes `5_000` and `5000.0` too.
        let digits = text.trim().replace('_', "");
        let whole = digits
            .split_once('.')
            .map_or(digits.as_str(), |(whole, fraction)| {
                if fraction.chars().all(|c| c == '0') {
                    whole
                } else {
                    ""
                }
            });
        match whole.parse() {
            Ok(number @ 1..=Self::MOST) => Ok(Self(number)),
            _ => Err(format!(
                "expected {}, found {}",
                Self::EXPECTED,
                shown(text)
            )),
        }
    }
}

impl Word for Milliseconds {
    const EXPECTED: &'static str = "a whole number of milliseconds from 1 to 86400000";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{LIMITS, from_node, parse};

    #[test]
    fn one_or_many_texts_stay_as_they_are_written() {
        for (yaml, texts) in [
            ("web", &["web"][..]),
            ("1.10", &["1.10"]),
            ("007", &["007"]),
            ("yes", &["yes"]),
            ("\"\"", &[""]),
            ("[1_000, on, \"x y\"]", &["1_000", "on", "x y"]),
            ("~", &[]),
        ] {
            let node = parse(&"a.yaml".into(), yaml, LIMITS, &mut Vec::new()).expect(yaml);
            let read: OneOrMany = from_node(&node).expect(yaml);
            assert_eq!(read.0, texts, "{yaml}");
        }
        let read: OneOrMany = serde_json::from_str("\"web\"").unwrap();
        assert_eq!(read.0, ["web"]);
        let read: OneOrMany<u8> = serde_json::from_str("[\"1\", \"2\"]").unwrap();
        assert_eq!(read.0, [1, 2]);
    }

    #[test]
    fn milliseconds_are_read_as_the_predecessor_read_them() {
        for (text, number) in [("5000", 5000), ("5_000", 5000), ("5000.0", 5000), ("1", 1)] {
            assert_eq!(text.parse(), Ok(Milliseconds(number)), "{text}");
        }
        for text in ["0", "-1", "1.5", ".0", "", "86400001", "1e3"] {
            assert!(text.parse::<Milliseconds>().is_err(), "{text}");
        }
    }
}
