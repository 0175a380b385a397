use super::{all_four, service};
use crate::support::program::Workplace;

#[tokio::test]
async fn the_worst_status_is_the_exit_code() {
    let server = service().await;
    let place = Workplace::with_configuration(&all_four(server.port));
    let mixes: [(&[&str], i32); 9] = [
        (&["green"], 0),
        (&["yellow"], 1),
        (&["red"], 2),
        (&["unknown"], 3),
        (&["green", "unknown"], 3),
        (&["unknown", "yellow"], 1),
        (&["red", "unknown"], 2),
        (&["yellow", "red"], 2),
        (&["green", "yellow", "red", "unknown"], 2),
    ];
    for (names, code) in mixes {
        let arguments = [&["--run-once", "--only"], names].concat();
        let ended = place.run(&arguments).await;
        assert_eq!(ended.code, Some(code), "{names:?}: {ended}");
        assert_eq!(ended.stderr, "", "{names:?}");
    }
}

#[tokio::test]
async fn wrong_usage_is_64_and_says_what_is_right() {
    let server = service().await;
    let place = Workplace::with_configuration(&all_four(server.port));
    let cases: [(&[&str], &str); 16] = [
        (&["--run-onec"], "'--run-once'"),
        (&["chekc-config"], "'check-config'"),
        (
            &["--run-once", "--format", "yaml"],
            "`markdown`, found `yaml`",
        ),
        (&["--run-once", "--format"], "--format"),
        (&["--format", "json"], "--run-once"),
        (&["--only", "green"], "--run-once"),
        (&["--kind", "api_endpoints"], "--run-once"),
        (&["--no-notify"], "--run-once"),
        (&["--report-dir", "reports"], "--run-once"),
        (
            &["--run-once", "--only", "blue"],
            "`roundsman graph` shows all names",
        ),
        (&["--run-once", "--only", "["], "`[` is no pattern"),
        (
            &["--run-once", "--kind", "api_endpoint"],
            "did you mean `api_endpoints`?",
        ),
        (
            &["--run-once", "--kind", "zzz"],
            "`roundsman kinds` lists them",
        ),
        (&["--run-once", "check-config"], "exclude each other"),
        (&["probe"], "<TARGET>"),
        (&["kinds", "--format", "junit"], "junit"),
    ];
    for (arguments, said) in cases {
        let ended = place.run(arguments).await;
        assert_eq!(ended.code, Some(64), "{arguments:?}: {ended}");
        assert!(ended.stderr.contains(said), "{arguments:?}: {ended}");
        assert_eq!(ended.stdout, "", "{arguments:?}");
    }
    assert!(server.requests().is_empty(), "something was looked at");
}

#[tokio::test]
async fn a_wrong_configuration_is_78_for_every_command_that_needs_one() {
    let place = Workplace::with_configuration("targets: {local_host: [{}]}\n");
    let said = "config/config.yaml:1:11 targets.local_host: ";
    let commands: [&[&str]; 10] = [
        &["--run-once"],
        &["graph"],
        &["probe", "x"],
        &["incidents"],
        &["ack", "12"],
        &["silence", "x", "--for", "2h"],
        &["silences"],
        &["outbox"],
        &["test-report", "x"],
        &[],
    ];
    for arguments in commands {
        let ended = place.run(arguments).await;
        assert_eq!(ended.code, Some(78), "{arguments:?}: {ended}");
        assert_eq!(ended.stdout, "", "{arguments:?}");
        ended
            .assert_says(said)
            .assert_says("did you mean `local_hosts`?")
            .assert_says("1 error in the configuration: nothing was done");
    }
    // Its problems are its answer, so they go to stdout.
    let ended = place.run(&["check-config"]).await;
    ended.assert_code(78).assert_prints(said);
    ended.assert_prints("cannot be used");
    assert_eq!(ended.stderr, "");
}

#[tokio::test]
async fn help_and_version_are_answers() {
    let place = Workplace::without_configuration();
    let help = place.run(&["--help"]).await;
    help.assert_code(0).assert_prints("--run-once");
    for command in ["check-config", "schema", "kinds", "probe", "init", "graph"] {
        help.assert_prints(command);
        let ended = place.run(&[command, "--help"]).await;
        ended.assert_code(0).assert_prints("--config");
    }
    let version = place.run(&["--version"]).await;
    version.assert_code(0);
    let expected = concat!("roundsman ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(version.stdout, expected);
}

#[tokio::test]
async fn without_a_store_lists_are_empty_and_what_needs_one_is_not_done() {
    let server = service().await;
    let place =
        Workplace::with_configuration(&format!("{}store: {{path: kept}}\n", all_four(server.port)));
    lists_are_empty_in(&place).await;
    let place = place.file("there.db", "kept by somebody");
    let ended = place.run(&["backup", "there.db"]).await;
    ended
        .assert_code(64)
        .assert_says("`there.db` is there already\n  hint: name a file");
    assert_eq!(place.read("there.db"), "kept by somebody");
    assert!(!place.path().join("kept").exists());
    // What a daemon leaves that had no room for more.
    let place = place.file("kept/roundsman.db", "");
    lists_are_empty_in(&place).await;
    let nothing = rusqlite::Connection::open(place.path().join("kept/roundsman.db"));
    let nothing = nothing.expect("a database");
    nothing
        .execute_batch("PRAGMA journal_mode = WAL; VACUUM")
        .expect("a header, and no table");
    lists_are_empty_in(&place).await;
}

async fn lists_are_empty_in(place: &Workplace) {
    let missing = "there is no store at `kept/roundsman.db` yet\n  hint: the daemon makes it";
    for arguments in [
        &["incidents"][..],
        &["incidents", "--format", "json"],
        &["outbox"],
        &["uptime"],
        &["uptime", "--format", "json"],
        &["explain"],
        &["explain", "--format", "json"],
    ] {
        let ended = place.run(arguments).await;
        ended.assert_code(0).assert_says(missing);
        assert_ne!(ended.stdout, "", "{arguments:?}");
    }
    for arguments in [
        &["history", "green"][..],
        &["incidents", "12"],
        &["explain", "12"],
        &["ack", "12"],
        &["outbox", "retry"],
        &["verify"],
        &["backup", "copy.db"],
    ] {
        let ended = place.run(arguments).await;
        ended.assert_code(1).assert_says(missing);
        assert_eq!(ended.stdout, "", "{arguments:?}");
    }
}
