//! Answers that are none, and who is to blame for them.

use super::units::cut;
use crate::clients::ssh::Output;
use crate::clients::words::shortened_to;
use crate::collectors::host::{one_line, size};
use crate::model::{Failure, FailureKind};

/// How much of a strange answer is shown.
const MOST_SHOWN_CHARACTERS: usize = 200;
/// Further lines are not read: an answer without end has millions.
const MOST_LINES: usize = 100;
/// Where to read how a key is tied to the look.
const PAGE: &str = "docs/ssh-monitor.md";

/// What a login shell runs before what it was asked to.
const START_UP_FILES: &str = "`.bashrc`, `.zshenv`, `.cshrc`";

/// There is nothing of the script in the output.
pub(super) fn not_the_script(place: &str, username: &str, output: &Output) -> Failure {
    let no_shell = lines(output).find(|line| {
        line.contains("account is currently not available") || line.contains("nologin")
    });
    let said = lines(output).next();
    let has_no_shell = no_shell.is_some() || (said.is_none() && output.exit == Some(1));
    let said = no_shell.or(said);
    let is_silent = said.is_none();
    let is_sftp = said.as_deref().is_some_and(|said| said.contains("sftp"));
    let shown = said.map_or_else(|| "nothing".to_owned(), |line| quoted(&line));
    let other_command = || {
        format!(
            "the key may be tied to another command in `authorized_keys` or `sshd_config`: tie it to \
             `deployment/ssh-monitor`, as {PAGE} shows"
        )
    };
    if output.cut {
        return Failure::new(
            FailureKind::Unexpected,
            format!(
                "`{place}` prints without end and without a line of ours: it began with {shown}"
            ),
        )
        .hint(other_command());
    }
    match output.exit {
        Some(_) if has_no_shell => Failure::new(
            FailureKind::Denied,
            format!("`{username}` may log in to `{place}`, but may run nothing there: it said {shown}"),
        )
        .hint(format!(
            "give it a login shell, which a forced command needs as well: `usermod --shell /bin/sh {username}`; if it \
             has one, see whether its start-up files ({START_UP_FILES}) end it"
        )),
        Some(0) if is_silent => Failure::new(
            FailureKind::Denied,
            format!("`{place}` did not run our look: it ended at once and printed nothing"),
        )
        .hint(format!(
            "see whether the start-up files of the login shell of `{username}` ({START_UP_FILES}) end it, and whether \
             the key is tied to another command in `authorized_keys` or `sshd_config` ({PAGE})"
        )),
        Some(0) => Failure::new(
            FailureKind::Denied,
            format!("`{place}` ran something else than our look: it printed {shown}"),
        )
        .hint(other_command()),
        Some(_) if is_sftp => Failure::new(
            FailureKind::Denied,
            format!("`{place}` refused to run our look: it said {shown}"),
        )
        .hint(other_command()),
        Some(code) => Failure::new(
            FailureKind::Unexpected,
            format!("`{place}` could not run our look (exit status {code}): it said {shown}"),
        )
        .hint(format!(
            "log in as `{username}` and see whether its start-up files ({START_UP_FILES}) end it and whether `/bin/sh` \
             starts; if the key is tied to a command, that command must be `deployment/ssh-monitor` ({PAGE})"
        )),
        None => Failure::new(
            FailureKind::Unexpected,
            format!("our look on `{place}` {} before it printed anything", ended_by(output)),
        )
        .hint("see what ends processes there: `dmesg | tail`, `journalctl -e`"),
    }
}

/// The script on the server is of another version than ours.
pub(super) fn other_version(place: &str, version: &str) -> Failure {
    Failure::ours(format!(
        "`{place}` answers with version {version} of `ssh-monitor`, and this build reads version 1"
    ))
    .hint(format!(
        "install the `deployment/ssh-monitor` of this build there, as {PAGE} shows"
    ))
}

/// The server is no Linux.
pub(super) fn other_system(place: &str, system: &str) -> Failure {
    let runs = match system {
        "" => "does not say which system it runs".to_owned(),
        system => format!("runs `{}`", cut(system, MOST_SHOWN_CHARACTERS)),
    };
    Failure::ours(format!("`{place}` {runs}, and only Linux is understood")).hint(
        "without `/proc` of Linux nothing can be measured; what the server offers can be watched by other kinds",
    )
}

/// The answer is not complete.
pub(super) fn ended_early(place: &str, output: &Output, most_bytes: usize) -> Failure {
    let (why, hint) = if output.cut {
        (
            format!(
                "the answer of `{place}` is longer than {}",
                size(most_bytes as u64)
            ),
            "see what is so much there: `ls /proc | wc -l`, `wc /proc/self/mountinfo`".to_owned(),
        )
    } else {
        let complaint = lines_of(&output.stderr).next();
        let complaint =
            complaint.map_or_else(String::new, |line| format!(", it said {}", quoted(&line)));
        (
            format!("the answer of `{place}` ended too early: our look {}{complaint}", ended_by(output)),
            "too little memory and limits on processes do that: see `dmesg | tail` and `ulimit -a` there".to_owned(),
        )
    };
    Failure::new(FailureKind::Unexpected, why).hint(hint)
}

/// How a command ended.
fn ended_by(output: &Output) -> String {
    match (&output.signal, output.exit) {
        (Some(signal), _) => format!("was ended by signal {}", cut(&one_line(signal), 20)),
        (None, Some(code)) => format!("ended with exit status {code}"),
        (None, None) => "was cut off".to_owned(),
    }
}

/// The lines that say something. A command that failed says it in its errors, one that did not in its output.
fn lines(output: &Output) -> impl Iterator<Item = String> {
    let (first, second) = match output.exit {
        Some(0) => (&output.stdout, &output.stderr),
        _ => (&output.stderr, &output.stdout),
    };
    lines_of(first).chain(lines_of(second))
}

fn lines_of(bytes: &[u8]) -> impl Iterator<Item = String> {
    let lines = bytes.split(|byte| *byte == b'\n').take(MOST_LINES);
    let lines = lines.map(|line| one_line(&String::from_utf8_lossy(line)));
    // sshd says so of users without a home, and goes on.
    lines.filter(|line| !line.is_empty() && !line.starts_with("Could not chdir to home"))
}

fn quoted(line: &str) -> String {
    format!("`{}`", shortened_to(line, MOST_SHOWN_CHARACTERS))
}
