//! What an error of the Bot API means, in our words. The service names most of them by their text alone.

use std::error::Error;
use std::time::Duration;

use teloxide_core::{ApiError, RequestError};

use crate::clients::words::shortened;
use crate::model::Failure;
use crate::secret::{Redactor, Secret};

/// Why a call did not do what it should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The markup is none to Telegram: the same text can go without it.
    Markup(String),
    /// The message says that already.
    NotModified,
    /// The message is not there any more, or too old to be edited.
    NotEditable,
    /// It may work later.
    Later {
        /// Not before, where Telegram says so.
        not_before: Option<Duration>,
        /// What we tried, and why it failed.
        message: String,
        /// What to do next.
        hint: String,
    },
    /// It would fail again.
    Never {
        /// What we tried, and why it failed.
        message: String,
        /// What to do next.
        hint: String,
    },
}

impl Trouble {
    pub(super) fn later(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Later {
            not_before: None,
            message: message.into(),
            hint: hint.into(),
        }
    }

    /// Too many messages.
    pub(super) fn throttled(whom: &str, wait: Duration) -> Self {
        let seconds = wait.as_secs();
        Self::Later {
            not_before: Some(wait),
            message: format!("{whom} takes no more messages for this chat for {seconds} s"),
            hint: "it is tried again after that; fewer messages, or another chat for some of them, help"
                .to_owned(),
        }
    }

    /// What our own failure means.
    pub(crate) fn ours(failure: &Failure) -> Self {
        let hint = failure.hint.as_deref();
        Self::later(
            &failure.message,
            hint.unwrap_or("look at this machine's network"),
        )
    }
}

/// Part of what the service says, and what to do then.
const HINTS: [(&str, &str); 13] = [
    (
        "bot was blocked by the user",
        "open the chat with the bot in Telegram and unblock it",
    ),
    (
        "bot was kicked",
        "add the bot to the group or channel again, or set `chat_id` to another chat",
    ),
    (
        "bot is not a member",
        "add the bot to the channel as an administrator who may post messages",
    ),
    (
        "bot can't initiate conversation",
        "open the chat with the bot in Telegram and press Start: a bot may not write first",
    ),
    (
        "bot can't send messages to bots",
        "`chat_id` is that of a bot: set it to your own, or that of a group",
    ),
    (
        "bots can't send messages to bots",
        "`chat_id` is that of a bot: set it to your own, or that of a group",
    ),
    (
        "user is deactivated",
        "that account is gone: set `chat_id` to another chat",
    ),
    (
        "group is deactivated",
        "that group is gone: set `chat_id` to another chat",
    ),
    (
        "the group chat was deleted",
        "that group is gone: set `chat_id` to another chat",
    ),
    (
        "not enough rights",
        "let the bot send messages and files there: make it an administrator",
    ),
    (
        "need administrator rights",
        "let the bot post messages: make it an administrator of the channel",
    ),
    (
        "CHAT_WRITE_FORBIDDEN",
        "let the bot send messages there: make it an administrator",
    ),
    ("TOPIC_CLOSED", "open the topic of the group again"),
];

const NOT_EDITABLE: [&str; 5] = [
    "message to edit not found",
    "message can't be edited",
    "MESSAGE_ID_INVALID",
    "message identifier is not specified",
    "message not found",
];

/// What an error means. `whom`: the host that was asked.
pub(super) fn trouble(error: &RequestError, whom: &str, token: &Secret) -> Trouble {
    match error {
        RequestError::Api(error) => refused(error, whom, token),
        RequestError::RetryAfter(seconds) => Trouble::throttled(whom, seconds.duration()),
        // Whoever can follow has done so before.
        RequestError::MigrateToChatId(chat) => Trouble::Never {
            message: format!("the group has become a supergroup: {chat}"),
            hint: format!("set `chat_id: {chat}`"),
        },
        RequestError::Network(error) => not_reached(error, whom, token),
        RequestError::InvalidJson { .. } => Trouble::later(
            format!("`{whom}` answered something that is not of the Bot API"),
            "it may be in trouble; where it stays so, check `api_url`, and what stands between: a proxy, a login page",
        ),
        RequestError::Io(error) => Trouble::later(
            format!("cannot write to `{whom}`: {error}"),
            "look at this machine's network",
        ),
    }
}

/// The words of a stranger, who may repeat the address that was called: the token is in it.
fn told(text: &str, token: &Secret) -> String {
    let mut redactor = Redactor::default();
    redactor.add(token.expose());
    // As it stands in the address.
    if let Ok(mut url) = url::Url::parse("http://host/") {
        url.set_path(token.expose());
        redactor.add(url.path().trim_start_matches('/'));
    }
    let mut text = text.to_owned();
    // Before it is cut: half a token is too much.
    redactor.redact(&mut text);
    shortened(&text)
}

fn refused(error: &ApiError, whom: &str, token: &Secret) -> Trouble {
    let said = match error {
        ApiError::InvalidToken => {
            return Trouble::Never {
                message: format!("`{whom}` does not know the bot: its token is not accepted"),
                hint: "check `bot_token`: @BotFather shows it after /mybots, and /revoke makes a new one; with an \
                       `api_url` of your own, check that too"
                    .to_owned(),
            };
        }
        ApiError::MessageNotModified => return Trouble::NotModified,
        ApiError::ChatNotFound => {
            return Trouble::Never {
                message: format!("`{whom}` knows no chat of that `chat_id`, or the bot is not in it"),
                hint: "press Start in the chat with the bot, or add it to the group; the number of a group begins with \
                       `-`, that of a supergroup with `-100`; a public channel is `@name`"
                    .to_owned(),
            };
        }
        ApiError::Unknown(text) => told(text, token),
        other => told(&other.to_string(), token),
    };
    if matches!(error, ApiError::CantParseEntities(_)) {
        return Trouble::Markup(said);
    }
    if said.contains("message is not modified") {
        return Trouble::NotModified;
    }
    if NOT_EDITABLE.iter().any(|text| said.contains(text)) {
        return Trouble::NotEditable;
    }
    let message = format!("`{whom}` refused the message: {said}");
    if let Some((_, hint)) = HINTS.iter().find(|(text, _)| said.contains(text)) {
        return Trouble::Never {
            message,
            hint: (*hint).to_owned(),
        };
    }
    let ours_to_mend = [
        "Bad Request",
        "Unauthorized",
        "Forbidden",
        "Not Found",
        "Request Entity Too Large",
    ];
    if ours_to_mend.iter().any(|word| said.starts_with(word)) {
        return Trouble::Never {
            message,
            hint: "docs/telegram.md lists what the service says, and what helps".to_owned(),
        };
    }
    Trouble::later(
        format!("`{whom}` is in trouble: {said}"),
        "it is tried again later",
    )
}

fn not_reached(error: &reqwest_012::Error, whom: &str, token: &Secret) -> Trouble {
    if error.is_builder() {
        return Trouble::Never {
            message: format!("no address can be made of `api_url` and `bot_token` for `{whom}`"),
            hint: "check both".to_owned(),
        };
    }
    // Its own words hold the address: what stands behind it does not.
    let mut causes = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        if let Some(failure) = cause.downcast_ref::<Failure>() {
            return Trouble::ours(failure);
        }
        causes.push(cause.to_string());
        next = cause.source();
    }
    causes.dedup();
    let why = told(&causes.join(": "), token);
    let message = if error.is_timeout() {
        format!("`{whom}` does not answer: {why}")
    } else {
        format!("cannot reach `{whom}`: {why}")
    };
    Trouble::later(
        message,
        "check that this machine may reach it: `curl -sS` with that host",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_part_of_the_token_is_told() {
        let token = Secret::new("123456:canary with a blank");
        for text in [
            "at /bot123456:canary with a blank/x".to_owned(),
            "at /bot123456:canary%20with%20a%20blank/x".to_owned(),
            // Cut in the middle of it.
            format!("{} 123456:canary with a blank", "x".repeat(185)),
        ] {
            let told = told(&text, &token);
            assert!(!told.contains("canary"), "{told}");
        }
    }
}
