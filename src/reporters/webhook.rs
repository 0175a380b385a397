//! Posts JSON to an address of one's own, signed so that its receiver can tell that it is ours, and fresh.

use std::cmp::Reverse;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::hmac;
use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, header};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Content, Means, Message, Receipt, Reporter, ReporterSpec, Retry, SendError};
use crate::clients::http::{Answer, Headers, HttpClients, HttpUrl, Trace, Visit};
use crate::clients::tls::TlsSettings;
use crate::clock::Clock;
use crate::model::{FailureKind, IncidentReport, Report, Status, Timestamp};
use crate::render::text::{TextStyle, text};
use crate::secret::Secret;

/// The version of what is posted.
const SCHEMA: u32 = 1;

const TIMEOUT: Duration = Duration::from_secs(15);

/// Nobody reads the answer but its status; a receiver that talks is cut off.
const MOST_BYTES: usize = 64 * 1024;

/// When it was signed, in seconds since 1970.
const TIMESTAMP: &str = "x-roundsman-timestamp";

/// `sha256=` and the HMAC-SHA256 (RFC 2104) of the timestamp, a full stop, and the body, in hexadecimal.
const SIGNATURE: &str = "x-roundsman-signature";

/// What the message is called, so that one that comes twice is told.
const DELIVERY: &str = "x-roundsman-delivery";

/// Where it is posted, and how it is signed.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The address. A user and a password in it, and its query, are never shown.
    pub url: HttpUrl,
    /// What the receiver knows too: then each message is signed with it. Write `${NAME}`.
    pub secret: Option<Secret>,
    /// Further headers. Their values are never shown.
    #[serde(default)]
    pub headers: Headers,
    /// How the server proves who it is.
    #[serde(default)]
    pub tls: TlsSettings,
}

/// Posts JSON.
pub struct Webhook {
    settings: Settings,
    http: HttpClients,
    clock: Arc<dyn Clock>,
}

/// What is posted. Fields are only ever added.
#[derive(Serialize)]
struct Posted<'a> {
    schema: u32,
    /// What it tells of: `report`, `incident`, `incidents` or `note`.
    event: &'static str,
    id: &'a str,
    sent_at: Timestamp,
    title: &'a str,
    status: Status,
    /// Whether somebody must hear of it now: what only brings up to date what was posted before does not ring.
    rings: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<&'a Report>,
    #[serde(skip_serializing_if = "Option::is_none")]
    incident: Option<&'a IncidentReport>,
    /// The worst of them in the order of their numbers, with a few targets each.
    #[serde(skip_serializing_if = "Option::is_none")]
    incidents: Option<Vec<IncidentReport>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    incidents_left_out: Option<usize>,
    /// What people read of a note, as Markdown.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

/// Receivers refuse what is very large: of many incidents, so many are posted, with so many of their targets.
const MOST_INCIDENTS: usize = 1_000;
const MOST_TARGETS: usize = 3;

fn within_bounds(reports: &[IncidentReport]) -> Vec<IncidentReport> {
    let mut worst: Vec<&IncidentReport> = reports.iter().collect();
    worst.sort_by_key(|report| (Reverse(report.status), Reverse(report.severity), report.id));
    worst.truncate(MOST_INCIDENTS);
    worst.sort_by_key(|report| report.id);
    let listed = worst.into_iter().cloned();
    listed
        .map(|mut report| {
            let over = report.targets.len().saturating_sub(MOST_TARGETS);
            report.targets.truncate(MOST_TARGETS);
            report.targets_left_out += over;
            report
        })
        .collect()
}

impl Reporter for Webhook {
    const KIND: ReporterSpec = ReporterSpec {
        key: "webhook",
        title: "Webhook",
        how: "posts JSON to an address of one's own, signed",
        sample: r#"
- kind: webhook
  url: https://hooks.example.com/roundsman
  secret: "${WEBHOOK_SECRET:-}"            # signs each message: X-Roundsman-Signature
  headers: {X-Team: ops}
"#,
        built: true,
        // A program keeps the newest of each incident; what rings nowhere says so.
        edits: true,
    };

    type Settings = Settings;

    fn new(settings: Settings, means: &Means) -> Self {
        Self {
            settings,
            http: means.clients.http.clone(),
            clock: Arc::clone(&means.clock),
        }
    }

    fn endpoint(settings: &Settings) -> Option<(String, u16)> {
        settings.url.outside_endpoint()
    }

    async fn send(&self, message: &Message) -> Result<Receipt, SendError> {
        let now = self.clock.now();
        let id = &message.id;
        let mut posted = Posted {
            schema: SCHEMA,
            event: event(&message.content),
            id,
            sent_at: now,
            title: &message.title,
            status: message.tone,
            rings: message.content.rings(),
            report: None,
            incident: None,
            incidents: None,
            incidents_left_out: None,
            text: None,
        };
        match &message.content {
            Content::Report(report) => posted.report = Some(report),
            Content::Incident(report) => posted.incident = Some(report),
            Content::Incidents(reports) => {
                posted.incidents_left_out = Some(reports.len().saturating_sub(MOST_INCIDENTS));
                posted.incidents = Some(within_bounds(reports));
            }
            Content::Note { .. } => posted.text = Some(text(&message.blocks, TextStyle::default())),
        }
        let body = serde_json::to_vec(&posted)
            .map_err(|error| SendError::permanent(format!("the report is no JSON: {error}")))?;
        let mut headers = self.settings.headers.0.clone();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        let timestamp = now.timestamp().to_string();
        let mut add = |name: &'static str, value: String| {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        };
        if let Some(secret) = &self.settings.secret {
            add(SIGNATURE, signature(secret, &timestamp, &body));
        }
        add(TIMESTAMP, timestamp);
        add(DELIVERY, id.clone());
        let url = &self.settings.url;
        let authorization = url.basic_authorization();
        let body = Bytes::from(body);
        let visit = Visit {
            method: &Method::POST,
            url,
            headers: &headers,
            authorization: authorization.as_ref(),
            body: Some(&body),
            tls: &self.settings.tls,
            max_body_bytes: MOST_BYTES,
            keep_body: false,
            // A message is for the one whom the configuration names.
            max_redirects: 0,
            connect_timeout: None,
            is_wanted: &|_: StatusCode| true,
        };
        let mut trace = Trace::new(url.clone());
        match self.http.visit(&visit, TIMEOUT, &mut trace).await {
            Ok(answer) => judge(url, &answer, id),
            Err(failure) => {
                let error = match failure.kind {
                    FailureKind::Denied => SendError::permanent(failure.message),
                    _ => SendError::retryable(failure.message),
                };
                Err(SendError {
                    hint: failure.hint,
                    ..error
                })
            }
        }
    }
}

/// The word for what a message tells of.
fn event(content: &Content) -> &'static str {
    match content {
        Content::Report(_) => "report",
        Content::Incident(_) => "incident",
        Content::Incidents(_) => "incidents",
        Content::Note { .. } => "note",
    }
}

/// The signature of a message.
fn signature(secret: &Secret, timestamp: &str, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
    let mut context = hmac::Context::with_key(&key);
    context.update(timestamp.as_bytes());
    context.update(b".");
    context.update(body);
    let mut text = String::from("sha256=");
    for byte in context.sign().as_ref() {
        // Into a `String`: it cannot fail.
        write!(text, "{byte:02x}").ok();
    }
    text
}

/// What a status means: those that ask for patience, and those of a receiver in trouble, are worth another try.
fn judge(url: &HttpUrl, answer: &Answer, id: &str) -> Result<Receipt, SendError> {
    let status = answer.status;
    if status.is_success() {
        return Ok(Receipt {
            external_id: Some(id.to_owned()),
        });
    }
    let message = format!("`{url}` answered {}", status.as_u16());
    match status.as_u16() {
        408 | 425 | 429 | 500.. => Err(SendError {
            retry: Retry::Later {
                not_before: retry_after(answer),
            },
            ..SendError::permanent(message).hint("look at the receiver's log at that time")
        }),
        300..=399 => {
            Err(SendError::permanent(message)
                .hint("it leads elsewhere: set `url` to where it leads"))
        }
        401 | 403 => Err(SendError::permanent(message)
            .hint("check the `secret`, the `headers` and the user in `url`")),
        _ => Err(SendError::permanent(message).hint("check `url`, and what the receiver takes")),
    }
}

fn retry_after(answer: &Answer) -> Option<Duration> {
    let text = answer.headers.get(header::RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_the_one_that_others_make() {
        // printf '1732900000.{"schema":1}' | openssl dgst -sha256 -hmac secret
        let made = signature(&Secret::new("secret"), "1732900000", br#"{"schema":1}"#);
        assert_eq!(
            made,
            "sha256=98f316c3faa069cf6c7e9e106bedea41001dfc9f4be6c14b17394a7acf1b5854"
        );
    }
}
