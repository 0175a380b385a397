//! Whether our own network works: the gateway, and hosts that we know to be up, are knocked at.
//!
//! We have no right to send a ping, so that we connect: who accepts or refuses is there. Silence is weaker. Many
//! gateways drop what nobody listens for, and then only the neighbour table tells such a one from one that is gone.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use rustix::io::Errno;
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::{Instant, sleep_until, timeout_at};

use super::Network;
use super::blame::ours_by_errno;
use super::outside::is_private;

/// How long a network must be gone before it counts as down. What fails at once is tried again until then, so that a
/// short break, such as a new lease of an address, is none.
pub const PATIENCE: Duration = Duration::from_secs(3);
const TRY_AGAIN: Duration = Duration::from_millis(500);

/// Ports on which many gateways accept, and the others mostly refuse.
const GATEWAY_PORTS: [u16; 3] = [53, 80, 443];

/// More addresses of one host say no more.
const MOST_ADDRESSES: usize = 4;

/// Somewhere outside, to see whether the system has a way there: nothing is sent.
const ELSEWHERE: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(203, 0, 113, 1)),
    IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
];

/// How our own network is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It works.
    Up,
    /// It is down; what shows it.
    Down(Vec<String>),
    /// Nobody could tell.
    Unsure,
}

/// What became of one try.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Knock {
    /// Somebody accepted or refused.
    Answered,
    /// The system says that there is no way to it, or its name cannot be looked up.
    Gone(String),
    /// Nothing came back.
    Silent,
    /// We could not try.
    Unsure,
}

/// A host of ours to knock at, and whether it lies in a private network.
struct Reached {
    name: String,
    is_private: bool,
    knock: Knock,
}

/// How our own network is, within [`PATIENCE`]. `endpoints`: hosts that are known to be up, with a port.
pub async fn standing(network: &Network, endpoints: &[(String, u16)]) -> Standing {
    let until = Instant::now() + PATIENCE;
    let mut reached: FuturesUnordered<_> = endpoints
        .iter()
        .map(|(host, port)| reach(network, host, *port, until))
        .collect();
    let endpoints = async move {
        let mut all = Vec::new();
        while let Some(one) = reached.next().await {
            // It is far away, so that all in between works too.
            let is_proof = one.knock == Knock::Answered && !one.is_private;
            all.push(one);
            if is_proof {
                return Err(Standing::Up);
            }
        }
        Ok(all)
    };
    let gateway = async { Ok(gateway(until).await) };
    match tokio::try_join!(gateway, endpoints) {
        Ok((gateway, endpoints)) => judged(&gateway, &endpoints),
        Err(standing) => standing,
    }
}

/// What all tries together say.
fn judged(gateway: &Knock, reached: &[Reached]) -> Standing {
    let gone = match gateway {
        Knock::Gone(why) => Some(why.clone()),
        _ => None,
    };
    // One in the same house answers also when the way out is cut.
    let has_far = reached.iter().any(|one| !one.is_private);
    let asked: Vec<&Reached> = (reached.iter())
        .filter(|one| !has_far || !one.is_private)
        .collect();
    let is = |one: &&Reached, knock: &Knock| one.knock == *knock;
    if asked.iter().any(|one| is(one, &Knock::Answered)) {
        return Standing::Up;
    }
    let all_failed = !asked.is_empty() && !asked.iter().any(|one| is(one, &Knock::Unsure));
    let silent = asked.iter().map(|one| match &one.knock {
        Knock::Gone(why) => format!(
            "`{}`, to which reports go, cannot be reached: {why}",
            one.name
        ),
        _ => format!("`{}`, to which reports go, does not answer", one.name),
    });
    match gone {
        Some(why) if all_failed => Standing::Down([why].into_iter().chain(silent).collect()),
        Some(why) => Standing::Down(vec![why]),
        None if all_failed => Standing::Down(silent.collect()),
        None if asked.is_empty() && *gateway == Knock::Answered => Standing::Up,
        None => Standing::Unsure,
    }
}

/// Knocks at one host until it answers.
async fn reach(network: &Network, host: &str, port: u16, until: Instant) -> Reached {
    loop {
        let (knock, is_private) = knock_at_host(network, host, port, until).await;
        if !is_tried_again(&knock, until).await {
            return Reached {
                name: host.to_owned(),
                is_private,
                knock,
            };
        }
    }
}

/// Knocks at all addresses of a host at once, and says whether they are private.
async fn knock_at_host(network: &Network, host: &str, port: u16, until: Instant) -> (Knock, bool) {
    let addresses = match timeout_at(until, network.resolve(host)).await {
        Ok(Ok(addresses)) => addresses,
        Ok(Err(failure)) => return (Knock::Gone(failure.message), false),
        Err(_) => {
            return (
                Knock::Gone("its name cannot be looked up".to_owned()),
                false,
            );
        }
    };
    let is_private = addresses.iter().all(|address| is_private(*address));
    let addresses = addresses.into_iter().take(MOST_ADDRESSES);
    let addresses = addresses.map(|address| SocketAddr::new(address, port));
    (first_of(addresses, until).await, is_private)
}

/// Whether to try again, after a while: what fails at once may be a short break. Silence has taken all the time there is.
async fn is_tried_again(knock: &Knock, until: Instant) -> bool {
    let next = Instant::now() + TRY_AGAIN;
    if !matches!(knock, Knock::Gone(_)) || next >= until {
        return false;
    }
    sleep_until(next).await;
    true
}

/// Knocks at all of them at once: whoever answers decides, else whoever is silent.
async fn first_of(addresses: impl Iterator<Item = SocketAddr>, until: Instant) -> Knock {
    let mut knocks: FuturesUnordered<_> = addresses.map(|address| knock(address, until)).collect();
    let mut most = None;
    while let Some(knock) = knocks.next().await {
        most = match (knock, most) {
            (Knock::Answered, _) => return Knock::Answered,
            (Knock::Unsure, _) | (_, Some(Knock::Unsure)) => Some(Knock::Unsure),
            (Knock::Silent, _) | (_, Some(Knock::Silent)) => Some(Knock::Silent),
            (knock, None) => Some(knock),
            (_, before) => before,
        };
    }
    most.unwrap_or(Knock::Unsure)
}

async fn knock(address: SocketAddr, until: Instant) -> Knock {
    match timeout_at(until, TcpStream::connect(address)).await {
        Ok(Ok(_)) => Knock::Answered,
        Ok(Err(error)) => meaning(address, &error),
        Err(_) => Knock::Silent,
    }
}

fn meaning(address: SocketAddr, error: &io::Error) -> Knock {
    match error.kind() {
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset => Knock::Answered,
        io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::NetworkDown => Knock::Gone(format!("no route to `{}`", address.ip())),
        io::ErrorKind::TimedOut => Knock::Silent,
        // A family of addresses that this machine does not speak is no address to try, as if there were no route.
        _ if matches!(
            Errno::from_io_error(error),
            Some(Errno::AFNOSUPPORT | Errno::ADDRNOTAVAIL)
        ) =>
        {
            Knock::Gone(format!("no own address to reach `{}` from", address.ip()))
        }
        _ if ours_by_errno(error, "").is_some() => Knock::Unsure,
        _ => Knock::Silent,
    }
}

/// A next hop to all that is far away.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Gateway {
    address: IpAddr,
    interface: String,
}

/// Whether the gateway is there; of several, one is enough.
async fn gateway(until: Instant) -> Knock {
    loop {
        let knock = knock_at_gateways(&gateways(), until).await;
        if !is_tried_again(&knock, until).await {
            return knock;
        }
    }
}

async fn knock_at_gateways(gateways: &[Gateway], until: Instant) -> Knock {
    if gateways.is_empty() {
        // A tunnel has none, and rules may lead to tables that are not shown.
        return if has_a_way_out().await {
            Knock::Silent
        } else {
            Knock::Gone("this machine has no default route".to_owned())
        };
    }
    let addresses = gateways
        .iter()
        .flat_map(|gateway| GATEWAY_PORTS.map(|port| on_its_interface(gateway, port)));
    let knock = first_of(addresses, until).await;
    if matches!(knock, Knock::Answered | Knock::Unsure) {
        return knock;
    }
    // One that is there may say nothing, or that nobody may come in.
    let neighbours = read("/proc/net/arp");
    let is_gone = |gateway: &Gateway| is_missing(gateway.address, &neighbours, &knock);
    if !gateways.iter().all(is_gone) {
        return Knock::Silent;
    }
    let names: Vec<String> = (gateways.iter())
        .map(|gateway| format!("`{}` on `{}`", gateway.address, gateway.interface))
        .collect();
    Knock::Gone(format!("the gateway is gone: {}", names.join(", ")))
}

/// Whether a gateway that did not answer is surely gone.
fn is_missing(gateway: IpAddr, neighbours: &str, knock: &Knock) -> bool {
    match gateway {
        IpAddr::V4(address) => is_unanswered_neighbour(address, neighbours),
        // Neighbours of IPv6 stand in no file: only what the system says counts.
        IpAddr::V6(_) => matches!(knock, Knock::Gone(_)),
    }
}

/// Files of the system that cannot be read say nothing.
fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

fn gateways() -> Vec<Gateway> {
    let mut all = gateways_in_route(&read("/proc/net/route"));
    all.extend(gateways_in_ipv6_route(&read("/proc/net/ipv6_route")));
    all
}

fn on_its_interface(gateway: &Gateway, port: u16) -> SocketAddr {
    match gateway.address {
        IpAddr::V6(address) if address.is_unicast_link_local() => {
            let index = read(&format!("/sys/class/net/{}/ifindex", gateway.interface));
            let scope = index.trim().parse().unwrap_or(0);
            SocketAddrV6::new(address, port, 0, scope).into()
        }
        address => SocketAddr::new(address, port),
    }
}

/// Whether the system knows a way to somewhere, by any of its tables.
async fn has_a_way_out() -> bool {
    for address in ELSEWHERE {
        let any: IpAddr = match address {
            IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        if let Ok(socket) = UdpSocket::bind((any, 0)).await
            && socket.connect((address, 9)).await.is_ok()
        {
            return true;
        }
    }
    false
}

/// Flags of a route (`linux/route.h`).
const ROUTE_UP: u32 = 0x1;
const ROUTE_REJECTS: u32 = 0x200;

/// The default routes of IPv4. Two halves of everything, as tunnels write it, are one too.
fn gateways_in_route(text: &str) -> Vec<Gateway> {
    let gateway = |line: &str| {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let number = |index: usize| u32::from_str_radix(words.get(index)?, 16).ok();
        let is_default = number(7)?.count_ones() <= 1;
        let address = Ipv4Addr::from(number(2)?.to_ne_bytes());
        let wanted = is_default && is_usable(number(3)?) && !address.is_unspecified();
        wanted.then(|| Gateway {
            address: address.into(),
            interface: words.first().copied().unwrap_or_default().to_owned(),
        })
    };
    distinct(text.lines().skip(1).filter_map(gateway))
}

/// The default routes of IPv6.
fn gateways_in_ipv6_route(text: &str) -> Vec<Gateway> {
    let gateway = |line: &str| {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let number = |index: usize| u32::from_str_radix(words.get(index)?, 16).ok();
        let next_hop = u128::from_str_radix(words.get(4)?, 16).ok()?;
        let wanted = number(1)? <= 1 && is_usable(number(8)?) && next_hop != 0;
        wanted.then(|| Gateway {
            address: Ipv6Addr::from(next_hop).into(),
            interface: words.get(9).copied().unwrap_or_default().to_owned(),
        })
    };
    distinct(text.lines().filter_map(gateway))
}

fn is_usable(flags: u32) -> bool {
    flags & ROUTE_UP != 0 && flags & ROUTE_REJECTS == 0
}

fn distinct(all: impl Iterator<Item = Gateway>) -> Vec<Gateway> {
    let mut distinct = Vec::new();
    for one in all {
        if !distinct.contains(&one) {
            distinct.push(one);
        }
    }
    distinct
}

/// Whether the system asked for the hardware address of a neighbour and got no answer (`/proc/net/arp`: the flag of an
/// entry that is complete is 0x2). One that it never asked for is not in the list, and says nothing.
fn is_unanswered_neighbour(address: Ipv4Addr, text: &str) -> bool {
    text.lines().skip(1).any(|line| {
        let mut words = line.split_ascii_whitespace();
        let own = words.next().and_then(|word| word.parse().ok()) == Some(address);
        own && words.nth(1) == Some("0x0")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reached(name: &str, is_private: bool, knock: Knock) -> Reached {
        Reached {
            name: name.to_owned(),
            is_private,
            knock,
        }
    }

    #[test]
    fn the_hosts_of_reports_say_more_than_the_gateway() {
        use Knock::{Answered, Silent, Unsure};
        let gone = || Knock::Gone("the gateway is gone".to_owned());
        let far = |knock| reached("far", false, knock);
        let near = |knock| reached("near", true, knock);
        for (gateway, hosts, expected) in [
            (Answered, vec![], "up"),
            (Silent, vec![], "unsure"),
            (Unsure, vec![], "unsure"),
            (gone(), vec![], "down"),
            // A gateway that drops what it is sent.
            (Silent, vec![far(Answered)], "up"),
            (gone(), vec![far(Answered)], "up"),
            (Answered, vec![far(Silent)], "down"),
            (Answered, vec![far(Silent), far(gone())], "down"),
            (Silent, vec![far(Silent), far(Answered)], "up"),
            // One in the same house is no proof that the way out works.
            (Answered, vec![far(Silent), near(Answered)], "down"),
            (Answered, vec![near(Answered)], "up"),
            (Answered, vec![near(Silent)], "down"),
            // We could not even try.
            (Answered, vec![far(Unsure)], "unsure"),
            (Silent, vec![far(Silent), far(Unsure)], "unsure"),
            (gone(), vec![far(Unsure)], "down"),
        ] {
            let told = match judged(&gateway, &hosts) {
                Standing::Up => "up",
                Standing::Down(proofs) => {
                    assert!(!proofs.is_empty());
                    "down"
                }
                Standing::Unsure => "unsure",
            };
            let hosts: Vec<_> = hosts.iter().map(|one| (&one.name, &one.knock)).collect();
            assert_eq!(told, expected, "{gateway:?} {hosts:?}");
        }
    }

    #[test]
    fn default_routes_are_read() {
        // From machines with a usual network, a tunnel of two halves, and a route that rejects.
        let route = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n\
            eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n\
            eth0\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n\
            tun0\t00000000\t0100080A\t0003\t0\t0\t0\t00000080\t0\t0\t0\n\
            ppp0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0\n\
            *\t00000000\t0201A8C0\t0201\t0\t0\t0\t00000000\t0\t0\t0\n";
        let told: Vec<String> = gateways_in_route(route)
            .iter()
            .map(|gateway| format!("{} {}", gateway.interface, gateway.address))
            .collect();
        if cfg!(target_endian = "little") {
            assert_eq!(told, ["eth0 192.168.1.1", "tun0 10.8.0.1"]);
        }
        let any = "00000000000000000000000000000000";
        let ipv6 = format!(
            "{any} 00 {any} 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003     eth0\n\
             20010db8000000000000000000000000 40 {any} 00 {any} 00000100 00000001 00000000 00000001     eth0\n\
             {any} 00 {any} 00 {any} ffffffff 00000001 00000000 00200200       lo\n"
        );
        let told = gateways_in_ipv6_route(&ipv6);
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told[0].address.to_string(), "fe80::1");
        assert_eq!(told[0].interface, "eth0");
        for text in ["", "Iface\n", "nonsense\nmore nonsense"] {
            assert!(gateways_in_route(text).is_empty() && gateways_in_ipv6_route(text).is_empty());
        }
    }

    #[test]
    fn a_neighbour_that_answered_is_there() {
        let arp = "IP address       HW type     Flags       HW address            Mask     Device\n\
            192.168.1.1      0x1         0x0         00:00:00:00:00:00     *        eth0\n\
            192.168.1.2      0x1         0x2         52:54:00:12:34:56     *        eth0\n";
        for (address, unanswered) in [
            ([192, 168, 1, 1], true),
            ([192, 168, 1, 2], false),
            ([192, 168, 1, 3], false),
        ] {
            assert_eq!(is_unanswered_neighbour(address.into(), arp), unanswered);
        }
    }

    #[tokio::test]
    async fn who_accepts_or_refuses_is_there() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let open = listener.local_addr().expect("its address");
        let until = Instant::now() + PATIENCE;
        assert_eq!(knock(open, until).await, Knock::Answered);
        drop(listener);
        assert_eq!(knock(open, until).await, Knock::Answered);
    }

    #[tokio::test]
    async fn a_host_that_answers_shows_that_the_network_works() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let port = listener.local_addr().expect("its address").port();
        let endpoints = [("127.0.0.1".to_owned(), port)];
        assert_eq!(
            standing(&Network::new(), &endpoints).await,
            Standing::Up,
            "it is the only one to ask"
        );
    }
}
