use std::sync::Arc;

use super::exit::Exit;
use super::run_once::{runtime, style};
use super::{Session, nothing_found};
use crate::app::daemon::{self, DaemonError, Given};
use crate::config::{self, Environment, Found, Loaded};
use crate::problem::Problem;
use crate::reporters::terminal::Screen;

/// Makes rounds until it is asked to end. It must not start without a configuration: a lost volume must not look like
/// health.
pub(super) fn run(session: Session) -> Exit {
    let Found::File(loaded) = session.load() else {
        session.terminal.complain(&nothing_found());
        return Exit::Configuration;
    };
    let plan = match session.accept(*loaded) {
        Ok(plan) => plan,
        Err(exit) => return exit,
    };
    let terminal = session.terminal;
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => {
            terminal.complain(&format!("the daemon cannot start: {error}"));
            return Exit::Software;
        }
    };
    let style = style(&session);
    let given = Given {
        // The log has stdout where nobody sits at it.
        screen: if terminal.stdout {
            Screen::stdout(style)
        } else {
            Screen::new(std::io::stderr(), style)
        },
        at_a_terminal: terminal.stdout,
        traces: session.traces.clone(),
        reload: Arc::new(move || reload(&session)),
    };
    let ended = runtime.block_on(daemon::run(plan, given));
    // A thread that hangs on a dead mount must not hold us.
    runtime.shutdown_background();
    match ended {
        Ok(()) => Exit::Well,
        Err(DaemonError::Interrupted(signal)) => Exit::Signal(signal),
        Err(error @ DaemonError::InUse(_)) => {
            terminal.complain(&format!(
                "{error}\n  hint: stop it first, or set `store.path` to another folder; `--run-once` works beside it"
            ));
            Exit::Unavailable
        }
        Err(error) => {
            terminal.complain(&error.to_string());
            Exit::Software
        }
    }
}

/// Loads the configuration as it is now, `.env` included; the variables that we were started with stay.
fn reload(session: &Session) -> Loaded {
    let mut problems: Vec<Problem> = Vec::new();
    let environment = Environment::read(&session.directory, &mut problems);
    match config::load(session.named.as_deref(), &environment, &session.directory) {
        Found::File(mut loaded) => {
            loaded.problems.splice(0..0, problems);
            *loaded
        }
        Found::Nothing => {
            problems.push(Problem::error(nothing_found()));
            Loaded {
                plan: None,
                problems,
            }
        }
    }
}
