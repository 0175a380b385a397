//! SSH against real servers: sessions, host keys, identities, and each way in which they fail.

mod fixture;
mod sessions;

use std::time::Duration;

use roundsman::clients::ssh::{Limits, SshSettings};
use roundsman::document::{LIMITS, from_node, parse};

/// No test is about this deadline.
const LONG: Duration = Duration::from_secs(60);

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
