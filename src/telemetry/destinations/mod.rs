//! Where traces go: by the environment alone, so that whoever knows one of these services knows what to set.

mod langfuse;
mod langsmith;
mod otlp;
mod variables;

use std::time::Duration;

use http::{HeaderMap, HeaderName};

use crate::clients::http::{HttpUrl, hidden};
use crate::clients::tls::TlsSettings;
use crate::config::Environment;
use crate::problem::Problem;
use variables::Variables;

/// All variables that say something about traces.
pub const VARIABLES: [&[&str]; 3] = [
    &otlp::VARIABLES,
    &langfuse::VARIABLES,
    &langsmith::VARIABLES,
];

/// A receiver of spans, by OTLP over HTTP.
#[derive(Debug, Clone)]
pub struct Destination {
    /// What sort of receiver.
    pub service: &'static str,
    /// Where spans are posted.
    pub url: HttpUrl,
    /// The headers that carry the key, and what else the receiver wants; keys are not shown.
    pub(super) headers: HeaderMap,
    /// How it proves who it is.
    pub(super) tls: TlsSettings,
    /// How long it may take for a batch.
    pub(super) timeout: Duration,
    /// The variables that hold the address and the key, for hints.
    pub(super) names: Names,
}

/// What variables are called.
#[derive(Debug, Clone, Copy)]
pub(super) struct Names {
    pub(super) address: &'static str,
    pub(super) key: &'static str,
}

impl Destination {
    /// What it is called, in messages and in the log.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{} at {}", self.service, self.url)
    }
}

/// Which rounds, looks and sends are traced.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sampling {
    /// All.
    All,
    /// None.
    None,
    /// This share of them, from 0 to 1: a round is traced with all that it consists of, or not at all.
    Share(f64),
}

/// What the environment says of traces.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Where they go; each gets all of them.
    pub destinations: Vec<Destination>,
    /// What all spans say of us.
    pub about_us: Vec<(String, String)>,
    /// Which are made.
    pub sampling: Sampling,
    /// How many spans may wait for a receiver; what is more is dropped.
    pub queue: usize,
    /// How often they are sent.
    pub every: Duration,
    /// What is wrong with the variables.
    pub problems: Vec<Problem>,
}

/// Reads the environment.
#[must_use]
pub fn wanted(environment: &Environment) -> Wanted {
    let mut variables = Variables::of(environment);
    let mut destinations = Vec::new();
    if !otlp::is_all_off(&mut variables) {
        let named = [
            otlp::destination(&mut variables),
            langfuse::destination(&mut variables),
            langsmith::destination(&mut variables),
        ];
        destinations.extend(named.into_iter().flatten());
        // Whoever has written down the address of Langfuse as well as its keys means one receiver: the one that the
        // keys are for.
        let of_services: Vec<HttpUrl> = (destinations.iter())
            .filter(|one| one.service != otlp::SERVICE)
            .map(|one| one.url.clone())
            .collect();
        destinations.retain(|one| one.service != otlp::SERVICE || !of_services.contains(&one.url));
    }
    let shared = otlp::shared(&mut variables);
    Wanted {
        destinations,
        problems: variables.problems,
        ..shared
    }
}

/// The address below a base.
fn below(base: &str, path: &str) -> Option<HttpUrl> {
    HttpUrl::parse(&format!("{}{path}", base.trim().trim_end_matches('/'))).ok()
}

/// Adds a header; what a header cannot hold is a problem of the variable.
fn add_header(
    headers: &mut HeaderMap,
    name: &'static str,
    value: &str,
    variable: &str,
    variables: &mut Variables<'_>,
) {
    match hidden(value) {
        Ok(value) => {
            headers.insert(HeaderName::from_static(name), value);
        }
        Err(expected) => variables.wrong(variable, expected, "write it without line breaks"),
    }
}
