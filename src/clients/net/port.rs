use std::fmt;
use std::str::FromStr;

use crate::document::{Word, Written, shown};

/// A TCP port as it is written in settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Port(
    /// 1 to 65535.
    pub u16,
);

impl FromStr for Port {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim().replace('_', "").parse() {
            Ok(number @ 1..) => Ok(Self(number)),
            _ => Err(format!(
                "expected {}, found {}",
                Self::EXPECTED,
                shown(text)
            )),
        }
    }
}

impl Word for Port {
    const EXPECTED: &'static str = "a whole number from 1 to 65535";
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// `host`, or `host:port` where the port is not the usual one: the default name of many targets.
#[must_use]
pub fn host_and_port(host: &str, port: Option<Written<Port>>, usual: u16) -> String {
    match port {
        Some(Written(Port(port))) if port != usual => format!("{host}:{port}"),
        _ => host.to_owned(),
    }
}
