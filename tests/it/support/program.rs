//! The real program, in a working directory and with an environment that a test has made up.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_roundsman");

/// No test keeps the program running for longer; one that hangs must not hang the suite.
const LONGEST_RUN: Duration = Duration::from_secs(90);

/// A working directory with files in it, and the variables that the program is started with: no others.
pub(crate) struct Workplace {
    directory: TempDir,
    variables: BTreeMap<String, String>,
}

impl Workplace {
    /// A folder whose `config/config.yaml` has this content.
    pub(crate) fn with_configuration(yaml: &str) -> Self {
        Self::empty().file("config/config.yaml", yaml)
    }

    /// A folder in which the program finds no configuration.
    pub(crate) fn without_configuration() -> Self {
        let elsewhere = Path::new("/etc/roundsman/config.yaml");
        assert!(
            !elsewhere.exists(),
            "this test is about a machine without configuration, and this one has `{}`",
            elsewhere.display()
        );
        Self::empty()
    }

    fn empty() -> Self {
        Self {
            directory: tempfile::tempdir().expect("a temporary folder"),
            variables: BTreeMap::new(),
        }
    }

    /// Writes a file, its folders included.
    pub(crate) fn file(self, name: &str, content: &str) -> Self {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, content).expect("a file");
        self
    }

    /// Sets a variable.
    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    /// The variables that were set.
    pub(crate) fn variables(&self) -> &BTreeMap<String, String> {
        &self.variables
    }

    /// The working directory.
    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The text of a file.
    #[track_caller]
    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name))
            .unwrap_or_else(|error| panic!("`{name}`: {error}"))
    }

    /// What is in a folder, by name.
    #[track_caller]
    pub(crate) fn names_in(&self, folder: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.path().join(folder)).expect("a folder");
        let mut names: Vec<String> = entries
            .map(|entry| entry.expect("an entry").file_name())
            .map(|name| name.into_string().expect("UTF-8"))
            .collect();
        names.sort();
        names
    }

    /// Runs the program to its end, its output piped.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Ended {
        let mut command = Command::new(PROGRAM);
        command.args(arguments);
        self.end_of(command).await
    }

    /// Runs a script in which `"$0" "$@"` is the program with its arguments.
    pub(crate) async fn run_through(&self, script: &str, arguments: &[&str]) -> Ended {
        let mut command = Command::new("sh");
        command.args(["-c", script, PROGRAM]).args(arguments);
        self.end_of(command).await
    }

    /// Runs the program while nobody reads its stdout any more.
    pub(crate) async fn run_unheard(&self, arguments: &[&str]) -> Ended {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let mut command = Command::new(PROGRAM);
        command.args(arguments).stdout(writer);
        self.end_of_prepared(command).await
    }

    /// The program with these arguments, in this place, not started yet.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        let mut command = Command::new(PROGRAM);
        command
            .args(arguments)
            .env_clear()
            .env("PATH", path)
            .envs(&self.variables)
            .current_dir(self.path())
            .stdin(Stdio::null());
        command
    }

    async fn end_of(&self, mut command: Command) -> Ended {
        command.stdout(Stdio::piped());
        self.end_of_prepared(command).await
    }

    async fn end_of_prepared(&self, mut command: Command) -> Ended {
        let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        let child = command
            .env_clear()
            .env("PATH", path)
            .envs(&self.variables)
            .current_dir(self.path())
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let began = Instant::now();
        let process = Pid::from_child(&child);
        // The runtime of a test has servers to run meanwhile.
        let mut end = tokio::task::spawn_blocking(move || child.wait_with_output());
        let Ok(ended) = tokio::time::timeout(LONGEST_RUN, &mut end).await else {
            kill_process(process, Signal::KILL).expect("it is ours");
            panic!("{command:?} did not end within {LONGEST_RUN:?}");
        };
        let output = ended.expect("a thread").expect("its output");
        Ended {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("UTF-8 on stdout"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8 on stderr"),
            took: began.elapsed(),
        }
    }
}

/// How the program ended.
pub(crate) struct Ended {
    /// `None`: a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) took: Duration,
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            code,
            stdout,
            stderr,
            took,
        } = self;
        write!(
            f,
            "ended with {code:?} after {took:?}\n-- stdout:\n{stdout}\n-- stderr:\n{stderr}"
        )
    }
}

impl Ended {
    /// Fails with all that was printed unless it ended with this code.
    #[track_caller]
    pub(crate) fn assert_code(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }

    /// Fails with all that was printed unless stderr has these words.
    #[track_caller]
    pub(crate) fn assert_says(&self, words: &str) -> &Self {
        assert!(self.stderr.contains(words), "`{words}` is missing; {self}");
        self
    }

    /// Fails with all that was printed unless stdout has these words.
    #[track_caller]
    pub(crate) fn assert_prints(&self, words: &str) -> &Self {
        assert!(self.stdout.contains(words), "`{words}` is missing; {self}");
        self
    }

    /// The report that was printed as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("no JSON: {error}; {self}"))
    }
}

/// The target of that name in a report.
#[track_caller]
pub(crate) fn target<'a>(report: &'a serde_json::Value, name: &str) -> &'a serde_json::Value {
    let targets = report["targets"].as_array().expect("targets");
    let found = targets.iter().find(|target| target["name"] == name);
    found.unwrap_or_else(|| panic!("no target `{name}` in {report:#}"))
}
