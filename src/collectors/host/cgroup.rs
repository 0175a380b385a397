//! Control groups: what the container that we may live in is allowed, version 1 and 2 (cgroups(7)).

use super::float;

/// Where we are, from `/proc/self/cgroup`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Groups {
    /// Our path in version 2.
    pub(crate) unified: Option<String>,
    /// Our path for the memory controller of version 1.
    pub(crate) memory: Option<String>,
    /// Our path for the `cpu` controller of version 1.
    pub(crate) cpu: Option<String>,
    /// Our path for the `cpuacct` controller of version 1.
    pub(crate) cpuacct: Option<String>,
}

/// Reads `/proc/self/cgroup`: lines of `number:controllers:path`. Lines that are garbled are left out.
pub(crate) fn parse(text: &str) -> Groups {
    let mut groups = Groups::default();
    for line in text.lines() {
        let mut parts = line.splitn(3, ':');
        let (Some(_), Some(controllers), Some(path)) = (parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        if controllers.is_empty() {
            groups.unified = Some(path.to_owned());
        }
        for controller in controllers.split(',') {
            match controller {
                "memory" => groups.memory = Some(path.to_owned()),
                "cpu" => groups.cpu = Some(path.to_owned()),
                "cpuacct" => groups.cpuacct = Some(path.to_owned()),
                _ => {}
            }
        }
    }
    groups
}

/// The groups from our own up to the root, relative to the mount: `a/b`, `a`, and the empty path.
///
/// In a container the path is often that of the host while the mount begins at our own group, so the root always
/// belongs to it; and in a namespace of its own it may begin with `..`, which leads nowhere.
pub(crate) fn way_up(path: &str) -> Vec<String> {
    let names: Vec<&str> = path.split('/').filter(|name| !name.is_empty()).collect();
    if names.iter().any(|name| matches!(*name, "." | "..")) {
        return vec![String::new()];
    }
    (0..=names.len())
        .rev()
        .map(|length| names[..length].join("/"))
        .collect()
}

/// Reads `memory.max` or `memory.limit_in_bytes`; `None`: no limit. Version 1 writes a huge number for none, which
/// the caller sees by comparing with the memory of the host.
pub(crate) fn limit_bytes(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}

/// Reads `cpu.max`: quota and period in microseconds, `max` for no quota. Gives cores.
pub(crate) fn limit_cores(text: &str) -> Option<f64> {
    let (quota, period) = text.trim().split_once(' ')?;
    cores(quota, period)
}

/// What a quota of so many microseconds in each period gives, in cores. Version 1 writes -1 for no quota.
pub(crate) fn cores(quota_us: &str, period_us: &str) -> Option<f64> {
    let quota_us: u64 = quota_us.trim().parse().ok()?;
    let period_us: u64 = period_us.trim().parse().ok()?;
    (quota_us > 0 && period_us > 0).then(|| float(quota_us) / float(period_us))
}

/// The number behind a key in `memory.stat` or `cpu.stat`.
pub(crate) fn keyed(text: &str, key: &str) -> Option<u64> {
    text.lines().find_map(|line| {
        let (name, number) = line.split_once(' ')?;
        (name == key).then(|| number.trim().parse().ok())?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_groups_are_found_in_both_versions() {
        let hybrid = "12:cpu,cpuacct:/docker/4d1\n\
                      11:memory:/docker/4d1\n\
                      1:name=systemd:/docker/4d1\n\
                      0::/system.slice/containerd.service\n";
        let docker = Some("/docker/4d1".to_owned());
        let expected = Groups {
            unified: Some("/system.slice/containerd.service".to_owned()),
            memory: docker.clone(),
            cpu: docker.clone(),
            cpuacct: docker,
        };
        assert_eq!(parse(hybrid), expected);
        let unified = "0::/user.slice/user-1000.slice/app:1.scope\n";
        let path = Some("/user.slice/user-1000.slice/app:1.scope".to_owned());
        assert_eq!(
            parse(unified),
            Groups {
                unified: path,
                ..Groups::default()
            }
        );
        assert_eq!(parse("garbled\n1:x\n"), Groups::default());
    }

    #[test]
    fn the_way_up_ends_at_the_root() {
        assert_eq!(way_up("/"), [""]);
        assert_eq!(way_up("/a/b"), ["a/b", "a", ""]);
        assert_eq!(way_up("/../../x"), [""]);
    }

    #[test]
    fn limits_are_read_and_their_absence_too() {
        assert_eq!(limit_bytes("536870912\n"), Some(536_870_912));
        assert_eq!(limit_bytes("max\n"), None);
        assert_eq!(
            limit_bytes("9223372036854771712\n"),
            Some(9_223_372_036_854_771_712)
        );
        for (text, expected) in [
            ("150000 100000\n", Some(1.5)),
            ("max 100000\n", None),
            ("100000 0\n", None),
            ("100000", None),
            ("", None),
        ] {
            assert_eq!(limit_cores(text), expected, "`{text}`");
        }
        assert_eq!(cores("-1\n", "100000\n"), None);
        assert_eq!(cores("50000\n", "100000\n"), Some(0.5));
    }

    #[test]
    fn numbers_stand_behind_their_keys() {
        let text = "anon 1024\ninactive_file 4096\nworkingset_refault_anon 0\n";
        assert_eq!(keyed(text, "inactive_file"), Some(4096));
        assert_eq!(keyed(text, "inactive"), None);
        assert_eq!(keyed("inactive_file many", "inactive_file"), None);
    }
}
