//! The Bot API as strict as the service is, for what it never does on request: it reads markup, counts as Telegram counts, and
//! remembers what a reader would see.

mod html;
mod wire;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::servers::{RawServer, raw};
use wire::{Call, File};

/// The only bot that it knows.
pub(crate) const TOKEN: &str = "123456789:canary-telegram-AAF7g0gYncWnm5IyfZl";

/// The chats that the bot may write to.
pub(crate) const PERSON: &str = "4242";
pub(crate) const GROUP: &str = "-4242";
pub(crate) const SUPERGROUP: &str = "-1001234567890";
pub(crate) const CHANNEL: &str = "@roundsman_reports";

const LONGEST_TEXT: usize = 4096;
const LONGEST_CAPTION: usize = 1024;

/// A message as its readers see it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) chat: String,
    pub(crate) id: i64,
    /// The text, or what stands beside the file.
    pub(crate) text: String,
    /// The stretches that are bold.
    pub(crate) bold: Vec<String>,
    pub(crate) reply_to: Option<i64>,
    pub(crate) is_silent: bool,
    /// Whether it was sent with markup.
    pub(crate) has_markup: bool,
    /// What it said before it was edited.
    pub(crate) earlier: Vec<String>,
    pub(crate) file: Option<File>,
}

/// What happens to a call instead of what should.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// It is refused with a status, a description, and parameters (`Value::Null`: none).
    Refused(u16, String, Value),
    /// An answer that is none of the Bot API's.
    Garbage(&'static str),
    /// It is done, but the answer has something in it that no library knows.
    Strange,
    /// The connection ends without an answer, and nothing was done.
    CutBefore,
    /// It is done, but the connection ends without an answer.
    CutAfter,
    /// Nobody answers, ever.
    Silence,
}

impl Fault {
    pub(crate) fn refused(status: u16, description: &str) -> Self {
        Self::Refused(status, description.to_owned(), Value::Null)
    }

    pub(crate) fn retry_after(seconds: u32) -> Self {
        Self::Refused(
            429,
            "Too Many Requests: retry later".to_owned(),
            json!({"retry_after": seconds}),
        )
    }
}

/// How far a call got.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Moment<'a> {
    /// It was read; nothing is done yet.
    Read,
    /// It was done: the method, and the message as it is from now on.
    Done(&'a str, &'a Value),
    /// All of the answer was written.
    Answered,
}

/// Hears of each moment of a call, by the call's number, and says at the first what is to go wrong.
pub(crate) type Witness = Arc<dyn Fn(usize, Moment<'_>) -> Option<Fault> + Send + Sync>;

#[derive(Default)]
struct State {
    messages: Vec<Seen>,
    /// What happens to the next calls; `None`: what should.
    script: VecDeque<Option<Fault>>,
    calls: Vec<(String, Instant)>,
    witness: Option<Witness>,
    /// The old group, once it has moved.
    is_moved: bool,
}

/// The service. It ends when this is dropped.
pub(crate) struct Telegram {
    server: RawServer,
    state: Arc<Mutex<State>>,
}

impl Telegram {
    pub(crate) async fn start() -> Self {
        let state: Arc<Mutex<State>> = Arc::default();
        let shared = Arc::clone(&state);
        let server = raw(move |stream| serve(stream, Arc::clone(&shared))).await;
        Self { server, state }
    }

    /// For `api_url`.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.server.port)
    }

    /// All that is there to be seen, in the order in which it came.
    pub(crate) fn messages(&self) -> Vec<Seen> {
        self.state().messages.clone()
    }

    /// What they say.
    pub(crate) fn texts(&self) -> Vec<String> {
        let messages = self.messages();
        messages.into_iter().map(|message| message.text).collect()
    }

    /// The calls so far, whatever became of them, and when each came.
    pub(crate) fn calls(&self) -> Vec<(String, Instant)> {
        self.state().calls.clone()
    }

    /// What happens to the next calls, one after the other; `None`: what should.
    pub(crate) fn script(&self, faults: impl IntoIterator<Item = Option<Fault>>) {
        self.state().script.extend(faults);
    }

    /// From now on this is told of every call, and says what becomes of it unless a script does.
    pub(crate) fn watched_by(&self, witness: Witness) {
        self.state().witness = Some(witness);
    }

    /// What happens to the next call.
    pub(crate) fn fail_next(&self, fault: Fault) {
        self.script([Some(fault)]);
    }

    /// From now on [`GROUP`] is [`SUPERGROUP`].
    pub(crate) fn upgrade_group(&self) {
        self.state().is_moved = true;
    }

    /// Somebody deletes a message.
    pub(crate) fn delete(&self, id: i64) {
        self.state().messages.retain(|message| message.id != id);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic")
    }
}

async fn serve(mut stream: TcpStream, state: Arc<Mutex<State>>) {
    let Some(call) = wire::read(&mut stream).await else {
        return;
    };
    let (number, scripted, witness) = {
        let mut state = state.lock().expect("no panic");
        state.calls.push((call.method.clone(), Instant::now()));
        let scripted = state.script.pop_front().flatten();
        (state.calls.len(), scripted, state.witness.clone())
    };
    let tell = |moment: Moment<'_>| witness.as_ref().and_then(|hears| hears(number, moment));
    let asked = tell(Moment::Read);
    let answer = match scripted.or(asked) {
        Some(Fault::Silence) => return std::future::pending().await,
        Some(Fault::CutBefore) => return,
        Some(Fault::Garbage(answer)) => answer.to_owned(),
        Some(Fault::Refused(status, description, parameters)) => {
            refusal(status, &description, parameters)
        }
        fault => {
            let done = state.lock().expect("no panic").answer(&call);
            if let Ok(message) = &done {
                tell(Moment::Done(&call.method, message));
            }
            match (done, fault) {
                (_, Some(Fault::CutAfter)) => return,
                (Ok(mut message), Some(Fault::Strange)) => {
                    message["chat"] = json!({"unheard": "of"});
                    wire::answer(200, &json!({"ok": true, "result": message}))
                }
                (Ok(message), _) => wire::answer(200, &json!({"ok": true, "result": message})),
                (Err(refused), _) => refused,
            }
        }
    };
    stream.write_all(answer.as_bytes()).await.ok();
    tell(Moment::Answered);
    stream.shutdown().await.ok();
}

fn refusal(status: u16, description: &str, parameters: Value) -> String {
    let mut body = json!({"ok": false, "error_code": status, "description": description});
    if !parameters.is_null() {
        body["parameters"] = parameters;
    }
    wire::answer(status, &body)
}

fn bad(description: &str) -> String {
    refusal(400, &format!("Bad Request: {description}"), Value::Null)
}

fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

impl State {
    /// The message that came of a call, or the refusal.
    fn answer(&mut self, call: &Call) -> Result<Value, String> {
        if call.token != TOKEN {
            return Err(refusal(401, "Unauthorized", Value::Null));
        }
        let chat = call.text("chat_id");
        if chat == GROUP && self.is_moved {
            let to: i64 = SUPERGROUP.parse().expect("a number");
            let description = "Bad Request: group chat was upgraded to a supergroup chat";
            return Err(refusal(400, description, json!({"migrate_to_chat_id": to})));
        }
        if ![PERSON, GROUP, SUPERGROUP, CHANNEL].contains(&chat.as_str()) {
            return Err(bad("chat not found"));
        }
        match call.method.as_str() {
            "sendmessage" => {
                let mut message = self.read(call, "text")?;
                if message.text.is_empty() {
                    return Err(bad("message text is empty"));
                }
                if units(&message.text) > LONGEST_TEXT {
                    return Err(bad("message is too long"));
                }
                message.reply_to = self.answered(call)?;
                Ok(self.add(message))
            }
            "senddocument" => {
                let mut message = self.read(call, "caption")?;
                if units(&message.text) > LONGEST_CAPTION {
                    return Err(bad("message caption is too long"));
                }
                let file = call.file("document");
                let file = file.ok_or_else(|| bad("there is no document in the request"))?;
                if file.content.is_empty() {
                    return Err(bad("file must be non-empty"));
                }
                message.file = Some(file);
                Ok(self.add(message))
            }
            "editmessagetext" => self.edit(call),
            _ => Err(refusal(404, "Not Found", Value::Null)),
        }
    }

    fn read(&self, call: &Call, key: &str) -> Result<Seen, String> {
        let written = call.text(key);
        let mode = call.text("parse_mode");
        let (text, bold) = match mode.as_str() {
            "" => (written, Vec::new()),
            "HTML" => {
                html::parse(&written).map_err(|why| bad(&format!("can't parse entities: {why}")))?
            }
            _ => return Err(bad("unsupported parse_mode")),
        };
        Ok(Seen {
            chat: call.text("chat_id"),
            id: self.messages.last().map_or(0, |last| last.id) + 1,
            text: text.trim().to_owned(),
            bold,
            is_silent: call.text("disable_notification") == "true",
            has_markup: mode == "HTML",
            ..Seen::default()
        })
    }

    fn answered(&self, call: &Call) -> Result<Option<i64>, String> {
        let reply = call.value("reply_parameters");
        let Some(id) = reply["message_id"].as_i64() else {
            return Ok(None);
        };
        let chat = call.text("chat_id");
        let is_there = |message: &Seen| message.id == id && message.chat == chat;
        if self.messages.iter().any(is_there) {
            Ok(Some(id))
        } else if reply["allow_sending_without_reply"] == true {
            Ok(None)
        } else {
            Err(bad("message to be replied not found"))
        }
    }

    fn add(&mut self, message: Seen) -> Value {
        let told = told(&message);
        self.messages.push(message);
        told
    }

    fn edit(&mut self, call: &Call) -> Result<Value, String> {
        let new = self.read(call, "text")?;
        if new.text.is_empty() {
            return Err(bad("message text is empty"));
        }
        if units(&new.text) > LONGEST_TEXT {
            return Err(bad("MESSAGE_TOO_LONG"));
        }
        let id = call.text("message_id");
        let mut messages = self.messages.iter_mut();
        let found = messages.find(|known| known.id.to_string() == id && known.chat == new.chat);
        let message = found.ok_or_else(|| bad("message to edit not found"))?;
        if message.file.is_some() {
            return Err(bad("there is no text in the message to edit"));
        }
        if (&message.text, &message.bold) == (&new.text, &new.bold) {
            return Err(bad(
                "message is not modified: specified new message content and reply markup are exactly the same as a \
                 current content and reply markup of the message",
            ));
        }
        let earlier = std::mem::replace(&mut message.text, new.text);
        message.earlier.push(earlier);
        message.bold = new.bold;
        Ok(told(message))
    }
}

/// A message as the service tells it.
fn told(message: &Seen) -> Value {
    let id: i64 = message.chat.parse().unwrap_or(-1_009_999_999_999);
    let chat = if id > 0 {
        json!({"id": id, "type": "private", "first_name": "Ada"})
    } else {
        json!({"id": id, "type": "supergroup", "title": "Operations"})
    };
    let from = json!({"id": 123_456_789, "is_bot": true, "first_name": "Roundsman", "username": "roundsman_bot"});
    json!({"message_id": message.id, "from": from, "date": 1_795_000_000, "chat": chat, "text": message.text})
}
