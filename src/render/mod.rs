//! What people and programs read, made from values: nothing here asks or changes anything.
//!
//! A round becomes a [`crate::model::Report`] ([`compose`]); the report becomes blocks ([`digest`]), and blocks
//! become text or Markdown. An incident becomes a [`crate::model::IncidentReport`], and that blocks ([`incident`]). JSON and `JUnit` are made from the report itself, because programs read them.
//!
//! How you could get this wrong, and what catches it: text that was collected is untrusted, so a renderer that
//! forgets [`escape::plain`] fails the test that sends hostile names through every format.

pub mod blocks;
mod causes;
pub mod compose;
mod condition;
pub mod digest;
pub mod escape;
pub mod explain;
pub mod explanation;
pub mod history;
pub mod html;
pub mod incident;
mod issues;
pub mod json;
pub mod junit;
mod links;
pub mod markdown;
mod merge;
pub mod mermaid;
mod names;
mod recommend;
pub mod room;
pub mod slack;
mod table;
pub mod telegram;
pub mod text;
pub mod uptime;
mod words;

use std::fmt;
use std::str::FromStr;

use crate::model::Report;

pub use compose::{Seen, Told, compose, state};
pub use condition::condition;
pub use names::Names;
pub use table::cut;
pub use text::TextStyle;

/// A form in which a report is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Format {
    /// For a terminal, a log, or `grep`.
    #[default]
    Text,
    /// The contract.
    Json,
    /// For build servers.
    Junit,
    /// GitHub-flavoured, for issues and job summaries.
    Markdown,
}

impl Format {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 4] = [Self::Text, Self::Json, Self::Junit, Self::Markdown];

    /// The word by which people choose it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Junit => "junit",
            Self::Markdown => "markdown",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// Why a word is no format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected `text`, `json`, `junit` or `markdown`, found `{0}`")]
pub struct UnknownFormat(String);

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(word: &str) -> Result<Self, UnknownFormat> {
        Self::ALL
            .into_iter()
            .find(|format| format.word() == word)
            .ok_or_else(|| UnknownFormat(word.to_owned()))
    }
}

/// Why a report could not be written in a format: a bug of ours, since every report has every form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("could not write the report as `{format}`: {reason}")]
pub struct RenderError {
    format: Format,
    reason: String,
}

impl RenderError {
    fn new(format: Format, reason: &dyn fmt::Display) -> Self {
        Self {
            format,
            reason: reason.to_string(),
        }
    }
}

/// Writes the report in a format. Ends with a line break. Only [`Format::Text`] has a style.
///
/// # Errors
/// A serializer refused a value, which would be a bug of ours.
pub fn render(report: &Report, format: Format, style: TextStyle) -> Result<String, RenderError> {
    match format {
        Format::Text => {
            // What goes to a program is complete in what is bad, because nobody scrolls through it.
            let bounds = match style.width {
                Some(_) => digest::Bounds::default(),
                None => digest::Bounds::ALL_PROBLEMS,
            };
            Ok(text::text(&digest::digest_within(report, bounds), style))
        }
        Format::Json => json::json(report),
        Format::Junit => junit::junit(report),
        Format::Markdown => Ok(markdown::markdown(&digest::digest(report))),
    }
}

#[cfg(test)]
pub(crate) mod samples;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_read_back_as_written() {
        for format in Format::ALL {
            assert_eq!(format.word().parse(), Ok(format));
        }
        assert_eq!(
            "yaml".parse::<Format>().expect_err("no format").to_string(),
            "expected `text`, `json`, `junit` or `markdown`, found `yaml`"
        );
    }
}
