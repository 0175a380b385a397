//! How many files and connections we may hold open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Kept free for logs, the store, reporters and name servers.
const RESERVED: u64 = 128;

/// Raises our limit of open files as far as we may, and gives the limit that then holds.
pub fn raise_limit() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum.unwrap_or(u64::MAX),
        Err(_) => limit.current.unwrap_or(u64::MAX),
    }
}

/// How many looks may be under way at once with this limit of open files: each may hold a connection and ask a name
/// server meanwhile.
#[must_use]
pub fn permits(limit: u64) -> usize {
    let looks = limit.saturating_sub(RESERVED) / 2;
    usize::try_from(looks)
        .unwrap_or(usize::MAX)
        .clamp(8, 50_000)
}

#[cfg(test)]
mod tests {
    use super::permits;

    #[test]
    fn few_descriptors_leave_some_looks() {
        assert_eq!(permits(1024), 448);
        assert_eq!(permits(0), 8);
        assert_eq!(permits(u64::MAX), 50_000);
    }
}
