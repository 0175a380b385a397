//! Maintenance windows, and who hears of what.

use serde_json::json;

use crate::support::program::Workplace;

const YAML: &str = "monitoring: {timezone: Europe/Berlin}
targets:
  local_hosts: [{name: web-1}, {name: web-2, labels: {team: ops}}]
reporters:
  - {kind: terminal, name: chat}
  - {kind: terminal, name: phone}
  - {kind: terminal, name: boss, route: {severities: [critical, high], names: web-*, digest: false}}
  - {kind: terminal, name: nobody, route: {incidents: false}}
escalation:
  - {after: 15m, reporters: [phone], severities: [critical]}
  - {after: 1h, reporters: [phone, boss]}
silences:
  - {match: {names: web-1}, until: 2131-12-02 06:00, author: anna, comment: moving racks}
  - {match: {labels: {team: ops}}, from: 2131-12-01T00:00:00Z}
windows:
  - {name: always, match: {names: '*'}, schedule: '0 0 1 1 *', duration: 31days, timezone: UTC, comment: why not}
  - {name: leap, match: {labels: {team: ops}}, schedule: '30 2 29 2 *', duration: 90s}
incidents: {group_by: region, reminders: [2h]}
delivery: {retry: 6h}
";

/// Without what hangs on the day of the test: of the next times only the hours are left, from and until, and nothing of
/// now.
fn without_days(text: &str) -> String {
    let mut lines = Vec::new();
    for line in text.lines() {
        let is_time = |part: &str| {
            part.contains(" to ")
                && ["Mon ", "Tue ", "Wed ", "Thu ", "Fri ", "Sat ", "Sun "]
                    .iter()
                    .any(|day| part.starts_with(day))
        };
        let rest = line.trim_start().trim_start_matches("next: ");
        if is_time(rest) {
            let from_to = rest.split_once(" to ").expect("two times");
            let hours = |text: &str| text.split(' ').rev().take(2).collect::<Vec<_>>().join(" ");
            lines.push(format!("{} to {}", hours(from_to.0), hours(from_to.1)));
        } else if !line.contains("now: ") {
            lines.push(line.to_owned());
        }
    }
    lines.join("\n")
}

#[tokio::test]
async fn each_window_is_shown_with_its_targets_and_next_times() {
    let place = Workplace::with_configuration(YAML);
    let ended = place.run(&["windows"]).await;
    ended.assert_code(0);
    assert_eq!(ended.stderr, "");
    let always = "+00:00 00:00 to +00:00 00:00\n".repeat(5);
    let leap = "+01:00 02:30 to +01:00 02:31:30\n".repeat(5);
    assert_eq!(
        without_days(&ended.stdout),
        format!(
            "always: why not
  targets: local_hosts/web-1, local_hosts/web-2
  opens: at 00:00, on day 1, in January (0 0 1 1 *, UTC), for 31 days
{always}
leap
  targets: local_hosts/web-2
  opens: at 02:30, on day 29, in February (30 2 29 2 *, Europe/Berlin), for 1m 30s
{leap}"
        )
        .trim_end()
    );
}

#[tokio::test]
async fn programs_get_windows_as_json() {
    let place = Workplace::with_configuration(YAML);
    let windows = place.run(&["windows", "--format", "json"]).await;
    let windows = windows.assert_code(0).json();
    let leap = &windows[1];
    assert_eq!(leap["name"], "leap");
    assert_eq!(leap["comment"], json!(null));
    assert_eq!(leap["match"], json!({"labels": {"team": ["ops"]}}));
    assert_eq!(leap["targets"], json!(["local_hosts/web-2"]));
    assert_eq!(leap["schedule"], "30 2 29 2 *");
    assert_eq!(leap["timezone"], "Europe/Berlin");
    assert_eq!(leap["duration_seconds"], 90);
    let next = leap["next"].as_array().expect("times");
    assert_eq!(next.len(), 5);
    for time in next {
        let text = |key: &str| time[key].as_str().expect("a time").to_owned();
        assert!(text("from").ends_with("-02-29T02:30:00+01:00"), "{time}");
        assert!(text("until").ends_with("-02-29T02:31:30+01:00"), "{time}");
    }
    assert_eq!(windows[0]["name"], "always");
}

#[tokio::test]
async fn without_windows_it_says_how_to_add_one() {
    let place = Workplace::with_configuration("targets: {local_hosts: [{}]}\n");
    let ended = place.run(&["windows"]).await;
    ended.assert_code(0);
    assert_eq!(
        ended.stdout,
        "there are no windows\n  hint: add one under `windows:`; docs/incidents.md shows how\n"
    );
    let ended = place.run(&["windows", "--format", "json"]).await;
    assert_eq!(ended.assert_code(0).json(), json!([]));
}

#[tokio::test]
async fn check_config_says_who_hears_of_what() {
    let place = Workplace::with_configuration(YAML);
    let ended = place.run(&["check-config"]).await;
    ended.assert_code(0);
    let begin = ended.stdout.find("silences:\n").expect("silences");
    let end = ended.stdout.find("memory: ").expect("memory");
    let said: Vec<&str> = ended.stdout[begin..end]
        .lines()
        .filter(|line| !line.starts_with("  always: ") && !line.starts_with("  leap: "))
        .collect();
    assert_eq!(
        said,
        [
            "silences:",
            "  names web-1: now until Sun 2131-12-02 06:00 +01:00, by anna (moving racks)",
            "  team=ops: from Sat 2131-12-01 01:00 +01:00 and without end",
            "windows:",
            "escalation:",
            "  after 15m: critical incidents to phone",
            "  after 1h: all incidents to phone, boss",
            "routes:",
            "  phone: round reports; incidents only by escalation",
            "  boss: critical and high incidents of names web-*",
            "  nobody: round reports",
            "incidents: grouped by host, dependencies, region within 30s; reminders after 2h",
            "delivery: each message is tried for 6h",
        ]
    );
    ended
        .assert_prints("  leap: team=ops: next ")
        .assert_prints("0 errors, 0 warnings");
}

#[tokio::test]
async fn without_any_of_it_check_config_is_silent_about_it() {
    let place = Workplace::with_configuration(
        "targets: {local_hosts: [{}]}\nreporters: [{kind: terminal}]\n",
    );
    let ended = place.run(&["check-config"]).await;
    ended.assert_code(0);
    for word in [
        "silences",
        "windows",
        "escalation",
        "routes",
        "incidents",
        "delivery",
    ] {
        assert!(!ended.stdout.contains(word), "{word}; {ended}");
    }
}

#[tokio::test]
async fn a_secret_in_a_comment_is_not_shown() {
    let yaml = "targets:
  api_endpoints: [{name: a, url: \"http://127.0.0.1/\", auth: {bearer: \"${TOKEN}\"}}]
windows:
  - {name: one, match: {names: a}, schedule: '0 2 * * *', duration: 1h, comment: \"by ${TOKEN}\"}
silences:
  - {match: {names: a}, comment: \"by ${TOKEN}\", author: \"${TOKEN}\"}
";
    let place = Workplace::with_configuration(yaml).variable("TOKEN", "canary-7f3a91");
    for arguments in [
        &["windows"][..],
        &["windows", "--format", "json"],
        &["check-config"],
    ] {
        let ended = place.run(arguments).await;
        ended.assert_code(0);
        assert!(!ended.stdout.contains("canary"), "{ended}");
        assert!(!ended.stderr.contains("canary"), "{ended}");
    }
}
