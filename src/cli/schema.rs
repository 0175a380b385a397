use super::Session;
use super::exit::Exit;
use crate::config;

/// Prints the JSON Schema of the configuration.
pub(super) fn run(session: &Session) -> Exit {
    let schema = config::json_schema();
    session.terminal.print(&format!("{schema:#}\n"), Exit::Well)
}
