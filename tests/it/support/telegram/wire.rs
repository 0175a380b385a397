//! Calls and answers as they go over the wire.

use std::collections::BTreeMap;

use serde_json::Value;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

/// A file that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) content: String,
}

/// A call of a method, as JSON or as a form.
pub(super) struct Call {
    pub(super) token: String,
    pub(super) method: String,
    values: BTreeMap<String, Value>,
    files: BTreeMap<String, File>,
}

impl Call {
    /// A parameter; structured ones stand as JSON in a form.
    pub(super) fn value(&self, key: &str) -> Value {
        match self.values.get(key) {
            Some(Value::String(text)) => {
                serde_json::from_str(text).unwrap_or_else(|_| text.as_str().into())
            }
            Some(value) => value.clone(),
            None => Value::Null,
        }
    }

    /// A parameter as text; empty: it is not there.
    pub(super) fn text(&self, key: &str) -> String {
        match self.values.get(key) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        }
    }

    /// A file, which may stand in another field of the form.
    pub(super) fn file(&self, key: &str) -> Option<File> {
        let named = self.text(key);
        let key = named.strip_prefix("attach://").unwrap_or(key);
        self.files.get(key).cloned()
    }
}

/// Reads one call. `None`: it ended before it was complete, or is none.
pub(super) async fn read(stream: &mut TcpStream) -> Option<Call> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(end) = find(&bytes, b"\r\n\r\n") {
            let rest = bytes.split_off(end + 4);
            break String::from_utf8(std::mem::replace(&mut bytes, rest)).ok()?;
        }
        more(stream, &mut bytes).await?;
    };
    let header = |name: &str| {
        let lines = head.lines().filter_map(|line| line.split_once(':'));
        let mut found = lines.filter(|(known, _)| known.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.trim().to_owned())
    };
    let body = if header("transfer-encoding").is_some_and(|how| how == "chunked") {
        chunked(stream, bytes).await?
    } else {
        let length = header("content-length")?.parse().ok()?;
        while bytes.len() < length {
            more(stream, &mut bytes).await?;
        }
        bytes
    };
    let path = head.split(' ').nth(1)?;
    let (token, method) = path.rsplit_once("/bot")?.1.split_once('/')?;
    let mut call = Call {
        token: token.to_owned(),
        // The service does not mind how it is written.
        method: method.to_ascii_lowercase(),
        values: BTreeMap::new(),
        files: BTreeMap::new(),
    };
    let kind = header("content-type")?;
    match kind.split_once("boundary=") {
        Some((_, boundary)) => read_form(&mut call, &body, boundary)?,
        None => call.values = serde_json::from_slice(&body).ok()?,
    }
    Some(call)
}

/// RFC 7578, as far as clients use it.
fn read_form(call: &mut Call, body: &[u8], boundary: &str) -> Option<()> {
    let body = std::str::from_utf8(body).ok()?;
    let mark = format!("--{}", boundary.trim_matches('"'));
    for part in body.split(&mark).skip(1) {
        let Some(part) = part.strip_prefix("\r\n") else {
            break;
        };
        let (head, content) = part.split_once("\r\n\r\n")?;
        let content = content.strip_suffix("\r\n")?.to_owned();
        let quoted = |key: &str| {
            let (_, rest) = head.split_once(&format!("{key}=\""))?;
            rest.split_once('"').map(|(value, _)| value.to_owned())
        };
        let name = quoted("; name")?;
        match quoted("filename") {
            Some(file) => {
                call.files.insert(
                    name,
                    File {
                        name: file,
                        content,
                    },
                );
            }
            None => {
                call.values.insert(name, content.into());
            }
        }
    }
    Some(())
}

async fn chunked(stream: &mut TcpStream, mut bytes: Vec<u8>) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = loop {
            match find(&bytes, b"\r\n") {
                Some(end) => break end,
                None => more(stream, &mut bytes).await?,
            }
        };
        let size = std::str::from_utf8(&bytes[..end]).ok()?;
        let size = usize::from_str_radix(size.trim(), 16).ok()?;
        let whole = end + 2 + size + 2;
        while bytes.len() < whole {
            more(stream, &mut bytes).await?;
        }
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(&bytes[end + 2..end + 2 + size]);
        bytes.drain(..whole);
    }
}

async fn more(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<()> {
    match stream.read_buf(bytes).await {
        Ok(1..) => Some(()),
        _ => None,
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

pub(super) fn answer(status: u16, body: &Value) -> String {
    let body = body.to_string();
    let length = body.len();
    format!(
        "HTTP/1.1 {status} Told\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}
