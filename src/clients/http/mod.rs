//! HTTP and HTTPS with measured phases: a new connection for each visit, nothing kept open, nothing resumed, so
//! that each visit measures what a newcomer would see.
//!
//! A visit is one future: dropped at any point, it leaves no connection and no task behind. It does not use
//! proxies, because it is the target that is watched, not the way to it.

mod body;
mod exchange;
mod first_byte;
mod headers;
mod problems;
mod redirect;
mod trace;
mod url;

use std::time::Duration;

use ::url::Host;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header};
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

pub use exchange::BodyEnd;
pub use headers::Headers;
pub(crate) use headers::{basic, hidden};
pub use trace::{Phase, Trace};
pub(crate) use url::percent_decoded;
pub use url::{HttpUrl, UrlError};

use super::net::Network;
use super::tls::problems::handshake_failed;
use super::tls::{Certificate, Check, Keys, TlsConfigs, TlsSettings, Trust};
use crate::model::{Failure, FailureKind};
use body::Encoding;
use exchange::{Received, Transport, Wanted};
use redirect::Hop;

const USER_AGENT: &str = concat!("roundsman/", env!("CARGO_PKG_VERSION"));

/// Headers that may follow a redirect to another origin: they say nothing about who asks.
const HARMLESS: [HeaderName; 3] = [header::ACCEPT, header::ACCEPT_LANGUAGE, header::USER_AGENT];

/// How the settings of an address are called.
pub(super) const KEYS: Keys = Keys {
    host: "url",
    ca_file: "tls.ca_file",
    client: None,
    without: "write `http://`",
};

/// What visits share: the DNS cache and the TLS set-up. Cheap to clone.
#[derive(Clone)]
pub struct HttpClients {
    network: Network,
    tls: TlsConfigs,
}

/// What to ask.
#[derive(Clone, Copy)]
pub struct Visit<'a> {
    /// How.
    pub method: &'a Method,
    /// Where. Its user information is not sent: see `authorization`.
    pub url: &'a HttpUrl,
    /// Further headers.
    pub headers: &'a HeaderMap,
    /// The `Authorization` header.
    pub authorization: Option<&'a HeaderValue>,
    /// The body, where there is one.
    pub body: Option<&'a Bytes>,
    /// How the server proves who it is.
    pub tls: &'a TlsSettings,
    /// How much of the answer's body is read, before and after decompression.
    pub max_body_bytes: usize,
    /// Whether the answer's body is wanted; otherwise it is only counted.
    pub keep_body: bool,
    /// How many redirects are followed.
    pub max_redirects: u32,
    /// How long one connection may take to open; `None`: as long as the whole visit.
    pub connect_timeout: Option<Duration>,
    /// Statuses that are wanted, so that they are not followed even if they lead elsewhere.
    pub is_wanted: &'a (dyn Fn(StatusCode) -> bool + Sync),
}

/// What was answered in the end. The body is nobody's to print, so there is no `Debug`.
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, decompressed; empty unless it was wanted.
    pub body: Vec<u8>,
    /// Whether there was more of the body than was read.
    pub is_cut: bool,
    /// Why the body could not be decompressed; it is empty then.
    pub undecoded: Option<String>,
    /// Whether `authorization` and the further headers were sent to who answered.
    pub was_trusted: bool,
}

impl HttpClients {
    /// Makes them. Does no I/O.
    #[must_use]
    pub fn new(network: Network, tls: TlsConfigs) -> Self {
        Self { network, tls }
    }

    /// Asks, and follows redirects. What was measured is in `trace`, also after a failure.
    ///
    /// # Errors
    /// No complete answer within the time.
    pub async fn visit(
        &self,
        visit: &Visit<'_>,
        timeout: Duration,
        trace: &mut Trace,
    ) -> Result<Answer, Failure> {
        self.visit_until(visit, None, timeout, trace).await
    }

    /// As [`HttpClients::visit`], for a body that says itself where it ends: some servers leave the connection open.
    ///
    /// # Errors
    /// As there.
    pub async fn visit_until(
        &self,
        visit: &Visit<'_>,
        end: Option<BodyEnd<'_>>,
        timeout: Duration,
        trace: &mut Trace,
    ) -> Result<Answer, Failure> {
        let outcome = tokio::time::timeout(timeout, self.follow(visit, end, trace)).await;
        outcome.unwrap_or_else(|_| {
            let servers = match trace.phase() {
                Some(Phase::Dns) => self.network.dns_servers(),
                _ => String::new(),
            };
            Err(problems::timed_out(trace, timeout, &servers))
        })
    }

    async fn follow(
        &self,
        visit: &Visit<'_>,
        end: Option<BodyEnd<'_>>,
        trace: &mut Trace,
    ) -> Result<Answer, Failure> {
        let mut hop = Hop {
            url: visit.url.clone(),
            method: visit.method.clone(),
            with_body: visit.body.is_some(),
            trusted: true,
        };
        let mut been = Vec::new();
        loop {
            let received = self.ask(visit, &hop, end, trace).await?;
            let (status, headers) = (received.head.status, &received.head.headers);
            if (visit.is_wanted)(status) || !redirect::leads_elsewhere(status, headers) {
                return Ok(answer(visit, &hop, received));
            }
            let next = redirect::follow(&hop, status, headers)?;
            been.push((hop.method, hop.url.without_user()));
            let unexpected = |message, hint: &str| {
                Err(Failure::new(FailureKind::Unexpected, message).hint(hint))
            };
            if been.contains(&(next.method.clone(), next.url.without_user())) {
                let message = format!("`{}` redirects in a circle: to `{}`", hop.url, next.url);
                return unexpected(
                    message,
                    "look at the redirects that the server is set up for",
                );
            }
            if trace.redirects >= visit.max_redirects {
                let message = format!(
                    "`{}` redirects further after {} redirects: to `{}`",
                    hop.url, trace.redirects, next.url
                );
                let hint = "set `url` to where they lead, or raise `max_redirects`";
                return unexpected(message, hint);
            }
            trace.redirects += 1;
            trace.downgraded |= hop.url.is_https() && !next.url.is_https();
            trace.url = next.url.clone();
            hop = next;
        }
    }

    /// One request over a connection of its own.
    async fn ask(
        &self,
        visit: &Visit<'_>,
        hop: &Hop,
        end: Option<BodyEnd<'_>>,
        trace: &mut Trace,
    ) -> Result<Received, Failure> {
        let stream = self.connect(&hop.url, visit.connect_timeout, trace).await?;
        let (transport, version): (Box<dyn Transport>, _) = if hop.url.is_https() {
            // The handshake's future is large and short-lived.
            let (stream, version) = Box::pin(self.secure(visit.tls, hop, stream, trace)).await?;
            (stream, version)
        } else {
            (Box::new(stream), Version::HTTP_11)
        };
        trace.enter(Phase::FirstByte);
        let request = request(visit, hop, version)?;
        let body = visit.body.filter(|_| hop.with_body).cloned();
        let wanted = |head: &http::response::Parts| {
            let goes_on = !(visit.is_wanted)(head.status)
                && redirect::leads_elsewhere(head.status, &head.headers);
            Wanted {
                bytes: if goes_on { 0 } else { visit.max_body_bytes },
                keep: visit.keep_body,
                end,
            }
        };
        exchange::exchange(transport, request, body.unwrap_or_default(), wanted, trace).await
    }

    async fn connect(
        &self,
        url: &HttpUrl,
        connect_timeout: Option<Duration>,
        trace: &mut Trace,
    ) -> Result<TcpStream, Failure> {
        let addresses = match url.host() {
            Some(Host::Ipv4(address)) => vec![address.into()],
            Some(Host::Ipv6(address)) => vec![address.into()],
            Some(Host::Domain(name)) => {
                trace.enter(Phase::Dns);
                self.network.resolve(name).await?
            }
            None => Vec::new(),
        };
        trace.enter(Phase::Connect);
        let connecting = self.network.connect_to(&addresses, url.port());
        let connected = match connect_timeout {
            None => connecting.await,
            Some(limit) => match tokio::time::timeout(limit, connecting).await {
                Ok(connected) => connected,
                Err(_) => Err(problems::timed_out(trace, limit, "")),
            },
        };
        let (stream, address) = connected?;
        trace.leave();
        trace.address = Some(address);
        Ok(stream)
    }

    async fn secure(
        &self,
        settings: &TlsSettings,
        hop: &Hop,
        stream: TcpStream,
        trace: &mut Trace,
    ) -> Result<(Box<dyn Transport>, Version), Failure> {
        let config = self.tls.config(&trust(settings))?;
        let name = match hop.url.host() {
            Some(Host::Ipv4(address)) => Ok(ServerName::from(std::net::IpAddr::from(address))),
            Some(Host::Ipv6(address)) => Ok(ServerName::from(std::net::IpAddr::from(address))),
            Some(Host::Domain(name)) => {
                ServerName::try_from(name.trim_end_matches('.').to_owned()).map_err(|_| ())
            }
            None => Err(()),
        };
        let name = name.map_err(|()| {
            let message = format!("no certificate can be for `{}`", hop.url.authority());
            Failure::new(FailureKind::Unexpected, message).hint("check the host in `url`")
        })?;
        trace.enter(Phase::Tls);
        let stream = match TlsConnector::from(config).connect(name, stream).await {
            Ok(stream) => stream,
            Err(error) => {
                trace.leave();
                let (failure, certificate) = handshake_failed(&hop.url.authority(), &KEYS, &error);
                trace.met(certificate);
                return Err(failure);
            }
        };
        trace.leave();
        let (_, session) = stream.get_ref();
        trace.tls_version = session.protocol_version();
        let own = session.peer_certificates().and_then(<[_]>::first);
        trace.met(own.and_then(Certificate::read));
        let version = match session.alpn_protocol() {
            Some(b"h2") => Version::HTTP_2,
            _ => Version::HTTP_11,
        };
        Ok((Box::new(stream), version))
    }
}

fn trust(settings: &TlsSettings) -> Trust {
    Trust {
        check: if settings.verify {
            Check::Full
        } else {
            Check::Nothing
        },
        ca_file: settings.ca_file.clone(),
        only_ca_file: false,
        client: None,
        protocols: &[b"h2", b"http/1.1"],
        keys: KEYS,
    }
}

fn request(visit: &Visit<'_>, hop: &Hop, version: Version) -> Result<http::Request<()>, Failure> {
    let mut headers = HeaderMap::with_capacity(8 + visit.headers.len());
    let target = if version == Version::HTTP_2 {
        hop.url.without_user()
    } else {
        let host = hop.url.authority();
        // A host that no header can hold is refused with the target, just below.
        if let Ok(host) = HeaderValue::try_from(host) {
            headers.insert(header::HOST, host);
        }
        // No second request will come: the server need not wait for one.
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        hop.url.path_and_query()
    };
    headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
    headers.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
    // So that `body_bytes` is the size of what is served; what comes compressed all the same is opened.
    headers.insert(
        header::ACCEPT_ENCODING,
        HeaderValue::from_static("identity"),
    );
    if hop.trusted
        && let Some(authorization) = visit.authorization
    {
        headers.insert(header::AUTHORIZATION, authorization.clone());
    }
    for name in visit.headers.keys() {
        if hop.trusted || HARMLESS.contains(name) {
            headers.remove(name);
            for value in visit.headers.get_all(name) {
                headers.append(name, value.clone());
            }
        }
    }
    let mut request = http::Request::new(());
    *request.method_mut() = hop.method.clone();
    *request.uri_mut() = target.parse().map_err(|_| {
        Failure::ours(format!("`{}` cannot be put into a request", hop.url))
            .hint("check the special characters in `url`")
    })?;
    *request.version_mut() = version;
    *request.headers_mut() = headers;
    Ok(request)
}

fn answer(visit: &Visit<'_>, hop: &Hop, received: Received) -> Answer {
    let (head, limit) = (received.head, visit.max_body_bytes);
    let mut answer = Answer {
        status: head.status,
        headers: head.headers,
        body: Vec::new(),
        is_cut: received.cut,
        undecoded: None,
        was_trusted: hop.trusted,
    };
    if !visit.keep_body {
        return answer;
    }
    match Encoding::of(&answer.headers) {
        Encoding::Other(word) => {
            answer.undecoded = Some(format!("is compressed as `{word}`, which we cannot open"));
        }
        encoding => match body::decode(&encoding, received.body, received.cut, limit) {
            Ok((body, cut)) => (answer.body, answer.is_cut) = (body, cut),
            Err(_) => answer.undecoded = Some("is not compressed as its header says".to_owned()),
        },
    }
    answer
}
