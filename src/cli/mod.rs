//! The command line: what can be asked, and one file for each answer.

mod ack;
mod arguments;
mod backup;
mod budget;
mod check_config;
mod daemon;
mod exit;
mod explain;
mod graph;
mod history;
mod incident_text;
mod incidents;
mod init;
mod kinds;
mod orders;
mod outbox;
mod probe;
mod progress;
mod providers;
mod run_once;
mod schema;
mod silence;
mod silences;
mod terminal;
mod test_report;
mod traces_go;
mod trust;
mod uptime;
mod who_hears;
mod windows;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use clap::error::ErrorKind;

use crate::config::{self, Environment, Found, Loaded, Plan};
use crate::problem::{Problem, Severity};
use crate::telemetry::{self, Installation, Output, Traces, Wanted};
use arguments::{Arguments, Command, ListFormat};
use exit::Exit;
use terminal::Terminal;

/// Reads the arguments, does what they ask, and says how it went (product specification §2).
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    match Arguments::try_parse_from(arguments) {
        Ok(arguments) => answer(arguments).into(),
        Err(error) => {
            // What is asked for goes to stdout, what is refused to stderr; clap knows which.
            let printed = error.print();
            let asked = matches!(
                error.kind(),
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
            );
            match printed {
                _ if !asked => Exit::Usage.into(),
                Ok(()) => Exit::Well.into(),
                Err(error) => terminal::not_printed(&error, Exit::Well).into(),
            }
        }
    }
}

/// How long the last traces may take to get out.
const FLUSHING: Duration = Duration::from_secs(2);

/// What every command may need.
struct Session {
    terminal: Terminal,
    environment: Environment,
    /// What is wrong with `.env`.
    environment_problems: Vec<Problem>,
    /// The working directory.
    directory: PathBuf,
    /// The file that `--config` names.
    named: Option<PathBuf>,
    /// Where traces go, by the environment.
    receivers: Wanted,
    /// What is traced meanwhile.
    traces: Traces,
}

fn answer(mut arguments: Arguments) -> Exit {
    let mut problems = Vec::new();
    let directory = PathBuf::from(".");
    let environment = Environment::read(&directory, &mut problems);
    let file = config::file(arguments.config.as_deref(), &environment, &directory);
    let receivers = telemetry::wanted(&environment, &Installation::here(file.as_deref()));
    problems.extend(receivers.problems.iter().cloned());
    let mut session = Session {
        terminal: Terminal::detect(&environment),
        environment,
        environment_problems: problems,
        directory,
        named: arguments.config.take(),
        receivers,
        traces: Traces::default(),
    };
    let is_daemon = arguments.command.is_none() && !arguments.run_once;
    let colors = session.terminal.colors;
    let output = match (is_daemon, session.terminal.stdout) {
        (true, true) => Output::Terminal { colors },
        (true, false) => Output::Json,
        (false, _) => Output::Prompt {
            colors: session.terminal.stderr && colors,
        },
    };
    let looks_or_sends = matches!(
        arguments.command,
        None | Some(Command::Probe { .. } | Command::TestReport { .. })
    );
    let level = session.environment.get("LOG_LEVEL");
    session.traces = telemetry::start(
        level,
        output,
        Some(&session.receivers).filter(|_| looks_or_sends),
    );
    let traces = session.traces.clone();
    let exit = command(session, arguments);
    // Whoever asked twice to end does not wait for a receiver.
    if !matches!(exit, Exit::Signal(_)) {
        traces.close(FLUSHING);
    }
    exit
}

/// Whether a command shows what a daemon keeps.
fn is_of_store(command: &Command) -> bool {
    matches!(
        command,
        Command::History(_)
            | Command::Uptime(_)
            | Command::Backup { .. }
            | Command::Verify
            | Command::Explain(_)
            | Command::Incidents(_)
            | Command::Silences { .. }
            | Command::Outbox(_)
    )
}

fn command(session: Session, arguments: Arguments) -> Exit {
    if let Some(asked) = arguments.command.as_ref().filter(|_| !arguments.run_once)
        && is_of_store(asked)
    {
        let exit = at_a_prompt(&session, arguments);
        return orders::say_what_may_be_missing(&session, exit);
    }
    match arguments.command {
        None if !arguments.run_once => daemon::run(session),
        _ => at_a_prompt(&session, arguments),
    }
}

fn at_a_prompt(session: &Session, arguments: Arguments) -> Exit {
    match arguments.command {
        None => run_once::run(session, &arguments.once),
        Some(_) if arguments.run_once => {
            let message = "`--run-once` and a command exclude each other\n  hint: give one of them";
            session.terminal.complain(message);
            Exit::Usage
        }
        Some(Command::CheckConfig) => check_config::run(session),
        Some(Command::Schema) => schema::run(session),
        Some(Command::Kinds { format }) => kinds::run(session, format),
        Some(Command::Probe { target }) => probe::run(session, &target),
        Some(Command::Init { file }) => init::run(session, file.as_deref()),
        Some(Command::Trust(asked)) => trust::run(session, &asked),
        Some(Command::Graph) => graph::run(session),
        Some(Command::History(asked)) => history::run(session, &asked),
        Some(Command::Uptime(asked)) => uptime::run(session, &asked),
        Some(Command::Backup { file }) => backup::backup(session, &file),
        Some(Command::Verify) => backup::verify(session),
        Some(Command::Windows { format }) => windows::run(session, format),
        Some(Command::Explain(asked)) => explain::run(session, &asked),
        Some(Command::Incidents(asked)) => incidents::run(session, &asked),
        Some(Command::Ack(asked)) => ack::run(session, asked),
        Some(Command::Silence(asked)) => silence::run(session, asked),
        Some(Command::Silences { format }) => silences::run(session, format),
        Some(Command::Outbox(asked)) => outbox::run(session, &asked),
        Some(Command::TestReport { reporter }) => test_report::run(session, reporter.as_deref()),
        Some(Command::Budget { format }) => budget::run(session, format),
        Some(Command::Providers { json }) => {
            let format = if json {
                ListFormat::Json
            } else {
                ListFormat::Text
            };
            providers::run(session, format)
        }
    }
}

impl Session {
    fn load(&self) -> Found {
        config::load(self.named.as_deref(), &self.environment, &self.directory)
    }

    /// The plan to work with: the built-in one where there is no file. Problems are told on stderr.
    fn plan(&self) -> Result<Plan, Exit> {
        let loaded = match self.load() {
            Found::File(loaded) => *loaded,
            Found::Nothing => config::built_in(&self.environment),
        };
        self.accept(loaded)
    }

    fn accept(&self, loaded: Loaded) -> Result<Plan, Exit> {
        for problem in self.environment_problems.iter().chain(&loaded.problems) {
            self.terminal
                .complain(&self.terminal.problem(problem, self.terminal.stderr));
        }
        loaded.plan.ok_or_else(|| {
            let errors = count(&loaded.problems, Severity::Error);
            self.terminal
                .complain(&format!("{errors} in the configuration: nothing was done"));
            Exit::Configuration
        })
    }
}

fn count(problems: &[Problem], severity: Severity) -> String {
    counted(how_many(problems, severity), severity)
}

fn how_many(problems: &[Problem], severity: Severity) -> usize {
    let severities = problems.iter().map(|problem| problem.severity);
    severities.filter(|one| *one == severity).count()
}

/// `1 error`, `2 warnings`.
fn counted(count: usize, severity: Severity) -> String {
    let word = match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {word}{plural}")
}

/// That no configuration file was found, where we looked, and what to do.
fn nothing_found() -> String {
    format!(
        "no configuration file: none was named by `--config` or `{}`, and there is none at {}\n  hint: \
         `roundsman init` writes one to start from",
        config::FILE_VARIABLE,
        config::SEARCHED
            .map(|path| format!("`{path}`"))
            .join(" or ")
    )
}

/// The folder of a file, for messages and for what stands beside it.
fn folder_of(file: &Path) -> &Path {
    match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}
