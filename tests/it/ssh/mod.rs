//! SSH against real servers: sessions, host keys, identities, and each way in which they fail.

mod agent;
mod failures;
mod fixture;
mod host_keys;
mod identities;
mod jump;
mod most_sessions;
mod sessions;
mod trust;

use std::time::{Duration, Instant};

use roundsman::clients::aws::AwsEnvironment;
use roundsman::clients::ssh::{Limits, Session, SshSettings};
use roundsman::clients::{Clients, Surroundings};
use roundsman::document::{LIMITS, from_node, parse};
use roundsman::model::{Failure, Status};
use tempfile::TempDir;

/// No test is about this deadline.
const LONG: Duration = Duration::from_mins(1);

/// Settings from lines of YAML.
fn settings(yaml: &str) -> SshSettings {
    let mut problems = Vec::new();
    let node = parse(&"test.yaml".into(), yaml, LIMITS, &mut problems).expect("a document");
    assert!(problems.is_empty(), "{problems:?}");
    from_node(&node).unwrap_or_else(|error| panic!("{yaml}\n{error}"))
}

/// Limits that no test is about.
fn limits() -> Limits {
    Limits {
        timeout: LONG,
        most_bytes: 1_000_000,
    }
}

/// Clients in a world of their own: a home, and a data folder, both empty.
struct World {
    clients: Clients,
    folder: TempDir,
}

impl World {
    fn new() -> Self {
        Self::with_agent(None)
    }

    fn with_agent(agent_socket: Option<std::path::PathBuf>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let surroundings = Surroundings {
            home: Some(folder.path().join("home")),
            agent_socket,
            data_directory: folder.path().join("data"),
            system_known_hosts: folder.path().join("system_known_hosts"),
            aws: AwsEnvironment::default(),
        };
        Self {
            clients: Clients::within(&surroundings),
            folder,
        }
    }

    /// Writes a file into it.
    fn file(&self, name: &str, text: &str) -> std::path::PathBuf {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(&path, text).expect("a file");
        path
    }

    /// A session, in a round of its own.
    async fn session(&self, yaml: &str) -> Result<Session, Failure> {
        self.session_within(yaml, LONG).await
    }

    async fn session_within(&self, yaml: &str, timeout: Duration) -> Result<Session, Failure> {
        let settings = settings(yaml);
        self.clients
            .ssh
            .session(&settings, Instant::now(), timeout)
            .await
    }

    /// A session that must come about.
    #[track_caller]
    fn open(&self, yaml: &str) -> impl Future<Output = Session> {
        let session = self.session(yaml);
        async move {
            session
                .await
                .unwrap_or_else(|failure| panic!("{}", words(&failure)))
        }
    }

    /// The failure of one that must not.
    async fn refused(&self, yaml: &str) -> Failure {
        match self.session(yaml).await {
            Ok(_) => panic!("it was let in: {yaml}"),
            Err(failure) => failure,
        }
    }
}

/// What a command prints.
async fn printed(session: &Session, command: &str) -> String {
    let output = session.run(command, b"", &limits()).await;
    let output = output.unwrap_or_else(|failure| panic!("{}", words(&failure)));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// `STATUS kind message | hint`
fn words(failure: &Failure) -> String {
    let hint = failure.hint.as_deref().unwrap_or("no hint");
    format!("{} {} {failure} | {hint}", failure.status(), failure.kind)
}

/// Asserts whose trouble it is, and what is said of it, in the message and then in the hint.
#[track_caller]
fn assert_says(failure: &Failure, status: Status, parts: &[&str]) {
    let words = words(failure);
    assert_eq!(failure.status(), status, "{words}");
    let mut rest = words.as_str();
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else {
            panic!("`{part}` is missing, or not in its place: {words}");
        };
        rest = after;
    }
    assert!(!words.contains("canary"), "{words}");
}

/// Waits for a condition.
async fn until(what: &str, condition: impl Fn() -> bool) {
    let waiting = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    assert!(tokio::time::timeout(LONG, waiting).await.is_ok(), "{what}");
}
