use std::process::ExitCode;

use crate::model::Status;

/// How the program ends. `--run-once` ends by the worst status, where RED is worse than YELLOW and YELLOW worse than
/// UNKNOWN; the rest follows `sysexits.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    /// All is GREEN, or what was asked is done.
    Well,
    /// The worst status.
    Worst(Status),
    /// What was asked for was not done, and it was said why.
    Refused,
    /// Wrong usage.
    Usage,
    /// Something of ours failed.
    Software,
    /// Somebody else has what we need.
    Unavailable,
    /// A signal ended us at once.
    Signal(i32),
    /// Wrong configuration.
    Configuration,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Well | Exit::Worst(Status::Green) => 0,
            Exit::Worst(Status::Yellow) | Exit::Refused => 1,
            Exit::Worst(Status::Red) => 2,
            Exit::Worst(Status::Unknown) => 3,
            Exit::Usage => 64,
            Exit::Software => 70,
            Exit::Unavailable => 69,
            Exit::Signal(signal) => u8::try_from(128 + signal).unwrap_or(u8::MAX),
            Exit::Configuration => 78,
        })
    }
}
