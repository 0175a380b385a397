//! Names to addresses, as the system is set up to do it: its hosts file first, then its DNS servers.
//!
//! Written with a resolver of our own, because the C library's blocks a thread for each name, and because who is
//! to blame can only be told apart here: a DNS server that says "no such name" speaks about the target, one that
//! says nothing speaks about us.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use hickory_resolver::config::{
    ConnectionConfig, LookupIpStrategy, NameServerConfig, ProtocolConfig, ResolveHosts,
    ResolverConfig, ResolverOpts,
};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::{Query, ResponseCode};
use hickory_resolver::proto::rr::{Name, RecordType};
use hickory_resolver::{Hosts, TokioResolver, system_conf};
use tokio::sync::{Semaphore, watch};

use super::blame::ours_by_errno;
use crate::model::{Failure, FailureKind};

const RESOLV_CONF: &str = "/etc/resolv.conf";
const HOSTS: &str = "/etc/hosts";

/// How long one question to the DNS servers may take, and how often it is asked again: together well within the
/// usual deadline of a look, so that a mute server is told as such.
const QUERY_TIMEOUT: Duration = Duration::from_millis(1_250);
const QUERY_RETRIES: usize = 1;
/// For how long answers are believed, at most.
const POSITIVE_TTL: Duration = Duration::from_mins(1);
const NEGATIVE_TTL: Duration = Duration::from_secs(5);
/// How often we look whether the system's files have changed.
const STAMP_INTERVAL: Duration = Duration::from_secs(5);
/// How recent an answer for another name must be to prove that the DNS server works.
const LATELY: Duration = Duration::from_mins(2);
/// How long a name that failed waits for such a proof.
const PROOF_WAIT: Duration = Duration::from_millis(500);
/// How many questions begin at once, and after how long one makes room for the next, answered or not: a burst
/// overruns the resolver's queue, and names that nobody answers for must not hold up those that resolve.
const BURST: usize = 64;
const BURST_SLOT: Duration = Duration::from_millis(25);

/// Where names are looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolverSettings {
    /// The DNS servers; `None`: those of `/etc/resolv.conf`.
    pub name_servers: Option<Vec<SocketAddr>>,
    /// The hosts file.
    pub hosts_file: PathBuf,
}

impl Default for ResolverSettings {
    /// As the system is set up.
    fn default() -> Self {
        Self {
            name_servers: None,
            hosts_file: PathBuf::from(HOSTS),
        }
    }
}

/// Looks names up. Does no I/O before the first name, reads changed system files again, shares its cache.
pub(super) struct Dns {
    settings: ResolverSettings,
    loaded: Mutex<Option<Arc<Loaded>>>,
    burst: Semaphore,
    /// When a DNS server last gave an address for any name.
    proven: watch::Sender<Option<Instant>>,
}

struct Loaded {
    hosts: Hosts,
    /// Or why there is none.
    resolver: Result<TokioResolver, String>,
    servers: String,
    stamp: Stamp,
    checked: Instant,
}

/// Tells whether the files are still those that were read.
type Stamp = [Option<SystemTime>; 2];

impl Dns {
    pub(super) fn new(settings: ResolverSettings) -> Self {
        Self {
            settings,
            loaded: Mutex::new(None),
            burst: Semaphore::new(BURST),
            proven: watch::Sender::new(None),
        }
    }

    /// The addresses of a name, at least one, in the order to try them.
    ///
    /// # Errors
    /// The name has none (`unreachable`), or nobody could tell (`ours`).
    pub(super) async fn resolve(&self, host: &str) -> Result<Vec<IpAddr>, Failure> {
        let Ok(name) = Name::from_ascii(host) else {
            let message = format!("`{host}` is not a name that DNS can hold");
            return Err(Failure::new(FailureKind::Unreachable, message).hint("check the name"));
        };
        let loaded = self.current();
        let mut found = loaded.in_hosts_file(&name);
        if name.is_localhost() {
            // RFC 6761 §6.3: both loopback addresses, whatever else it has, and never asked of a DNS server.
            for address in [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()] {
                if !found.contains(&address) {
                    found.push(address);
                }
            }
        }
        if !found.is_empty() {
            return Ok(found);
        }
        let resolver = loaded.resolver.as_ref().map_err(|why| {
            Failure::ours(format!("cannot look up `{host}`: {why}")).hint(format!(
                "name a DNS server in `{RESOLV_CONF}`, for example `nameserver 192.0.2.53`"
            ))
        })?;
        match self.ask(resolver, name).await {
            Ok(found) => {
                self.proven.send_replace(Some(Instant::now()));
                Ok(alternating(found))
            }
            Err(error) => Err(self.failed(host, &loaded.servers, &error).await),
        }
    }

    /// Which servers are asked, for messages.
    pub(super) fn servers(&self) -> String {
        self.current().servers.clone()
    }

    async fn ask(&self, resolver: &TokioResolver, name: Name) -> Result<Vec<IpAddr>, NetError> {
        let mut lookup = Box::pin(resolver.lookup_ip(name));
        if let Ok(_slot) = self.burst.acquire().await
            && let Ok(answer) = tokio::time::timeout(BURST_SLOT, &mut lookup).await
        {
            return answer.map(|found| found.iter().collect());
        }
        lookup.await.map(|found| found.iter().collect())
    }

    async fn failed(&self, host: &str, servers: &str, error: &NetError) -> Failure {
        let unreachable = |why: &str| {
            Failure::new(
                FailureKind::Unreachable,
                format!("the name `{host}` does not resolve: {why}"),
            )
        };
        let ours = |why: String| {
            Failure::ours(format!("cannot look up `{host}`: {why}")).hint(format!(
                "check that the DNS servers of `{RESOLV_CONF}` ({servers}) answer: `getent hosts {host}`"
            ))
        };
        match error {
            NetError::Dns(DnsError::NoRecordsFound(none)) => match none.response_code {
                ResponseCode::NXDomain => unreachable("the DNS server says that it does not exist")
                    .hint("check the name, and whether its DNS record was removed"),
                ResponseCode::NoError => {
                    unreachable("the DNS server knows the name, but no address of it")
                        .hint("add an A or AAAA record for it")
                }
                code => self.refused(host, code, unreachable, ours).await,
            },
            NetError::Dns(DnsError::ResponseCode(code)) => {
                self.refused(host, *code, unreachable, ours).await
            }
            NetError::Timeout => ours(format!("no DNS server answered ({servers})")),
            NetError::Io(error) => ours_by_errno(error, &format!("cannot look up `{host}`"))
                .unwrap_or_else(|| {
                    ours(format!("no DNS server can be reached ({servers}): {error}"))
                }),
            NetError::Busy => ours("too many names are being looked up at once".to_owned()),
            error => ours(format!("{error}")),
        }
    }

    /// A server answered, but with an error of its own: about the name if it can resolve others.
    async fn refused(
        &self,
        host: &str,
        code: ResponseCode,
        unreachable: impl Fn(&str) -> Failure,
        ours: impl Fn(String) -> Failure,
    ) -> Failure {
        let recent = |at: &Option<Instant>| at.is_some_and(|at| at.elapsed() < LATELY);
        let mut proven = self.proven.subscribe();
        let proof = proven.wait_for(recent);
        let others_resolve = matches!(tokio::time::timeout(PROOF_WAIT, proof).await, Ok(Ok(_)));
        let why = format!("the DNS server answered `{code}`");
        if others_resolve && code == ResponseCode::ServFail {
            unreachable(&format!("{why}, although it resolves other names")).hint(format!(
                "the DNS servers of this domain may be down or its DNSSEC broken: `dig +trace {host}`"
            ))
        } else {
            ours(why)
        }
    }

    fn current(&self) -> Arc<Loaded> {
        let mut held = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(loaded) = &*held
            && loaded.checked.elapsed() < STAMP_INTERVAL
        {
            return Arc::clone(loaded);
        }
        let stamp = self.stamp();
        // A resolver that is made anew forgets its cache, so it is kept while its files stay as they are.
        let loaded = match held.take().map(Arc::try_unwrap) {
            Some(Ok(mut loaded)) if loaded.stamp == stamp => {
                loaded.checked = Instant::now();
                Arc::new(loaded)
            }
            Some(Err(loaded)) if loaded.stamp == stamp => loaded,
            _ => Arc::new(self.load(stamp)),
        };
        *held = Some(Arc::clone(&loaded));
        loaded
    }

    fn stamp(&self) -> Stamp {
        let changed = |path: &std::path::Path| std::fs::metadata(path).ok()?.modified().ok();
        [
            changed(RESOLV_CONF.as_ref()),
            changed(&self.settings.hosts_file),
        ]
    }

    fn load(&self, stamp: Stamp) -> Loaded {
        let mut hosts = Hosts::default();
        if let Ok(file) = std::fs::File::open(&self.settings.hosts_file) {
            // What could be read of it serves.
            hosts.read_hosts_conf(file).ok();
        }
        let configuration = match &self.settings.name_servers {
            Some(servers) => Ok((from_addresses(servers), ResolverOpts::default())),
            None => system_conf::read_system_conf(),
        };
        let (resolver, servers) = match configuration {
            Ok((config, _)) if config.name_servers().is_empty() => {
                (Err("no DNS server is set up".to_owned()), "none".to_owned())
            }
            Ok((config, options)) => {
                let servers = (config.name_servers().iter())
                    .map(|server| server.ip.to_string())
                    .collect::<Vec<_>>()
                    .join(", ");
                (build(config, options), servers)
            }
            Err(error) => (
                Err(format!("cannot use `{RESOLV_CONF}`: {error}")),
                "none".to_owned(),
            ),
        };
        Loaded {
            hosts,
            resolver,
            servers,
            stamp,
            checked: Instant::now(),
        }
    }
}

impl Loaded {
    fn in_hosts_file(&self, name: &Name) -> Vec<IpAddr> {
        [RecordType::A, RecordType::AAAA]
            .into_iter()
            .filter_map(|sort| {
                let query = Query::query(name.to_lowercase(), sort);
                self.hosts.lookup_static_host(&query)
            })
            .flat_map(|found| {
                let addresses = found.answers().iter().filter_map(|one| one.data.ip_addr());
                addresses.collect::<Vec<_>>()
            })
            .collect()
    }
}

fn from_addresses(servers: &[SocketAddr]) -> ResolverConfig {
    let servers = servers.iter().map(|server| {
        let connections = [ProtocolConfig::Udp, ProtocolConfig::Tcp].map(|protocol| {
            let mut connection = ConnectionConfig::new(protocol);
            connection.port = server.port();
            connection
        });
        NameServerConfig::new(server.ip(), true, connections.into())
    });
    ResolverConfig::from_parts(None, Vec::new(), servers.collect())
}

fn build(config: ResolverConfig, options: ResolverOpts) -> Result<TokioResolver, String> {
    let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
    let chosen = builder.options_mut();
    *chosen = options;
    chosen.timeout = chosen.timeout.min(QUERY_TIMEOUT);
    chosen.attempts = QUERY_RETRIES;
    chosen.ip_strategy = LookupIpStrategy::Ipv6AndIpv4;
    chosen.use_hosts_file = ResolveHosts::Never;
    chosen.positive_max_ttl = Some(POSITIVE_TTL);
    chosen.negative_max_ttl = Some(NEGATIVE_TTL);
    (builder.build()).map_err(|error| format!("cannot start the resolver: {error}"))
}

/// One family after the other in turn, beginning with the first (RFC 8305 §4).
fn alternating(found: Vec<IpAddr>) -> Vec<IpAddr> {
    let first_is_v6 = found.first().is_some_and(IpAddr::is_ipv6);
    let (mut one, mut other): (Vec<_>, Vec<_>) = found
        .into_iter()
        .rev()
        .partition(|address| address.is_ipv6() == first_is_v6);
    let mut order = Vec::with_capacity(one.len() + other.len());
    while let Some(address) = one.pop() {
        order.push(address);
        order.extend(other.pop());
    }
    order.extend(other.into_iter().rev());
    order
}

/// For messages about a deadline that struck during a lookup.
pub(crate) fn mute(host: &str, servers: &str, timeout: Duration) -> Failure {
    Failure::ours(format!(
        "cannot look up `{host}`: no answer from DNS within {} ms ({servers})",
        timeout.as_millis()
    ))
    .hint(format!(
        "check that the DNS servers of `{RESOLV_CONF}` answer: `getent hosts {host}`"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_take_turns() {
        let addresses = |text: &str| -> Vec<IpAddr> {
            (text.split_whitespace().map(|one| one.parse().expect(one))).collect()
        };
        assert_eq!(
            alternating(addresses("::1 ::2 ::3 10.0.0.1")),
            addresses("::1 10.0.0.1 ::2 ::3")
        );
        assert_eq!(
            alternating(addresses("::1 10.0.0.1 10.0.0.2 10.0.0.3")),
            addresses("::1 10.0.0.1 10.0.0.2 10.0.0.3")
        );
    }
}
