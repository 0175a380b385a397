//! What every kind that talks to a server owes its users, whatever the server does: a deadline that is kept, the right
//! blame, a hint, no secret in what is said, and nothing left running by a look that was dropped.
//!
//! A kind that connects to something stands in [`CASES`]; one that does not stands in [`WITHOUT_CONNECTIONS`]. A
//! kind in neither fails the first test.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use roundsman::clients::aws::AwsEnvironment;
use roundsman::clients::net::{Network, ResolverSettings};
use roundsman::clients::{Clients, Surroundings};
use roundsman::collectors::KINDS;
use roundsman::model::Status;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::children::free_port;
use crate::support::servers::{RawServer, raw};
use crate::support::sshd::generate;
use crate::support::{Looked, dns, kind_of, look_at, target, target_with};

/// In every secret that a case configures.
const CANARY: &str = "canary-4711";

/// A kind, and the settings that lead it to a host and a port.
type Case = (&'static str, fn(&str, u16) -> String);

const CASES: &[Case] = &[
    ("api_endpoints", |host, port| {
        format!(
            "url: 'http://{host}:{port}/'\nheaders: {{x-key: {CANARY}}}\nauth: {{basic: {{username: me, password: {CANARY}}}}}"
        )
    }),
    ("databases", |host, port| {
        format!("host: '{host}'\nport: {port}\ndatabase: shop\nusername: me\npassword: {CANARY}")
    }),
    ("docker_hosts", |host, port| {
        format!("url: 'tcp://{host}:{port}'")
    }),
    ("llm_models", |host, port| {
        format!(
            "provider: in-house\nmodel_id: any\nbase_url: 'http://{host}:{port}/v1'\napi_key: {CANARY}\nprice: {{input_per_1k: 0, output_per_1k: 0}}"
        )
    }),
    ("s3_buckets", |host, port| {
        format!("bucket: shop\nregion: eu-west-1\nendpoint_url: 'http://{host}:{port}'")
    }),
    ("vps_servers", |host, port| {
        let key = locked_key().display();
        format!(
            "host: '{host}'\nport: {port}\nssh_key_path: {key}\npassphrase: {CANARY}\naccept_new: true"
        )
    }),
];

/// A private key that the canary opens. It is kept beside the build, since nothing that is static is ever removed.
fn locked_key() -> &'static Path {
    static KEY: OnceLock<PathBuf> = OnceLock::new();
    KEY.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let key = folder.join("locked_key");
        if !key.exists() {
            let made = tempfile::tempdir_in(folder).expect("a folder");
            let made = generate(made.path(), "key", "ed25519", CANARY);
            std::fs::rename(made, &key).expect("the same disk");
        }
        key
    })
}

/// Kinds that read what is on this machine.
const WITHOUT_CONNECTIONS: &[&str] = &["local_hosts"];

/// Kinds whose targets are not who is asked: that AWS does not answer says nothing about an instance. Their own tests hold
/// them to as much.
const ASKING_OTHERS: &[&str] = &["ec2_instances"];

/// Kinds whose variable holds a secret, which this suite has no way to set.
const WITH_VARIABLES: &[&str] = &["llm_keys"];

/// Long enough for a busy machine to connect and to find that nothing comes.
const TIMEOUT: Duration = Duration::from_millis(1500);

/// No look is waited for longer, so that one that never ends fails instead of hanging.
const LONGEST: Duration = Duration::from_mins(1);

/// Where whoever wants credentials finds some.
fn surroundings() -> Surroundings {
    Surroundings {
        aws: AwsEnvironment::of([
            ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", CANARY),
        ]),
        ..Surroundings::default()
    }
}

async fn look((kind, settings): &Case, clients: &Clients, host: &str, port: u16) -> Looked {
    let yaml = settings(host, port);
    let look = look_at(kind, clients, &yaml, TIMEOUT);
    let looked = tokio::time::timeout(LONGEST, look).await;
    let looked = looked.unwrap_or_else(|_| panic!("a look at `{kind}` never ends"));
    let failure = looked.outcome.as_ref().err();
    let hint = failure.and_then(|failure| failure.hint.as_ref());
    assert!(hint.is_some(), "{kind}: {}", looked.failure());
    let said = format!("{looked:?}");
    assert!(!said.contains(CANARY), "{kind} says a secret: {said}");
    looked
}

/// Does this to every connection.
async fn server<F>(behaviour: fn(TcpStream) -> F) -> RawServer
where
    F: Future<Output = ()> + Send + 'static,
{
    raw(behaviour).await
}

/// Who fails together, and whether it is outside, hangs on it.
#[test]
fn every_kind_says_at_which_host_its_targets_are() {
    let host_of = |key: &str, yaml: &str| {
        let target = target(key, yaml, TIMEOUT);
        (kind_of(key).host)(&target.settings)
    };
    for (kind, settings) in CASES {
        for (host, expected) in [
            ("Shop.EXAMPLE.com", Some("shop.example.com")),
            ("198.51.100.7", Some("198.51.100.7")),
            ("[2001:DB8::7]", Some("2001:db8::7")),
            ("localhost", None),
            ("127.0.0.1", None),
            ("[::1]", None),
        ] {
            let told = host_of(kind, &settings(host, 4711));
            assert_eq!(told.as_deref(), expected, "{kind} at `{host}`");
        }
    }
    for (kind, yaml, expected) in [
        ("local_hosts", "{}", None),
        ("docker_hosts", "{}", None),
        (
            "docker_hosts",
            "ssh: {host: Box.example.com}",
            Some("box.example.com"),
        ),
        (
            "databases",
            "{host: /var/run/postgresql, database: shop}",
            None,
        ),
        (
            "ec2_instances",
            "{instance_id: i-0123456789abcdef0, region: eu-west-1}",
            Some("ec2.eu-west-1.amazonaws.com"),
        ),
        (
            "s3_buckets",
            "{bucket: shop, region: cn-north-1}",
            Some("s3.cn-north-1.amazonaws.com.cn"),
        ),
        (
            "llm_models",
            "{provider: bedrock, model_id: any, region: us-east-1}",
            Some("bedrock-runtime.us-east-1.amazonaws.com"),
        ),
        (
            "llm_models",
            "{provider: anthropic, model_id: any}",
            Some("api.anthropic.com"),
        ),
        // Without a key nobody is asked.
        ("llm_keys", "{provider: openai}", None),
    ] {
        assert_eq!(host_of(kind, yaml).as_deref(), expected, "{kind}: {yaml}");
    }
    let key = |_: &str| Some(CANARY.to_owned());
    let with_key = target_with("llm_keys", "{provider: openai}", TIMEOUT, &key);
    let told = (kind_of("llm_keys").host)(&with_key.settings);
    assert_eq!(told.as_deref(), Some("api.openai.com"));
}

#[test]
fn every_kind_that_connects_is_held_to_the_contract() {
    for kind in KINDS.iter().filter(|kind| kind.spec.built) {
        let key = kind.spec.key;
        let listed = CASES.iter().any(|(case, _)| *case == key);
        assert_ne!(
            listed,
            [WITHOUT_CONNECTIONS, ASKING_OTHERS, WITH_VARIABLES]
                .concat()
                .contains(&key),
            "`{key}` belongs into exactly one list of this file"
        );
    }
}

#[tokio::test]
async fn a_server_that_says_nothing_is_timed_out_by_the_collector_itself() {
    let server = server(|stream| async move {
        let _open = stream;
        std::future::pending::<()>().await;
    })
    .await;
    for case in CASES {
        let looked = look(
            case,
            &Clients::within(&surroundings()),
            "127.0.0.1",
            server.port,
        )
        .await;
        looked.assert_failed(Status::Red, "timed_out ");
        assert!(looked.failure().contains(" ms"), "{}", looked.failure());
    }
}

#[tokio::test]
async fn a_port_that_nothing_listens_on_is_unreachable() {
    for case in CASES {
        let looked = look(
            case,
            &Clients::within(&surroundings()),
            "127.0.0.1",
            free_port(),
        )
        .await;
        looked.assert_failed(Status::Red, "unreachable ");
        assert!(looked.failure().contains("refused"), "{}", looked.failure());
    }
}

#[tokio::test]
async fn a_server_of_another_sort_is_unexpected() {
    let server = server(|mut stream| async move {
        stream
            .write_all(b"220 mail.example.com ESMTP\r\n")
            .await
            .ok();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.ok();
    })
    .await;
    for case in CASES {
        let looked = look(
            case,
            &Clients::within(&surroundings()),
            "127.0.0.1",
            server.port,
        )
        .await;
        looked.assert_failed(Status::Red, "unexpected ");
    }
}

#[tokio::test]
async fn a_server_that_closes_at_once_is_to_blame() {
    let server = server(|stream| async move { drop(stream) }).await;
    for case in CASES {
        let looked = look(
            case,
            &Clients::within(&surroundings()),
            "127.0.0.1",
            server.port,
        )
        .await;
        assert_eq!(looked.status(), Status::Red, "{}", looked.failure());
    }
}

#[tokio::test]
async fn a_server_that_never_stops_talking_ends_the_look_no_later_than_its_deadline() {
    let server =
        server(|mut stream| async move { while stream.write_all(&[b'x'; 4096]).await.is_ok() {} })
            .await;
    for case in CASES {
        let looked = look(
            case,
            &Clients::within(&surroundings()),
            "127.0.0.1",
            server.port,
        )
        .await;
        assert_eq!(looked.status(), Status::Red, "{}", looked.failure());
    }
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_the_targets_and_a_mute_dns_server_is_ours() {
    let server = dns::start().await;
    let network = Network::with_resolver(ResolverSettings {
        name_servers: Some(vec![server.address]),
        hosts_file: "/nowhere/hosts".into(),
    });
    let clients = Clients::over(network, &surroundings());
    for case in CASES {
        let looked = look(case, &clients, "nobody.example.com", 1).await;
        looked.assert_failed(Status::Red, "unreachable the name `nobody.example.com`");
        let looked = look(case, &clients, "mute.example.org", 1).await;
        looked.assert_failed(Status::Unknown, "ours cannot look up `mute.example.org`");
    }
}

#[tokio::test]
async fn a_look_that_is_dropped_leaves_no_connection_behind() {
    let open = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&open);
    let server = raw(move |mut stream| {
        let open = Arc::clone(&counted);
        async move {
            open.fetch_add(1, Ordering::SeqCst);
            let mut rest = Vec::new();
            stream.read_to_end(&mut rest).await.ok();
            open.fetch_sub(1, Ordering::SeqCst);
        }
    })
    .await;
    for (kind, settings) in CASES {
        let yaml = settings("127.0.0.1", server.port);
        let clients = Clients::within(&surroundings());
        let until = |wanted: usize| {
            let open = Arc::clone(&open);
            let waiting = async move {
                while open.load(Ordering::SeqCst) != wanted {
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
            };
            tokio::time::timeout(LONGEST, waiting)
        };
        tokio::select! {
            looked = look_at(kind, &clients, &yaml, LONGEST) => panic!("{kind}: {}", looked.failure()),
            connected = until(1) => connected.unwrap_or_else(|_| panic!("`{kind}` never connects")),
        }
        // The clients are still there: what is shared between looks must not hold a half-open connection either.
        let closed = until(0).await;
        assert!(closed.is_ok(), "`{kind}` leaves a connection behind");
        drop(clients);
    }
}
