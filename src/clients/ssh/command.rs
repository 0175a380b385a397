//! Commands on a server, and connections through it.

use std::sync::Arc;
use std::time::Duration;

use russh::client::Msg;
use russh::{
    Channel, ChannelMsg, ChannelOpenFailure, ChannelReadHalf, ChannelWriteHalf, Error, Sig,
};
use tokio::time::{Instant, timeout_at};

use super::connect::{Connection, NotOpened};
use super::problems::{self, Step};
use super::sessions::{Refusal, Right};
use super::wire::End;
use crate::model::{Failure, FailureKind};

/// How long the closing of a channel may take that nobody waits for.
const CLOSING: Duration = Duration::from_secs(10);
/// How long the opening of a channel is awaited when nobody wants it any more, so that it can be closed.
const LATE: Duration = Duration::from_mins(1);

/// How many times as much standard error is taken as is kept of it.
const MOST_COMPLAINTS: usize = 16;

/// How often a server is asked again that may not have closed yet what was left there, and how long between.
const MOST_REPEATS: u32 = 10;
const REPEAT_AFTER: Duration = Duration::from_millis(100);

/// How far a command may go.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How long it may take, the opening of its channel included.
    pub timeout: Duration,
    /// How much of each of its outputs is kept. More standard output ends the reading; more standard error is dropped.
    pub most_bytes: usize,
}

/// What a command gave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Output {
    /// Its standard output.
    pub stdout: Vec<u8>,
    /// Its standard error.
    pub stderr: Vec<u8>,
    /// Its exit status, unless a signal ended it.
    pub exit: Option<u32>,
    /// The signal that ended it.
    pub signal: Option<String>,
    /// Whether the reading ended before the output did, since there was too much.
    pub cut: bool,
}

impl Output {
    /// The standard output after the line that is `marker`: what came before it is a greeting of the login shell.
    /// `None` where there is no such line.
    #[must_use]
    pub fn after(&self, marker: &str) -> Option<&[u8]> {
        let mut rest = self.stdout.as_slice();
        loop {
            let end = rest.iter().position(|byte| *byte == b'\n')?;
            let (line, next) = (&rest[..end], &rest[end + 1..]);
            // A greeting without a line end stands in the marker's line.
            if line.trim_ascii_end().ends_with(marker.as_bytes()) {
                return Some(next);
            }
            rest = next;
        }
    }
}

/// How a command ended that gave no complete answer.
pub(super) enum Unfinished {
    /// The connection was gone before it could do anything: it may be tried over another.
    Gone,
    /// The server did not want to begin, since commands that were left keep their places: it may be tried over another
    /// connection.
    Refused(Failure),
    /// It is over.
    Failed(Failure),
}

/// A channel for a command, and the right to it.
pub(super) struct Allowed {
    pub(super) channel: Channel<Msg>,
    pub(super) right: Right,
}

/// A channel that is closed when it is dropped: a command that nobody reads must not run for ever.
struct Open {
    read: ChannelReadHalf,
    write: Option<ChannelWriteHalf<Msg>>,
    _right: Option<Right>,
}

impl Open {
    fn new(channel: Channel<Msg>, right: Option<Right>) -> Self {
        let (read, write) = channel.split();
        Self {
            read,
            write: Some(write),
            _right: right,
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(write) = self.write.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(async move {
                let closing = async {
                    // A command that is only left may run on, and keep its place. OpenSSH passes this on except to forced
                    // commands and for root.
                    write.signal(Sig::KILL).await.ok();
                    write.close().await.ok();
                };
                tokio::time::timeout(CLOSING, closing).await.ok();
            });
        }
    }
}

/// Opens a channel. One that is confirmed after we have given up is closed again.
pub(super) async fn open<F>(opening: F, deadline: Instant) -> Result<Channel<Msg>, NotOpened>
where
    F: Future<Output = Result<Channel<Msg>, Error>> + Send + 'static,
{
    let (give, take) = tokio::sync::oneshot::channel();
    tokio::spawn(async move {
        let Ok(opened) = tokio::time::timeout(LATE, opening).await else {
            return;
        };
        if let Err(Ok(unwanted)) = give.send(opened) {
            drop(Open::new(unwanted, None));
        }
    });
    match timeout_at(deadline, take).await {
        Ok(Ok(Ok(channel))) => Ok(channel),
        Ok(Ok(Err(Error::ChannelOpenFailure(why)))) => Err(NotOpened::Refused(why)),
        Ok(_) => Err(NotOpened::Gone),
        Err(_) => Err(NotOpened::NoAnswer),
    }
}

impl Connection {
    /// A channel for a command. Where the server takes fewer than we have open, one of ours must end first. A refusal
    /// never costs the connection: others may be on their way over it.
    pub(super) async fn open_session(
        self: &Arc<Self>,
        deadline: Instant,
        timeout: Duration,
    ) -> Result<Allowed, Unfinished> {
        let mut repeats = 0;
        loop {
            let Some(mut right) = self.sessions.right(deadline).await else {
                return Err(Unfinished::Failed(self.none_ended(timeout)));
            };
            let connection = Arc::clone(self);
            let opening = async move { connection.handle().channel_open_session().await };
            let why = match open(opening, deadline).await {
                Ok(channel) => {
                    right.opened();
                    return Ok(Allowed { channel, right });
                }
                Err(NotOpened::Gone) => return Err(Unfinished::Gone),
                Err(NotOpened::NoAnswer) => {
                    self.give_up();
                    let failure = problems::no_answer(Step::Channel, &self.place, timeout);
                    return Err(Unfinished::Failed(failure));
                }
                Err(NotOpened::Refused(why)) => why,
            };
            let failure = problems::no_session(&self.place, &why);
            if matches!(why, ChannelOpenFailure::AdministrativelyProhibited) {
                return Err(Unfinished::Failed(failure));
            }
            match right.refused() {
                Refusal::Full => {}
                Refusal::Left if repeats < MOST_REPEATS => {
                    repeats += 1;
                    if timeout_at(deadline, tokio::time::sleep(REPEAT_AFTER))
                        .await
                        .is_err()
                    {
                        return Err(Unfinished::Failed(failure));
                    }
                }
                Refusal::Left => {
                    self.sessions.use_up();
                    return Err(Unfinished::Refused(failure));
                }
                Refusal::Never => return Err(Unfinished::Failed(failure)),
            }
        }
    }

    fn none_ended(&self, timeout: Duration) -> Failure {
        let (most, place, within) = (self.sessions.most(), &self.place, timeout.as_millis());
        if !self.sessions.are_fewer() {
            let message = format!(
                "{most} commands run on `{place}` already, and none ended within {within} ms"
            );
            return Failure::ours(message).hint("those looks say how far they came");
        }
        let message = format!(
            "`{place}` runs only {most} of our commands at once, and none ended within {within} ms"
        );
        Failure::new(FailureKind::Denied, message)
            .hint("raise `MaxSessions` in its `sshd_config`: 10 is the default, and enough")
    }

    /// Runs a command and collects what it gives into `output`.
    pub(super) async fn run(
        self: &Arc<Self>,
        command: &str,
        input: &[u8],
        limits: &Limits,
        deadline: Instant,
        output: &mut Output,
    ) -> Result<(), Unfinished> {
        let allowed = self.open_session(deadline, limits.timeout).await?;
        let mut channel = Open::new(allowed.channel, Some(allowed.right));
        let collecting = collect(&mut channel, command, input, limits.most_bytes, output);
        match timeout_at(deadline, collecting).await {
            Ok(Collected::Cut) => Ok(()),
            Ok(Collected::Closed) => {
                channel.write = None;
                Ok(())
            }
            Ok(Collected::NotStarted) => Err(Unfinished::Failed(
                Failure::new(
                    FailureKind::Denied,
                    format!("`{}` does not run commands for us", self.place),
                )
                .hint("the user needs a login shell there (`getent passwd`), and no `ForceCommand internal-sftp`"),
            )),
            Ok(Collected::Lost) if output.stdout.is_empty() && output.stderr.is_empty() => {
                Err(Unfinished::Gone)
            }
            Ok(Collected::Lost) => Err(Unfinished::Failed(self.cut_off(output))),
            Err(_) => {
                let mut failure = problems::no_answer(Step::Command, &self.place, limits.timeout);
                let came = output.stdout.len() + output.stderr.len();
                failure.message.push_str(&format!("; {came} bytes of output had come"));
                if came == 0 {
                    failure.hint = Some(
                        "the login shell's own files may wait there before the command begins (`.bashrc`, `.profile`), \
                         or the machine is overloaded: try `ssh` with `true` as the command"
                            .to_owned(),
                    );
                }
                Err(Unfinished::Failed(failure))
            }
        }
    }

    /// Starts a command that is a connection.
    pub(super) async fn pipe(
        self: &Arc<Self>,
        command: &str,
        deadline: Instant,
        timeout: Duration,
    ) -> Result<Allowed, Unfinished> {
        let allowed = self.open_session(deadline, timeout).await?;
        match allowed.channel.exec(false, command).await {
            Ok(()) => Ok(allowed),
            Err(_) => Err(Unfinished::Gone),
        }
    }

    /// The connection is gone.
    pub(super) fn lost(&self) -> Failure {
        let what = format!("the connection to `{}` was lost", self.place);
        problems::lost(&self.record.seen().end.unwrap_or(End::Closed), &what)
    }

    fn cut_off(&self, output: &Output) -> Failure {
        let what = format!(
            "the connection to `{}` was lost in the middle of a command's output, after {} bytes",
            self.place,
            output.stdout.len() + output.stderr.len()
        );
        problems::lost(&self.record.seen().end.unwrap_or(End::Closed), &what)
    }
}

/// How far collecting came.
enum Collected {
    /// The command has ended, and the channel is closed by both sides.
    Closed,
    /// It gave more than was to be read.
    Cut,
    /// The server did not start it.
    NotStarted,
    /// The connection ended before the command did.
    Lost,
}

async fn collect(
    channel: &mut Open,
    command: &str,
    input: &[u8],
    most_bytes: usize,
    output: &mut Output,
) -> Collected {
    let Some(write) = &channel.write else {
        return Collected::Lost;
    };
    let feeding = async {
        // What fails here shows in what is read.
        if write.exec(true, command).await.is_ok()
            && (input.is_empty() || write.data(input).await.is_ok())
        {
            write.eof().await.ok();
        }
    };
    tokio::pin!(feeding);
    let mut is_fed = false;
    let mut complained = 0_usize;
    loop {
        let message = tokio::select! {
            biased;
            message = channel.read.wait() => message,
            () = &mut feeding, if !is_fed => {
                is_fed = true;
                continue;
            }
        };
        match message {
            Some(ChannelMsg::Data { data }) => {
                if !take(&mut output.stdout, &data, most_bytes) {
                    output.cut = true;
                    return Collected::Cut;
                }
            }
            // 1 is standard error, and nothing else is known (RFC 4254 §5.2).
            Some(ChannelMsg::ExtendedData { data, ext: 1 }) => {
                // What complains much may still answer.
                complained = complained.saturating_add(data.len());
                if !take(&mut output.stderr, &data, most_bytes)
                    && complained / MOST_COMPLAINTS >= most_bytes
                {
                    output.cut = true;
                    return Collected::Cut;
                }
            }
            Some(ChannelMsg::ExitStatus { exit_status }) => output.exit = Some(exit_status),
            Some(ChannelMsg::ExitSignal { signal_name, .. }) => {
                output.signal = Some(problems::shown(&format!("{signal_name:?}")));
            }
            Some(ChannelMsg::Failure) => return Collected::NotStarted,
            Some(ChannelMsg::Close) => return Collected::Closed,
            // The status may come after the end of the output.
            Some(_) => {}
            None => return Collected::Lost,
        }
    }
}

/// Whether all of it found room.
fn take(into: &mut Vec<u8>, data: &[u8], most_bytes: usize) -> bool {
    let room = most_bytes - into.len();
    into.extend_from_slice(&data[..data.len().min(room)]);
    data.len() <= room
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_login_shell_says_first_is_left_out() {
        for (stdout, expected) in [
            ("MARK\nrest\n", Some("rest\n")),
            ("Welcome!\r\nMARK\r\nrest", Some("rest")),
            ("Last login: never MARK\nrest", Some("rest")),
            ("Welcome!\nMARK", None),
            ("", None),
            ("a MARK b\n", None),
        ] {
            let output = Output {
                stdout: stdout.as_bytes().to_vec(),
                ..Output::default()
            };
            assert_eq!(
                output.after("MARK"),
                expected.map(str::as_bytes),
                "{stdout:?}"
            );
        }
    }

    #[test]
    fn output_is_capped() {
        let mut into = Vec::new();
        assert!(take(&mut into, b"abc", 3));
        assert!(!take(&mut into, b"d", 3));
        assert_eq!(into, b"abc");
    }
}
