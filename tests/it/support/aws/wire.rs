//! HTTP/1.1 as the SDK speaks it, with bodies that may be binary.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A request, as it came.
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Request {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub(super) fn is_cloudwatch(&self) -> bool {
        self.path.starts_with("/service/")
    }

    /// What is asked for, as policies name it without the service.
    pub(super) fn operation(&self) -> String {
        if self.is_cloudwatch() {
            return self.path.rsplit('/').next().unwrap_or_default().to_owned();
        }
        if let Some(action) = self.form("Action") {
            return action;
        }
        let query = self.path.split_once('?').map_or("", |(_, query)| query);
        let key = |name: &str| {
            let mut parts = query
                .split('&')
                .map(|part| part.split('=').next().unwrap_or_default());
            parts.any(|part| part == name)
        };
        let word = match self.method.as_str() {
            "HEAD" => "HeadBucket",
            "GET" if key("list-type") => "ListObjectsV2",
            "GET" if key("versioning") => "GetBucketVersioning",
            "GET" if key("location") => "GetBucketLocation",
            _ => "Unknown",
        };
        word.to_owned()
    }

    /// A field of a form.
    pub(super) fn form(&self, name: &str) -> Option<String> {
        let is_form = self
            .header("content-type")
            .is_some_and(|kind| kind.contains("x-www-form-urlencoded"));
        let body = is_form.then(|| url::form_urlencoded::parse(&self.body));
        let mut fields = body.into_iter().flatten();
        fields
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }

    /// Whether the region is part of what it was signed for.
    pub(super) fn is_signed_for(&self, region: &str) -> bool {
        let signed = self.header("authorization");
        signed.is_some_and(|scope| scope.contains(&format!("/{region}/")))
    }

    /// Whose request it is.
    pub(super) fn access_key(&self) -> Option<String> {
        let (_, scope) = self.header("authorization")?.split_once("Credential=")?;
        Some(scope.split('/').next()?.to_owned())
    }

    /// The page that is asked for, where it is not the first.
    pub(super) fn token(&self) -> Option<String> {
        self.form("NextToken")
    }

    /// Asks for smaller pages, so that a few instances make several.
    pub(super) fn limit_page(&mut self, items: u32) {
        if self.form("MaxResults").is_none() {
            return;
        }
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        for (key, value) in url::form_urlencoded::parse(&self.body) {
            let limited = key == "MaxResults";
            let value = if limited {
                items.to_string().into()
            } else {
                value
            };
            body.append_pair(&key, &value);
        }
        self.body = body.finish().into_bytes();
    }
}

/// Reads one request; `None`: the connection has ended.
pub(super) async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let mut part = vec![0; 16 * 1024];
    let end = loop {
        if let Some(end) = find(&bytes, b"\r\n\r\n") {
            break end;
        }
        match stream.read(&mut part).await {
            Ok(0) | Err(_) => return None,
            Ok(read) => bytes.extend_from_slice(&part[..read]),
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).expect("a head of ASCII");
    let mut body = bytes.split_off(end + 4);
    let mut lines = head.lines();
    let mut first = lines.next()?.split(' ');
    let (method, path) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
        .collect();
    let mut request = Request {
        method,
        path,
        headers,
        body: Vec::new(),
    };
    let length = request
        .header("content-length")
        .map_or(0, |text| text.parse().expect("a length"));
    while body.len() < length {
        match stream.read(&mut part).await {
            Ok(0) | Err(_) => return None,
            Ok(read) => body.extend_from_slice(&part[..read]),
        }
    }
    request.body = body;
    Some(request)
}

/// Asks the server behind, and gives its whole answer.
pub(super) async fn forward(request: &Request, port: u16) -> Vec<u8> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.expect("moto");
    let mut head = format!("{} {} HTTP/1.1\r\n", request.method, request.path);
    for (name, value) in &request.headers {
        if !["connection", "content-length", "expect"].contains(&name.to_lowercase().as_str()) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    head.push_str(&format!(
        "content-length: {}\r\nconnection: close\r\n\r\n",
        request.body.len()
    ));
    stream
        .write_all(head.as_bytes())
        .await
        .expect("moto takes it");
    stream
        .write_all(&request.body)
        .await
        .expect("moto takes it");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("an answer");
    with_length(as_documented(&answer), request.method == "HEAD")
}

/// The server behind calls the root of one answer otherwise than the service does
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketVersioning.html>); the SDK refuses it then.
fn as_documented(answer: &[u8]) -> Vec<u8> {
    let (wrong, right) = ("GetBucketVersioningResponse", "VersioningConfiguration");
    match std::str::from_utf8(answer) {
        Ok(text) if text.contains(wrong) => {
            let lines = text.split_inclusive('\n');
            let kept = lines.filter(|line| !line.to_lowercase().starts_with("content-length:"));
            kept.collect::<String>().replace(wrong, right).into_bytes()
        }
        _ => answer.to_vec(),
    }
}

/// The server behind ends its answers by closing; ours are kept open, so each says how long it is.
fn with_length(answer: Vec<u8>, is_head: bool) -> Vec<u8> {
    let Some(end) = find(&answer, b"\r\n\r\n") else {
        return answer;
    };
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let body = &answer[end + 4..];
    let mut lines: Vec<&str> = head
        .lines()
        .filter(|line| !line.to_lowercase().starts_with("connection:"))
        .collect();
    let has_length = lines
        .iter()
        .any(|line| line.to_lowercase().starts_with("content-length:"));
    let length = format!("content-length: {}", body.len());
    if !has_length && !is_head {
        lines.push(&length);
    }
    let first = lines[0].replacen("HTTP/1.0", "HTTP/1.1", 1);
    lines[0] = &first;
    let mut whole = lines.join("\r\n").into_bytes();
    whole.extend_from_slice(b"\r\n\r\n");
    whole.extend_from_slice(body);
    whole
}

/// An answer with a body of that type.
pub(super) fn answer(status: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}
