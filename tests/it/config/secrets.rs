//! No value of a variable or a file is ever shown, wherever it is put.

use crate::support::program::Workplace;

const CANARY: &str = "canary-7c1d";

#[test]
fn a_secret_in_the_wrong_place_is_not_shown() {
    for place in [
        "monitoring: {schedule: \"${S}\"}",
        "monitoring: {every: \"${S}\"}",
        "monitoring: {timezone: \"${S}\"}",
        "monitoring: {missed: \"${S}\"}",
        "thresholds: {cpu_red: \"${S}\"}",
        "llm: {max_tokens: \"${S}\"}",
        "llm: {when: \"${S}\"}",
        "llm: {base_url: \"${S}\"}",
        "targets: {local_hosts: [{critical: \"${S}\"}]}",
        "targets: {local_hosts: [{timeout_ms: \"${S}\"}]}",
        "targets: {local_hosts: [{runbook: \"${S}\"}]}",
        "targets: {local_hosts: [{urgency: \"${S}\"}]}",
        "targets: {local_hosts: \"${S}\"}",
        "targets: {local_hosts: [\"${S}\"]}",
        "targets: {local_hosts: [{rules: [{metric: \"${S}\", red: \"> 1\"}]}]}",
        "targets: {local_hosts: [{rules: [{metric: cpu_percent, red: \"${S}\"}]}]}",
        "targets: {local_hosts: [{thresholds: {cpu_red: \"${S}\"}}]}",
        "targets: {local_hosts: [{depends_on: \"${S}\"}]}",
        "targets: {vps_servers: [{host: x, port: \"${S}\"}]}",
        "targets: {databases: [{host: x, database: y, ssl_mode: \"${S}\"}]}",
        "targets: {api_endpoints: [{url: \"${S}\"}]}",
        "targets: {api_endpoints: [{url: \"ftp://u:${S}@x/\"}]}",
        "targets: {api_endpoints: [{url: \"http://x\", method: \"${S} x\"}]}",
        "targets: {api_endpoints: [{url: \"http://x\", expect: {status: \"${S}\"}}]}",
        "targets: {api_endpoints: [{url: \"http://x\", expect: {regex: \"${S}[\"}}]}",
        "targets: {api_endpoints: [{url: \"http://x\", expect: {json: {\"$$.a\": [\"${S}\"]}}}]}",
        "targets: {api_endpoints: [{url: \"http://x\", headers: {\"a b\": \"${S}\"}}]}",
        "targets: {api_endpoints: [{url: \"http://x\", auth: {bearer: [\"${S}\"]}}]}",
        "reporters: [{kind: \"${S}\"}]",
        "reporters: [{kind: slack, webhook_url: \"${S}\"}]",
        "reporters: [{kind: email, host: \"${S} x\"}]",
        "reporters: [{kind: email, from: \"${S}\"}]",
        "reporters: [{kind: email, to: [\"${S}\"]}]",
        "reporters: [\"${S}\"]",
        "\"${S}\"",
    ] {
        let folder = Workplace::with_configuration(place).variable("S", CANARY);
        let said = folder.problems();
        assert!(!said.contains(CANARY), "{place}\n{said}");
        assert!(!said.is_empty(), "{place} was accepted");
    }
}

#[test]
fn a_file_gives_a_secret_without_its_line_break() {
    let yaml = "targets: {local_hosts: [{name: \"${file:secrets/name}\"}]}";
    let folder = Workplace::with_configuration(yaml).file("secrets/name", "here\n");
    let plan = folder
        .load()
        .and_then(|loaded| loaded.plan)
        .expect("a plan");
    assert_eq!(&*plan.watched[0].target.id.name, "here");
}
