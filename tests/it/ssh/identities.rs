//! Who we are: keys of all sorts, and each way in which one cannot be used.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use roundsman::model::Status;

use super::{World, assert_says, printed};
use crate::support::children::require;
use crate::support::program::Workplace;
use crate::support::sshd::{Builder, Sshd, generate, public, ssh_keygen, sshd};

/// The settings of a server with another key.
pub(super) fn with_key(server: &Sshd, key: &Path) -> String {
    let line = format!("ssh_key_path: {}\n", server.key.display());
    server
        .yaml()
        .replace(&line, &format!("ssh_key_path: {}\n", key.display()))
}

pub(super) fn without_key(server: &Sshd) -> String {
    let line = format!("ssh_key_path: {}\n", server.key.display());
    server.yaml().replace(&line, "")
}

/// A copy of a server's key that may be spoilt.
fn copy(server: &Sshd, world: &World, mode: u32) -> PathBuf {
    let path = world.folder.path().join("copy");
    std::fs::copy(&server.key, &path).expect("a copy");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("its mode");
    path
}

#[tokio::test]
async fn keys_of_all_sorts_and_formats_are_read() {
    let world = World::new();
    let folder = world.folder.path();
    let mut keys = Vec::new();
    for kind in ["ed25519", "ecdsa", "rsa"] {
        keys.push((generate(folder, kind, kind, ""), false));
        keys.push((
            generate(folder, &format!("{kind}-encrypted"), kind, "canary"),
            true,
        ));
    }
    for (name, kind, format, passphrase) in [
        ("rsa-pem", "rsa", "PEM", ""),
        ("rsa-pem-encrypted", "rsa", "PEM", "canary"),
        ("rsa-pkcs8", "rsa", "PKCS8", ""),
        ("rsa-pkcs8-encrypted", "rsa", "PKCS8", "canary"),
        ("ecdsa-pem", "ecdsa", "PEM", ""),
        ("ecdsa-pkcs8", "ecdsa", "PKCS8", ""),
    ] {
        let path = folder.join(name);
        let file = path.display().to_string();
        ssh_keygen(&[
            "-q", "-t", kind, "-m", format, "-N", passphrase, "-C", "", "-f", &file,
        ]);
        keys.push((path, !passphrase.is_empty()));
    }
    let mut server = Builder::default();
    for (key, _) in &keys {
        server = server.authorize(public(key));
    }
    let server = server.start().await;
    for (key, is_encrypted) in &keys {
        let mut yaml = with_key(&server, key);
        if *is_encrypted {
            yaml.push_str("passphrase: canary\n");
        }
        let session = world.open(&yaml).await;
        assert_eq!(
            printed(&session, "echo well").await,
            "well\n",
            "{}",
            key.display()
        );
    }
}

#[tokio::test]
async fn a_key_that_cannot_be_used_is_told_before_anything_is_sent() {
    let server = Builder::default().start().await;
    let world = World::new();
    let folder = world.folder.path();
    let encrypted = generate(folder, "encrypted", "ed25519", "canary");
    let nothing = world.file("nothing", "no key at all\n");
    std::fs::set_permissions(&nothing, std::fs::Permissions::from_mode(0o600)).expect("its mode");
    let public = PathBuf::from(format!("{}.pub", encrypted.display()));
    std::fs::set_permissions(&public, std::fs::Permissions::from_mode(0o600)).expect("its mode");
    let wrong = format!(
        "{}passphrase: canary-wrong\n",
        with_key(&server, &encrypted)
    );
    for (yaml, parts) in [
        (
            with_key(&server, &folder.join("missing")),
            ["it is not there", "VPS_SSH_KEY_PATH"],
        ),
        (
            with_key(&server, folder),
            ["it is no file", "look at the file"],
        ),
        (
            with_key(&server, &encrypted),
            [
                "it is encrypted, and there is no passphrase",
                "set `passphrase`",
            ],
        ),
        (wrong, ["the passphrase is wrong", "check `passphrase`"]),
        (
            with_key(&server, &nothing),
            ["it is no private key that we can read", "ssh-keygen -y"],
        ),
        (
            with_key(&server, &public),
            ["it is a public key", "without `.pub`"],
        ),
        (
            with_key(&server, &copy(&server, &world, 0o640)),
            ["others may read it (mode 0640)", "`chmod 600 "],
        ),
    ] {
        let failure = world.refused(&yaml).await;
        assert_says(
            &failure,
            Status::Unknown,
            &["ours cannot use the key `", parts[0], "|", parts[1]],
        );
    }
    assert_eq!(server.connections(), 0, "{}", server.log());
}

#[tokio::test]
async fn a_public_key_that_all_may_read_is_told_as_one() {
    let server = sshd().await;
    let public = PathBuf::from(format!("{}.pub", server.key.display()));
    let failure = World::new().refused(&with_key(server, &public)).await;
    assert_says(
        &failure,
        Status::Unknown,
        &["ours", "it is a public key", "|", "without `.pub`"],
    );
}

#[tokio::test]
async fn a_key_below_a_key_names_the_variable() {
    let server = sshd().await;
    let below = server.key.join("client");
    let failure = World::new().refused(&with_key(server, &below)).await;
    let words = "what should be a folder on the way to it is a file";
    assert_says(
        &failure,
        Status::Unknown,
        &["ours", words, "|", "`VPS_SSH_KEY_PATH`"],
    );
}

#[tokio::test]
async fn an_encryption_that_is_not_known_is_no_wrong_passphrase() {
    require("openssl");
    let world = World::new();
    let folder = world.folder.path();
    let plain = folder.join("plain").display().to_string();
    ssh_keygen(&["-q", "-t", "rsa", "-m", "PKCS8", "-N", "", "-f", &plain]);
    for scheme in [&["-v1", "PBE-SHA1-3DES"], &["-v2", "camellia-256-cbc"]] {
        let key = folder.join(scheme[1]);
        let status = Command::new("openssl")
            .args(["pkcs8", "-topk8", "-passout", "pass:canary", "-in", &plain])
            .args(scheme)
            .arg("-out")
            .arg(&key)
            .status();
        assert!(status.is_ok_and(|status| status.success()), "{scheme:?}");
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).expect("its mode");
        let yaml = format!("{}passphrase: canary\n", with_key(sshd().await, &key));
        let failure = world.refused(&yaml).await;
        let words = "it is encrypted in a way that we cannot read";
        assert_says(
            &failure,
            Status::Unknown,
            &["ours", words, "|", "ssh-keygen -p -f"],
        );
    }
}

#[tokio::test]
async fn a_key_of_another_user_names_both_users() {
    if !rustix::process::geteuid().is_root() {
        crate::support::cannot_run("only root can give a file to another user");
        return;
    }
    require("setpriv");
    let server = Builder::default().start().await;
    let yaml = server.yaml().trim_end().replace('\n', "\n      ");
    let place = Workplace::with_configuration(&format!(
        "targets:\n  vps_servers:\n    - name: web\n      {yaml}\n"
    ));
    std::os::unix::fs::chown(&server.key, Some(1000), None).expect("its owner");
    // Root reads everything, but not without these.
    let script = "exec setpriv --bounding-set=-dac_override,-dac_read_search \"$0\" probe web";
    let ended = place.run_through(script, &[]).await;
    ended
        .assert_code(3)
        .assert_prints("it belongs to user 1000 (mode 0600), and this program runs as user 0")
        .assert_prints("can also be run as its owner: `--user 1000`");
    std::fs::set_permissions(&server.key, std::fs::Permissions::from_mode(0o000))
        .expect("its mode");
    std::os::unix::fs::chown(&server.key, Some(0), None).expect("its owner");
    let ended = place.run_through(script, &[]).await;
    ended
        .assert_code(3)
        .assert_prints("its mode 0000 does not let us read it, although it is ours")
        .assert_prints("`chmod 600 ");
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_key_that_is_put_right_is_read_again() {
    let server = sshd().await;
    let world = World::new();
    let key = copy(server, &world, 0o644);
    let yaml = with_key(server, &key);
    world.refused(&yaml).await;
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).expect("its mode");
    world.open(&yaml).await;
}

#[tokio::test]
async fn the_users_own_keys_are_taken_where_none_is_named() {
    let server = sshd().await;
    let world = World::new();
    let key = std::fs::read_to_string(&server.key).expect("the key");
    let path = world.file("home/.ssh/id_ed25519", &key);
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).expect("its mode");
    world.open(&without_key(server)).await;
}

#[tokio::test]
async fn certificates_let_us_in() {
    let world = World::new();
    let folder = world.folder.path();
    let authority = generate(folder, "authority", "ed25519", "");
    let server = Builder::default()
        .authorize(format!("cert-authority {}", public(&authority)))
        .start()
        .await;
    for kind in ["ed25519", "ecdsa", "rsa"] {
        let key = generate(folder, kind, kind, "");
        let failure = world.refused(&with_key(&server, &key)).await;
        assert_says(&failure, Status::Unknown, &["denied"]);
        let (authority, public) = (
            authority.display().to_string(),
            format!("{}.pub", key.display()),
        );
        ssh_keygen(&[
            "-q",
            "-s",
            &authority,
            "-I",
            "us",
            "-n",
            &server.username,
            &public,
        ]);
        world.open(&with_key(&server, &key)).await;
    }
    let log = server.log();
    for kind in ["ED25519-CERT", "ECDSA-CERT", "RSA-CERT"] {
        let accepted = log
            .lines()
            .filter(|line| line.contains("Accepted publickey") && line.contains(kind));
        assert_eq!(accepted.count(), 1, "{kind}: {log}");
    }
}
