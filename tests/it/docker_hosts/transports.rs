//! The ways to an engine: TCP with TLS, and SSH.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use roundsman::clients::Clients;
use roundsman::model::Status;
use tempfile::{NamedTempFile, TempDir};
use tokio::io::copy_bidirectional;
use tokio::net::UnixStream;

use super::{TIMEOUT, look, measured};
use crate::support::certificates::{Pair, authority, self_signed};
use crate::support::dockerd::{Dockerd, container, dockerd};
use crate::support::look_at;
use crate::support::servers::{blurting, raw};
use crate::support::sshd::{self, Sshd, sshd};

/// A certificate and its key in files.
struct Files {
    folder: TempDir,
}

impl Files {
    fn of(pair: &Pair) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("cert.pem"), &pair.certificate).expect("written");
        std::fs::write(folder.path().join("key.pem"), &pair.key).expect("written");
        Self { folder }
    }

    fn yaml(&self) -> String {
        let at = self.folder.path().display();
        format!("client_cert: {at}/cert.pem, client_key: {at}/key.pem")
    }
}

fn ours() -> Files {
    Files::of(&authority().for_client("roundsman"))
}

fn over_tls(port: u16, ca_file: &Path, client: &str) -> String {
    let ca_file = ca_file.display();
    format!(
        "url: tcp://127.0.0.1:{port}\ntls: {{ca_file: {ca_file}, {client}}}\ninclude: 'transport-*'"
    )
}

async fn one_that_failed(dockerd: &Dockerd, name: &str) {
    dockerd.run(container(name, "exit 6")).await;
    dockerd.wait_for_state(name, "exited").await;
}

#[tokio::test]
async fn an_engine_over_tls_knows_us_by_our_certificate() {
    let dockerd = dockerd().await;
    one_that_failed(dockerd, "transport-tls").await;
    let ca_file = authority().file();
    let looked = look(&over_tls(dockerd.port, ca_file.path(), &ours().yaml())).await;
    assert!(measured(&looked, "exit_code").contains(&"transport-tls 6".to_owned()));
}

#[tokio::test]
async fn without_a_certificate_of_ours_or_with_a_strange_one_the_look_is_denied() {
    let dockerd = dockerd().await;
    let ca_file = authority().file();
    let place = format!("127.0.0.1:{}", dockerd.port);
    let looked = look(&over_tls(dockerd.port, ca_file.path(), "verify: true")).await;
    looked.assert_failed(
        Status::Unknown,
        &format!("denied `{place}` wants a client certificate | set `tls.client_cert`"),
    );
    let strange = Files::of(&self_signed(&["localhost"]));
    let looked = look(&over_tls(dockerd.port, ca_file.path(), &strange.yaml())).await;
    looked.assert_failed(
        Status::Unknown,
        &format!("denied `{place}` does not accept our certificate"),
    );
}

#[tokio::test]
async fn an_engine_whose_authority_is_not_ours_is_not_trusted() {
    let dockerd = dockerd().await;
    let mut other = NamedTempFile::new().expect("a file");
    let stranger = self_signed(&["localhost"]);
    other
        .write_all(stranger.certificate.as_bytes())
        .expect("written");
    let ours = ours();
    let looked = look(&over_tls(dockerd.port, other.path(), &ours.yaml())).await;
    let words = format!(
        "unexpected the certificate of `127.0.0.1:{}` was signed by",
        dockerd.port
    );
    looked.assert_failed(Status::Red, &words);
    assert!(
        looked.failure().contains("`tls.ca_file`"),
        "{}",
        looked.failure()
    );
    let unchecked = format!("verify: false, {}", ours.yaml());
    let looked = look(&over_tls(dockerd.port, other.path(), &unchecked)).await;
    assert!(looked.outcome.is_ok(), "{}", looked.failure());
}

#[tokio::test]
async fn tls_and_no_tls_are_told_apart() {
    let dockerd = dockerd().await;
    let looked = look(&format!("url: tcp://127.0.0.1:{}", dockerd.port)).await;
    let words = format!("denied the port of `127.0.0.1:{}` speaks TLS", dockerd.port);
    looked.assert_failed(Status::Unknown, &words);
    let plain = blurting(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    let looked = look(&over_tls(
        plain.port,
        authority().file().path(),
        "verify: true",
    ))
    .await;
    let words = format!(
        "unexpected `127.0.0.1:{}` does not speak TLS on this port",
        plain.port
    );
    looked.assert_failed(Status::Red, &words);
    assert!(
        looked.failure().contains("leave `tls` out"),
        "{}",
        looked.failure()
    );
}

#[tokio::test]
async fn a_look_takes_one_connection() {
    let dockerd = dockerd().await;
    for name in ["transport-one-a", "transport-one-b"] {
        one_that_failed(dockerd, name).await;
    }
    let count = Arc::new(AtomicUsize::new(0));
    let (socket, counted) = (dockerd.socket.clone(), Arc::clone(&count));
    let server = raw(move |mut stream| {
        let socket = socket.clone();
        counted.fetch_add(1, Ordering::SeqCst);
        async move {
            if let Ok(mut engine) = UnixStream::connect(socket).await {
                copy_bidirectional(&mut stream, &mut engine).await.ok();
            }
        }
    })
    .await;
    let looked = look(&format!(
        "url: http://127.0.0.1:{}\ninclude: 'transport-one-*'",
        server.port
    ))
    .await;
    assert_eq!(
        measured(&looked, "restart_count").len(),
        2,
        "both were asked about"
    );
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

/// Through that server to that engine.
fn over_ssh(sshd: &Sshd, socket: &Path, settings: &str) -> String {
    let ssh: Vec<String> = (sshd.yaml().lines())
        .map(|line| format!("  {line}"))
        .collect();
    let (ssh, socket) = (ssh.join("\n"), socket.display());
    format!("socket: {socket}\nssh:\n{ssh}\n{settings}")
}

#[tokio::test]
async fn a_server_and_its_engine_share_one_connection() {
    let (dockerd, sshd) = (dockerd().await, sshd::Builder::default().start().await);
    one_that_failed(dockerd, "transport-ssh").await;
    let clients = Clients::new();
    let server = sshd.yaml();
    let engine = over_ssh(&sshd, &dockerd.socket, "include: transport-ssh");
    for _ in 0..2 {
        let (server, engine) = tokio::join!(
            look_at("vps_servers", &clients, &server, TIMEOUT),
            look_at("docker_hosts", &clients, &engine, TIMEOUT),
        );
        assert!(server.number("cpu_percent").is_some(), "{server:?}");
        assert_eq!(measured(&engine, "exit_code"), ["transport-ssh 6"]);
    }
    assert_eq!((sshd.connections(), sshd.logins()), (1, 1));
}

#[tokio::test]
async fn a_server_that_forwards_no_sockets_is_asked_through_its_docker_command() {
    let dockerd = dockerd().await;
    one_that_failed(dockerd, "transport-pipe").await;
    let sshd = sshd::Builder::default()
        .option("AllowStreamLocalForwarding no")
        .start()
        .await;
    let looked = look(&over_ssh(&sshd, &dockerd.socket, "include: transport-pipe")).await;
    assert_eq!(measured(&looked, "exit_code"), ["transport-pipe 6"]);
    assert_eq!(sshd.connections(), 1);
}

#[tokio::test]
async fn a_server_with_neither_way_says_both() {
    let dockerd = dockerd().await;
    let sshd = sshd::Builder::default()
        .option("AllowStreamLocalForwarding no")
        .option("SetEnv PATH=/nowhere")
        .start()
        .await;
    let looked = look(&over_ssh(&sshd, &dockerd.socket, "")).await;
    let failure = looked.failure();
    assert!(failure.starts_with("denied "), "{failure}");
    for words in [
        "no `docker` command there",
        "AllowStreamLocalForwarding",
        "install Docker's command line",
    ] {
        assert!(failure.contains(words), "{failure}");
    }
    assert_eq!(looked.status(), Status::Unknown);
}

#[tokio::test]
async fn a_user_there_who_may_not_use_docker_is_named() {
    let dockerd = dockerd().await;
    let as_nobody =
        "setpriv --reuid=65534 --regid=65534 --clear-groups sh -c \\\"$SSH_ORIGINAL_COMMAND\\\"";
    let sshd = sshd::Builder::default()
        .option("AllowStreamLocalForwarding no")
        .key_options(&format!("command=\"{as_nobody}\""))
        .start()
        .await;
    let looked = look(&over_ssh(&sshd, &dockerd.socket, "")).await;
    let words = format!(
        "denied `{}@127.0.0.1:{}` may not use Docker there: ",
        sshd.username, sshd.port
    );
    looked.assert_failed(Status::Unknown, &words);
    assert!(
        looked.failure().contains("usermod -aG docker"),
        "{}",
        looked.failure()
    );
}

#[tokio::test]
async fn a_shell_there_that_talks_before_the_engine_is_named() {
    let dockerd = dockerd().await;
    let sshd = sshd::Builder::default()
        .option("AllowStreamLocalForwarding no")
        .key_options(r#"command="echo Welcome; eval \"$SSH_ORIGINAL_COMMAND\"""#)
        .start()
        .await;
    let looked = look(&over_ssh(&sshd, &dockerd.socket, "")).await;
    let place = format!("{}@127.0.0.1:{}", sshd.username, sshd.port);
    let words =
        format!("unexpected `{place}` says `Welcome` before its engine can answer | let the shell");
    looked.assert_failed(Status::Red, &words);
}

#[tokio::test]
async fn a_server_whose_engine_is_down_is_red() {
    let sshd = sshd().await;
    let looked = look(&over_ssh(sshd, &sshd.folder.join("docker.sock"), "")).await;
    let words = format!(
        "unreachable Docker does not answer on `{}@127.0.0.1:{}`: ",
        sshd.username, sshd.port
    );
    looked.assert_failed(Status::Red, &words);
}

#[tokio::test]
async fn a_login_that_is_refused_is_told_by_ssh() {
    let dockerd = dockerd().await;
    let (here, other) = (sshd().await, sshd::Builder::default().start().await);
    let yaml = over_ssh(here, &dockerd.socket, "").replace(
        &here.key.display().to_string(),
        &other.key.display().to_string(),
    );
    let looked = look_at(
        "docker_hosts",
        &Clients::new(),
        &yaml,
        Duration::from_secs(30),
    )
    .await;
    looked.assert_failed(Status::Unknown, "denied ");
}
