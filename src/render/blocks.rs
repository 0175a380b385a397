//! The little language between a report and the forms in which people read it. A channel renders these few shapes;
//! it knows nothing of targets.

use crate::model::Status;

/// A stretch of text with one look. The text is as it was collected: renderers neutralise it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Span {
    /// As it is.
    Text(String),
    /// What the eye should find first.
    Strong(String),
    /// What may be overlooked.
    Faint(String),
    /// An address of ours that a reader is to follow: a runbook. Nothing else is a link.
    Link(String),
    /// The word of a status, in its colour.
    Status(Status),
    /// Other words in the colour of a status.
    Toned(String, Status),
}

impl Span {
    /// What it says.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Text(text)
            | Self::Strong(text)
            | Self::Faint(text)
            | Self::Link(text)
            | Self::Toned(text, _) => text,
            Self::Status(status) => status.word(),
        }
    }

    /// The status whose colour and dot go with it.
    #[must_use]
    pub fn status(&self) -> Option<Status> {
        match self {
            Self::Status(status) | Self::Toned(_, status) => Some(*status),
            _ => None,
        }
    }
}

/// Spans that stand on one line, or in one cell.
pub type Line = Vec<Span>;

/// A line of plain text.
#[must_use]
pub fn line(text: impl Into<String>) -> Line {
    vec![Span::Text(text.into())]
}

/// What a column does where there is not enough room for the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// Stays as it is.
    Whole,
    /// Breaks its text over several lines: nothing in it may be lost.
    Wrap,
    /// Ends its text with `…`.
    Cut,
}

/// A column of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// What stands above it.
    pub title: &'static str,
    /// What it does where there is not enough room.
    pub fit: Fit,
}

impl Column {
    /// A column of that title.
    #[must_use]
    pub const fn new(title: &'static str, fit: Fit) -> Self {
        Self { title, fit }
    }
}

/// A shape that a report is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// What the whole is about.
    Title(Line),
    /// What the next blocks are about.
    Heading(String),
    /// A line on its own.
    Paragraph(Line),
    /// One line for each thing.
    List(Vec<Line>),
    /// Things with the same properties. Every row has as many cells as there are columns.
    Table {
        /// The properties.
        columns: &'static [Column],
        /// The things.
        rows: Vec<Vec<Line>>,
    },
}
