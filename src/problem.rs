//! What is wrong with something that people wrote, and where: the one shape in which bad input is told.

use std::fmt;
use std::sync::Arc;

/// A place in a file that people wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The file as it was named.
    pub file: Arc<str>,
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// Whether a problem stops us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The configuration cannot be used.
    Error,
    /// It can be used, but somebody should look.
    Warning,
}

/// Something that is wrong. Never holds the value of a secret or of a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Whether it stops us.
    pub severity: Severity,
    /// Where; `None`: nowhere in particular.
    pub location: Option<Location>,
    /// The path in the document: `targets.vps_servers[3].port`; empty: the whole document.
    pub path: String,
    /// What was expected and what was found.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

impl Problem {
    /// A problem that stops us.
    pub fn error(message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            location: None,
            path: String::new(),
            message: message.into(),
            hint: None,
        }
    }

    /// A problem that somebody should look at.
    pub fn warning(message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(message)
        }
    }

    /// Says where.
    #[must_use]
    pub fn at(mut self, location: &Location, path: impl Into<String>) -> Self {
        self.location = Some(location.clone());
        self.path = path.into();
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Problem {
    /// `config/config.yaml:41:13 targets.vps_servers[3].port: expected …, found …`, then the hint on lines of its own.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(location) = &self.location {
            write!(f, "{location} ")?;
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)?;
        if let Some(hint) = &self.hint {
            for (index, line) in hint.lines().enumerate() {
                let lead = if index == 0 { "hint: " } else { "      " };
                write!(f, "\n  {lead}{line}")?;
            }
        }
        Ok(())
    }
}

/// A mistake in the settings of a target or a channel that their types cannot catch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsProblem {
    /// The key it is about.
    pub key: &'static str,
    /// Whether the settings can be used all the same.
    pub severity: Severity,
    /// What is wrong. No secret.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

impl SettingsProblem {
    /// A mistake that stops us.
    pub fn error(key: &'static str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            key,
            severity: Severity::Error,
            message: message.into(),
            hint: Some(hint.into()),
        }
    }

    /// As a problem of the document.
    #[must_use]
    pub fn into_problem(self, location: &Location, path: impl Into<String>) -> Problem {
        Problem {
            severity: self.severity,
            location: Some(location.clone()),
            path: path.into(),
            message: self.message,
            hint: self.hint,
        }
    }
}

/// Gives the value of an environment variable.
pub type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The candidate nearest to what was written, if one is near enough to be what was meant.
#[must_use]
pub fn nearest<'a>(
    written: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let written = written.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| {
            let likeness = strsim::jaro_winkler(&written, &candidate.to_lowercase());
            (candidate, likeness)
        })
        .filter(|(candidate, likeness)| {
            let edits = strsim::levenshtein(&written, &candidate.to_lowercase());
            *likeness >= 0.8 && edits <= 1 + candidate.len() / 3
        })
        .max_by(|(_, one), (_, other)| one.total_cmp(other))
        .map(|(candidate, _)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_reads_as_one_line_and_a_hint() {
        let location = Location {
            file: "config/config.yaml".into(),
            line: 41,
            column: 13,
        };
        let problem = Problem::error("expected a whole number from 1 to 65535, found `70000`")
            .at(&location, "targets.vps_servers[3].port")
            .hint("SSH usually listens on 22");
        assert_eq!(
            problem.to_string(),
            "config/config.yaml:41:13 targets.vps_servers[3].port: expected a whole number from 1 to 65535, \
             found `70000`\n  hint: SSH usually listens on 22"
        );
    }

    #[test]
    fn only_what_is_near_is_offered() {
        let keys = ["vps_servers", "docker_hosts", "databases"];
        assert_eq!(nearest("vps_server", keys), Some("vps_servers"));
        assert_eq!(nearest("database", keys), Some("databases"));
        assert_eq!(nearest("xyz", keys), None);
        assert_eq!(nearest("TELEGRAM_CHAT_ID", ["TERM"]), None);
    }
}
