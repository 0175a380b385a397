//! Sessions: shared, kept, rebuilt, and what runs over them.

use std::time::{Duration, Instant};

use roundsman::clients::Clients;
use roundsman::clients::ssh::{Limits, SshSettings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{LONG, limits, settings};
use crate::support::sshd::sshd;

#[tokio::test]
async fn commands_run_and_give_what_they_print() {
    let server = sshd().await;
    let clients = Clients::new();
    let session = (clients.ssh)
        .session(&settings(&server.yaml()), Instant::now(), LONG)
        .await
        .expect("a session");
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
}
