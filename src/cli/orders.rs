//! What the commands about incidents, silences and messages have in common: the store that a daemon keeps, and orders to
//! that daemon.

use std::path::Path;
use std::time::Duration;

use super::exit::Exit;
use super::{Session, backup};
use crate::clock::{Clock, SystemClock};
use crate::config::{self, Found, Plan};
use crate::desk::{self, Order, Outcome};
use crate::model::Timestamp;
use crate::render::blocks::{Block, Span};
use crate::render::escape::plain;
use crate::store::{self, Kept, Trouble, TroubleKind};

/// How long the daemon has to say what came of an order.
const PATIENCE: Duration = Duration::from_secs(10);

/// Who has an account on this machine.
const USERS: &str = "/etc/passwd";

/// Where a daemon keeps what it knows.
pub(super) struct Place {
    pub plan: Plan,
    /// Nobody has written a configuration, at least none that was found.
    is_built_in: bool,
}

impl Place {
    /// As the configuration has it.
    pub(super) fn find(session: &Session) -> Result<Self, Exit> {
        let (loaded, is_built_in) = match session.load() {
            Found::File(loaded) => (*loaded, false),
            Found::Nothing => (config::built_in(&session.environment), true),
        };
        Ok(Self {
            plan: session.accept(loaded)?,
            is_built_in,
        })
    }

    pub(super) fn folder(&self) -> &Path {
        &self.plan.store.folder
    }

    /// What is kept of incidents and messages; `None`: there is no store yet.
    pub(super) fn kept(&self, now: Timestamp) -> Result<Option<Kept>, Trouble> {
        none_where_gone(store::kept(self.folder(), now))
    }

    /// That nothing is kept yet, and why that may be.
    pub(super) fn nothing_kept(&self) -> String {
        self.nothing_kept_but(
            "the daemon makes it when it runs for the first time; `store.path` says where",
        )
    }

    /// The same, with what to do where there is a configuration.
    pub(super) fn nothing_kept_but(&self, hint: &str) -> String {
        let file = self.folder().join(store::DATABASE);
        let hint = if self.is_built_in {
            "no configuration file was found, and this is where the store lies without one: name yours by `--config`"
        } else {
            hint
        };
        format!(
            "there is no store at `{}` yet\n  hint: {hint}",
            file.display()
        )
    }

    /// Says that there is no store, where nothing can be done without one.
    pub(super) fn not_without_store(&self, session: &Session) -> Exit {
        session.terminal.complain(&self.nothing_kept());
        Exit::Refused
    }

    /// Takes secrets out of what is said.
    pub(super) fn redacted(&self, mut text: String) -> String {
        self.plan.secrets.redact(&mut text);
        text
    }
}

/// `None`: there is no store yet.
pub(super) fn none_where_gone<T>(found: Result<T, Trouble>) -> Result<Option<T>, Trouble> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(trouble) if trouble.kind == TroubleKind::Gone => Ok(None),
        Err(trouble) => Err(trouble),
    }
}

/// Who sits at the prompt.
pub(super) fn who(session: &Session, given: Option<String>) -> String {
    // `sudo` makes everybody root.
    let variables = ["SUDO_USER", "USER", "LOGNAME"].into_iter();
    let by_variable = || {
        variables
            .filter_map(|name| session.environment.get(name))
            .find(|name| !name.is_empty())
            .map(str::to_owned)
    };
    given
        .filter(|name| !name.trim().is_empty())
        .or_else(by_variable)
        .unwrap_or_else(|| {
            let id = rustix::process::getuid().as_raw();
            // Where nobody has logged in, as in a container, the variables are not set.
            let users = std::fs::read(USERS).unwrap_or_default();
            let name = name_of(id, &String::from_utf8_lossy(&users));
            name.unwrap_or_else(|| format!("user {id}"))
        })
}

/// The name of a user by the lines of `/etc/passwd`: `root:x:0:0:…`.
fn name_of(id: u32, users: &str) -> Option<String> {
    let mut users = users.lines().filter_map(|line| {
        let mut parts = line.split(':');
        Some((parts.next()?, parts.nth(1)?.parse::<u32>().ok()?))
    });
    let (name, _) = users.find(|(name, of)| *of == id && !name.is_empty())?;
    Some(name.to_owned())
}

/// Says on stderr why nothing was done, in one line, and what to do.
pub(super) fn say_why(session: &Session, place: &Place, why: &str, hint: &str) {
    let said = format!("{}\n  hint: {}", plain(why), plain(hint));
    session.terminal.complain(&place.redacted(said));
}

/// The same, for an order that was not obeyed.
pub(super) fn refuse(session: &Session, place: &Place, why: &str, hint: &str) -> Exit {
    say_why(session, place, why, hint);
    Exit::Refused
}

/// Says what may be missing in what was shown, and ends otherwise then: a list that is empty because nothing could be written is
/// no good news.
pub(super) fn say_what_may_be_missing(session: &Session, exit: Exit) -> Exit {
    let folder = match session.load() {
        Found::File(loaded) => loaded.plan.map(|plan| plan.store.folder),
        Found::Nothing => {
            (config::built_in(&session.environment).plan).map(|plan| plan.store.folder)
        }
    };
    let is_behind = folder.is_some_and(|folder| store::is_behind(&folder, SystemClock.now()));
    if !is_behind {
        return exit;
    }
    session.terminal.complain(
        "the daemon runs, and cannot write its store: what it has learnt lately is missing here\n  \
         hint: its messages and reports have it; its log says what keeps it (`store.trouble`)",
    );
    match exit {
        Exit::Well => Exit::Unavailable,
        exit => exit,
    }
}

/// That nobody keeps what is shown up to date, where that is so.
pub(super) fn may_be_old(place: &Place) -> Option<Block> {
    let said = "no daemon runs with this store: this is what the last one knew";
    let is_old = !store::is_held(place.folder());
    is_old.then(|| Block::Paragraph(vec![Span::Faint(said.to_owned())]))
}

/// What is said of an order that was given.
pub(super) struct Words<'a> {
    /// What to do when the daemon does not obey.
    pub hint: &'a str,
    /// What stands below what came of it, where that is good.
    pub afterwards: &'a str,
}

/// Gives an order and says what came of it.
pub(super) fn give(session: &Session, place: &Place, order: &Order, words: &Words<'_>) -> Exit {
    let outcome = desk::give(place.folder(), order, PATIENCE, SystemClock.now());
    let (said, is_well) = match outcome {
        Err(trouble) => return backup::refused(session, &trouble),
        Ok(Outcome::Answered(answer)) if answer.done => (lines(&answer.text), true),
        Ok(Outcome::Answered(answer)) => {
            let said = lines(&answer.text);
            // The daemon may have said more than we know.
            let hint = if said.contains("hint: ") {
                String::new()
            } else {
                format!("\n  hint: {}", plain(words.hint))
            };
            (format!("{said}{hint}"), false)
        }
        Ok(Outcome::NoDaemon) => {
            let said = "no daemon runs with this store: the next one does it as soon as it starts";
            (said.to_owned(), true)
        }
        Ok(Outcome::Waiting) => {
            let said = format!(
                "the daemon has not answered within {} s\n  hint: the order stands, and it may still obey; its log says \
                 what keeps it",
                PATIENCE.as_secs()
            );
            session.terminal.complain(&said);
            return Exit::Unavailable;
        }
    };
    let said = place.redacted(said);
    if is_well {
        let said = format!("{said}\n{}", place.redacted(words.afterwards.to_owned()));
        session.terminal.print(&said, Exit::Well)
    } else {
        session.terminal.complain(&said);
        Exit::Refused
    }
}

/// What the daemon said, in which names were collected.
fn lines(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(plain).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_has_a_name_by_the_id() {
        let users = "root:x:0:0:root:/root:/bin/sh\n# none\nbroken\n:x:7::\nanna:x:1000:1000::/home/anna:/bin/sh\n";
        for (id, name) in [
            (0, Some("root")),
            (1_000, Some("anna")),
            (7, None),
            (8, None),
        ] {
            assert_eq!(name_of(id, users).as_deref(), name, "{id}");
        }
    }
}
