//! Sessions with the Bot API of Telegram (<https://core.telegram.org/bots/api>): calls one after the other, as often as a chat
//! takes them, and to where the chat is now.
//!
//! What is known of a chat outlives the reporters, which are made anew with every configuration.

mod pace;
mod problems;
mod underway;

use std::collections::HashMap;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use reqwest_012::dns::{Addrs, Name, Resolve, Resolving};
use reqwest_012::redirect;
use teloxide_core::payloads::{EditMessageTextSetters, SendDocumentSetters, SendMessageSetters};
use teloxide_core::requests::{Request, Requester};
use teloxide_core::types::{
    ChatId, InputFile, LinkPreviewOptions, MessageId, ParseMode, Recipient, ReplyParameters,
};
use teloxide_core::{Bot, RequestError, types};

use super::net::Network;
use super::tls::{Check, Keys, TlsConfigs, Trust};
use crate::model::Failure;
use crate::secret::Secret;
use pace::Pace;
pub(crate) use problems::Trouble;
use underway::Letters;
pub(crate) use underway::Underway;

/// The service itself.
pub const SERVICE: &str = "https://api.telegram.org";

/// For one call, from its name to the end of its answer.
const TIMEOUT: Duration = Duration::from_secs(15);

/// For how long a connection waits for the next call: for the parts of one report.
const IDLE: Duration = Duration::from_secs(10);

/// By the server that is asked, and the token.
type Sessions = HashMap<(url::Url, Secret), Arc<Session>>;

/// One session for each bot. Cheap to clone.
#[derive(Clone)]
pub struct TelegramClients {
    network: Network,
    tls: TlsConfigs,
    sessions: Arc<Mutex<Sessions>>,
}

impl TelegramClients {
    /// Has none yet. Does no I/O.
    #[must_use]
    pub fn new(network: Network, tls: TlsConfigs) -> Self {
        Self {
            network,
            tls,
            sessions: Arc::default(),
        }
    }

    /// The session of a bot. `server`: where the Bot API is.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub(crate) fn session(
        &self,
        server: &url::Url,
        token: &Secret,
    ) -> Result<Arc<Session>, Failure> {
        let key = (server.clone(), token.clone());
        let mut sessions = lock(&self.sessions);
        if let Some(session) = sessions.get(&key) {
            return Ok(Arc::clone(session));
        }
        let session = Arc::new(Session {
            bot: self.bot(server, token)?,
            token: token.clone(),
            host: authority(server),
            paces: Mutex::default(),
            moved: Mutex::default(),
            letters: Mutex::default(),
        });
        sessions.insert(key, Arc::clone(&session));
        Ok(session)
    }

    fn bot(&self, server: &url::Url, token: &Secret) -> Result<Bot, Failure> {
        let trust = Trust {
            check: Check::Full,
            ca_file: None,
            only_ca_file: false,
            client: None,
            protocols: &[b"http/1.1"],
            keys: Keys {
                host: "api_url",
                ca_file: "SSL_CERT_FILE",
                client: None,
                without: "write `http://` in `api_url`",
            },
        };
        let tls = self.tls.config(&trust)?;
        let client = reqwest_012::Client::builder()
            .use_preconfigured_tls((*tls).clone())
            .dns_resolver(Arc::new(Names(self.network.clone())))
            .timeout(TIMEOUT)
            .pool_idle_timeout(IDLE)
            // As all our other calls.
            .no_proxy()
            // The token goes to nobody else.
            .redirect(redirect::Policy::none())
            .build()
            .map_err(|error| {
                Failure::ours(format!(
                    "cannot set up HTTP for Telegram: {}",
                    error.without_url()
                ))
                .hint("this is a bug of ours: please report it")
            })?;
        Ok(Bot::with_client(token.expose(), client).set_api_url(server.clone()))
    }
}

fn authority(url: &url::Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// Looks names up as all our other clients do.
struct Names(Network);

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        let network = self.0.clone();
        Box::pin(async move {
            let found = network.resolve(name.as_str()).await?;
            let addresses = found.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(addresses) as Addrs)
        })
    }
}

/// A message, with markup and without.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Text<'a> {
    pub(crate) html: &'a str,
    pub(crate) plain: &'a str,
}

/// How a message is sent.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Manner {
    /// Whether no telephone rings.
    pub(crate) is_silent: bool,
    /// The message that it answers.
    pub(crate) reply_to: Option<i32>,
}

/// A message that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sent {
    /// Where it is.
    pub(crate) chat: Recipient,
    /// How it is called there; `None`: the answer did not say.
    pub(crate) message: Option<i32>,
}

/// A bot.
pub(crate) struct Session {
    bot: Bot,
    token: Secret,
    /// Where it is asked, for messages.
    host: String,
    paces: Mutex<HashMap<Recipient, Pace>>,
    /// Groups that have become supergroups, and what they are called since.
    moved: Mutex<HashMap<Recipient, Recipient>>,
    letters: Mutex<Letters>,
}

impl Session {
    /// Sends a message.
    pub(crate) async fn send(
        &self,
        chat: &Recipient,
        text: Text<'_>,
        manner: Manner,
    ) -> Result<Sent, Trouble> {
        let send = |html: bool| {
            self.following(chat, move |chat| {
                let words = if html { text.html } else { text.plain };
                let mut call = self.bot.send_message(chat, words);
                call = call.link_preview_options(no_preview());
                call = call.disable_notification(manner.is_silent);
                if html {
                    call = call.parse_mode(ParseMode::Html);
                }
                if let Some(message) = manner.reply_to {
                    let to = ReplyParameters::new(MessageId(message));
                    call = call.reply_parameters(to.allow_sending_without_reply());
                }
                async move { message_id(call.send().await) }
            })
        };
        match send(true).await {
            Err(Trouble::Markup(why)) => {
                warn_of_markup(&why);
                send(false).await
            }
            outcome => outcome,
        }
    }

    /// Puts another text in the place of a message.
    pub(crate) async fn edit(
        &self,
        chat: &Recipient,
        message: i32,
        text: Text<'_>,
    ) -> Result<(), Trouble> {
        let edit = |html: bool| {
            self.paced(chat, move |chat| {
                let words = if html { text.html } else { text.plain };
                let mut call = self.bot.edit_message_text(chat, MessageId(message), words);
                call = call.link_preview_options(no_preview());
                if html {
                    call = call.parse_mode(ParseMode::Html);
                }
                async move { message_id(call.send().await) }
            })
        };
        let mut edited = edit(true).await;
        if let Err(Outcome::Trouble(Trouble::Markup(why))) = &edited {
            warn_of_markup(why);
            edited = edit(false).await;
        }
        match edited {
            Ok(_) | Err(Outcome::Trouble(Trouble::NotModified)) => Ok(()),
            Err(Outcome::Trouble(trouble)) => Err(trouble),
            // Its messages have stayed behind.
            Err(Outcome::Moved(new)) => {
                self.remember(chat, new);
                Err(Trouble::NotEditable)
            }
        }
    }

    /// Sends a file with a few words beside it.
    pub(crate) async fn send_file(
        &self,
        chat: &Recipient,
        name: &'static str,
        content: &Bytes,
        caption: &str,
    ) -> Result<Sent, Trouble> {
        self.following(chat, |chat| {
            let file = InputFile::memory(content.clone()).file_name(name);
            let call = self.bot.send_document(chat, file);
            let call = call.caption(caption).disable_notification(true);
            async move { message_id(call.send().await) }
        })
        .await
    }

    /// How far a message got.
    pub(crate) fn underway(&self, key: &str) -> Option<Underway> {
        lock(&self.letters).get(key)
    }

    /// Remembers how far a message got.
    pub(crate) fn note(&self, key: &str, underway: Underway) {
        lock(&self.letters).set(key, underway);
    }

    /// What a chat is called now.
    pub(crate) fn now_called(&self, chat: &Recipient) -> Recipient {
        lock(&self.moved).get(chat).unwrap_or(chat).clone()
    }

    /// Calls, and once more where the group is now, if it has moved.
    async fn following<C, F>(&self, chat: &Recipient, call: C) -> Result<Sent, Trouble>
    where
        C: Fn(Recipient) -> F,
        F: Future<Output = Result<Option<i32>, RequestError>>,
    {
        let mut to = self.now_called(chat);
        let mut outcome = self.paced(&to, &call).await;
        if let Err(Outcome::Moved(new)) = outcome {
            self.remember(chat, new);
            to = new.into();
            outcome = self.paced(&to, &call).await;
        }
        match outcome {
            Ok(message) => Ok(Sent { chat: to, message }),
            Err(Outcome::Trouble(trouble)) => Err(trouble),
            Err(Outcome::Moved(new)) => {
                let error = RequestError::MigrateToChatId(new);
                Err(problems::trouble(&error, &self.host, &self.token))
            }
        }
    }

    fn remember(&self, chat: &Recipient, new: ChatId) {
        let before = lock(&self.moved).insert(chat.clone(), new.into());
        if before != Some(new.into()) {
            tracing::warn!(
                event = "telegram.chat_moved",
                chat_id = new.0,
                "the group has become a supergroup: messages go there; set `chat_id: {new}` in the configuration"
            );
        }
    }

    /// Calls when it is the chat's turn.
    async fn paced<C, F>(&self, chat: &Recipient, call: C) -> Result<Option<i32>, Outcome>
    where
        C: Fn(Recipient) -> F,
        F: Future<Output = Result<Option<i32>, RequestError>>,
    {
        let is_group = match chat {
            Recipient::Id(id) => id.0 < 0,
            Recipient::ChannelUsername(_) => true,
        };
        let turn = self.pace(chat, |pace| pace.turn(Instant::now(), is_group));
        let turn = turn.map_err(|wait| Trouble::throttled(&self.host, wait))?;
        tokio::time::sleep_until(turn.into()).await;
        match tokio::time::timeout(TIMEOUT, call(chat.clone())).await {
            Ok(Ok(message)) => Ok(message),
            Ok(Err(RequestError::MigrateToChatId(new))) => Err(Outcome::Moved(new)),
            Ok(Err(error)) => {
                if let RequestError::RetryAfter(seconds) = error {
                    let until = Instant::now() + seconds.duration();
                    self.pace(chat, |pace| pace.close(until));
                }
                Err(problems::trouble(&error, &self.host, &self.token).into())
            }
            Err(_) => {
                let (host, seconds) = (&self.host, TIMEOUT.as_secs());
                Err(Trouble::later(
                    format!("`{host}` gave no answer within {seconds} s"),
                    "the message may have been taken all the same; check that this machine may reach it",
                )
                .into())
            }
        }
    }

    fn pace<T>(&self, chat: &Recipient, with: impl FnOnce(&mut Pace) -> T) -> T {
        with(lock(&self.paces).entry(chat.clone()).or_default())
    }
}

/// Why a call gave no message.
enum Outcome {
    Moved(ChatId),
    Trouble(Trouble),
}

impl From<Trouble> for Outcome {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

/// Nobody but us is to follow what a stranger's text links to.
fn no_preview() -> LinkPreviewOptions {
    LinkPreviewOptions {
        is_disabled: true,
        url: None,
        prefer_small_media: false,
        prefer_large_media: false,
        show_above_text: false,
    }
}

/// How the message is called. An answer that has something in it which the library does not know is still an answer: the
/// message was taken, and must not be sent again.
fn message_id(answer: Result<types::Message, RequestError>) -> Result<Option<i32>, RequestError> {
    let error = match answer {
        Ok(message) => return Ok(Some(message.id.0)),
        Err(error) => error,
    };
    if let RequestError::InvalidJson { raw, .. } = &error
        && let Ok(answer) = serde_json::from_str::<serde_json::Value>(raw)
        && answer["ok"] == true
    {
        let id = answer["result"]["message_id"].as_i64();
        return Ok(id.and_then(|id| id.try_into().ok()));
    }
    Err(error)
}

fn warn_of_markup(why: &str) {
    tracing::warn!(
        event = "telegram.markup_refused",
        "a message went as plain text, which is a bug of ours: {why}"
    );
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
