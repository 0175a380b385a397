//! What a chat of Telegram takes.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer};
use teloxide_core::types::{ChatId, Recipient};

use crate::clients::telegram::SERVICE;
use crate::document::{LinkText, OneOrMany, Word, Written, shown};
use crate::secret::Secret;

/// Who writes, and where.
#[derive(Debug, Clone, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The bot's token. Write `${TELEGRAM_BOT_TOKEN}`.
    pub bot_token: BotToken,
    /// The chat's number, or `@channel`.
    pub chat_id: Chat,
    /// A Bot API server of your own, such as `http://127.0.0.1:8081`.
    pub api_url: Option<Written<LinkText>>,
    /// The users whose commands are obeyed, by number. Without it no command is read.
    #[serde(default)]
    pub allowed_users: OneOrMany,
}

impl Settings {
    /// Where the Bot API is.
    pub(super) fn server(&self) -> Result<url::Url, url::ParseError> {
        let written = self.api_url.as_ref().map_or(SERVICE, |url| &url.0.0);
        // The library puts a slash before what it adds.
        url::Url::parse(written.trim_end_matches('/'))
    }
}

/// The token of a bot. Not empty: a variable that nobody filled in must not look like a channel.
#[derive(Clone)]
pub struct BotToken(pub(super) Secret);

impl fmt::Debug for BotToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for BotToken {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let token = Secret::deserialize(deserializer)?;
        if token.expose().trim().is_empty() {
            let message = "expected the token that @BotFather gave, found nothing";
            return Err(de::Error::custom(message));
        }
        Ok(Self(token))
    }
}

impl JsonSchema for BotToken {
    fn schema_name() -> Cow<'static, str> {
        "BotToken".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Secret::json_schema(generator)
    }
}

/// A chat: a number, which is negative for groups, or the name of a public channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chat(pub(super) Recipient);

impl FromStr for Chat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let is_name = |name: &str| {
            !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        match (text.parse(), text.strip_prefix('@')) {
            (Ok(number), _) if number != 0 => Ok(Self(ChatId(number).into())),
            (_, Some(name)) if is_name(name) => {
                Ok(Self(Recipient::ChannelUsername(text.to_owned())))
            }
            _ => Err(format!(
                "expected {}, found {}",
                Self::EXPECTED,
                shown(text)
            )),
        }
    }
}

impl Word for Chat {
    const EXPECTED: &'static str = "a chat's number such as `-1001234567890`, or `@channel`";
}

impl<'de> Deserialize<'de> for Chat {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Written::deserialize(deserializer).map(|written| written.0)
    }
}

impl JsonSchema for Chat {
    fn schema_name() -> Cow<'static, str> {
        "Chat".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": ["string", "integer"], "description": Self::EXPECTED})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chats_are_numbers_or_names() {
        for (text, expected) in [
            ("42", Some("42")),
            (" -1001234567890 ", Some("-1001234567890")),
            ("@my_channel", Some("@my_channel")),
            ("my_channel", None),
            ("@", None),
            ("@a b", None),
            ("0", None),
            ("", None),
            ("https://t.me/my_channel", None),
        ] {
            let chat = text.parse::<Chat>().ok().map(|chat| chat.0.to_string());
            assert_eq!(chat.as_deref(), expected, "{text}");
        }
    }
}
