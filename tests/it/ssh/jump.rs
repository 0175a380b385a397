//! Hosts in between.

use std::time::Instant;

use roundsman::model::Status;

use super::{LONG, World, assert_says, limits, printed, settings, words};
use crate::support::children::free_port;
use crate::support::sshd::{Builder, Sshd, public};

/// The settings of a server behind others, whose host keys are all known.
fn behind(server: &Sshd, hops: &[&Sshd], world: &World) -> String {
    let mut known = String::new();
    for one in [server].iter().chain(hops) {
        known.push_str(&std::fs::read_to_string(&one.known_hosts).expect("known hosts"));
    }
    let file = world.file("known", &known);
    let jump: Vec<String> = (hops.iter())
        .map(|one| format!("{}@127.0.0.1:{}", one.username, one.port))
        .collect();
    let own = format!("known_hosts: {}\n", server.known_hosts.display());
    format!(
        "{}known_hosts: {}\njump: \"{}\"\n",
        server.yaml().replace(&own, ""),
        file.display(),
        jump.join(",")
    )
}

#[tokio::test]
async fn a_server_is_reached_through_others() {
    let server = Builder::default().start().await;
    let key = public(&server.key);
    let near = Builder::default().authorize(&key).start().await;
    let far = Builder::default().authorize(&key).start().await;
    let world = World::new();
    let yaml = behind(&server, &[&near, &far], &world);
    let session = world.open(&yaml).await;
    assert_eq!(printed(&session, "echo well").await, "well\n");
    world.open(&yaml).await;
    assert_eq!((near.logins(), far.logins(), server.logins()), (1, 1, 1));
    // The way there is shared with others who go it.
    let second = Builder::default().authorize(&key).start().await;
    let other = behind(&second, &[&near, &far], &world).replace(
        &second.key.display().to_string(),
        &server.key.display().to_string(),
    );
    world.file(
        "known",
        &[&server, &near, &far, &second]
            .map(|one| std::fs::read_to_string(&one.known_hosts).expect("known hosts"))
            .concat(),
    );
    world.open(&other).await;
    assert_eq!((near.logins(), far.logins(), second.logins()), (1, 1, 1));
}

#[tokio::test]
async fn a_host_in_between_that_runs_no_commands_leads_on() {
    let server = Builder::default().start().await;
    let bastion = Builder::default()
        .authorize(public(&server.key))
        .option("MaxSessions 0")
        .start()
        .await;
    let world = World::new();
    let behind = behind(&server, &[&bastion], &world);
    // The host in between is a target as well: it shares its connection with those behind it.
    let own = behind.replace(
        &format!("port: {}\n", server.port),
        &format!("port: {}\n", bastion.port),
    );
    let own = own.lines().filter(|line| !line.starts_with("jump"));
    let own = settings(&own.collect::<Vec<_>>().join("\n"));
    let (inner, round_began) = (settings(&behind), Instant::now());
    for _ in 0..2 {
        let session = world.clients.ssh.session(&own, round_began, LONG).await;
        let session = session.unwrap_or_else(|failure| panic!("{}", words(&failure)));
        let failure = session.run("echo well", b"", &limits()).await;
        let failure = failure.expect_err("it runs none");
        assert_says(&failure, Status::Unknown, &["denied", "|", "MaxSessions"]);
        let session = world.clients.ssh.session(&inner, round_began, LONG).await;
        let session = session.unwrap_or_else(|failure| panic!("{}", words(&failure)));
        assert_eq!(printed(&session, "echo well").await, "well\n");
    }
    assert_eq!((bastion.connections(), server.connections()), (1, 1));
}

#[tokio::test]
async fn a_failure_names_the_host_that_failed() {
    let server = Builder::default().start().await;
    let key = public(&server.key);
    let world = World::new();
    let place = format!("127.0.0.1:{}", server.port);

    let closed = Builder::default()
        .authorize(&key)
        .option("AllowTcpForwarding no")
        .start()
        .await;
    let failure = world.refused(&behind(&server, &[&closed], &world)).await;
    let words = format!(
        "`127.0.0.1:{}` does not let us go on to `{place}`",
        closed.port
    );
    assert_says(
        &failure,
        Status::Unknown,
        &["denied", &words, "|", "AllowTcpForwarding yes"],
    );

    let strange = Builder::default().start().await;
    let failure = world.refused(&behind(&server, &[&strange], &world)).await;
    let words = format!(
        "on the way to `{place}`: `127.0.0.1:{}` refused the login",
        strange.port
    );
    assert_says(&failure, Status::Unknown, &["denied", &words]);

    let good = Builder::default().authorize(&key).start().await;
    let nobody = free_port();
    let yaml = behind(&server, &[&good], &world).replace(
        &format!("port: {}\n", server.port),
        &format!("port: {nobody}\n"),
    );
    let failure = world.refused(&yaml).await;
    let words = format!(
        "`127.0.0.1:{}` cannot connect to `127.0.0.1:{nobody}`",
        good.port
    );
    assert_says(&failure, Status::Red, &["unreachable", &words]);

    // The key of the host in between is checked as any other.
    let unknown = World::new();
    let own = unknown.file(
        "own",
        &std::fs::read_to_string(&server.known_hosts).expect("known hosts"),
    );
    let yaml = behind(&server, &[&good], &world).replace(
        &world.folder.path().join("known").display().to_string(),
        &own.display().to_string(),
    );
    let failure = unknown.refused(&yaml).await;
    let words = format!(
        "on the way to `{place}`: the host key of `127.0.0.1:{}` was never confirmed",
        good.port
    );
    assert_says(&failure, Status::Unknown, &["ours", &words]);
    assert_eq!(
        failure.hint,
        Some(format!("roundsman trust 127.0.0.1:{}", good.port))
    );
}
