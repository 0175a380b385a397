use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use roundsman::clients::net::{Network, ResolverSettings};
use roundsman::clients::{Clients, Surroundings};
use roundsman::model::Status;
use tokio::net::UdpSocket;

use crate::support::servers::{answering, ipv4};
use crate::support::{Looked, dns, look_with};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

fn clients(server: SocketAddr) -> Clients {
    let network = Network::with_resolver(ResolverSettings {
        name_servers: Some(vec![server]),
        hosts_file: PathBuf::from("/nowhere/hosts"),
    });
    Clients::over(network, &Surroundings::default())
}

async fn look_at(clients: &Clients, host: &str, port: u16) -> Looked {
    let yaml = format!("url: http://{host}:{port}/");
    look_with(clients, &yaml, Duration::from_secs(5)).await
}

#[tokio::test]
async fn names_resolve_and_those_that_do_not_are_told_by_who_is_to_blame() {
    let (dns, web) = (dns::start().await, answering(OK).await);
    let clients = clients(dns.address);
    look_at(&clients, "nx.example.test", web.port).await.assert_failed(
        Status::Red,
        "unreachable the name `nx.example.test` does not resolve: the DNS server says that it does not exist | check",
    );
    look_at(&clients, "empty.example.test", web.port).await.assert_failed(
        Status::Red,
        "unreachable the name `empty.example.test` does not resolve: the DNS server knows the name, but no address",
    );
    look_at(&clients, "broken.example.test", web.port).await.assert_failed(
        Status::Unknown,
        "ours cannot look up `broken.example.test`: the DNS server answered `Server Failure` | check that the DNS",
    );
    let good = look_at(&clients, "good.example.test", web.port).await;
    good.assert_green();
    assert!(good.number("dns_time_ms").is_some());
    look_at(&clients, "broken2.example.test", web.port).await.assert_failed(
        Status::Red,
        "unreachable the name `broken2.example.test` does not resolve: the DNS server answered `Server Failure`, although",
    );
    look_at(&clients, "mute.example.test", web.port)
        .await
        .assert_failed(
            Status::Unknown,
            "ours cannot look up `mute.example.test`: no DNS server answered (127.0.0.1) | check",
        );
}

#[tokio::test]
async fn names_proven_at_the_same_time_count() {
    let (dns, web) = (dns::start().await, answering(OK).await);
    let clients = clients(dns.address);
    let (broken, good) = tokio::join!(
        look_at(&clients, "broken.example.test", web.port),
        look_at(&clients, "good.example.test", web.port),
    );
    good.assert_green();
    broken.assert_failed(Status::Red, "unreachable ");
}

#[tokio::test]
async fn a_resolver_that_is_silent_or_gone_is_ours() {
    let silent = UdpSocket::bind((ipv4(), 0)).await.expect("a socket");
    let silent_clients = clients(silent.local_addr().expect("an address"));
    look_at(&silent_clients, "shop.example.test", 80)
        .await
        .assert_failed(
            Status::Unknown,
            "ours cannot look up `shop.example.test`: no DNS server answered (127.0.0.1) |",
        );
    let short = Duration::from_millis(200);
    look_with(&silent_clients, "url: http://other.example.test/", short).await.assert_failed(
        Status::Unknown,
        "ours cannot look up `other.example.test`: no answer from DNS within 200 ms (127.0.0.1) |",
    );
    let gone = silent.local_addr().expect("an address");
    drop(silent);
    look_at(&clients(gone), "shop.example.test", 80)
        .await
        .assert_failed(
            Status::Unknown,
            "ours cannot look up `shop.example.test`: no DNS server ",
        );
}

#[tokio::test]
async fn thousands_of_dead_names_do_not_hold_up_a_good_one() {
    for dead in ["nx", "mute"] {
        let (dns, web) = (dns::start().await, answering(OK).await);
        let clients = clients(dns.address);
        let port = web.port;
        let others: Vec<_> = (0..2_000)
            .map(|number| {
                let clients = clients.clone();
                tokio::spawn(async move {
                    look_at(&clients, &format!("{dead}{number}.example.test"), port).await
                })
            })
            .collect();
        tokio::task::yield_now().await;
        let started = Instant::now();
        look_at(&clients, "good.example.test", port)
            .await
            .assert_green();
        let took = started.elapsed();
        assert!(took < Duration::from_secs(3), "{dead}: {took:?}");
        let expected = if dead == "nx" {
            Status::Red
        } else {
            Status::Unknown
        };
        for other in others {
            let other = other.await.expect("a look");
            assert_eq!(other.status(), expected, "{}", other.failure());
        }
    }
}

#[tokio::test]
async fn localhost_and_the_hosts_file_need_no_dns() {
    let web = answering(OK).await;
    let hosts = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(hosts.path(), "127.0.0.1 shop.example.test # comment\n").unwrap();
    let network = Network::with_resolver(ResolverSettings {
        name_servers: Some(vec![SocketAddr::from(([127, 0, 0, 1], 9))]),
        hosts_file: hosts.path().to_path_buf(),
    });
    let clients = Clients::over(network, &Surroundings::default());
    look_at(&clients, "SHOP.example.test", web.port)
        .await
        .assert_green();
    look_at(&clients, "localhost", web.port)
        .await
        .assert_green();
}

#[tokio::test]
async fn without_a_dns_server_only_names_are_unknown() {
    let web = answering(OK).await;
    let network = Network::with_resolver(ResolverSettings {
        name_servers: Some(Vec::new()),
        hosts_file: PathBuf::from("/nowhere/hosts"),
    });
    let clients = Clients::over(network, &Surroundings::default());
    look_at(&clients, "shop.example.test", web.port).await.assert_failed(
        Status::Unknown,
        "ours cannot look up `shop.example.test`: no DNS server is set up | name a DNS server in `/etc/resolv.conf`",
    );
    look_at(&clients, "localhost", web.port)
        .await
        .assert_green();
    look_at(&clients, "127.0.0.1", web.port)
        .await
        .assert_green();
}
