//! Where an SSH server is: a host and a port, in all the ways that people and files write them.

use std::fmt;

/// The usual port of SSH.
pub(crate) const USUAL_PORT: u16 = 22;

/// A host and a port. Shown as `host`, or `host:port` where the port is not 22; IPv6 addresses stand in brackets then.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// Name or address, without brackets, as it was written.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl Place {
    /// A place by its parts; brackets around the host are taken away.
    #[must_use]
    pub fn new(host: &str, port: u16) -> Self {
        let inner = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        Self {
            host: inner.unwrap_or(host).to_owned(),
            port,
        }
    }

    /// Reads `host`, `host:port`, `[v6]:port` or a bare IPv6 address.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_host = |host: &str| {
            let strange =
                |one: char| one.is_whitespace() || one.is_control() || ",@/[]".contains(one);
            !host.is_empty() && !host.contains(strange)
        };
        let (host, port) = if let Some(rest) = text.strip_prefix('[') {
            let (host, port) = rest.split_once(']')?;
            match port.strip_prefix(':') {
                Some(port) => (host, Some(port)),
                None if port.is_empty() => (host, None),
                None => return None,
            }
        } else {
            match text.split_once(':') {
                Some((_, rest)) if rest.contains(':') => (text, None),
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            }
        };
        let port = match port {
            Some(port) => port.parse().ok().filter(|port| *port != 0)?,
            None => USUAL_PORT,
        };
        is_host(host).then(|| Self::new(host, port))
    }

    /// As the name in `known_hosts` files (`sshd(8)`, "SSH known hosts file format"): lower case, with the port where it
    /// is not 22.
    #[must_use]
    pub fn known_as(&self) -> String {
        let host = self.host.to_lowercase();
        match self.port {
            USUAL_PORT => host,
            port => format!("[{host}]:{port}"),
        }
    }

    /// Always with its port, for messages about a connection.
    pub(super) fn with_port(&self) -> String {
        let Self { host, port } = self;
        if host.contains(':') {
            format!("[{host}]:{port}")
        } else {
            format!("{host}:{port}")
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            USUAL_PORT => f.write_str(&self.host),
            _ => f.write_str(&self.with_port()),
        }
    }
}

/// One host of `jump`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hop {
    /// Who logs in there, where it is another than at the end.
    pub(super) username: Option<String>,
    pub(super) place: Place,
}

impl Hop {
    /// Reads `user@host:port`; the user and the port may be left out.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (username, place) = match text.rsplit_once('@') {
            Some(("", _)) => return None,
            Some((user, place)) => (Some(user.to_owned()), place),
            None => (None, text),
        };
        let place = Place::parse(place)?;
        Some(Self { username, place })
    }
}

impl fmt::Display for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(user) = &self.username {
            write!(f, "{user}@")?;
        }
        self.place.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_and_written() {
        for (text, shown, known) in [
            ("Web-1", "Web-1", "web-1"),
            ("web-1:22", "web-1", "web-1"),
            ("web-1:2222", "web-1:2222", "[web-1]:2222"),
            ("10.0.0.1", "10.0.0.1", "10.0.0.1"),
            ("::1", "::1", "::1"),
            ("[::1]", "::1", "::1"),
            ("[::1]:2222", "[::1]:2222", "[::1]:2222"),
        ] {
            let place = Place::parse(text).expect(text);
            assert_eq!(
                (place.to_string().as_str(), place.known_as().as_str()),
                (shown, known)
            );
        }
        for text in [
            "",
            "web:",
            "web:0",
            "web:70000",
            "[::1",
            "[::1]22",
            "a b",
            "a,b",
            "u@h",
            "a/b",
        ] {
            assert_eq!(Place::parse(text), None, "{text}");
        }
    }

    #[test]
    fn hops_are_read_and_written() {
        for text in ["ann@bastion:2022", "bastion", "ann@[::1]:2022"] {
            assert_eq!(Hop::parse(text).expect(text).to_string(), text);
        }
        for text in ["", "@bastion", "ann@", "ann@bastion:x"] {
            assert_eq!(Hop::parse(text), None, "{text}");
        }
    }
}
