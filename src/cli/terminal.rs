//! Where the output goes, and how it may look there.

use std::io::{ErrorKind, IsTerminal, Write};

use anstyle::{AnsiColor, Style};
use rustix::termios::{Winsize, tcgetwinsize};

use super::exit::Exit;
use crate::config::Environment;
use crate::problem::{Problem, Severity};

/// What stdout and stderr can do.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terminal {
    /// Whether stdout is a terminal.
    pub stdout: bool,
    /// Whether stderr is a terminal.
    pub stderr: bool,
    /// Whether colours are welcome (<https://no-color.org>).
    pub colors: bool,
    /// The width of stdout, if it is a terminal that has one.
    pub width: Option<usize>,
    /// The width of stderr, likewise.
    pub stderr_width: Option<usize>,
}

impl Terminal {
    /// Asks the terminal and the variables `NO_COLOR`, `TERM` and `COLUMNS`.
    pub(super) fn detect(environment: &Environment) -> Self {
        let stdout = std::io::stdout().is_terminal();
        let refused = environment
            .get("NO_COLOR")
            .is_some_and(|value| !value.is_empty());
        let dumb = environment.get("TERM") == Some("dumb");
        let by_variable = || {
            environment
                .get("COLUMNS")
                .and_then(|columns| columns.parse().ok())
        };
        let width = |size: rustix::io::Result<Winsize>| match size {
            Ok(size) if size.ws_col > 0 => Some(usize::from(size.ws_col)),
            _ => by_variable(),
        };
        let stderr = std::io::stderr().is_terminal();
        Self {
            stdout,
            stderr,
            colors: !refused && !dumb,
            width: (stdout.then(|| width(tcgetwinsize(std::io::stdout())))).flatten(),
            stderr_width: (stderr.then(|| width(tcgetwinsize(std::io::stderr())))).flatten(),
        }
    }

    /// Prints an answer on stdout.
    #[expect(
        clippy::unused_self,
        reason = "whoever prints has asked what the terminal can do"
    )]
    pub(super) fn print(&self, text: &str, well: Exit) -> Exit {
        let mut out = std::io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Ok(()) => well,
            Err(error) => not_printed(&error, well),
        }
    }

    /// Says on stderr what is wrong.
    #[expect(clippy::unused_self, reason = "as above")]
    pub(super) fn complain(&self, text: &str) {
        let mut out = std::io::stderr().lock();
        if let Err(error) = writeln!(out, "{text}") {
            // Nobody reads stderr: there is no better place to say so.
            tracing::debug!(%error, "stderr cannot be written");
        }
    }

    /// A problem with its severity in front, in colour where it goes to a terminal.
    pub(super) fn problem(self, problem: &Problem, on_terminal: bool) -> String {
        let (word, color) = match problem.severity {
            Severity::Error => ("error", AnsiColor::Red),
            Severity::Warning => ("warning", AnsiColor::Yellow),
        };
        let style = Style::new().fg_color(Some(color.into())).bold();
        if on_terminal && self.colors {
            format!("{style}{word}{style:#}: {problem}")
        } else {
            format!("{word}: {problem}")
        }
    }
}

/// How to end when stdout did not take the answer. A reader that goes away early, such as `head`, is no failure.
pub(super) fn not_printed(error: &std::io::Error, well: Exit) -> Exit {
    if error.kind() == ErrorKind::BrokenPipe {
        return well;
    }
    let mut out = std::io::stderr().lock();
    // Nobody reads stderr either: the exit code is left to tell.
    writeln!(out, "the output cannot be written: {error}").ok();
    Exit::Software
}
