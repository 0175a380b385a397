//! Servers that let nobody in: each says why in its own words.

use std::time::Duration;

use roundsman::model::Status;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{World, assert_says, limits, printed};
use crate::support::children::free_port;
use crate::support::servers::{RawServer, blurting, raw};
use crate::support::sshd::{Builder, generate, sshd};

/// Settings for a port where no real server listens; the key is a real one.
async fn yaml(port: u16) -> String {
    let server = sshd().await;
    server.yaml().replace(
        &format!("port: {}\n", server.port),
        &format!("port: {port}\n"),
    )
}

/// Says this at once, and hangs up.
async fn saying(text: &'static [u8]) -> RawServer {
    raw(move |mut stream| async move {
        stream.write_all(text).await.ok();
        stream.shutdown().await.ok();
        // What comes is taken: closing over it would reset the connection.
        stream.read_to_end(&mut Vec::new()).await.ok();
    })
    .await
}

#[tokio::test]
async fn nobody_listens() {
    let failure = World::new().refused(&yaml(free_port()).await).await;
    assert_says(
        &failure,
        Status::Red,
        &[
            "unreachable cannot connect to `127.0.0.1:",
            "connection refused",
            "|",
        ],
    );
}

#[tokio::test]
async fn a_server_says_nothing() {
    let server = raw(|stream| async move {
        let _open = stream;
        std::future::pending::<()>().await;
    })
    .await;
    let yaml = yaml(server.port).await;
    let outcome = World::new()
        .session_within(&yaml, Duration::from_millis(1500))
        .await;
    let place = format!(
        "no SSH greeting from `127.0.0.1:{}` within 1500 ms",
        server.port
    );
    assert_says(
        &outcome.err().expect("mute"),
        Status::Red,
        &["timed_out", &place, "|", "ssh -v"],
    );
}

#[tokio::test]
async fn half_a_line_is_no_greeting_yet() {
    let server = raw(|mut stream| async move {
        stream.write_all(b"SSSS").await.ok();
        std::future::pending::<()>().await;
    })
    .await;
    let yaml = yaml(server.port).await;
    let outcome = World::new()
        .session_within(&yaml, Duration::from_millis(1500))
        .await;
    let failure = outcome.err().expect("mute");
    assert_says(
        &failure,
        Status::Red,
        &["timed_out no SSH greeting", "only `SSSS` had come"],
    );
}

#[tokio::test]
async fn a_server_greets_and_falls_silent() {
    let server = raw(|mut stream| async move {
        stream
            .write_all(b"hello, stranger\r\nSSH-2.0-OpenSSH_9.2\r\n")
            .await
            .ok();
        std::future::pending::<()>().await;
    })
    .await;
    let yaml = yaml(server.port).await;
    let outcome = World::new()
        .session_within(&yaml, Duration::from_millis(1500))
        .await;
    assert_says(
        &outcome.err().expect("mute"),
        Status::Red,
        &[
            "timed_out",
            "did not finish the key exchange within 1500 ms",
        ],
    );
}

#[tokio::test]
async fn another_service_listens_there() {
    let server = blurting(b"HTTP/1.1 400 Bad Request\r\nServer: \x1b[31mred\r\n\r\n").await;
    let failure = World::new().refused(&yaml(server.port).await).await;
    assert_says(
        &failure,
        Status::Red,
        &[
            "unexpected",
            "does not speak SSH: it greets with `HTTP/1.1 400 Bad Request`",
            "|",
            "`port`",
        ],
    );
    let server = saying(b"\x1b[31m220 mail.example.com ESMTP\r\n").await;
    let failure = World::new().refused(&yaml(server.port).await).await;
    assert_says(
        &failure,
        Status::Red,
        &["it greets with `220 mail.example.com ESMTP`"],
    );
    let server = saying(b"SSH-1.5-old\r\n").await;
    let failure = World::new().refused(&yaml(server.port).await).await;
    assert_says(&failure, Status::Red, &["speaks only the old SSH 1"]);
}

#[tokio::test]
async fn a_server_hangs_up_before_or_after_its_greeting() {
    let server = saying(b"").await;
    let failure = World::new().refused(&yaml(server.port).await).await;
    assert_says(
        &failure,
        Status::Red,
        &[
            "unreachable",
            "closed the connection before it said anything",
            "|",
            "MaxStartups",
        ],
    );
    let server = saying(b"SSH-2.0-OpenSSH_9.2\r\n").await;
    let failure = World::new().refused(&yaml(server.port).await).await;
    assert_says(
        &failure,
        Status::Red,
        &["unreachable", "ended in the key exchange"],
    );
    let server = saying(b"SSH-2.0-OpenSSH_9.2\r\n\0\0\0\x0c\x0a\x63\0\0\0\0\0\0\0\0\0\0\0").await;
    let failure = World::new().refused(&yaml(server.port).await).await;
    assert_says(&failure, Status::Red, &["127.0.0.1"]);
}

#[tokio::test]
async fn too_many_are_logging_in() {
    let server = Builder::default().option("MaxStartups 1").start().await;
    // It takes the only place, and never logs in.
    let mut first = tokio::net::TcpStream::connect(("127.0.0.1", server.port))
        .await
        .expect("a connection");
    first.read_exact(&mut [0; 4]).await.expect("a greeting");
    let failure = World::new().refused(&server.yaml()).await;
    assert_says(
        &failure,
        Status::Unknown,
        &[
            "throttled",
            "too many logins are under way",
            "|",
            "raise `MaxStartups`",
        ],
    );
}

#[tokio::test]
async fn no_algorithm_is_common() {
    for (option, kind) in [
        (
            "KexAlgorithms diffie-hellman-group1-sha1",
            "key exchange algorithm in common: it offers only `diffie-hellman-group1-sha1",
        ),
        (
            "Ciphers 3des-cbc",
            "cipher algorithm in common: it offers only `3des-cbc",
        ),
        (
            "HostKeyAlgorithms ssh-rsa",
            "host key algorithm in common: it offers only `ssh-rsa",
        ),
    ] {
        let server = Builder::default()
            .host_key("rsa")
            .option(option)
            .start()
            .await;
        let failure = World::new().refused(&server.yaml()).await;
        assert_says(
            &failure,
            Status::Red,
            &["unexpected", kind, "|", "update its sshd"],
        );
    }
}

#[tokio::test]
async fn a_key_is_refused() {
    let server = Builder::default().start().await;
    let world = World::new();
    let key = generate(world.folder.path(), "other", "ed25519", "");
    let yaml = server.yaml().replace(
        &server.key.display().to_string(),
        &key.display().to_string(),
    );
    let failure = world.refused(&yaml).await;
    let login = format!(
        "refused the login of `{}`: it did not accept ED25519 SHA256:",
        server.username
    );
    assert_says(
        &failure,
        Status::Unknown,
        &[
            "denied",
            &login,
            "|",
            "`authorized_keys`",
            "journalctl -u ssh",
        ],
    );
}

#[tokio::test]
async fn a_user_may_not_log_in() {
    for option in ["AllowUsers nobody-else", "PermitRootLogin no"] {
        let server = Builder::default().option(option).start().await;
        let failure = World::new().refused(&server.yaml()).await;
        assert_says(
            &failure,
            Status::Unknown,
            &[
                "denied",
                "refused the login of",
                "|",
                "`PermitRootLogin`, `AllowUsers`",
            ],
        );
    }
}

#[tokio::test]
async fn a_server_takes_only_passwords() {
    let server = Builder::default()
        .option("PubkeyAuthentication no")
        .option("PasswordAuthentication yes")
        .start()
        .await;
    let failure = World::new().refused(&server.yaml()).await;
    assert_says(
        &failure,
        Status::Unknown,
        &[
            "denied",
            "it takes no keys, only `password`",
            "|",
            "we never send passwords",
        ],
    );
}

#[tokio::test]
async fn a_server_wants_a_password_as_well() {
    let server = Builder::default()
        .option("AuthenticationMethods publickey,password")
        .option("PasswordAuthentication yes")
        .start()
        .await;
    let failure = World::new().refused(&server.yaml()).await;
    assert_says(
        &failure,
        Status::Unknown,
        &[
            "denied",
            "it accepted ED25519",
            "and wants `password` as well",
            "|",
        ],
    );
}

#[tokio::test]
async fn a_forced_command_answers_in_the_place_of_ours() {
    let server = Builder::default()
        .key_options("restrict,command=\"echo forced\"")
        .start()
        .await;
    let session = World::new().open(&server.yaml()).await;
    assert_eq!(printed(&session, "echo well").await, "forced\n");
}

#[tokio::test]
async fn a_server_runs_no_commands() {
    let server = Builder::default().option("MaxSessions 0").start().await;
    let session = World::new().open(&server.yaml()).await;
    let failure = session
        .run("echo well", b"", &limits())
        .await
        .expect_err("refused");
    assert_says(
        &failure,
        Status::Unknown,
        &["denied", "does not run commands for us", "|", "MaxSessions"],
    );
}

#[tokio::test]
async fn ipv6_is_spoken() {
    let server = sshd().await;
    let yaml = server.yaml().replace("host: 127.0.0.1", "host: \"::1\"");
    let session = World::new().open(&yaml).await;
    assert_eq!(
        printed(&session, "echo $SSH_CONNECTION | cut -d' ' -f1").await,
        "::1\n"
    );
}
