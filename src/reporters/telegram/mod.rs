//! Telegram, through the Bot API (<https://core.telegram.org/bots/api>).
//!
//! A report is as many messages as it takes. An incident is one message, which is edited as it goes on; what is new is said
//! in a short answer to it, because an edit rings no telephone.

mod settings;

use std::sync::Arc;

use bytes::Bytes;
use teloxide_core::types::Recipient;

pub use settings::{BotToken, Chat, Settings};

use super::{Content, Means, Message, Receipt, Reporter, ReporterSpec, Retry, SendError, Thread};
use crate::clients::net::outside_host;
use crate::clients::telegram::{Manner, Sent, Session, TelegramClients, Text, Trouble, Underway};
use crate::render::digest::{Bounds, digest_within};
use crate::render::telegram::{Letter, Part, letter, one_line, one_part};

/// How the file is called that holds what five messages do not.
const FILE_NAME: &str = "report.txt";

/// Writes to a chat.
pub struct Telegram {
    settings: Settings,
    clients: TelegramClients,
}

impl Reporter for Telegram {
    const KIND: ReporterSpec = ReporterSpec {
        key: "telegram",
        title: "Telegram",
        how: "through the Bot API",
        sample: r#"
- kind: telegram
  bot_token: "${TELEGRAM_BOT_TOKEN:-123456:from-BotFather}"
  chat_id: "${TELEGRAM_CHAT_ID:-@my_channel}"
"#,
        built: true,
        edits: true,
    };

    type Settings = Settings;

    fn endpoint(settings: &Settings) -> Option<(String, u16)> {
        let server = settings.server().ok()?;
        let host = outside_host(server.host_str()?)?;
        Some((host, server.port_or_known_default()?))
    }

    fn new(settings: Settings, means: &Means) -> Self {
        Self {
            settings,
            clients: means.clients.telegram.clone(),
        }
    }

    async fn send(&self, message: &Message) -> Result<Receipt, SendError> {
        let session = self.session()?;
        let key = format!("{} {}", self.chat(), message.id);
        let underway = session.underway(&key);
        if let Some(done) = underway.as_ref().filter(|known| known.letter.is_none()) {
            return Ok(receipt(done.first.as_ref()));
        }
        let Some(thread) = &message.thread else {
            return self.send_letter(&session, &key, message, underway).await;
        };
        let sent = self.send_in_thread(&session, message, thread).await?;
        let receipt = receipt(Some(&sent));
        let done = Underway {
            letter: None,
            taken: 1,
            first: Some(sent),
        };
        session.note(&key, done);
        Ok(receipt)
    }
}

impl Telegram {
    fn session(&self) -> Result<Arc<Session>, SendError> {
        let server = self.settings.server().map_err(|error| {
            SendError::permanent(format!("`api_url` is no address: {error}")).hint("check it")
        })?;
        let session = self.clients.session(&server, &self.settings.bot_token.0);
        session.map_err(|failure| of(Trouble::ours(&failure)))
    }

    fn chat(&self) -> &Recipient {
        &self.settings.chat_id.0
    }

    /// Sends what is not taken yet of a message that stands alone.
    async fn send_letter(
        &self,
        session: &Session,
        key: &str,
        message: &Message,
        underway: Option<Underway>,
    ) -> Result<Receipt, SendError> {
        let mut underway = underway.unwrap_or_else(|| Underway {
            letter: Some(Arc::new(written(message))),
            taken: 0,
            first: None,
        });
        // Nobody is woken to hear that all is well, nor once more for each part.
        let is_quiet = !message.content.rings();
        while let Some(letter) = underway.letter.clone() {
            let manner = Manner {
                is_silent: is_quiet || underway.taken > 0,
                reply_to: None,
            };
            let sent = match (letter.parts.get(underway.taken), &letter.rest) {
                (Some(part), _) => session.send(self.chat(), text(part), manner).await,
                (None, Some(rest)) if underway.taken == letter.parts.len() => {
                    let content = Bytes::from(rest.text.clone());
                    session
                        .send_file(self.chat(), FILE_NAME, &content, &rest.caption)
                        .await
                }
                _ => {
                    underway.letter = None;
                    session.note(key, underway.clone());
                    break;
                }
            };
            let sent = sent.map_err(of)?;
            underway.taken += 1;
            underway.first.get_or_insert(sent);
            session.note(key, underway.clone());
        }
        Ok(receipt(underway.first.as_ref()))
    }

    /// Puts a message in the place of the one before, or sends it anew where that cannot be.
    async fn send_in_thread(
        &self,
        session: &Session,
        message: &Message,
        thread: &Thread,
    ) -> Result<Sent, SendError> {
        let part = one_part(&message.blocks, &message.title);
        let chat = session.now_called(self.chat());
        let before = thread.before.as_deref().and_then(place);
        if let Some((_, id)) = before.filter(|(before, _)| *before == chat.to_string()) {
            match session.edit(&chat, id, text(&part)).await {
                Ok(()) => {
                    if let Some(news) = &thread.news {
                        let news = one_line(news, message.tone);
                        let manner = Manner {
                            is_silent: false,
                            reply_to: Some(id),
                        };
                        let sent = session.send(&chat, text(&news), manner).await;
                        sent.map_err(of)?;
                    }
                    let message = Some(id);
                    return Ok(Sent { chat, message });
                }
                Err(Trouble::NotEditable) => {}
                Err(trouble) => return Err(of(trouble)),
            }
        }
        let manner = Manner {
            is_silent: !message.content.rings() || thread.before.is_some() && thread.news.is_none(),
            reply_to: None,
        };
        let sent = session.send(self.chat(), text(&part), manner).await;
        sent.map_err(of)
    }
}

/// What a message that stands alone says.
fn written(message: &Message) -> Letter {
    match &message.content {
        Content::Report(report) => letter(&digest_within(report, Bounds::COMPACT), &message.title),
        Content::Incident(_) | Content::Incidents(_) | Content::Note { .. } => {
            letter(&message.blocks, &message.title)
        }
    }
}

fn text(part: &Part) -> Text<'_> {
    Text {
        html: &part.html,
        plain: &part.plain,
    }
}

/// `chat:message`
fn receipt(sent: Option<&Sent>) -> Receipt {
    let external_id = sent.and_then(|sent| Some(format!("{}:{}", sent.chat, sent.message?)));
    Receipt { external_id }
}

/// The chat and the message of a receipt.
fn place(receipt: &str) -> Option<(&str, i32)> {
    let (chat, message) = receipt.rsplit_once(':')?;
    Some((chat, message.parse().ok()?))
}

fn of(trouble: Trouble) -> SendError {
    match trouble {
        Trouble::Later {
            not_before,
            message,
            hint,
        } => SendError {
            retry: Retry::Later { not_before },
            message,
            hint: Some(hint),
        },
        Trouble::Never { message, hint } => SendError::permanent(message).hint(hint),
        Trouble::Markup(_) | Trouble::NotModified | Trouble::NotEditable => {
            SendError::permanent(format!("Telegram refused a plain message: {trouble:?}"))
                .hint("this is a bug of ours: please report it")
        }
    }
}
