//! A network of our own that is down: the program runs in a network namespace of its own, where nothing but itself is.

use std::process::Command;

use rustix::process::Signal;
use serde_json::Value;

use crate::support::cannot_run;
use crate::support::daemon::Daemon;
use crate::support::program::{Ended, PROGRAM, Workplace, target};

const SHOPS: [&str; 4] = ["north", "east", "south", "west"];

/// Where reports go: nobody but a test that makes it its own has this address.
const REPORTS_GO_TO: &str = "198.18.0.1";

/// Begins a program in a namespace that has a loopback device and no more.
const ALONE: &str = "ip link set lo up && exec \"$0\" \"$@\"";

/// The same where the host of the reports is there, and refuses every connection.
const WITH_REPORTS: &str =
    "ip link set lo up && ip address add 198.18.0.1/32 dev lo && exec \"$0\" \"$@\"";

/// The same behind a gateway: a cable whose other end is the first argument of the script.
const BEHIND_A_GATEWAY: &str = "ip link set lo up && \
    ip link add here type veth peer name there && \
    ip address add 203.0.113.2/24 dev here && ip link set here up && \
    GATEWAY && ip route add default via 203.0.113.1 && \"$0\" \"$@\"";

/// Nobody is at the other end.
const GATEWAY_IS_GONE: &str = "ip link set there up";

/// A machine is there, in a namespace of its own that ends with this one's pipe. It passes nothing on.
const GATEWAY_IS_THERE: &str = "mkfifo held && \
    { unshare --net sh -c \"cat held\" & } && gateway=$! && exec 3>held && \
    while [ $(readlink /proc/$gateway/ns/net) = $(readlink /proc/$$/ns/net) ]; do sleep 0.01; done && \
    ip link set there netns $gateway && \
    nsenter --net --target $gateway sh -c \"ip address add 203.0.113.1/24 dev there && ip link set there up\"";

fn namespaces_are_missing() -> bool {
    let made = Command::new("unshare")
        .args(["--net", "sh", "-c", "ip link set lo up"])
        .output();
    let missing = !made.is_ok_and(|made| made.status.success());
    if missing {
        cannot_run("a network of its own needs root, `unshare` and `ip` (iproute2)");
    }
    missing
}

/// Four shops at addresses that nobody has, a machine that is well, and where reports go.
fn configuration(monitoring: &str) -> String {
    let webhook = format!("http://user:canary-4711@{REPORTS_GO_TO}:9/canary-4711");
    format!(
        "reporters:\n  - {{kind: webhook, url: \"{webhook}\"}}\n  - {{kind: file, directory: reports}}\n{}",
        without_reports(monitoring)
    )
}

/// The same where reports go nowhere.
fn without_reports(monitoring: &str) -> String {
    let mut yaml = format!(
        "monitoring: {{{monitoring}}}\n\
         targets:\n\
         \x20 local_hosts: [{{name: here, rules: [{{metric: cpu_percent, yellow: never, red: never}}]}}]\n\
         \x20 api_endpoints:\n"
    );
    for (index, shop) in SHOPS.iter().enumerate() {
        let address = format!("198.51.100.{}", index + 1);
        yaml.push_str(&format!(
            "    - {{name: {shop}, url: \"http://{address}/\", timeout_ms: 1500}}\n"
        ));
    }
    yaml
}

async fn once(configuration: &str, script: &str) -> Ended {
    let place = Workplace::with_configuration(configuration);
    let through = format!("exec unshare --net sh -c '{script}' \"$0\" \"$@\"");
    let arguments = ["--run-once", "--format", "json", "--no-notify"];
    place.run_through(&through, &arguments).await
}

/// The daemon of this place, without a network.
fn alone(place: &Workplace) -> Command {
    let mut command = Command::new("unshare");
    command
        .args(["--net", "sh", "-c", ALONE, PROGRAM])
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .current_dir(place.path());
    command
}

fn statuses(report: &Value) -> Vec<&str> {
    let status = |shop: &&str| target(report, shop)["status"].as_str().expect("a status");
    SHOPS.iter().map(status).collect()
}

/// The alerts about our own network.
fn alerts(report: &Value) -> Vec<&str> {
    let alerts = report["self_alerts"].as_array().expect("alerts");
    let message = |alert: &'_ Value| {
        alert["message"]
            .as_str()
            .is_some_and(|text| text.contains("our own network"))
    };
    (alerts.iter())
        .filter(|alert| message(alert))
        .filter_map(|alert| alert["message"].as_str())
        .collect()
}

#[tokio::test]
async fn a_round_without_a_network_says_nothing_of_the_targets() {
    if namespaces_are_missing() {
        return;
    }
    let ended = once(&configuration(""), ALONE).await;
    let report = ended.json();
    assert_eq!(statuses(&report), ["UNKNOWN"; 4], "{ended}");
    assert_ne!(target(&report, "here")["status"], "RED", "{ended}");
    let [alert] = alerts(&report)[..] else {
        panic!("one alert: {ended}");
    };
    for words in [
        "our own network is down since ",
        "this machine has no default route",
        "`198.18.0.1`, to which reports go, cannot be reached: no route to `198.18.0.1`",
    ] {
        assert!(alert.contains(words), "`{words}` is missing: {alert}");
    }
    let failure = &target(&report, "north")["failure"];
    assert_eq!(failure["kind"], "ours", "{failure}");
    let message = failure["message"].as_str().expect("a message");
    assert!(
        message.contains("the look itself said: ") && message.contains("198.51.100.1"),
        "{message}"
    );
    assert!(failure["hint"].is_string(), "{failure}");
    assert!(!ended.to_string().contains("canary"), "{ended}");
}

#[tokio::test]
async fn targets_are_down_where_the_host_of_the_reports_answers() {
    if namespaces_are_missing() {
        return;
    }
    let ended = once(&configuration(""), WITH_REPORTS).await;
    ended.assert_code(2);
    let report = ended.json();
    assert_eq!(statuses(&report), ["RED"; 4], "{ended}");
    assert!(alerts(&report).is_empty(), "{ended}");
}

#[tokio::test]
async fn a_gateway_that_is_gone_is_proof_enough() {
    if namespaces_are_missing() {
        return;
    }
    let script = BEHIND_A_GATEWAY.replace("GATEWAY", GATEWAY_IS_GONE);
    let ended = once(&without_reports(""), &script).await;
    let report = ended.json();
    assert_eq!(statuses(&report), ["UNKNOWN"; 4], "{ended}");
    let alert = alerts(&report).join("");
    let gone = "the gateway is gone: `203.0.113.1` on `here`";
    assert!(alert.contains(gone), "{alert}");
}

#[tokio::test]
async fn targets_are_down_behind_a_gateway_that_is_there() {
    if namespaces_are_missing() {
        return;
    }
    let script = BEHIND_A_GATEWAY.replace("GATEWAY", GATEWAY_IS_THERE);
    let ended = once(&without_reports(""), &script).await;
    ended.assert_code(2);
    let report = ended.json();
    assert_eq!(statuses(&report), ["RED"; 4], "{ended}");
    assert!(alerts(&report).is_empty(), "{ended}");
}

#[tokio::test]
async fn the_guard_of_our_own_network_can_be_switched_off() {
    if namespaces_are_missing() {
        return;
    }
    let ended = once(&configuration("own_network: false"), ALONE).await;
    ended.assert_code(2);
    assert_eq!(statuses(&ended.json()), ["RED"; 4], "{ended}");
}

#[tokio::test]
async fn a_daemon_tells_of_each_outage_once_and_sees_its_end() {
    if namespaces_are_missing() {
        return;
    }
    let yaml = configuration("every: 1s, confirm_after: 1s");
    let place = Workplace::with_configuration(&yaml);
    let mut daemon = Daemon::from(alone(&place));

    let down = daemon.event("network.down").await;
    let proofs = down["proofs"].as_str().expect("proofs");
    assert!(proofs.contains("no default route"), "{proofs}");
    let made = daemon.event("report.made").await;
    assert_eq!((&made["red"], &made["unknown"]), (&0.into(), &4.into()));
    daemon.reported().await;
    let report: Value =
        serde_json::from_str(&place.read("reports/latest_report.json")).expect("a report");
    assert_eq!(statuses(&report), ["UNKNOWN"; 4]);
    assert_eq!(alerts(&report).len(), 1, "{report:#}");

    // The host of the reports is there again, the shops are not: now it is they who are down.
    let pid = daemon.pid().as_raw_nonzero().to_string();
    let added = Command::new("nsenter")
        .args(["--net", "--target", &pid, "ip", "address", "add"])
        .args([&format!("{REPORTS_GO_TO}/32"), "dev", "lo"])
        .status();
    assert!(added.expect("`nsenter` runs").success());
    daemon.event("network.up").await;
    for _ in SHOPS {
        let changed = daemon.event("target.changed").await;
        assert_eq!(
            (&changed["from"], &changed["to"]),
            (&"UNKNOWN".into(), &"RED".into())
        );
    }
    let ended = daemon.stop().await;
    ended.assert_code(0);
    let told = |event: &str| ended.stdout.matches(&format!("\"{event}\"")).count();
    assert_eq!(
        (told("network.down"), told("network.up")),
        (1, 1),
        "{ended}"
    );
    assert!(!ended.to_string().contains("canary"), "{ended}");
}

#[tokio::test]
async fn a_daemon_that_ends_meanwhile_leaves_no_target_down() {
    if namespaces_are_missing() {
        return;
    }
    let place = Workplace::with_configuration(&configuration(""));
    let mut daemon = Daemon::from(alone(&place));
    // The looks have failed at once, and wait for what is found out about our own network.
    daemon.event("round.ended").await;
    daemon.signal(Signal::TERM);
    for _ in SHOPS {
        let is_shop = |line: &Value| line["target.kind"] == "api_endpoints";
        let changed = daemon.event_that("target.changed", is_shop).await;
        assert_eq!(changed["to"], "UNKNOWN", "{changed}");
    }
    daemon.ended().await.assert_code(0);
}
