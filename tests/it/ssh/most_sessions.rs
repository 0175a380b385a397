//! As many commands at once as a server takes, and no more.

use std::time::Duration;

use roundsman::clients::ssh::Limits;
use roundsman::model::Status;

use super::{LONG, World, assert_says, limits, printed, until};
use crate::support::sshd::Builder;

#[tokio::test]
async fn more_commands_than_a_server_takes_wait_for_their_turn() {
    let server = Builder::default().start().await;
    let session = World::new().open(&server.yaml()).await;
    // As many as sshd takes by default, and more.
    let all = (0..30).map(|_| printed(&session, "sleep 0.1; echo well"));
    for one in futures_util::future::join_all(all).await {
        assert_eq!(one, "well\n");
    }
    let mut held = Vec::new();
    for _ in 0..8 {
        held.push(session.pipe("cat", LONG).await.expect("a stream"));
    }
    let short = Limits {
        timeout: Duration::from_millis(100),
        most_bytes: 1000,
    };
    let failure = session.run("echo well", b"", &short).await;
    let failure = failure.expect_err("none is free");
    assert_says(&failure, Status::Unknown, &["ours 8 commands run on"]);
    held.pop();
    assert_eq!(printed(&session, "echo well").await, "well\n");
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_server_that_takes_fewer_commands_is_asked_for_one_after_the_other() {
    let server = Builder::default().option("MaxSessions 1").start().await;
    let world = World::new();
    let session = world.open(&server.yaml()).await;
    let all = (0..12).map(|_| printed(&session, "echo well"));
    for one in futures_util::future::join_all(all).await {
        assert_eq!(one, "well\n");
    }
    let held = session.pipe("cat", LONG).await.expect("a stream");
    let short = Limits {
        timeout: Duration::from_secs(3),
        most_bytes: 1000,
    };
    let failure = session.run("echo well", b"", &short).await;
    let failure = failure.expect_err("none is free");
    let words = "runs only 1 of our commands at once, and none ended within 3000 ms";
    assert_says(
        &failure,
        Status::Unknown,
        &["denied", words, "|", "`MaxSessions`"],
    );
    let next = printed(&session, "echo well");
    let ((), printed) = tokio::join!(async { drop(held) }, next);
    assert_eq!(printed, "well\n");
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn commands_that_hang_do_not_use_up_the_server() {
    // To forced commands sshd sends no signals.
    let server = Builder::default()
        .option("MaxSessions 1")
        .option("ForceCommand eval \"$SSH_ORIGINAL_COMMAND\"")
        .start()
        .await;
    let world = World::new();
    let hang = server.folder.join("hang");
    std::fs::write(&hang, "").expect("a file");
    let session = world.open(&server.yaml()).await;
    // It goes on although nobody listens any more, and ends with the server's folder.
    let command = format!(
        "trap '' HUP PIPE; echo >{0}.begun; while [ -e {0} ]; do sleep 0.1; done",
        hang.display()
    );
    let limits = limits();
    let running = session.run(&command, b"", &limits);
    let begun = hang.with_extension("begun");
    tokio::select! {
        _ = running => panic!("it ended"),
        () = until("it hangs", || begun.exists()) => {}
    }
    let failure = session.run("echo well", b"", &limits).await;
    let failure = failure.expect_err("its place is taken");
    assert_says(&failure, Status::Unknown, &["denied", "|", "MaxSessions"]);
    // The next round has a connection of its own for it.
    let session = world.open(&server.yaml()).await;
    assert_eq!(printed(&session, "echo well").await, "well\n");
    assert_eq!(server.connections(), 2);
    std::fs::remove_file(hang).expect("the end");
}
