//! Which targets are looked at: `--only` and `--kind`.

use super::{all_four, service};
use crate::support::program::Workplace;

#[tokio::test]
async fn only_takes_names_patterns_and_kinds_with_names() {
    let server = service().await;
    // A second kind with a name that stands twice.
    let yaml = format!("{}x-free: 1\n", all_four(server.port)).replace(
        "targets:\n",
        "targets:\n  local_hosts: [{name: green}, {name: here}]\n",
    );
    let place = Workplace::with_configuration(&yaml);
    let cases: [(&[&str], &[&str]); 10] = [
        (&["--only", "red"], &["api_endpoints/red"]),
        (
            &["--only", "red", "yellow"],
            &["api_endpoints/red", "api_endpoints/yellow"],
        ),
        (
            &["--only", "red", "--only", "unk*"],
            &["api_endpoints/red", "api_endpoints/unknown"],
        ),
        (
            &["--only", "gr??n"],
            &["api_endpoints/green", "local_hosts/green"],
        ),
        (
            &["--only", "green"],
            &["api_endpoints/green", "local_hosts/green"],
        ),
        (&["--only", "local_hosts/green"], &["local_hosts/green"]),
        (
            &["--only", "local_hosts/*"],
            &["local_hosts/green", "local_hosts/here"],
        ),
        (
            &["--only", "{red,here}"],
            &["api_endpoints/red", "local_hosts/here"],
        ),
        (
            &["--kind", "local_hosts"],
            &["local_hosts/green", "local_hosts/here"],
        ),
        (
            &["--kind", "api_endpoints", "--only", "green", "here"],
            &["api_endpoints/green"],
        ),
    ];
    for (selection, expected) in cases {
        let arguments = [&["--run-once", "--format", "json"], selection].concat();
        let ended = place.run(&arguments).await;
        let report = ended.json();
        let mut looked_at: Vec<String> = (report["targets"].as_array().expect("targets").iter())
            .map(|target| {
                let word = |key: &str| target[key].as_str().expect("a text").to_owned();
                format!("{}/{}", word("kind"), word("name"))
            })
            .collect();
        looked_at.sort();
        assert_eq!(looked_at, expected, "{selection:?}");
    }
    let ended = place
        .run(&["--run-once", "--kind", "local_hosts", "--only", "red"])
        .await;
    ended.assert_code(64).assert_says("no target matches");
    let ended = place.run(&["--run-once", "--kind", "databases"]).await;
    ended.assert_code(64).assert_says("no target matches");
}

#[tokio::test]
async fn a_target_that_is_not_wanted_is_left_alone() {
    let server = service().await;
    let place = Workplace::with_configuration(&all_four(server.port));
    let ended = place.run(&["--run-once", "--only", "green"]).await;
    ended.assert_code(0);
    let requests = server.requests();
    assert_eq!(requests.len(), 1, "{requests:?}");
    assert!(requests[0].starts_with("GET /green "), "{requests:?}");
}
