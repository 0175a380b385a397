//! Which hosts are outside: not this machine, and not in the same private network.

use std::net::IpAddr;

/// A host in the one way in which it is compared: lower case, without brackets and a last full stop. `None`: it is this
/// machine, or the folder of a socket.
#[must_use]
pub fn outside_host(host: &str) -> Option<String> {
    let host = super::without_brackets(host.trim())
        .trim_end_matches('.')
        .to_ascii_lowercase();
    if host.is_empty() || host.starts_with('/') {
        return None;
    }
    let is_this_machine = match host.parse::<IpAddr>() {
        Ok(address) => is_this_machine(address),
        // RFC 6761 §6.3
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    };
    (!is_this_machine).then_some(host)
}

fn is_this_machine(address: IpAddr) -> bool {
    let address = address.to_canonical();
    address.is_loopback() || address.is_unspecified()
}

/// Whether an address lies in a private network: that it answers says nothing of the way to the Internet.
#[must_use]
pub fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [first, second, ..] = address.octets();
            let is_shared = first == 100 && (64..128).contains(&second); // RFC 6598, used by tunnels too
            address.is_private() || address.is_loopback() || address.is_link_local() || is_shared
        }
        IpAddr::V6(address) => {
            address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_written_in_one_way_and_this_machine_is_none() {
        for (host, outside) in [
            ("Example.COM.", Some("example.com")),
            ("[2001:DB8::1]", Some("2001:db8::1")),
            ("192.0.2.7", Some("192.0.2.7")),
            ("192.168.1.7", Some("192.168.1.7")),
            ("localhost", None),
            ("db.localhost", None),
            ("127.0.0.53", None),
            ("[::1]", None),
            ("::ffff:127.0.0.1", None),
            ("0.0.0.0", None),
            ("/var/run/postgresql", None),
            ("", None),
        ] {
            assert_eq!(outside_host(host).as_deref(), outside, "{host}");
        }
    }

    #[test]
    fn private_addresses_are_told_from_those_of_the_internet() {
        for (address, private) in [
            ("10.0.0.1", true),
            ("192.168.178.1", true),
            ("100.64.0.1", true),
            ("100.128.0.1", false),
            ("169.254.1.1", true),
            ("fd00::1", true),
            ("fe80::1", true),
            ("::ffff:10.0.0.1", true),
            ("198.51.100.7", false),
            ("2001:db8::1", false),
        ] {
            let address: IpAddr = address.parse().expect("an address");
            assert_eq!(is_private(address), private, "{address}");
        }
    }
}
