//! One look with everything seen.

use super::{all_four, service};
use crate::support::program::Workplace;

#[tokio::test]
async fn it_shows_why_with_every_limit_and_where_it_came_from() {
    let server = service().await;
    let place = Workplace::with_configuration(&all_four(server.port));
    let ended = place.run(&["probe", "yellow"]).await;
    ended
        .assert_code(1)
        .assert_prints("api_endpoints/yellow: YELLOW\n")
        .assert_prints("  configured at config/config.yaml:4:7\n")
        .assert_prints("  time-out 5000 ms (default)\n")
        .assert_prints("why:\n  YELLOW: response_time_ms is ")
        .assert_prints(", the limit is > 0\n")
        .assert_prints(
            "YELLOW > 0 (config/config.yaml:4:73 targets.api_endpoints[1].thresholds.api_slow_ms)",
        )
        .assert_prints("  http_status: 200\n")
        .assert_prints("  connect_time_ms: ")
        .assert_prints("  tls_time_ms: not measured")
        .assert_prints("RED < 7 (default)")
        .assert_prints("  address: 127.0.0.1");
    assert_eq!(ended.stderr, "");

    let ended = place.run(&["probe", "api_endpoints/green"]).await;
    ended
        .assert_code(0)
        .assert_prints("api_endpoints/green: GREEN\n")
        .assert_prints("nothing measured lies beyond its limits")
        .assert_prints("YELLOW > 4000 (config/config.yaml:7:14 thresholds.api_slow_ms)");

    let ended = place.run(&["probe", "red"]).await;
    ended
        .assert_code(2)
        .assert_prints(
            "answered 500 Internal Server Error, expected 200-299 (unexpected)\n    hint: ",
        )
        .assert_prints("  http_status: 500\n");
    place.run(&["probe", "unknown"]).await.assert_code(3);
    assert_eq!(server.requests().len(), 4, "one look each");
}

#[tokio::test]
async fn a_name_that_is_none_or_two_is_64() {
    let server = service().await;
    let yaml =
        all_four(server.port).replace("targets:\n", "targets:\n  local_hosts: [{name: green}]\n");
    let place = Workplace::with_configuration(&yaml);
    let cases = [
        (
            "yelow",
            "there is no target `yelow`\n  hint: did you mean `yellow`?",
        ),
        ("zzzzzzzz", "`roundsman graph` shows all names"),
        ("local_hosts/red", "there is no target `local_hosts/red`"),
        (
            "green",
            "`green` could be `local_hosts/green` or `api_endpoints/green`\n  hint: write the kind too",
        ),
    ];
    for (name, said) in cases {
        let ended = place.run(&["probe", name]).await;
        ended.assert_code(64).assert_says(said);
        assert_eq!(ended.stdout, "");
    }
    place
        .run(&["probe", "api_endpoints/green"])
        .await
        .assert_code(0);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn this_machine_can_be_probed_without_configuration() {
    let place = Workplace::without_configuration();
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").expect("a name");
    let ended = place.run(&["probe", host.trim()]).await;
    assert!(ended.code.is_some_and(|code| code <= 3), "{ended}");
    ended
        .assert_prints("configured at built-in:")
        .assert_prints("  cpu_percent: ")
        .assert_prints("RED > 90 (default");
}
