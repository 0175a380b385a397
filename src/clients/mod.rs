//! Sessions and connections that collectors, the analysis and the reporters share, keyed by their settings.

pub mod http;

/// All clients. Making them does no I/O.
#[derive(Clone)]
pub struct Clients {
    /// HTTP and HTTPS.
    pub http: http::HttpClients,
}

impl Clients {
    /// Makes them all. Does no I/O.
    #[must_use]
    pub fn new() -> Self {
        Self {
            http: http::HttpClients::new(),
        }
    }
}

impl Default for Clients {
    fn default() -> Self {
        Self::new()
    }
}
