//! Engines of machines that are reached over SSH: through the session that all who look at that machine share.

use std::path::Path;
use std::time::Instant;

use super::Deadline;
use super::exchange::Stream;
use crate::clients::ssh::{Limits, Session, SocketError, SshClients, SshSettings};
use crate::clients::words::shortened;
use crate::model::{Failure, FailureKind};

/// How much of what the command complains about is read.
const MOST_COMPLAINT_BYTES: usize = 4096;
/// What a shell says when there is no such command (POSIX, Shell Command Language 2.8.2).
const NO_SUCH_COMMAND: u32 = 127;

/// The `docker` command at the other end of a connection: it passes on what we say to its engine.
pub(super) struct Pipe {
    session: Session,
    command: String,
    /// Why the socket itself could not be opened.
    refused: Failure,
    /// Who we are there, and where that is.
    login: String,
}

/// To the socket, or where that is refused, through the `docker` command there: a server may forward no sockets, and
/// says the same when there is none.
pub(super) async fn open(
    clients: &SshClients,
    settings: &SshSettings,
    socket: &Path,
    round_began: Instant,
    deadline: Deadline,
) -> Result<(Box<dyn Stream>, Option<Pipe>), Failure> {
    let session = clients
        .session(settings, round_began, deadline.left())
        .await?;
    let socket = socket.display().to_string();
    let refused = match session.open_socket(&socket, deadline.left()).await {
        Ok(stream) => return Ok((Box::new(stream), None)),
        Err(SocketError::Failed(failure)) => return Err(failure),
        Err(SocketError::Refused(failure)) => failure,
    };
    let Some(command) = command(&socket) else {
        return Err(refused);
    };
    let stream = session.pipe(&command, deadline.left()).await?;
    let username = settings.username.as_deref().unwrap_or("root");
    let pipe = Pipe {
        session,
        command,
        refused,
        login: format!("{username}@{}", settings.default_name()),
    };
    Ok((Box::new(stream), Some(pipe)))
}

/// The command that connects its standard input and output to the engine. Nobody quotes: a path with anything but the
/// plainest characters is not passed on.
fn command(socket: &str) -> Option<String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
    let plain = socket.starts_with('/') && socket.bytes().all(is_plain);
    plain.then(|| format!("docker -H unix://{socket} system dial-stdio"))
}

impl Pipe {
    /// Why the command gave no answer: it is asked again, now with an ear for its complaints. `failure`: what it looks
    /// like from here.
    pub(super) async fn explain(self, failure: Failure, deadline: Deadline) -> Failure {
        let limits = Limits {
            timeout: deadline.left(),
            most_bytes: MOST_COMPLAINT_BYTES,
        };
        let output = match self.session.run(&self.command, b"", &limits).await {
            Ok(output) => output,
            Err(failure) => return failure,
        };
        let complaint = shortened(&String::from_utf8_lossy(&output.stderr));
        if output.exit == Some(0) && !output.stdout.is_empty() {
            let said = shortened(&String::from_utf8_lossy(&output.stdout));
            let message = format!(
                "`{}` says `{said}` before its engine can answer",
                self.login
            );
            return Failure::new(failure.kind, message).hint(
                "let the shell there print nothing when nobody is at a terminal (`.bashrc`, `.profile`), or allow \
                 `AllowStreamLocalForwarding` in its `sshd_config`",
            );
        }
        self.in_words(output.exit, &complaint)
    }

    fn in_words(&self, exit: Option<u32>, complaint: &str) -> Failure {
        let Self {
            refused,
            login,
            command,
            ..
        } = self;
        let lower = complaint.to_lowercase();
        let hint = refused.hint.clone().unwrap_or_default();
        if exit == Some(NO_SUCH_COMMAND) {
            return Failure::new(
                FailureKind::Denied,
                format!(
                    "{}; and there is no `docker` command there to go through instead",
                    refused.message
                ),
            )
            .hint(format!("{hint}; or install Docker's command line there"));
        }
        if lower.contains("permission denied") {
            return Failure::new(
                FailureKind::Denied,
                format!("`{login}` may not use Docker there: {complaint}"),
            )
            .hint(format!(
                "let it: `usermod -aG docker USER`, then log in anew; that is as much as root. {hint}"
            ));
        }
        if lower.contains("is the docker daemon running") || lower.contains("no such file") {
            return Failure::new(
                FailureKind::Unreachable,
                format!("Docker does not answer on `{login}`: {complaint}"),
            )
            .hint("is it running there? `systemctl status docker`, `journalctl -u docker`");
        }
        let why = if complaint.is_empty() {
            "it said nothing".to_owned()
        } else {
            complaint.to_owned()
        };
        Failure::new(
            FailureKind::Denied,
            format!(
                "{}; and `{command}` there did not help: {why}",
                refused.message
            ),
        )
        .hint(hint)
    }
}
