//! HTTP and HTTPS endpoints: does the right answer come, how soon, and for how long is the certificate good.

/// Gives a type that is read by hand a schema written by hand.
macro_rules! schema {
    ($type:ident, $schema:tt) => {
        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!($schema)
            }
        }
    };
}

mod expect;
mod settings;

use std::time::Duration;

use http::{StatusCode, header};

use super::{Collector, Home, RunContext, SettingsProblem, Variables};
use crate::clients::Clients;
use crate::clients::http::{Answer, HttpClients, Phase, Trace, Visit};
use crate::document::shown_path;
use crate::model::{
    Failure, FailureKind, KindSpec, Limit, MetricSpec, Reading, Rule, Target, Timestamp, Unit,
};
use crate::problem::Severity;

pub use expect::{Expect, JsonChecks, Pattern, Statuses, Texts};
pub use settings::{Auth, Body, Method, Settings};

/// Looks at HTTP and HTTPS endpoints.
pub struct ApiEndpoints {
    http: HttpClients,
}

const SAMPLE: &str = r#"
- url: https://example.com/health        # a user and a password in it are sent as basic authentication
  name: shop                             # default: example.com/health
  timeout_ms: 5000                       # for the whole look, redirects included
- url: https://api.example.com/v1/orders
  name: orders
  method: POST                           # default: GET
  headers: {Content-Type: application/json, X-Api-Key: "${ORDERS_KEY:-}"}
  body: '{"dry_run": true}'
  auth: {bearer: "${ORDERS_TOKEN:-}"}    # or basic: {username: …, password: …}; never sent to another origin
  expect:
    status: [2xx, 409]                   # codes, classes, ranges such as 200-204; default: 2xx after redirects
    contains: accepted                   # a text, or a list of texts
    regex: '"id":\s*\d+'
    json: {"$.state": ready, "$.queue[*].name": orders}   # RFC 9535 paths
  tls: {verify: true}                    # ca_file: /etc/ssl/own-ca.pem trusts further certificates
  max_body_bytes: 1048576
  max_redirects: 10
"#;

const METRICS: &[MetricSpec] = &[
    MetricSpec {
        headline: Some("answered in"),
        advice: Some(
            "see which phase is slow: DNS, connection, TLS, first byte (the service itself) or body",
        ),
        ..milliseconds(
            "response_time_ms",
            "the whole look, from the name to the last byte, redirects included",
        )
    },
    MetricSpec {
        name: "http_status",
        unit: Unit::Number,
        subject: None,
        meaning: "the status of the last answer",
        headline: None,
        advice: Some("look at the service's log"),
    },
    MetricSpec {
        name: "certificate_days_left",
        unit: Unit::Days,
        subject: None,
        meaning: "days until the server's certificate ends, negative when it has ended; over redirects the least",
        headline: None,
        advice: Some("renew the certificate, and look why the renewal did not happen by itself"),
    },
    MetricSpec {
        advice: Some("look at the DNS servers that this machine asks"),
        ..milliseconds(
            "dns_time_ms",
            "from the name to its addresses; absent where the URL has an address",
        )
    },
    MetricSpec {
        advice: Some("look at the network between, and at how loaded the server is"),
        ..milliseconds("connect_time_ms", "to an open TCP connection")
    },
    MetricSpec {
        advice: Some("look at how loaded the server is, and at the size of its certificate chain"),
        ..milliseconds("tls_time_ms", "the whole TLS handshake, nothing resumed")
    },
    MetricSpec {
        advice: Some("look at what the service waits for: its database, other services"),
        ..milliseconds(
            "first_byte_time_ms",
            "from the request to the head of the answer",
        )
    },
    MetricSpec {
        advice: Some("look at the size of the answer and the network between"),
        ..milliseconds(
            "body_time_ms",
            "the rest of the answer, up to `max_body_bytes`",
        )
    },
    MetricSpec {
        name: "body_bytes",
        unit: Unit::Bytes,
        subject: None,
        meaning: "the body of the last answer as it was sent, at most `max_body_bytes`",
        headline: None,
        advice: None,
    },
];

const fn milliseconds(name: &'static str, meaning: &'static str) -> MetricSpec {
    MetricSpec {
        name,
        unit: Unit::Milliseconds,
        subject: None,
        meaning,
        headline: None,
        advice: None,
    }
}

impl Collector for ApiEndpoints {
    const KIND: KindSpec = KindSpec {
        key: "api_endpoints",
        title: "HTTP and HTTPS endpoints",
        how: "one request over a new connection, redirects followed; every phase is measured, the certificate \
              and the answer are checked",
        sample: SAMPLE,
        metrics: METRICS,
        default_timeout: Duration::from_secs(5),
        built: true,
    };

    type Settings = Settings;

    fn new(clients: &Clients) -> Self {
        Self {
            http: clients.http.clone(),
        }
    }

    fn host(settings: &Settings) -> Option<String> {
        settings.url.outside_host()
    }

    fn home(settings: &Settings) -> Option<Home> {
        Some(Home::on(Self::host(settings)))
    }

    fn default_name(settings: &Settings) -> String {
        settings.url.short_name()
    }

    fn rules(_: &Settings) -> Vec<Rule> {
        vec![
            Rule::default_of_kind("response_time_ms", Some(Limit::above(2_000.0)), None),
            Rule::default_of_kind(
                "certificate_days_left",
                Some(Limit::below(30.0)),
                Some(Limit::below(7.0)),
            ),
        ]
    }

    fn check(settings: &Settings, _: Variables<'_>) -> Vec<SettingsProblem> {
        let warning = |key, message: String, hint: &str| SettingsProblem {
            key,
            severity: Severity::Warning,
            message,
            hint: Some(hint.to_owned()),
        };
        let mut problems = Vec::new();
        if let Some(path) = &settings.tls.ca_file
            && !path.is_file()
        {
            let message = format!("there is no file {}", shown_path(path));
            let hint =
                "without it the certificate cannot be checked, and the target will be UNKNOWN";
            problems.push(warning("tls", message, hint));
        }
        if settings.expect.wants_body() && settings.method.0 == http::Method::HEAD {
            let message = "the body is to be checked, but the answer to `HEAD` has none".to_owned();
            problems.push(warning("expect", message, "use the method `GET`"));
        }
        problems
    }

    async fn look(
        &self,
        _: &Target,
        settings: &Settings,
        run: &RunContext,
    ) -> Result<Reading, Failure> {
        let authorization = settings.authorization();
        let visit = Visit {
            method: &settings.method.0,
            url: &settings.url,
            headers: &settings.headers.0,
            authorization: authorization.as_ref(),
            body: settings.body.as_ref().map(|body| &body.0),
            tls: &settings.tls,
            max_body_bytes: settings.max_body_bytes,
            keep_body: settings.expect.wants_body(),
            max_redirects: settings.max_redirects,
            connect_timeout: None,
            is_wanted: &|status| settings.expect.status.contain(status),
        };
        let mut trace = Trace::new(settings.url.clone());
        let outcome = self.http.visit(&visit, run.timeout, &mut trace).await;
        let seen = reading(&trace, run.clock.now());
        match outcome.and_then(|answer| judge(settings, &trace, &answer)) {
            Ok(()) => Ok(seen),
            Err(failure) => Err(failure.seen(seen)),
        }
    }
}

/// Whether the answer is the one that was wanted.
fn judge(settings: &Settings, trace: &Trace, answer: &Answer) -> Result<(), Failure> {
    let (expect, url) = (&settings.expect, &trace.url);
    if !expect.status.contain(answer.status) {
        return Err(unexpected_status(settings, trace, answer));
    }
    if !expect.wants_body() {
        return Ok(());
    }
    let limit = settings.max_body_bytes;
    if let Some(why) = &answer.undecoded {
        if answer.is_cut {
            return Err(too_large(trace, limit));
        }
        let message = format!("`{url}` answered with a body that {why}");
        return Err(Failure::new(FailureKind::Unexpected, message)
            .hint("we asked for no compression: look at the server, and at proxies between"));
    }
    match expect.missing_in(&answer.body) {
        None => Ok(()),
        Some(_) if answer.is_cut => Err(too_large(trace, limit)),
        Some(missing) => {
            let message = format!("`{url}` answered {} {missing}", answer.status.as_u16());
            Err(Failure::new(FailureKind::Unexpected, message)
                .hint("look at what the service answers there, or correct `expect`"))
        }
    }
}

fn too_large(trace: &Trace, limit: usize) -> Failure {
    Failure::ours(format!(
        "cannot check the body of `{}`: what is expected is not in its first {limit} bytes",
        trace.url
    ))
    .hint("raise `max_body_bytes`, or watch an address with a shorter answer")
}

fn unexpected_status(settings: &Settings, trace: &Trace, answer: &Answer) -> Failure {
    let (url, status) = (&trace.url, answer.status);
    let reason = status.canonical_reason().map(|reason| format!(" {reason}"));
    let what = format!(
        "`{url}` answered {}{}",
        status.as_u16(),
        reason.unwrap_or_default()
    );
    let wants_login = matches!(
        status,
        StatusCode::UNAUTHORIZED
            | StatusCode::FORBIDDEN
            | StatusCode::PROXY_AUTHENTICATION_REQUIRED
    );
    if wants_login && settings.has_credentials() && answer.was_trusted {
        return Failure::new(
            FailureKind::Denied,
            format!("{what}: our credentials were not accepted"),
        )
        .hint("check `auth`, the `headers` and the user in `url`: it may have expired or been revoked");
    }
    if status == StatusCode::TOO_MANY_REQUESTS {
        let wait =
            retry_after(answer).map_or(String::new(), |wait| format!(", retry after {wait}"));
        return Failure::new(FailureKind::Throttled, format!("{what}{wait}"))
            .hint("look less often (`every`), or ask for a higher limit");
    }
    let message = format!("{what}, expected {}", settings.expect.status);
    let hint = match status.as_u16() {
        401 | 403 | 407 if settings.has_credentials() => {
            "a redirect led to another origin, where credentials are not sent: set `url` to that address"
        }
        401 | 403 | 407 => "set `auth`, or `expect.status` if this is the right answer",
        100..=399 => "set `expect.status` if this is the right answer",
        400..=499 => "check the path, the method and the `headers`, or set `expect.status`",
        _ => "look at the service's log",
    };
    Failure::new(FailureKind::Unexpected, message).hint(hint)
}

/// What the server says about when to come again: seconds or a date; anything else is not repeated.
fn retry_after(answer: &Answer) -> Option<String> {
    let text = answer
        .headers
        .get(header::RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim();
    if text.parse::<u32>().is_ok() {
        return Some(format!("{text} s"));
    }
    let date = chrono::DateTime::parse_from_rfc2822(text).ok()?;
    Some(date.to_rfc2822())
}

/// What is known after a visit, whether it came to its end or not.
fn reading(trace: &Trace, now: Timestamp) -> Reading {
    let mut reading = Reading::default();
    let milliseconds = |time: Duration| time.as_secs_f64() * 1_000.0;
    let elapsed = milliseconds(trace.elapsed());
    if let Some(status) = trace.status {
        reading.number("response_time_ms", None, elapsed, Unit::Milliseconds);
        let status = f64::from(status.as_u16());
        reading.number("http_status", None, status, Unit::Number);
    }
    if let Some(certificate) = &trace.certificate {
        let days = certificate.days_left(now);
        reading.number("certificate_days_left", None, days, Unit::Days);
    }
    for phase in Phase::ALL {
        let metric = match phase {
            Phase::Dns => "dns_time_ms",
            Phase::Connect => "connect_time_ms",
            Phase::Tls => "tls_time_ms",
            Phase::FirstByte => "first_byte_time_ms",
            Phase::Body => "body_time_ms",
        };
        if let Some(spent) = trace.spent(phase) {
            reading.number(metric, None, milliseconds(spent), Unit::Milliseconds);
        }
    }
    if let Some(bytes) = trace.body_bytes {
        #[expect(clippy::cast_precision_loss, reason = "exact below 2^53 bytes")]
        let bytes = bytes as f64;
        reading.number("body_bytes", None, bytes, Unit::Bytes);
    }
    facts(&mut reading, trace);
    reading
}

fn facts(reading: &mut Reading, trace: &Trace) {
    if let Some(address) = trace.address {
        reading.fact("address", address.to_string());
    }
    if trace.redirects > 0 {
        reading.fact("final url", trace.url.to_string());
    }
    if trace.downgraded {
        reading.fact("downgraded", "a redirect led from https to http");
    }
    if let Some(version) = trace.http_version {
        reading.fact("http version", format!("{version:?}"));
    }
    if let Some(version) = trace.tls_version {
        let version = match version {
            rustls::ProtocolVersion::TLSv1_2 => "TLS 1.2".to_owned(),
            rustls::ProtocolVersion::TLSv1_3 => "TLS 1.3".to_owned(),
            other => format!("{other:?}"),
        };
        reading.fact("tls version", version);
    }
    if let Some(certificate) = &trace.certificate {
        reading.fact("certificate subject", certificate.subject.clone());
        reading.fact("certificate issuer", certificate.issuer.clone());
        let until = certificate.not_after.format("%Y-%m-%d %H:%M UTC");
        reading.fact("certificate not after", until.to_string());
    }
}
