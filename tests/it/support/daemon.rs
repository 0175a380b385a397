//! The real program as a daemon: its log is read line by line, and it is killed with the test.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::sync::mpsc;

use super::program::{Ended, Workplace};

/// No event is waited for longer.
const PATIENCE: Duration = Duration::from_mins(1);

/// A daemon that is running.
pub(crate) struct Daemon {
    child: Child,
    lines: mpsc::UnboundedReceiver<String>,
    text: String,
    stderr: Option<std::thread::JoinHandle<String>>,
    began: Instant,
}

impl Daemon {
    /// Starts the daemon of this place.
    pub(crate) fn start(place: &Workplace) -> Self {
        Self::from(place.command(&[]))
    }

    /// Starts a command that becomes the daemon.
    pub(crate) fn from(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the daemon starts");
        let stdout = child.stdout.take().expect("its stdout");
        let mut stderr = child.stderr.take().expect("its stderr");
        #[expect(
            clippy::disallowed_methods,
            reason = "a daemon under test must never wait for whoever reads its log"
        )]
        let (sender, lines) = mpsc::unbounded_channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let stderr = std::thread::spawn(move || {
            let mut text = String::new();
            stderr.read_to_string(&mut text).expect("UTF-8 on stderr");
            text
        });
        Self {
            child,
            lines,
            text: String::new(),
            stderr: Some(stderr),
            began: Instant::now(),
        }
    }

    /// Its process number.
    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// The next event of that name.
    #[track_caller]
    pub(crate) fn event(&mut self, name: &str) -> impl Future<Output = Value> {
        self.event_that(name, |_| true)
    }

    /// The next event of that name that is as wanted.
    #[track_caller]
    pub(crate) fn event_that(
        &mut self,
        name: &str,
        wanted: impl Fn(&Value) -> bool,
    ) -> impl Future<Output = Value> {
        let place = std::panic::Location::caller();
        async move {
            let found = tokio::time::timeout(PATIENCE, async {
                loop {
                    let line = self.next_line().await?;
                    if line["event"] == name && wanted(&line) {
                        return Some(line);
                    }
                }
            });
            match found.await.ok().flatten() {
                Some(line) => line,
                None => panic!(
                    "{place}: it ended, or {PATIENCE:?} passed, without `{name}`:\n{}",
                    self.text
                ),
            }
        }
    }

    /// The next round report that a channel took.
    #[track_caller]
    pub(crate) fn reported(&mut self) -> impl Future<Output = Value> {
        self.event_that("message.sent", |line| {
            line["message.id"]
                .as_str()
                .is_some_and(|id| id.starts_with('r'))
        })
    }

    async fn next_line(&mut self) -> Option<Value> {
        let line = self.lines.recv().await?;
        self.text.push_str(&line);
        self.text.push('\n');
        let value: Value = serde_json::from_str(&line)
            .unwrap_or_else(|error| panic!("a line of the log is no JSON: {error}: {line}"));
        Some(value)
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("it is running");
    }

    /// Asks it to end, and waits for that.
    pub(crate) async fn stop(self) -> Ended {
        self.signal(Signal::TERM);
        self.ended().await
    }

    /// Kills it, so that it can clean up nothing.
    pub(crate) async fn kill(self) -> Ended {
        self.signal(Signal::KILL);
        self.ended().await
    }

    /// Waits until it has ended.
    pub(crate) async fn ended(mut self) -> Ended {
        let rest = tokio::time::timeout(PATIENCE, async {
            while self.next_line().await.is_some() {}
        });
        assert!(rest.await.is_ok(), "it did not end:\n{}", self.text);
        let status = self.child.wait().expect("its end");
        let stderr = self.stderr.take().expect("once").join().expect("a thread");
        Ended {
            code: status.code(),
            stdout: std::mem::take(&mut self.text),
            stderr,
            took: self.began.elapsed(),
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // A test that failed leaves it running; one that ended is no longer there.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
