//! Which of many installations of the program this one is, for whoever collects the traces of several.

use std::fmt::Write;
use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};

/// Where the program runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    /// The name of the machine.
    pub host: String,
    /// The same at every start with the same configuration on the same machine, and on no other.
    pub id: String,
}

impl Installation {
    /// The one that works with this configuration here; `None`: without any.
    #[must_use]
    pub fn here(configuration: Option<&Path>) -> Self {
        let host = rustix::system::uname();
        let host = host.nodename().to_string_lossy().into_owned();
        // Links stay: what is mounted from a cluster's configuration leads elsewhere after each change.
        let path = configuration.and_then(|path| std::path::absolute(path).ok());
        let path = path.unwrap_or_default();
        let id = id(&host, path.as_os_str().as_encoded_bytes());
        Self { host, id }
    }
}

/// A UUID, as the conventions want it: of version 8, which is made of whatever its maker likes.
fn id(host: &str, path: &[u8]) -> String {
    let hashed = digest(&SHA256, &[host.as_bytes(), b"\0", path].concat());
    let mut id = String::with_capacity(36);
    for (index, byte) in hashed.as_ref().iter().take(16).enumerate() {
        let byte = match index {
            6 => byte & 0x0f | 0x80,
            8 => byte & 0x3f | 0x80,
            _ => *byte,
        };
        let dash = if matches!(index, 4 | 6 | 8 | 10) {
            "-"
        } else {
            ""
        };
        // Text takes all that is written to it.
        write!(id, "{dash}{byte:02x}").ok();
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_installation_is_the_same_at_every_start_and_another_one_is_not() {
        let here = Installation::here(Some(Path::new("/etc/roundsman/config.yaml")));
        let again = Installation::here(Some(Path::new("/etc/roundsman/config.yaml")));
        assert_eq!(here, again);
        assert!(!here.host.is_empty());
        let other = Installation::here(Some(Path::new("/srv/roundsman/config.yaml")));
        let without = Installation::here(None);
        assert!(here.id != other.id && here.id != without.id, "{here:?}");
        assert_eq!(
            id("web-1", b"/etc/roundsman/config.yaml"),
            id("web-1", b"/etc/roundsman/config.yaml")
        );
        assert_ne!(id("web-1", b"/a"), id("web-2", b"/a"));
        let groups: Vec<usize> = here.id.split('-').map(str::len).collect();
        assert_eq!(groups, [8, 4, 4, 4, 12], "{here:?}");
        assert_eq!(here.id.as_bytes()[14], b'8', "{here:?}");
    }
}
