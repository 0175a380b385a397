//! The command line as people and scripts use it: the real program in a folder of its own.

mod acknowledgements;
mod check_config;
mod configuration;
mod exit_codes;
mod formats;
mod incidents;
mod init;
mod kept;
mod kinds;
mod outbox;
mod probe;
mod reports;
mod schema;
mod secrets;
mod selection;
mod silences;
mod terminal;
mod test_report;
mod windows;

use crate::support::servers::{RawServer, answering_as};

/// A server with a path for each status: `/green`, `/yellow` (by the limit in [`all_four`]), `/red`, `/unknown`.
async fn service() -> RawServer {
    answering_as(|request| {
        let line = match request.split(' ').nth(1) {
            Some("/red") => "500 Internal Server Error",
            Some("/unknown") => "429 Too Many Requests",
            _ => "200 OK",
        };
        format!("HTTP/1.1 {line}\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok").into()
    })
    .await
}

/// A configuration with a target for each status.
fn all_four(port: u16) -> String {
    format!(
        "targets:
  api_endpoints:
    - {{name: green, url: \"http://127.0.0.1:{port}/green\"}}
    - {{name: yellow, url: \"http://127.0.0.1:{port}/yellow\", thresholds: {{api_slow_ms: 0}}}}
    - {{name: red, url: \"http://127.0.0.1:{port}/red\"}}
    - {{name: unknown, url: \"http://127.0.0.1:{port}/unknown\"}}
thresholds: {{api_slow_ms: 4000}}
"
    )
}
