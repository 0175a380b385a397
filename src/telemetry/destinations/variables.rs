//! Variables, and what is wrong with them.

use std::time::Duration;

use crate::clients::http::HttpUrl;
use crate::config::Environment;
use crate::problem::Problem;

use super::below;

/// The environment as the standard has it: an empty variable is none.
pub(super) struct Variables<'a> {
    environment: &'a Environment,
    pub(super) problems: Vec<Problem>,
}

impl<'a> Variables<'a> {
    pub(super) fn of(environment: &'a Environment) -> Self {
        Self {
            environment,
            problems: Vec::new(),
        }
    }

    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        let text = self.environment.get(name)?.trim();
        Some(text).filter(|text| !text.is_empty())
    }

    /// The first that is set, with its name.
    pub(super) fn first(&self, names: &[&'static str]) -> Option<(&'static str, &'a str)> {
        (names.iter()).find_map(|name| Some((*name, self.text(name)?)))
    }

    /// The first that is set and a switch.
    pub(super) fn switch(&mut self, names: &[&'static str]) -> Option<bool> {
        let (name, text) = self.first(names)?;
        match text.to_lowercase().as_str() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => {
                self.wrong(
                    name,
                    "expected `true` or `false`",
                    "it is ignored until it is one of them",
                );
                None
            }
        }
    }

    /// The first that is set and a number of milliseconds.
    pub(super) fn milliseconds(&mut self, names: &[&'static str]) -> Option<Duration> {
        let (name, text) = self.first(names)?;
        let number = text.parse::<u64>().ok();
        let number = number.filter(|number| (1..=MOST_MILLISECONDS).contains(number));
        if number.is_none() {
            self.wrong(
                name,
                "expected a whole number of milliseconds, at least 1",
                "10000 are 10 seconds; the usual value is taken until it is one",
            );
        }
        number.map(Duration::from_millis)
    }

    /// The address of a variable, with what its service puts behind.
    pub(super) fn address(&mut self, name: &str, text: &str, path: &str) -> Option<HttpUrl> {
        let url = below(text, path);
        if url.is_none() {
            self.wrong(
                name,
                "expected an address that begins with `http://` or `https://`",
                "no traces go there until it is one",
            );
        }
        url
    }

    /// Says what is wrong with a variable, and never what it holds.
    pub(super) fn wrong(&mut self, name: &str, what: &str, hint: &str) {
        let place = self.environment.origin(name);
        let place = place.map_or_else(String::new, |place| format!(" ({place})"));
        let problem = Problem::warning(format!("`{name}`{place}: {what}")).hint(hint);
        // Some variables hold for several receivers, each of which asks.
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }
}

/// A day: more is a mistake in the unit.
const MOST_MILLISECONDS: u64 = 86_400_000;
