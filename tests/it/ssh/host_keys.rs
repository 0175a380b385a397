//! Host keys: known, changed, never seen, revoked; and nothing is sent before they are judged.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use roundsman::model::Status;
use tokio::io::copy_bidirectional;
use tokio::net::TcpStream;

use super::{World, assert_says, printed};
use crate::support::servers::raw;
use crate::support::sshd::{Builder, Sshd, fingerprint, generate, public, ssh_keygen, sshd};

/// A server that writes down when somebody begins to log in.
fn talkative() -> Builder {
    Builder::default().option("LogLevel DEBUG3")
}

/// The settings of a server without its file of known hosts.
fn unknown(server: &Sshd) -> String {
    let known = format!("known_hosts: {}\n", server.known_hosts.display());
    server.yaml().replace(&known, "")
}

/// The settings of a server with a file of known hosts of one's own.
fn known_by(server: &Sshd, file: &Path) -> String {
    format!("{}known_hosts: {}\n", unknown(server), file.display())
}

/// Asserts that nobody said who they are.
#[track_caller]
fn assert_nothing_was_sent(server: &Sshd) {
    let log = server.log();
    assert!(log.contains("Connection from"), "{log}");
    assert!(!log.contains("userauth-request"), "{log}");
    assert!(!log.contains("service-request"), "{log}");
}

#[tokio::test]
async fn a_key_that_was_never_seen_is_asked_for() {
    let server = talkative().start().await;
    let failure = World::new().refused(&unknown(&server)).await;
    let place = format!("127.0.0.1:{}", server.port);
    let message = format!(
        "the host key of `{place}` was never confirmed: ED25519 {}",
        server.fingerprint("ed25519")
    );
    assert_says(&failure, Status::Unknown, &["ours", &message]);
    assert_eq!(failure.hint, Some(format!("roundsman trust {place}")));
    assert_nothing_was_sent(&server);
}

#[tokio::test]
async fn a_changed_key_is_red_and_nothing_is_sent() {
    let server = talkative().start().await;
    let world = World::new();
    let other = generate(world.folder.path(), "other", "ed25519", "");
    let file = world.file(
        "known",
        &format!("[127.0.0.1]:{} {}\n", server.port, public(&other)),
    );
    let failure = world.refused(&known_by(&server, &file)).await;
    assert_says(
        &failure,
        Status::Red,
        &[
            "unexpected the host key of `127.0.0.1:",
            "has changed: it shows ED25519",
            &server.fingerprint("ed25519"),
            "recorded is ED25519",
            &fingerprint(&world.folder.path().join("other.pub")),
            &format!("{}:1", file.display()),
            "|",
            &format!("roundsman trust --replace 127.0.0.1:{}", server.port),
        ],
    );
    assert_nothing_was_sent(&server);
}

#[tokio::test]
async fn a_key_of_another_type_is_a_change_where_the_recorded_type_is_gone() {
    let server = talkative().start().await;
    let world = World::new();
    let other = generate(world.folder.path(), "other", "ecdsa", "");
    let file = world.file(
        "known",
        &format!("[127.0.0.1]:{} {}\n", server.port, public(&other)),
    );
    let failure = world.refused(&known_by(&server, &file)).await;
    assert_says(
        &failure,
        Status::Red,
        &["has changed: it shows ED25519", "recorded is ECDSA"],
    );
    assert_nothing_was_sent(&server);
}

#[tokio::test]
async fn of_several_keys_the_recorded_one_is_asked_for() {
    let server = Builder::default()
        .host_key("ed25519")
        .host_key("ecdsa")
        .host_key("rsa")
        .start()
        .await;
    for kind in ["rsa", "ecdsa", "ed25519"] {
        let world = World::new();
        let key = public(&server.folder.join(format!("host_{kind}")));
        let file = world.file("known", &format!("[127.0.0.1]:{} {key}\n", server.port));
        let session = world.open(&known_by(&server, &file)).await;
        assert_eq!(printed(&session, "echo well").await, "well\n", "{kind}");
    }
}

#[tokio::test]
async fn every_file_is_asked() {
    let server = sshd().await;
    let line = format!(
        "[127.0.0.1]:{} {}\n",
        server.port,
        public(&server.folder.join("host_ed25519"))
    );
    for name in [
        "home/.ssh/known_hosts",
        "system_known_hosts",
        "data/known_hosts",
    ] {
        let world = World::new();
        world.file(name, &line);
        world.open(&unknown(server)).await;
    }
    // A file of the target's own stands in the place of the user's.
    let world = World::new();
    world.file("home/.ssh/known_hosts", &line);
    let own = world.file("own", "");
    let failure = world.refused(&known_by(server, &own)).await;
    assert_says(&failure, Status::Unknown, &["was never confirmed"]);
}

#[tokio::test]
async fn a_file_that_is_not_there_is_named() {
    let server = sshd().await;
    let failure = World::new()
        .refused(&known_by(server, Path::new("/no/such")))
        .await;
    let words = "(cannot read `/no/such`: it is not there)";
    assert_says(&failure, Status::Unknown, &["was never confirmed", words]);
}

#[tokio::test]
async fn hashed_names_and_the_usual_port_are_found() {
    let server = sshd().await;
    let world = World::new();
    let key = public(&server.folder.join("host_ed25519"));
    let hashed = world.file("hashed", &format!("[127.0.0.1]:{} {key}\n", server.port));
    ssh_keygen(&["-q", "-H", "-f", &hashed.display().to_string()]);
    let text = std::fs::read_to_string(&hashed).expect("the file");
    assert!(text.starts_with("|1|"), "{text}");
    world.open(&known_by(server, &hashed)).await;
    // As OpenSSH does, the same key under the name alone is good at any port.
    let plain = world.file("plain", &format!("127.0.0.1 {key}\n"));
    world.open(&known_by(server, &plain)).await;
    let other = generate(world.folder.path(), "other", "ed25519", "");
    let plain = world.file("other-key", &format!("127.0.0.1 {}\n", public(&other)));
    let failure = world.refused(&known_by(server, &plain)).await;
    assert_says(&failure, Status::Unknown, &["was never confirmed"]);
}

#[tokio::test]
async fn a_revoked_key_is_red_even_where_it_is_known() {
    let server = talkative().start().await;
    let world = World::new();
    let key = public(&server.folder.join("host_ed25519"));
    let file = world.file(
        "known",
        &format!("[127.0.0.1]:{0} {key}\n@revoked * {key}\n", server.port),
    );
    let failure = world.refused(&known_by(&server, &file)).await;
    assert_says(
        &failure,
        Status::Red,
        &["unexpected", "is revoked: ED25519", "known:2", "|"],
    );
    assert_nothing_was_sent(&server);
}

#[tokio::test]
async fn a_pinned_key_alone_decides() {
    let server = talkative()
        .host_key("ed25519")
        .host_key("ecdsa")
        .host_key("rsa")
        .start()
        .await;
    for kind in ["ed25519", "ecdsa", "rsa"] {
        // Its type is not known from the fingerprint.
        let yaml = format!("{}host_key: {}\n", server.yaml(), server.fingerprint(kind));
        World::new().open(&yaml).await;
    }
    let other = talkative().start().await;
    let pinned = server.fingerprint("ed25519");
    let failure = World::new()
        .refused(&format!("{}host_key: {pinned}\n", other.yaml()))
        .await;
    assert_says(
        &failure,
        Status::Red,
        &[
            "unexpected",
            "is not the pinned one: it shows ED25519",
            &other.fingerprint("ed25519"),
            &pinned,
            "|",
            "change `host_key`",
        ],
    );
    assert_nothing_was_sent(&other);
}

#[tokio::test]
async fn a_pinned_key_that_was_not_looked_for_to_the_end_is_no_change() {
    let server = Builder::default()
        .host_key("ed25519")
        .host_key("rsa")
        .start()
        .await;
    let port = server.port;
    // The first connection gets through; it shows another key than the pinned one. All others are closed.
    let is_first = Arc::new(AtomicBool::new(true));
    let way = raw(move |mut stream| {
        let is_first = Arc::clone(&is_first);
        async move {
            if is_first.swap(false, Ordering::SeqCst)
                && let Ok(mut server) = TcpStream::connect(("127.0.0.1", port)).await
            {
                copy_bidirectional(&mut stream, &mut server).await.ok();
            }
        }
    })
    .await;
    let yaml = format!(
        "{}host_key: {}\n",
        unknown(&server),
        server.fingerprint("rsa")
    );
    let yaml = yaml.replace(&format!("port: {port}\n"), &format!("port: {}\n", way.port));
    let failure = World::new().refused(&yaml).await;
    let closed = "closed the connection before it said anything";
    assert_says(&failure, Status::Red, &["unreachable", closed]);
    assert!(!failure.message.contains("pinned"), "{failure}");
}

#[tokio::test]
async fn new_keys_are_learnt_where_that_is_asked_for_and_changed_ones_never() {
    let server = Builder::default().start().await;
    let world = World::new();
    let yaml = format!("{}accept_new: true\n", unknown(&server));
    world.open(&yaml).await;
    let file = world.folder.path().join("data/known_hosts");
    let text = std::fs::read_to_string(&file).expect("our file");
    let key = public(&server.folder.join("host_ed25519"));
    assert_eq!(text, format!("[127.0.0.1]:{} {}\n", server.port, key));
    // OpenSSH reads it too.
    let name = format!("[127.0.0.1]:{}", server.port);
    ssh_keygen(&["-F", &name, "-f", &file.display().to_string()]);

    let other = generate(world.folder.path(), "other", "ed25519", "");
    let fresh = World::new();
    fresh.file("data/known_hosts", &format!("{name} {}\n", public(&other)));
    let failure = fresh.refused(&yaml).await;
    assert_says(&failure, Status::Red, &["has changed"]);
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_told() {
    let server = sshd().await;
    let world = World::new();
    world.file("data", "a file in the place of the folder");
    let failure = world
        .refused(&format!("{}accept_new: true\n", unknown(server)))
        .await;
    assert_says(
        &failure,
        Status::Unknown,
        &[
            "ours cannot record a new host key: cannot write",
            "|",
            "accept_new",
        ],
    );
}

#[tokio::test]
async fn host_certificates_are_checked() {
    let server = Builder::default()
        .option("HostCertificate {folder}/host_ed25519-cert.pub")
        .start_with(|folder| {
            let authority = generate(folder, "authority", "ed25519", "");
            let (authority, key) = (
                authority.display().to_string(),
                folder.join("host_ed25519.pub"),
            );
            ssh_keygen(&[
                "-q",
                "-s",
                &authority,
                "-I",
                "host",
                "-h",
                "-n",
                "127.0.0.1",
                &key.display().to_string(),
            ]);
        })
        .await;
    let authority = public(&server.folder.join("authority"));
    let world = World::new();
    let known = world.file(
        "known",
        &format!("@cert-authority [127.0.0.1]:* {authority}\n"),
    );
    world.open(&known_by(&server, &known)).await;
    // The same authority, for other hosts only: then the certificate is not even asked for.
    let elsewhere = world.file(
        "elsewhere",
        &format!("@cert-authority *.example.com {authority}\n"),
    );
    let failure = world.refused(&known_by(&server, &elsewhere)).await;
    assert_says(&failure, Status::Unknown, &["was never confirmed"]);
    // The certificate is for the address, not for the name.
    let named = world.file("named", &format!("@cert-authority * {authority}\n"));
    let by_name = known_by(&server, &named).replace("host: 127.0.0.1", "host: localhost");
    let failure = world.refused(&by_name).await;
    assert_says(
        &failure,
        Status::Red,
        &[
            "unexpected",
            "the host certificate of",
            "it is for other hosts",
        ],
    );
}
