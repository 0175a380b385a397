//! The SSH agent: asked, mute, dead, and with more keys than a server takes.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use roundsman::model::Status;

use super::identities::{with_key, without_key};
use super::{World, assert_says};
use crate::support::children::{Server, require};
use crate::support::sshd::{Builder, generate, public, ssh_keygen, sshd};

/// An agent that ends with the test process: its socket. It listens in a folder of its own.
async fn agent(keys: &[&Path]) -> (Server, PathBuf) {
    require("ssh-agent");
    require("ssh-add");
    let folder = tempfile::tempdir().expect("a folder").keep();
    let socket = folder.join("agent");
    let path = socket.display().to_string();
    let server = Server::start(&folder, "ssh-agent", &["-D", "-a", &path]);
    super::until("the agent listens", || socket.exists()).await;
    for key in keys {
        let status = Command::new("ssh-add")
            .arg("-q")
            .arg(key)
            .env("SSH_AUTH_SOCK", &socket)
            .stdin(Stdio::null())
            .status();
        assert!(
            status.is_ok_and(|status| status.success()),
            "{}",
            key.display()
        );
    }
    (server, socket)
}

#[tokio::test]
async fn the_agent_gives_its_keys() {
    let world = World::new();
    let folder = world.folder.path();
    let (rsa, stranger) = (
        generate(folder, "rsa", "rsa", ""),
        generate(folder, "stranger", "ed25519", ""),
    );
    let server = Builder::default().authorize(public(&rsa)).start().await;
    let (_agent, socket) = agent(&[&stranger, &rsa]).await;
    let asked = World::with_agent(Some(socket));
    asked
        .open(&format!("{}agent: true\n", without_key(&server)))
        .await;
    // Where nothing is said it is asked as well.
    asked.open(&without_key(&server)).await;
    let failure = asked
        .refused(&format!("{}agent: false\n", without_key(&server)))
        .await;
    assert_says(
        &failure,
        Status::Unknown,
        &[
            "ours there is no key to log in with",
            "the SSH agent is not to be asked",
            "|",
            "ssh_key_path",
        ],
    );
}

#[tokio::test]
async fn an_agent_that_cannot_help_is_told() {
    let server = sshd().await;
    let yaml = format!("{}agent: true\n", without_key(server));
    let failure = World::new().refused(&yaml).await;
    assert_says(
        &failure,
        Status::Unknown,
        &["ours", "`SSH_AUTH_SOCK` is not set"],
    );
    let failure = World::with_agent(Some("/no/such/agent".into()))
        .refused(&yaml)
        .await;
    assert_says(
        &failure,
        Status::Unknown,
        &[
            "ours cannot ask the SSH agent at `/no/such/agent`",
            "|",
            "ssh-add -l",
        ],
    );
    let (_agent, socket) = agent(&[]).await;
    let failure = World::with_agent(Some(socket)).refused(&yaml).await;
    assert_says(
        &failure,
        Status::Unknown,
        &["ours the SSH agent has no keys"],
    );
}

#[tokio::test]
async fn no_more_keys_are_offered_than_a_server_takes() {
    let world = World::new();
    let keys: Vec<PathBuf> = (0..8)
        .map(|number| generate(world.folder.path(), &format!("key-{number}"), "ed25519", ""))
        .collect();
    let server = Builder::default().start().await;
    let keys: Vec<&Path> = keys.iter().map(PathBuf::as_path).collect();
    let (_agent, socket) = agent(&keys).await;
    let failure = World::with_agent(Some(socket.clone()))
        .refused(&without_key(&server))
        .await;
    assert_says(&failure, Status::Unknown, &["denied", "refused the login"]);
    assert_eq!(failure.message.matches("SHA256:").count(), 5, "{failure}");
    let words = "; 3 more keys were not offered";
    assert_says(
        &failure,
        Status::Unknown,
        &[words, "|", "`ssh_key_path`", "`passwd -S "],
    );
    // Among many, the one that is named by its public half or by its encrypted file is offered first.
    let last = keys.last().expect("a key");
    let server = Builder::default().authorize(public(last)).start().await;
    let half = PathBuf::from(format!("{}.pub", last.display()));
    let asked = World::with_agent(Some(socket));
    asked
        .open(&format!("{}agent: true\n", with_key(&server, &half)))
        .await;
    assert!(
        !server.log().contains("Failed publickey"),
        "{}",
        server.log()
    );
}

#[tokio::test]
async fn an_encrypted_key_is_asked_of_the_agent() {
    let world = World::new();
    let folder = world.folder.path();
    let key = generate(folder, "key", "ed25519", "");
    let server = Builder::default().authorize(public(&key)).start().await;
    let (_agent, socket) = agent(&[&key]).await;
    let file = key.display().to_string();
    ssh_keygen(&["-q", "-p", "-P", "", "-N", "canary", "-a", "1", "-f", &file]);
    let asked = World::with_agent(Some(socket));
    let yaml = format!("{}agent: true\n", with_key(&server, &key));
    asked.open(&yaml).await;
    let failure = World::new().refused(&yaml).await;
    assert_says(
        &failure,
        Status::Unknown,
        &["ours", "there is no passphrase"],
    );
}

#[tokio::test]
async fn a_dead_agent_is_mentioned_where_the_key_was_refused() {
    let world = World::with_agent(Some("/no/such/agent".into()));
    let server = Builder::default().start().await;
    let key = generate(world.folder.path(), "other", "ed25519", "");
    let yaml = format!("{}agent: true\n", with_key(&server, &key));
    let failure = world.refused(&yaml).await;
    let words = "; cannot ask the SSH agent at `/no/such/agent`";
    assert_says(
        &failure,
        Status::Unknown,
        &["denied", "did not accept ED25519", words],
    );
}

#[tokio::test]
async fn a_server_that_hangs_up_during_the_login_is_quoted() {
    let world = World::new();
    let (one, other) = (
        generate(world.folder.path(), "one", "ed25519", ""),
        generate(world.folder.path(), "other", "ed25519", ""),
    );
    let server = Builder::default().option("MaxAuthTries 1").start().await;
    let (_agent, socket) = agent(&[&one, &other]).await;
    let failure = World::with_agent(Some(socket))
        .refused(&without_key(&server))
        .await;
    assert_says(
        &failure,
        Status::Unknown,
        &[
            "denied",
            "hung up during the login of",
            "`Too many authentication failures`",
            "|",
        ],
    );
}

#[tokio::test]
async fn an_agent_that_is_mute_is_ours() {
    let server = Builder::default().start().await;
    let world = World::new();
    let socket = world.folder.path().join("mute");
    let listener = tokio::net::UnixListener::bind(&socket).expect("a socket");
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok(stream) = listener.accept().await {
            held.push(stream);
        }
    });
    let yaml = format!("{}agent: true\n", without_key(&server));
    let failure = World::with_agent(Some(socket)).refused(&yaml).await;
    assert_says(
        &failure,
        Status::Unknown,
        &["ours cannot ask the SSH agent", "no answer within 5 s"],
    );
    assert_eq!(server.logins(), 0);
}
