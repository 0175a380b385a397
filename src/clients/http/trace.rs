//! How far a visit came and what each phase took; it outlives a visit that was dropped at its deadline.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::url::HttpUrl;
use crate::clients::tls::Certificate;

/// A phase of a visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// From the name to addresses.
    Dns,
    /// To an open TCP connection.
    Connect,
    /// The TLS handshake.
    Tls,
    /// From sending the request to the head of the answer.
    FirstByte,
    /// The rest of the answer.
    Body,
}

impl Phase {
    /// All of them, in their order.
    pub const ALL: [Self; 5] = [
        Self::Dns,
        Self::Connect,
        Self::Tls,
        Self::FirstByte,
        Self::Body,
    ];
}

/// What is known of a visit so far. Over redirects, phases are summed and the rest is of the last hop.
#[derive(Debug)]
pub struct Trace {
    started: Instant,
    running: Option<(Phase, Instant)>,
    spent: [Option<Duration>; 5],
    /// Where the visit is: the address asked for, or the one it was redirected to.
    pub url: HttpUrl,
    /// How many redirects were followed.
    pub redirects: u32,
    /// Whether a redirect led from HTTPS to HTTP.
    pub downgraded: bool,
    /// The address that the connection goes to.
    pub address: Option<SocketAddr>,
    /// `HTTP/1.1`, `HTTP/2.0`.
    pub http_version: Option<http::Version>,
    /// `TLSv1_3`, as the TLS library names it.
    pub tls_version: Option<rustls::ProtocolVersion>,
    /// Of all certificates met, the one that ends first.
    pub certificate: Option<Certificate>,
    /// The status of the last answer.
    pub status: Option<http::StatusCode>,
    /// How much of the last answer's body was received, as it was sent.
    pub body_bytes: Option<usize>,
    /// When the parts of a body that was kept came, since the beginning: up to which byte, and when. At most
    /// [`MOST_ARRIVALS`]; the last stands for all that follow.
    pub arrivals: Vec<(usize, Duration)>,
}

/// How many parts of a body are told apart by when they came.
const MOST_ARRIVALS: usize = 4_096;

impl Trace {
    /// The trace of a visit that begins now.
    #[must_use]
    pub fn new(url: HttpUrl) -> Self {
        Self {
            started: Instant::now(),
            running: None,
            spent: [None; 5],
            url,
            redirects: 0,
            downgraded: false,
            address: None,
            http_version: None,
            tls_version: None,
            certificate: None,
            status: None,
            body_bytes: None,
            arrivals: Vec::new(),
        }
    }

    /// Ends the running phase and begins another.
    pub(super) fn enter(&mut self, phase: Phase) {
        self.leave();
        self.running = Some((phase, Instant::now()));
    }

    /// Ends the running phase.
    pub(super) fn leave(&mut self) {
        if let Some((phase, since)) = self.running.take() {
            *self.spent[phase as usize].get_or_insert_default() += since.elapsed();
        }
    }

    /// Keeps the certificate if it ends before the one already known.
    pub(super) fn met(&mut self, certificate: Option<Certificate>) {
        let ends = |one: &Option<Certificate>| one.as_ref().map(|one| one.not_after);
        if self.certificate.is_none()
            || certificate.is_some() && ends(&certificate) < ends(&self.certificate)
        {
            self.certificate = certificate.or(self.certificate.take());
        }
    }

    /// Notes that the body has come up to that byte.
    pub(super) fn arrived(&mut self, up_to: usize) {
        if self.arrivals.len() < MOST_ARRIVALS {
            self.arrivals.push((up_to, self.started.elapsed()));
        }
    }

    /// When a byte of the body came; `None`: it did not.
    #[must_use]
    pub fn arrival_of(&self, byte: usize) -> Option<Duration> {
        let part = self.arrivals.iter().find(|(up_to, _)| *up_to > byte);
        part.or(self.arrivals.last()).map(|(_, at)| *at)
    }

    /// The phase that the visit is in.
    #[must_use]
    pub fn phase(&self) -> Option<Phase> {
        self.running.map(|(phase, _)| phase)
    }

    /// How long a phase that has come to its end took, summed over redirects. `None`: it did not happen.
    #[must_use]
    pub fn spent(&self, phase: Phase) -> Option<Duration> {
        self.spent[phase as usize]
    }

    /// How long the visit has taken so far.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}
