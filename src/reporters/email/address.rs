//! Mail addresses as people write them.

use std::fmt;
use std::str::FromStr;

use lettre::message::{Mailbox, Mailboxes};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};

use crate::document::{Word, Written, shown};

/// An address, with the name of who reads there if one was written. Its domain is in ASCII.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address(
    /// As the mail library has it.
    pub Mailbox,
);

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused = || format!("expected {}, found {}", Self::EXPECTED, shown(text));
        match &addresses(text).ok_or_else(refused)?[..] {
            [one] => Ok(one.clone()),
            _ => Err(refused()),
        }
    }
}

impl Word for Address {
    const EXPECTED: &'static str =
        "a mail address such as `ops@example.com` or `Ops <ops@example.com>`";
}

/// All addresses of a text that has commas between them. `None`: one of them is none.
fn addresses(text: &str) -> Option<Vec<Address>> {
    // The library folds blanks, and would take a line break for one.
    if text.contains(char::is_control) {
        return None;
    }
    let found: Mailboxes = text.trim().parse().ok()?;
    found.into_iter().map(in_ascii).collect()
}

/// With its domain as DNS holds it (RFC 5891), so that servers need no extension for it.
fn in_ascii(mailbox: Mailbox) -> Option<Address> {
    let address = &mailbox.email;
    let email = if address.domain().is_ascii() {
        address.clone()
    } else {
        let domain = url::Host::parse(address.domain()).ok()?.to_string();
        lettre::Address::new(address.user(), domain).ok()?
    };
    let name = mailbox.name.filter(|name| !name.trim().is_empty());
    Some(Address(Mailbox::new(name, email)))
}

/// Those whom a mail is for: each address once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recipients(
    /// In the order they were written.
    pub Vec<Address>,
);

impl Recipients {
    fn add(&mut self, more: Vec<Address>) {
        for one in more {
            if self.0.iter().all(|known| known.0.email != one.0.email) {
                self.0.push(one);
            }
        }
    }
}

/// One text of a list, for which the position is told.
struct Text(Vec<Address>);

impl FromStr for Text {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match addresses(text) {
            Some(found) if !found.is_empty() => Ok(Self(found)),
            _ => Err(format!(
                "expected {}, found {}",
                Address::EXPECTED,
                shown(text)
            )),
        }
    }
}

impl Word for Text {
    const EXPECTED: &'static str = Address::EXPECTED;
}

impl<'de> Deserialize<'de> for Recipients {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Texts;
        impl<'de> Visitor<'de> for Texts {
            type Value = Recipients;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a mail address or a list of them")
            }

            fn visit_unit<E: de::Error>(self) -> Result<Recipients, E> {
                Ok(Recipients::default())
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Recipients, E> {
                let mut recipients = Recipients::default();
                recipients.add(text.parse::<Text>().map_err(E::custom)?.0);
                Ok(recipients)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Recipients, A::Error> {
                let mut recipients = Recipients::default();
                while let Some(Written(Text(found))) = items.next_element()? {
                    recipients.add(found);
                }
                Ok(recipients)
            }
        }
        deserializer.deserialize_any(Texts)
    }
}

impl JsonSchema for Recipients {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Recipients".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = Written::<Address>::json_schema(generator);
        json_schema!({"anyOf": [one, {"type": "array", "items": one}]})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_with_their_names_and_nothing_is_smuggled_in() {
        for (text, expected) in [
            ("ops@example.com", Some("ops@example.com")),
            (" Ops <ops@example.com> ", Some("Ops <ops@example.com>")),
            (
                "\"Doe, J.\" <j@example.com>",
                Some("\"Doe, J.\" <j@example.com>"),
            ),
            ("<ops@example.com>", Some("ops@example.com")),
            (
                "Größe <ops@größe.example>",
                Some("Größe <ops@xn--gre-6ka8i.example>"),
            ),
            ("", None),
            ("ops", None),
            ("ops@", None),
            ("ops@example.com, b@example.com", None),
            ("ops@example.com\r\nBcc: evil@example.com", None),
            ("a\u{7}b <ops@example.com>", None),
            ("ops@example.com> RCPT TO:<evil@example.com", None),
        ] {
            let read = text.parse::<Address>().ok();
            let read = read.map(|Address(mailbox)| mailbox.to_string());
            assert_eq!(read.as_deref(), expected, "{text:?}");
        }
    }
}
