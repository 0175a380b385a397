//! How AWS is reached: over the SDK's own HTTP client, but with our name servers, so that a name that nobody can look up is
//! told from one that is not there.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use aws_smithy_http_client::{Builder, tls};
use aws_smithy_runtime_api::client::dns::{DnsFuture, ResolveDns, ResolveDnsError};
use aws_smithy_runtime_api::client::http::SharedHttpClient;

use crate::clients::net::{Network, mute};
use crate::model::Failure;

/// One pool of connections for all accounts, regions and services, over names that are looked up here.
pub(super) fn http_client(names: Names) -> SharedHttpClient {
    Builder::new()
        .tls_provider(tls::Provider::Rustls(
            tls::rustls_provider::CryptoMode::AwsLc,
        ))
        .build_with_resolver(names)
}

/// For how long a name that could not be looked up is not looked up again: the SDK asks three times in a row.
const FAILED_FOR: Duration = Duration::from_secs(2);

/// Looks up names, and remembers those that nobody answers for.
#[derive(Clone)]
pub(super) struct Names {
    network: Network,
    failed: Arc<Mutex<HashMap<String, (Instant, Failure)>>>,
    /// Since when an answer is waited for. One that was given up stays, so that it can be told of.
    waiting: Arc<Mutex<HashMap<String, Instant>>>,
}

impl Names {
    pub(super) fn new(network: Network) -> Self {
        Self {
            network,
            failed: Arc::default(),
            waiting: Arc::default(),
        }
    }

    /// That a name which was asked for since then is still not answered.
    pub(super) fn mute_since(&self, began: Instant) -> Option<Failure> {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let (name, since) = waiting.iter().find(|(_, since)| **since >= began)?;
        Some(mute(name, &self.network.dns_servers(), since.elapsed()))
    }

    async fn look_up(&self, name: &str) -> Result<Vec<IpAddr>, Failure> {
        let known = self.failed().get(name).cloned();
        if let Some((_, failure)) = known.filter(|(at, _)| at.elapsed() < FAILED_FOR) {
            return Err(failure);
        }
        let waiting = || self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting().insert(name.to_owned(), Instant::now());
        let resolved = self.network.resolve(name).await;
        waiting().remove(name);
        let mut failed = self.failed();
        match &resolved {
            Ok(_) => failed.remove(name),
            Err(failure) => failed.insert(name.to_owned(), (Instant::now(), failure.clone())),
        };
        resolved
    }

    fn failed(&self) -> MutexGuard<'_, HashMap<String, (Instant, Failure)>> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Names")
    }
}

impl ResolveDns for Names {
    fn resolve_dns<'a>(&'a self, name: &'a str) -> DnsFuture<'a> {
        DnsFuture::new(async move {
            let found = self.look_up(name).await;
            found.map_err(ResolveDnsError::new)
        })
    }
}
