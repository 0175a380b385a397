//! HTTP and HTTPS with measured phases.

/// Placeholder.
#[derive(Clone)]
pub struct HttpClients;
impl HttpClients {
    /// Makes it.
    pub fn new() -> Self {
        Self
    }
}
