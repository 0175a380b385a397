//! What only a server that is looked at from outside says: failed systemd units, and whether a reboot is due.

use super::script::ANSWER_LIMIT;
use crate::collectors::host::{metrics, one_line};
use crate::model::{Measurement, MetricSpec, Reading, Unit, Value};

pub(super) const FAILED_UNITS: MetricSpec = MetricSpec {
    name: "failed_units",
    unit: Unit::Count,
    subject: None,
    meaning: "units that systemd has given up, as `systemctl --failed` lists them; only where systemd runs; the fact \
              `failed_units` names them",
    headline: None,
    advice: Some(
        "see why: `systemctl --failed`, then `journalctl -u UNIT`; once it is settled `systemctl reset-failed`",
    ),
};
pub(super) const REBOOT_REQUIRED: MetricSpec = MetricSpec {
    name: "reboot_required",
    unit: Unit::Flag,
    subject: None,
    meaning: "whether an update waits for a restart of the system: the file `/run/reboot-required` of Debian and its \
              kin; only where there is such a file or the system is one of them; the fact `reboot_required` names the \
              packages",
    headline: None,
    advice: Some(
        "plan a restart: `cat /run/reboot-required.pkgs` names the packages that wait for it",
    ),
};

/// More names than this are no summary.
const MOST_NAMES: usize = 10;
/// A longer name is cut: systemd allows 255 characters.
const MOST_NAME_CHARACTERS: usize = 80;

/// Adds what systemd said, from the section `answers`.
pub(super) fn measure_failed_units(reading: &mut Reading, text: &[u8], has_systemd: bool) {
    let text = String::from_utf8_lossy(text);
    let mut lines = Vec::new();
    let mut code = None;
    for line in text.lines() {
        if let Some(line) = line.strip_prefix("unit ") {
            lines.push(line);
        } else if let Some(number) = line.strip_prefix("units ") {
            code = Some(number.trim());
        }
    }
    let late = || {
        let limit_ms = ANSWER_LIMIT.as_millis();
        format!("`systemctl --failed` did not answer within {limit_ms} ms")
    };
    let why = match code {
        Some("0") => {
            let names: Vec<&str> = lines.iter().copied().filter_map(unit_name).collect();
            #[expect(clippy::cast_precision_loss, reason = "nobody has 2^53 units")]
            metrics::put(reading, &FAILED_UNITS, None, names.len() as f64);
            if let Some(listed) = listed(&names) {
                reading.fact("failed_units", listed);
            }
            return;
        }
        // Killed by the script, which may still have the time to say so.
        Some("137") => late(),
        Some(code) => {
            let said = lines.iter().map(|line| one_line(line));
            let said = said.into_iter().find(|line| !line.is_empty());
            let said = said.map_or_else(|| format!("exit status {code}"), |line| cut(&line, 200));
            format!("`systemctl --failed` could not say: {said}")
        }
        None if has_systemd => late(),
        None => return,
    };
    metrics::gap_with_hint(
        reading,
        &[&FAILED_UNITS],
        None,
        &why,
        Some(
            "run `systemctl --failed` there as the same user: it needs to reach systemd over D-Bus",
        ),
    );
}

/// The name at the beginning of a line of `systemctl`; old versions put a bullet before it.
fn unit_name(line: &str) -> Option<&str> {
    let mut words = line.split_ascii_whitespace();
    words.find(|word| word.contains('.'))
}

/// Adds whether a reboot is due, from the section `reboot`.
pub(super) fn measure_reboot(reading: &mut Reading, text: &[u8]) {
    let text = String::from_utf8_lossy(text);
    let mut lines = text.lines().map(str::trim);
    let is_known = lines.clone().any(|line| line == "known");
    let is_required = lines.any(|line| line == "required");
    if !is_known && !is_required {
        return;
    }
    reading.measurements.push(Measurement {
        metric: REBOOT_REQUIRED.name,
        subject: None,
        value: Value::Flag(is_required),
        unit: REBOOT_REQUIRED.unit,
    });
    let mut packages: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    packages.sort_unstable();
    packages.dedup();
    if is_required {
        let named = listed(&packages).unwrap_or_else(|| "the packages are not named".to_owned());
        reading.fact("reboot_required", named);
    }
}

/// A short list of names; `None` if there are none.
fn listed(names: &[&str]) -> Option<String> {
    let shown = names.iter().take(MOST_NAMES);
    let mut shown: Vec<String> =
        (shown.map(|name| cut(&one_line(name), MOST_NAME_CHARACTERS))).collect();
    if names.len() > MOST_NAMES {
        shown.push(format!("{} more", names.len() - MOST_NAMES));
    }
    (!shown.is_empty()).then(|| shown.join(", "))
}

/// At most so many characters.
pub(super) fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str, has_systemd: bool) -> (Option<String>, Option<String>, Vec<String>) {
        let mut reading = Reading::default();
        measure_failed_units(&mut reading, text.as_bytes(), has_systemd);
        let number = reading
            .measurements
            .first()
            .map(|one| one.value.to_string());
        let fact = reading.facts.first().map(|fact| fact.value.clone());
        (
            number,
            fact,
            reading.gaps.into_iter().map(|gap| gap.message).collect(),
        )
    }

    #[test]
    fn failed_units_are_counted_and_named() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            told("unit \nunits 0\n", true),
            (some("0"), None, Vec::new())
        );
        let text = "\
fs 1 1 1 1 1 1 /
unit backup.service     loaded failed failed Back up
unit ● old-bullet.mount loaded failed failed /mnt/x
unit * other.timer      loaded failed failed x
units 0
";
        assert_eq!(
            told(text, true),
            (
                some("3"),
                some("backup.service, old-bullet.mount, other.timer"),
                Vec::new()
            )
        );
        let many: Vec<String> = (0..12)
            .map(|n| format!("unit u{n}.service loaded"))
            .collect();
        let (number, fact, _) = told(&format!("{}\nunits 0\n", many.join("\n")), true);
        assert_eq!(number, some("12"));
        assert!(fact.is_some_and(|fact| fact.ends_with("u9.service, 2 more")));
    }

    #[test]
    fn systemd_that_does_not_say_is_a_gap() {
        let failed = "unit Failed to connect to bus: \x1b[31mNo such file or directory\nunits 1\n";
        assert_eq!(
            told(failed, true).2,
            [
                "`systemctl --failed` could not say: Failed to connect to bus: [31mNo such file or directory"
            ]
        );
        assert_eq!(
            told("unit \nunits 1\n", true).2,
            ["`systemctl --failed` could not say: exit status 1"]
        );
        for late in ["", "unit Killed\nunits 137\n"] {
            assert_eq!(
                told(late, true).2,
                ["`systemctl --failed` did not answer within 3000 ms"]
            );
        }
        assert_eq!(told("", false), (None, None, Vec::new()));
    }

    #[test]
    fn a_reboot_is_told_where_somebody_knows() {
        for (text, flag, fact) in [
            ("", None, None),
            ("known\n", Some("no"), None),
            (
                "known\nrequired\nlinux-base\nlibc6\nlibc6\n",
                Some("yes"),
                Some("libc6, linux-base"),
            ),
            (
                "required\n",
                Some("yes"),
                Some("the packages are not named"),
            ),
        ] {
            let mut reading = Reading::default();
            measure_reboot(&mut reading, text.as_bytes());
            let seen = reading
                .measurements
                .first()
                .map(|one| one.value.to_string());
            assert_eq!(seen.as_deref(), flag, "{text}");
            let seen = reading.facts.first().map(|fact| fact.value.as_str());
            assert_eq!(seen, fact, "{text}");
        }
    }
}
