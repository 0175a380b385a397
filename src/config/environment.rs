use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::dotenv;
use crate::problem::{Location, Problem};

/// The variables we were started with, and those of `.env` in the working directory. Real ones win.
#[derive(Default)]
pub struct Environment {
    process: BTreeMap<String, String>,
    file: BTreeMap<String, (String, u32)>,
}

impl Environment {
    /// Reads both. A `.env` that cannot be read is a warning in `problems`.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the environment"
    )]
    pub fn read(directory: &Path, problems: &mut Vec<Problem>) -> Self {
        let process = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Self::from_parts(process, directory, problems)
    }

    /// The same from given variables.
    pub fn from_parts(
        process: BTreeMap<String, String>,
        directory: &Path,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let name: Arc<str> = ".env".into();
        let file = match std::fs::read(directory.join(".env")) {
            Ok(bytes) => {
                let text = String::from_utf8_lossy(&bytes);
                dotenv::read(&name, &text, &process, problems)
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => {
                let location = Location {
                    file: name,
                    line: 1,
                    column: 1,
                };
                let problem = Problem::warning(format!("this file cannot be read: {error}"));
                problems.push(problem.at(&location, "").hint("its variables are not set"));
                BTreeMap::new()
            }
        };
        Self { process, file }
    }

    /// The value of a variable.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let from_file = || self.file.get(name).map(|(value, _)| value.as_str());
        self.process
            .get(name)
            .map(String::as_str)
            .or_else(from_file)
    }

    /// Where a variable was set, for people: `the environment` or `.env:3`.
    #[must_use]
    pub fn origin(&self, name: &str) -> Option<String> {
        if self.process.contains_key(name) {
            return Some("the environment".to_owned());
        }
        self.file.get(name).map(|(_, line)| format!(".env:{line}"))
    }

    /// The names of all variables that are set.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let both = self.process.keys().chain(self.file.keys());
        both.map(String::as_str)
    }
}
