//! `/proc/PID/stat`: the processes that need most.
//!
//! Names only: arguments hold passwords, so nothing here ever sees `/proc/PID/cmdline`.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::time::Duration;

use super::{float, one_line, size};

/// What `/proc/PID/stat` says about one process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Process {
    /// Its number, which is used again after its end.
    pub(crate) pid: u32,
    /// Its short name, without control characters.
    pub(crate) name: String,
    /// The processor time it has used, in clock ticks.
    pub(crate) cpu_ticks: u64,
    /// When it started, in clock ticks since the system's start: tells it from others of the same number.
    pub(crate) started_ticks: u64,
    /// The memory it holds, shared parts included, in pages.
    pub(crate) resident_pages: u64,
}

/// Reads `/proc/PID/stat`; `None` if it is garbled. The fields are those of `proc_pid_stat(5)`.
pub(crate) fn parse(text: &[u8]) -> Option<Process> {
    // The name may hold spaces, parentheses and line ends, so it reaches from the first `(` to the last `)`.
    let open = text.iter().position(|byte| *byte == b'(')?;
    let close = text.iter().rposition(|byte| *byte == b')')?;
    let name = text.get(open + 1..close)?;
    let pid = std::str::from_utf8(&text[..open]).ok()?.trim();
    let rest = std::str::from_utf8(&text[close + 1..]).ok()?;
    // Behind the name comes field 3; what is skipped are the fields between those that are read.
    let mut fields = rest.split_ascii_whitespace();
    let mut after_skipping = |count: usize| -> Option<u64> { fields.nth(count)?.parse().ok() };
    let user_ticks = after_skipping(14 - 3)?;
    let system_ticks = after_skipping(0)?;
    let started_ticks = after_skipping(22 - 16)?;
    let resident_pages = after_skipping(24 - 23)?;
    Some(Process {
        pid: pid.parse().ok()?,
        name: one_line(&String::from_utf8_lossy(name)),
        cpu_ticks: user_ticks.saturating_add(system_ticks),
        started_ticks,
        resident_pages,
    })
}

/// Reads a line as `deployment/ssh-monitor` shortens it: PID, user ticks, system ticks, start, resident pages, and
/// the name up to the end. `None` if it is none.
pub(crate) fn parse_short(line: &[u8]) -> Option<Process> {
    let mut parts = line.splitn(6, |byte| *byte == b' ');
    let mut number = || -> Option<u64> { std::str::from_utf8(parts.next()?).ok()?.parse().ok() };
    let pid = u32::try_from(number()?).ok()?;
    let user_ticks = number()?;
    let system_ticks = number()?;
    let started_ticks = number()?;
    let resident_pages = number()?;
    Some(Process {
        pid,
        name: one_line(&String::from_utf8_lossy(parts.next()?)),
        cpu_ticks: user_ticks.saturating_add(system_ticks),
        started_ticks,
        resident_pages,
    })
}

/// The `top` processes that used most processor time between two passes, in percent of one core as `top` says it;
/// `None` if none used any. Processes that are not in both passes are left out.
pub(crate) fn busiest(
    before: &[Process],
    after: &[Process],
    ticks_per_second: u64,
    interval: Duration,
    top: usize,
) -> Option<String> {
    let interval_ticks = float(ticks_per_second) * interval.as_secs_f64();
    if interval_ticks <= 0.0 {
        return None;
    }
    let known: HashMap<(u32, u64), u64> = (before.iter())
        .map(|process| ((process.pid, process.started_ticks), process.cpu_ticks))
        .collect();
    let mut used: Vec<(u64, &Process)> = (after.iter())
        .filter_map(|process| {
            let before = known.get(&(process.pid, process.started_ticks))?;
            Some((process.cpu_ticks.saturating_sub(*before), process))
        })
        .filter(|(ticks, _)| *ticks > 0)
        .collect();
    used.sort_by_key(|(ticks, process)| (Reverse(*ticks), process.pid));
    listed(used.into_iter().take(top).map(|(ticks, process)| {
        let percent = 100.0 * float(ticks) / interval_ticks;
        format!("{} {percent:.1} %", process.name)
    }))
}

/// The `top` processes that hold most memory, shared parts included; `None` if none holds any.
pub(crate) fn largest(processes: &[Process], page_bytes: u64, top: usize) -> Option<String> {
    let mut holding: Vec<&Process> = (processes.iter())
        .filter(|process| process.resident_pages > 0)
        .collect();
    holding.sort_by_key(|process| (Reverse(process.resident_pages), process.pid));
    listed(holding.into_iter().take(top).map(|process| {
        let bytes = process.resident_pages.saturating_mul(page_bytes);
        format!("{} {}", process.name, size(bytes))
    }))
}

fn listed(entries: impl Iterator<Item = String>) -> Option<String> {
    let entries: Vec<String> = entries.collect();
    (!entries.is_empty()).then(|| entries.join(", "))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A line as the kernel writes it, with what we read filled in.
    fn line(pid: u32, name: &str, user_ticks: u64, system_ticks: u64, pages: u64) -> Vec<u8> {
        format!(
            "{pid} ({name}) S 1 {pid} {pid} 0 -1 4194304 102 0 0 0 {user_ticks} {system_ticks} 7 9 20 0 1 0 \
             353286 3133440 {pages} 18446744073709551615 94745514389504 94745514409385 140720656762448 0 0 0 0 \
             0 0 0 0 0 17 0 0 0 0 0 0 94745514425392 94745514427008 94745678782464 140720656767518 \
             140720656767538 140720656767538 140720656769003 0\n"
        )
        .into_bytes()
    }

    fn read(pid: u32, name: &str, ticks: u64, pages: u64) -> Process {
        parse(&line(pid, name, ticks, 0, pages)).expect("a line of the kernel's")
    }

    #[test]
    fn names_may_hold_anything() {
        for (written, name) in [
            ("cat", "cat"),
            ("Web Content", "Web Content"),
            ("a) R 1 (b", "a) R 1 (b"),
            (":-) ", ":-)"),
            ("red\u{1b}[31m\n", "red[31m"),
            ("", ""),
        ] {
            let process = parse(&line(42, written, 3, 4, 384)).expect(written);
            let expected = Process {
                pid: 42,
                name: name.to_owned(),
                cpu_ticks: 7,
                started_ticks: 353_286,
                resident_pages: 384,
            };
            assert_eq!(process, expected);
        }
        let mut latin = line(42, "caf?", 0, 0, 1);
        latin[7] = 0xe9;
        assert_eq!(parse(&latin).expect("a line").name, "caf\u{fffd}");
    }

    #[test]
    fn what_is_garbled_is_no_process() {
        for text in [
            "",
            "42",
            "42 (cat",
            "42 cat) S",
            ") 42 (",
            "42 (cat) S 1",
            "x (cat) S 1 1 1",
        ] {
            assert_eq!(parse(text.as_bytes()), None, "`{text}`");
        }
        let whole = line(42, "cat", 1, 2, 3);
        // Cut within the fields that are read.
        assert_eq!(parse(&whole[..60]), None);
    }

    #[test]
    fn short_lines_say_the_same() {
        for name in ["cat", "Web Content", "a) R 1 (b", ":-)", ""] {
            let short = format!("42 3 4 353286 384 {name}");
            assert_eq!(
                parse_short(short.as_bytes()),
                parse(&line(42, name, 3, 4, 384))
            );
        }
        for text in [
            "",
            "42",
            "42 3 4 353286 384",
            "42 (cat) S 1 1 1",
            "1 2 3 4 x y",
        ] {
            assert_eq!(parse_short(text.as_bytes()), None, "`{text}`");
        }
    }

    #[test]
    fn the_busiest_come_first_in_percent_of_one_core() {
        let before = [
            read(1, "init", 100, 1),
            read(2, "rustc", 1000, 1),
            read(3, "sshd", 50, 1),
            read(4, "gone", 50, 1),
            Process {
                started_ticks: 1,
                ..read(5, "reused", 9, 1)
            },
        ];
        let after = [
            read(1, "init", 100, 1),
            read(2, "rustc", 1050, 1),
            read(3, "sshd", 51, 1),
            read(5, "reused", 900, 1),
            read(6, "new", 900, 1),
        ];
        let quarter = Duration::from_millis(250);
        let busiest = |top| busiest(&before, &after, 100, quarter, top);
        assert_eq!(busiest(5).as_deref(), Some("rustc 200.0 %, sshd 4.0 %"));
        assert_eq!(busiest(1).as_deref(), Some("rustc 200.0 %"));
        assert_eq!(busiest(0), None);
        assert_eq!(super::busiest(&before, &before, 100, quarter, 5), None);
        assert_eq!(
            super::busiest(&before, &after, 100, Duration::ZERO, 5),
            None
        );
    }

    #[test]
    fn the_largest_come_first_and_kernel_threads_never() {
        let all = [
            read(2, "kthreadd", 0, 0),
            read(3, "sshd", 0, 1024),
            read(4, "postgres", 0, 131_072),
            read(5, "postgres", 0, 131_072),
        ];
        assert_eq!(
            largest(&all, 4096, 3).as_deref(),
            Some("postgres 512 MiB, postgres 512 MiB, sshd 4 MiB")
        );
        assert_eq!(largest(&all[..1], 4096, 3), None);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(parse(&bytes).is_none_or(|process| process.name.len() <= 3 * bytes.len()));
        }

        #[test]
        fn any_name_is_read(name in "\\PC{0,20}", ticks in any::<u64>()) {
            let process = parse(&line(7, &name, ticks, ticks, ticks));
            prop_assert_eq!(process.map(|process| process.resident_pages), Some(ticks));
        }
    }
}
