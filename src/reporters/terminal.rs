//! Prints the digest, by default to standard output.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Means, Message, Receipt, Reporter, ReporterSpec, SendError};
use crate::render::TextStyle;
use crate::render::text::text;

/// Where the text goes, and how it looks there.
#[derive(Clone)]
pub struct Screen {
    writer: Arc<Mutex<dyn Write + Send>>,
    style: TextStyle,
}

impl Screen {
    /// Standard output.
    #[must_use]
    pub fn stdout(style: TextStyle) -> Self {
        Self::new(io::stdout(), style)
    }

    /// Anything that can be written to.
    pub fn new(writer: impl Write + Send + 'static, style: TextStyle) -> Self {
        Self {
            writer: Arc::new(Mutex::new(writer)),
            style,
        }
    }

    fn print(&self, text: &str) -> io::Result<()> {
        // A writer whose user panicked is still a writer.
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        writer.write_all(text.as_bytes())?;
        writer.flush()
    }
}

/// Takes nothing: how the text looks follows from where it goes.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {}

/// Prints the digest.
pub struct Terminal {
    screen: Screen,
}

impl Reporter for Terminal {
    const KIND: ReporterSpec = ReporterSpec {
        key: "terminal",
        title: "Terminal",
        how: "prints the round report",
        sample: "\
- kind: terminal
",
        built: true,
        edits: false,
    };
    type Settings = Settings;

    fn new(_: Settings, means: &Means) -> Self {
        Self {
            screen: means.screen.clone(),
        }
    }

    async fn send(&self, message: &Message) -> Result<Receipt, SendError> {
        match self.screen.print(&text(&message.blocks, self.screen.style)) {
            Ok(()) => Ok(Receipt::default()),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(SendError::permanent(
                "could not print the report: whoever read it has stopped reading",
            )),
            Err(error) => Err(SendError::permanent(format!(
                "could not print the report: {error}"
            ))),
        }
    }
}
