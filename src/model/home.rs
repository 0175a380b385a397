/// How this machine is called where it is a home.
pub const THIS_MACHINE: &str = "this machine";

/// Where a target is at home.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Home {
    /// It is that machine.
    Is(String),
    /// It runs on that machine.
    On(String),
}

impl Home {
    /// The machine's name or address.
    #[must_use]
    pub fn machine(&self) -> &str {
        match self {
            Self::Is(machine) | Self::On(machine) => machine,
        }
    }

    /// On that machine, or on this one where there is none outside.
    #[must_use]
    pub fn on(host: Option<String>) -> Self {
        Self::On(host.unwrap_or_else(|| THIS_MACHINE.to_owned()))
    }
}
