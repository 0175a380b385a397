//! Sessions: shared, kept, rebuilt, and what runs over them.

use std::time::{Duration, Instant};

use roundsman::clients::ssh::{Limits, SocketError};
use roundsman::model::Status;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixListener;

use super::{LONG, World, assert_says, limits, printed, settings, until, words};
use crate::support::proxy;
use crate::support::sshd::{Builder, sshd};

/// The port of a server replaced by that of the proxy before it.
fn through(yaml: &str, port: u16, proxy: u16) -> String {
    yaml.replace(&format!("port: {port}\n"), &format!("port: {proxy}\n"))
}

#[tokio::test]
async fn commands_run_and_give_what_they_print() {
    let server = sshd().await;
    let session = World::new().open(&server.yaml()).await;
    let output = session
        .run("cat; echo oops >&2; exit 7", b"fed\n", &limits())
        .await
        .expect("output");
    assert_eq!(output.stdout, b"fed\n");
    assert_eq!(output.stderr, b"oops\n");
    assert_eq!(
        (output.exit, output.signal, output.cut),
        (Some(7), None, false)
    );

    let output = session
        .run("kill -KILL $$", b"", &limits())
        .await
        .expect("output");
    assert_eq!(
        (output.exit, output.signal.as_deref()),
        (None, Some("KILL"))
    );

    // More than the windows of both sides hold.
    let much = vec![b'x'; 5_000_000];
    let large = Limits {
        timeout: LONG,
        most_bytes: 8_000_000,
    };
    let output = session.run("cat", &much, &large).await.expect("output");
    assert!(output.stdout == much, "{}", output.stdout.len());
}

#[tokio::test]
async fn one_connection_serves_all_and_is_kept() {
    let server = Builder::default().start().await;
    let world = World::new();
    let settings = settings(&server.yaml());
    for _ in 0..3 {
        let round_began = Instant::now();
        let looks = (0..8).map(|number| {
            let (ssh, settings) = (world.clients.ssh.clone(), settings.clone());
            async move {
                let session = ssh.session(&settings, round_began, LONG).await;
                let session = session.unwrap_or_else(|failure| panic!("{}", words(&failure)));
                assert_eq!(printed(&session, "echo well").await, "well\n", "{number}");
            }
        });
        futures_util::future::join_all(looks).await;
    }
    assert_eq!(
        (server.connections(), server.logins()),
        (1, 1),
        "{}",
        server.log()
    );
}

#[tokio::test]
async fn one_attempt_is_made_in_a_round_however_many_ask() {
    let server = Builder::default()
        .option("AllowUsers nobody-else")
        .start()
        .await;
    let world = World::new();
    let settings = settings(&server.yaml());
    let round_began = Instant::now();
    let mut told = Vec::new();
    for _ in 0..3 {
        let asked = world
            .clients
            .ssh
            .session(&settings, round_began, LONG)
            .await;
        told.push(words(&asked.err().expect("refused")));
    }
    assert_eq!(told[0], told[2]);
    assert_eq!(server.connections(), 1, "{}", server.log());
    let next_round = world
        .clients
        .ssh
        .session(&settings, Instant::now(), LONG)
        .await;
    assert!(next_round.is_err());
    assert_eq!(server.connections(), 2, "{}", server.log());
}

#[tokio::test]
async fn a_connection_that_died_between_rounds_is_rebuilt() {
    let server = Builder::default().start().await;
    let proxy = proxy::to(server.port).await;
    let world = World::new();
    let yaml = format!(
        "{}host_key: {}\n",
        through(&server.yaml(), server.port, proxy.port),
        server.fingerprint("ed25519")
    );
    drop(world.open(&yaml).await);
    proxy.cut();
    let session = world.open(&yaml).await;
    assert_eq!(printed(&session, "echo well").await, "well\n");
    assert_eq!(proxy.connections(), 2);
}

#[tokio::test]
async fn a_kept_connection_that_proves_dead_is_rebuilt_within_the_look() {
    let server = Builder::default().start().await;
    let proxy = proxy::to(server.port).await;
    let world = World::new();
    let yaml = format!(
        "{}host_key: {}\n",
        through(&server.yaml(), server.port, proxy.port),
        server.fingerprint("ed25519")
    );
    drop(world.open(&yaml).await);
    // The session of the next round begins with the kept connection, which dies under it.
    let session = world.open(&yaml).await;
    proxy.cut();
    assert_eq!(printed(&session, "echo well").await, "well\n");
    assert_eq!(proxy.connections(), 2);
    // A second time in the same round it is not: that one is a finding.
    proxy.cut();
    let failure = session
        .run("echo well", b"", &limits())
        .await
        .expect_err("lost");
    assert_says(&failure, Status::Red, &["unreachable", "was lost"]);
    assert_eq!(proxy.connections(), 2);
}

#[tokio::test]
async fn output_that_is_cut_off_is_told() {
    let server = sshd().await;
    let proxy = proxy::to(server.port).await;
    let world = World::new();
    let yaml = format!(
        "{}host_key: {}\n",
        through(&server.yaml(), server.port, proxy.port),
        server.fingerprint("ed25519")
    );
    let session = world.open(&yaml).await;
    proxy.cut_after(50_000);
    let (output, failure) = session.run_as_far("yes", b"", &limits()).await;
    let failure = failure.expect("cut off");
    assert_says(
        &failure,
        Status::Red,
        &[
            "unreachable",
            "was lost in the middle of a command's output, after",
            "bytes",
        ],
    );
    assert!(
        output.stdout.starts_with(b"y\ny\n"),
        "{}",
        output.stdout.len()
    );
}

#[tokio::test]
async fn endless_output_is_capped_and_the_session_goes_on() {
    let server = Builder::default().start().await;
    let session = World::new().open(&server.yaml()).await;
    for command in ["yes", "yes >&2"] {
        let output = session.run(command, b"", &limits()).await.expect("output");
        assert!(output.cut);
        assert_eq!(output.stdout.len() + output.stderr.len(), 1_000_000);
    }
    assert_eq!(printed(&session, "echo well").await, "well\n");
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn complaints_do_not_hide_the_answer() {
    let server = sshd().await;
    let session = World::new().open(&server.yaml()).await;
    let few = Limits {
        timeout: LONG,
        most_bytes: 10_000,
    };
    let command = "yes | head -c 40000 >&2; echo well";
    let output = session.run(command, b"", &few).await.expect("output");
    assert_eq!(
        (output.stdout.as_slice(), output.cut),
        (&b"well\n"[..], false)
    );
    assert_eq!(output.stderr.len(), 10_000);
}

#[tokio::test]
async fn a_command_that_does_not_end_is_told_and_left() {
    let server = Builder::default().start().await;
    let session = World::new().open(&server.yaml()).await;
    let short = Limits {
        timeout: Duration::from_millis(700),
        most_bytes: 1000,
    };
    let began = server.folder.join("began");
    let command = format!("echo begun; echo $$ >{}; exec sleep 1000", began.display());
    let (output, failure) = session.run_as_far(&command, b"", &short).await;
    let failure = failure.expect("too late");
    // On a slow machine not even the channel opens in that time.
    assert_says(&failure, Status::Red, &["timed_out", "700 ms"]);
    assert!(output.stdout.is_empty() || output.stdout == b"begun\n");
}

#[tokio::test]
async fn a_look_that_is_dropped_leaves_nothing_running() {
    let server = Builder::default().start().await;
    let session = World::new().open(&server.yaml()).await;
    let alive = server.folder.join("alive");
    // It ends when its output is closed.
    let command = format!("echo >{0}; cat /dev/zero; rm {0}", alive.display());
    let running = session.run(
        &command,
        b"",
        &Limits {
            timeout: LONG,
            most_bytes: usize::MAX,
        },
    );
    tokio::select! {
        _ = running => panic!("it ended"),
        () = until("the command runs", || alive.exists()) => {}
    }
    until("the command ended", || !alive.exists()).await;
    assert_eq!(printed(&session, "echo well").await, "well\n");
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_login_that_is_dropped_poisons_nothing() {
    let server = Builder::default().start().await;
    let proxy = proxy::to(server.port).await;
    let world = World::new();
    let yaml = format!(
        "{}host_key: {}\n",
        through(&server.yaml(), server.port, proxy.port),
        server.fingerprint("ed25519")
    );
    let settings = settings(&yaml);
    let round_began = Instant::now();
    proxy.mute();
    let attempt = world.clients.ssh.session(&settings, round_began, LONG);
    tokio::select! {
        _ = attempt => panic!("it ended"),
        () = until("a connection", || proxy.connections() == 1) => {}
    }
    let same_round = world
        .clients
        .ssh
        .session(&settings, round_began, LONG)
        .await;
    let failure = same_round.err().expect("no second attempt");
    assert_says(
        &failure,
        Status::Red,
        &["timed_out", "in the middle of the login"],
    );
    assert_eq!(proxy.connections(), 1);
}

#[tokio::test]
async fn a_server_that_goes_mute_is_told_and_left() {
    let server = Builder::default().start().await;
    let proxy = proxy::to(server.port).await;
    let world = World::new();
    let yaml = format!(
        "{}host_key: {}\n",
        through(&server.yaml(), server.port, proxy.port),
        server.fingerprint("ed25519")
    );
    let session = world.open(&yaml).await;
    proxy.mute();
    let short = Limits {
        timeout: Duration::from_millis(1500),
        most_bytes: 1000,
    };
    let failure = session
        .run("echo well", b"", &short)
        .await
        .expect_err("mute");
    assert_says(
        &failure,
        Status::Red,
        &["timed_out", "did not open a channel within 1500 ms"],
    );
    // The next round does not wait for it again, but makes a new connection.
    let failure = world
        .session_within(&yaml, Duration::from_millis(1500))
        .await;
    assert_says(
        &failure.err().expect("mute"),
        Status::Red,
        &["timed_out", "no SSH greeting"],
    );
    assert_eq!(proxy.connections(), 2);
}

#[tokio::test]
async fn greetings_of_a_login_shell_are_left_out() {
    let server = Builder::default()
        .option("PermitUserEnvironment yes")
        .key_options("environment=\"BASH_ENV=/dev/stdin\"")
        .option("ForceCommand echo Welcome; printf 'no line end '; eval \"$SSH_ORIGINAL_COMMAND\"")
        .start()
        .await;
    let session = World::new().open(&server.yaml()).await;
    let output = session
        .run("echo MARK; echo well", b"", &limits())
        .await
        .expect("output");
    assert!(output.stdout.starts_with(b"Welcome\n"), "{output:?}");
    assert_eq!(output.after("MARK"), Some(&b"well\n"[..]));
}

#[tokio::test]
async fn a_command_can_be_a_connection() {
    let server = sshd().await;
    let session = World::new().open(&server.yaml()).await;
    let mut stream = session.pipe("cat", LONG).await.expect("a stream");
    stream.write_all(b"there and back").await.expect("written");
    let mut bytes = [0; 14];
    stream.read_exact(&mut bytes).await.expect("read");
    assert_eq!(&bytes, b"there and back");
    stream.shutdown().await.expect("ended");
    assert_eq!(stream.read(&mut bytes).await.expect("the end"), 0);
}

#[tokio::test]
async fn sockets_of_the_server_are_reached() {
    let server = Builder::default().start().await;
    let session = World::new().open(&server.yaml()).await;
    let path = server.folder.join("a.sock");
    let listener = UnixListener::bind(&path).expect("a socket");
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        stream.write_all(b"hello").await.expect("written");
    });
    let path = path.display().to_string();
    let mut stream = session.open_socket(&path, LONG).await.expect("a stream");
    let mut text = String::new();
    stream.read_to_string(&mut text).await.expect("read");
    assert_eq!(text, "hello");

    let closed = Builder::default()
        .option("AllowStreamLocalForwarding no")
        .start()
        .await;
    let forwards_none = World::new().open(&closed.yaml()).await;
    for (session, path) in [(session, "/no/such.sock"), (forwards_none, path.as_str())] {
        let refused = session.open_socket(path, LONG).await.err();
        let Some(SocketError::Refused(failure)) = refused else {
            panic!("{refused:?}");
        };
        let words = format!("does not connect us to `{path}`");
        assert_says(
            &failure,
            Status::Unknown,
            &["denied", &words, "|", "AllowStreamLocalForwarding yes"],
        );
        assert_eq!(printed(&session, "echo well").await, "well\n");
    }
}
