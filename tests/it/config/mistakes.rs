//! One file per mistake, with exactly what is said about it: `mistakes.txt`.

use crate::support::program::Workplace;

#[test]
fn every_mistake_says_where_and_what_to_do() {
    let mistakes = include_str!("mistakes.txt");
    let mut wrong = Vec::new();
    let mut count = 0;
    for mistake in mistakes.split("=== file\n").skip(1) {
        let (yaml, said) = mistake.split_once("--- said\n").expect("what is said");
        let folder = Workplace::with_configuration(yaml);
        for problem in folder.load().expect("a file").problems {
            assert!(problem.hint.is_some(), "nothing says what to do: {problem}");
            assert!(problem.location.is_some(), "nothing says where: {problem}");
        }
        let found = folder.problems();
        if found != said.trim_end() {
            wrong.push(format!(
                "{yaml}--- is said\n{found}\n--- instead of\n{said}"
            ));
        }
        count += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 50, "only {count} mistakes were read");
}

#[test]
fn mistakes_in_one_file_are_told_in_the_order_of_its_lines() {
    let folder = Workplace::with_configuration(
        "monitoring: {schedule: now}\n\
         targets:\n\
         \x20 vps_servers: [{prt: 22}]\n\
         \x20 local_hosts: [{timeout_ms: 0, critical: 2}]\n\
         thresholds: {cpu_red: x}\n",
    );
    let said = folder.problems();
    let lines = said
        .lines()
        .filter_map(|line| line.strip_prefix("config/config.yaml:"));
    let numbers: Vec<&str> = lines.filter_map(|line| line.split(':').next()).collect();
    assert_eq!(numbers, ["1", "3", "3", "4", "4", "5"], "{said}");
}

#[test]
fn a_mistake_that_cannot_be_taken_away_ends_the_reading() {
    for entry in [
        "{depends_on: [[x]]}",
        "{depends_on: [{a: b}, c]}",
        "{rules: [x, [y], {metric: [z]}]}",
        "{rules: [~]}",
        "{labels: {d: [x]}}",
        "{thresholds: [x]}",
        "{exclude_mounts: [[x], {y: z}]}",
    ] {
        let yaml = format!("targets: {{local_hosts: [{entry}]}}");
        assert!(
            Workplace::with_configuration(&yaml)
                .load()
                .is_some_and(|loaded| loaded.plan.is_none()),
            "{entry}"
        );
    }
    for entry in [
        "headers: {\"bad name\": x}",
        "headers: {A: [x]}",
        "expect: {json: {\"not a path\": 1}}",
        "expect: {status: [[x]]}",
        "expect: {contains: [[x], {y: z}]}",
        "auth: {basic: {username: u}}",
        "auth: {basic: {username: u, password: p}, bearer: x}",
        "auth: [x]",
        "tls: {verify: [x]}",
        "max_body_bytes: -1",
    ] {
        let yaml = format!("targets: {{api_endpoints: [{{url: \"http://x\", {entry}}}]}}");
        assert!(
            Workplace::with_configuration(&yaml)
                .load()
                .is_some_and(|loaded| loaded.plan.is_none()),
            "{entry}"
        );
    }
}
