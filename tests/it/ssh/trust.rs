//! `roundsman trust`: the real program confirms the keys of real servers.

use crate::support::children::{free_port, require};
use crate::support::program::{Ended, Workplace};
use crate::support::sshd::{Builder, Sshd, generate, public, sshd};

/// A folder whose data lies in it, and that knows nothing.
fn place() -> Workplace {
    Workplace::with_configuration("targets: {local_hosts: [{}]}\n")
}

const OUR_FILE: &str = "config/data/known_hosts";

fn line(server: &Sshd, kind: &str) -> String {
    let key = public(&server.folder.join(format!("host_{kind}")));
    format!("[127.0.0.1]:{} {key}\n", server.port)
}

fn host(server: &Sshd) -> String {
    format!("127.0.0.1:{}", server.port)
}

/// Runs it on a terminal, where a person types.
async fn typed(place: &Workplace, arguments: &str, answer: &str) -> Ended {
    require("script");
    let script = format!("printf '{answer}\\n' | script -qec \"'$0' trust {arguments}\" /dev/null");
    place.run_through(&script, &[]).await
}

#[tokio::test]
async fn a_fingerprint_confirms_where_nobody_can_be_asked() {
    let server = Builder::default()
        .host_key("ed25519")
        .host_key("ecdsa")
        .host_key("rsa")
        .start()
        .await;
    let (place, host) = (place(), host(&server));
    let ended = place.run(&["trust", &host]).await;
    ended
        .assert_code(64)
        .assert_says("nobody is here to confirm the keys of")
        .assert_says("ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub")
        .assert_prints(&format!(
            "256 {} {host} (ED25519)\n",
            server.fingerprint("ed25519")
        ))
        .assert_prints(&format!(
            "256 {} {host} (ECDSA)\n",
            server.fingerprint("ecdsa")
        ))
        .assert_prints(&format!(
            "2048 {} {host} (RSA)\n",
            server.fingerprint("rsa")
        ));
    assert!(!place.path().join(OUR_FILE).exists());

    let wrong = sshd().await.fingerprint("ed25519");
    let ended = place.run(&["trust", &host, "--fingerprint", &wrong]).await;
    ended
        .assert_code(64)
        .assert_says("has a fingerprint that was given");
    assert!(!place.path().join(OUR_FILE).exists());

    for strange in ["0a:1b", "SHA256:x"] {
        let ended = place.run(&["trust", &host, "--fingerprint", strange]).await;
        ended
            .assert_code(64)
            .assert_says(&format!("`{strange}` is no fingerprint"));
    }

    let ended = place
        .run(&[
            "trust",
            &host,
            "--fingerprint",
            &server.fingerprint("ecdsa"),
        ])
        .await;
    ended.assert_code(0).assert_prints("recorded for `");
    assert_eq!(place.read(OUR_FILE), line(&server, "ecdsa"));
    assert_eq!(ended.stderr, "");

    let ended = place.run(&["trust", &host]).await;
    ended
        .assert_code(0)
        .assert_prints("is known already: nothing was changed");
    // Also where it is known, a fingerprint that it does not show is no confirmation.
    let ended = place.run(&["trust", &host, "--fingerprint", &wrong]).await;
    ended
        .assert_code(64)
        .assert_says("has a fingerprint that was given");
    assert_eq!(server.logins(), 0);
    assert!(
        !server.log().contains("Failed publickey"),
        "{}",
        server.log()
    );
}

#[tokio::test]
async fn a_person_at_a_terminal_is_asked() {
    let server = sshd().await;
    let host = host(server);
    let refused = place();
    for answer in ["n", "", "no"] {
        let ended = typed(&refused, &host, answer).await;
        ended
            .assert_code(3)
            .assert_prints("[y/N]")
            .assert_prints("was not accepted: nothing was recorded");
        assert!(!refused.path().join(OUR_FILE).exists());
    }
    let accepted = place();
    let ended = typed(&accepted, &host, "y").await;
    ended
        .assert_code(0)
        .assert_prints("ssh-keygen -lf")
        .assert_prints("recorded for `");
    assert_eq!(accepted.read(OUR_FILE), line(server, "ed25519"));
}

#[tokio::test]
async fn a_changed_key_needs_a_word_of_its_own() {
    let server = sshd().await;
    let (place, host) = (place(), host(server));
    let other = generate(place.path(), "other", "ed25519", "");
    let (port, public) = (server.port, public(&other));
    let old = format!("[127.0.0.1]:{port} {public}\n[127.0.0.?]:{port} {public}\n");
    let place = place.file(OUR_FILE, &old);
    let fingerprint = server.fingerprint("ed25519");
    let ended = place
        .run(&["trust", &host, "--fingerprint", &fingerprint])
        .await;
    ended
        .assert_code(2)
        .assert_prints("recorded until now: ED25519 SHA256:")
        .assert_says("has changed: nothing was recorded")
        .assert_says(&format!("roundsman trust --replace {host}"));
    assert_eq!(place.read(OUR_FILE), old);
    let ended = place
        .run(&["trust", "--replace", &host, "--fingerprint", &fingerprint])
        .await;
    ended.assert_code(0).assert_prints(
        "known_hosts:1`, and is accepted as well; to forget it: its line means other hosts",
    );
    let new = line(server, "ed25519");
    assert_eq!(
        place.read(OUR_FILE),
        format!("[127.0.0.?]:{port} {public}\n{new}")
    );
}

#[tokio::test]
async fn records_of_others_are_named_and_left() {
    let server = sshd().await;
    let (place, host) = (place(), host(server));
    let other = generate(place.path(), "other", "ed25519", "");
    let old = format!("[127.0.0.1]:{} {}\n", server.port, public(&other));
    let home = place.path().display().to_string();
    let place = place.file(".ssh/known_hosts", &old).variable("HOME", &home);
    let ended = place
        .run(&[
            "trust",
            "--replace",
            &host,
            "--fingerprint",
            &server.fingerprint("ed25519"),
        ])
        .await;
    ended
        .assert_code(0)
        .assert_prints("still stands at `")
        .assert_prints("ssh-keygen -R '[127.0.0.1]:");
    assert_eq!(place.read(".ssh/known_hosts"), old);
    assert_eq!(place.read(OUR_FILE), line(server, "ed25519"));
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_does_not_stop_the_others() {
    let server = sshd().await;
    let (place, nobody) = (place(), format!("127.0.0.1:{}", free_port()));
    let ended = place
        .run(&[
            "trust",
            &nobody,
            &host(server),
            "--fingerprint",
            &server.fingerprint("ed25519"),
        ])
        .await;
    ended
        .assert_code(2)
        .assert_says(&format!(
            "the host keys of `{nobody}` cannot be fetched: cannot connect to"
        ))
        .assert_prints("recorded for `");
    let ended = place.run(&["trust", "no host"]).await;
    ended.assert_code(64).assert_says("`no host` is no host");
    let ended = place.run(&["trust"]).await;
    ended
        .assert_code(0)
        .assert_prints("no target of the configuration is reached over SSH");
}

/// A target that is this server, and knows nothing of its host key.
fn entry(server: &Sshd, name: &str, rest: &str) -> String {
    format!(
        "    - {{name: {name}, host: 127.0.0.1, port: {}, username: {}, ssh_key_path: {}{rest}}}\n",
        server.port,
        server.username,
        server.key.display()
    )
}

#[tokio::test]
async fn targets_are_confirmed_by_name_or_all_at_once() {
    let (one, other) = (
        Builder::default().start().await,
        Builder::default().start().await,
    );
    let yaml = format!(
        "targets:\n  vps_servers:\n{}{}",
        entry(&one, "web-1", ""),
        entry(&other, "web-2", "")
    );
    let place = Workplace::with_configuration(&yaml);
    let both = format!("roundsman trust {} {}", host(&one), host(&other));
    let ended = place.run(&["--run-once", "--format", "json"]).await;
    ended.assert_code(3);
    let report = ended.json();
    let advice = report["recommendations"]
        .as_array()
        .expect("recommendations");
    let reversed = format!("roundsman trust {} {}", host(&other), host(&one));
    assert!(
        advice.len() == 1
            && advice.iter().any(|line| {
                let line = line.as_str().unwrap_or_default();
                line.ends_with(&both) || line.ends_with(&reversed)
            }),
        "{report:#}"
    );
    assert_eq!((one.logins(), other.logins()), (0, 0));

    let ended = place
        .run(&[
            "trust",
            "web-2",
            "--fingerprint",
            &other.fingerprint("ed25519"),
        ])
        .await;
    ended.assert_code(0);
    assert_eq!(place.read(OUR_FILE), line(&other, "ed25519"));
    // The one that is known is not asked about again.
    let ended = place
        .run(&["trust", "--fingerprint", &one.fingerprint("ed25519")])
        .await;
    ended.assert_code(0);
    assert!(
        !ended.stdout.contains(&other.fingerprint("ed25519")),
        "{ended}"
    );
    let ended = place.run(&["trust"]).await;
    ended
        .assert_code(0)
        .assert_prints("all 2 servers of the configuration have a record");
    place.run(&["--run-once", "--format", "json"]).await;
    assert_eq!((one.logins(), other.logins()), (1, 1));
}

#[tokio::test]
async fn a_server_behind_another_is_confirmed_after_it() {
    let inner = Builder::default().start().await;
    let outer = Builder::default()
        .authorize(public(&inner.key))
        .start()
        .await;
    let jump = format!(", jump: \"{}@{}\"", outer.username, host(&outer));
    let yaml = format!(
        "targets:\n  vps_servers:\n{}",
        entry(&inner, "inner", &jump)
    );
    let place = Workplace::with_configuration(&yaml);
    let ended = place
        .run(&[
            "trust",
            "inner",
            "--fingerprint",
            &inner.fingerprint("ed25519"),
        ])
        .await;
    ended
        .assert_code(3)
        .assert_says("on the way to")
        .assert_says(&format!("hint: roundsman trust {}", host(&outer)));
    // Without a name the host in between comes first.
    let (one, other) = (outer.fingerprint("ed25519"), inner.fingerprint("ed25519"));
    let ended = place
        .run(&["trust", "--fingerprint", &one, "--fingerprint", &other])
        .await;
    ended.assert_code(0);
    let both = format!("{}{}", line(&outer, "ed25519"), line(&inner, "ed25519"));
    assert_eq!(place.read(OUR_FILE), both);
    assert_eq!((outer.logins(), inner.logins()), (1, 0));
}
