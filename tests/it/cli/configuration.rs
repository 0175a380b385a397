//! Which file is used, and what happens where there is none.

use std::path::Path;

use crate::support::program::Workplace;

fn watching(name: &str) -> String {
    format!("targets: {{local_hosts: [{{name: {name}}}]}}\n")
}

fn all_places() -> Workplace {
    Workplace::with_configuration(&watching("by-default"))
        .file("variable.yaml", &watching("by-variable"))
        .file("dotenv.yaml", &watching("by-dotenv"))
        .file("named.yaml", &watching("by-name"))
}

#[tokio::test]
async fn the_named_file_comes_first_then_the_variable_then_the_usual_place() {
    let place = all_places();
    let graph = place.run(&["graph"]).await;
    graph.assert_code(0).assert_prints("by-default");

    let place = place.file(".env", "ROUNDSMAN_CONFIG=dotenv.yaml\n");
    let graph = place.run(&["graph"]).await;
    graph.assert_code(0).assert_prints("by-dotenv");

    let place = place.variable("ROUNDSMAN_CONFIG", "variable.yaml");
    let graph = place.run(&["graph"]).await;
    graph.assert_code(0).assert_prints("by-variable");

    for arguments in [
        ["--config", "named.yaml", "graph"],
        ["graph", "--config", "named.yaml"],
    ] {
        let graph = place.run(&arguments).await;
        graph.assert_code(0).assert_prints("by-name");
        assert_eq!(graph.stderr, "");
    }
}

#[tokio::test]
async fn a_named_file_that_is_missing_is_78_for_every_command() {
    let commands: [&[&str]; 11] = [
        &["incidents"],
        &["ack", "12"],
        &["silence", "x", "--for", "2h"],
        &["silences"],
        &["outbox", "retry"],
        &["test-report", "x"],
        &["--run-once"],
        &["check-config"],
        &["graph"],
        &["probe", "x"],
        &[],
    ];
    let missing =
        |by: &str| format!("the file `gone.yaml`, named by `{by}`, is not there\n  hint: ");
    for arguments in commands {
        let arguments = [&["--config", "gone.yaml"], arguments].concat();
        let ended = all_places().run(&arguments).await;
        ended.assert_code(78);
        let said = format!("{}{}", ended.stdout, ended.stderr);
        assert!(said.contains(&missing("--config")), "{ended}");
    }
    for place in [
        all_places().variable("ROUNDSMAN_CONFIG", "gone.yaml"),
        all_places().file(".env", "ROUNDSMAN_CONFIG=gone.yaml\n"),
    ] {
        for arguments in commands {
            let ended = place.run(arguments).await;
            ended.assert_code(78);
            let said = format!("{}{}", ended.stdout, ended.stderr);
            assert!(said.contains(&missing("ROUNDSMAN_CONFIG")), "{ended}");
        }
    }
}

#[tokio::test]
async fn the_daemon_refuses_to_start_without_a_configuration() {
    let place = Workplace::without_configuration();
    for arguments in [&[][..], &["check-config"]] {
        let ended = place.run(arguments).await;
        ended.assert_code(78).assert_says("`roundsman init`");
        assert_eq!(ended.stdout, "");
    }
}

#[tokio::test]
async fn an_empty_variable_names_no_file() {
    let place = Workplace::without_configuration().variable("ROUNDSMAN_CONFIG", "");
    place
        .run(&[])
        .await
        .assert_code(78)
        .assert_says("roundsman init");
    place.run(&["graph"]).await.assert_code(0);
}

#[tokio::test]
async fn without_configuration_this_machine_is_watched() {
    let place = Workplace::without_configuration();
    let ended = place.run(&["--run-once", "--format", "json"]).await;
    // How busy the machine is while the tests run decides about the status.
    assert!(ended.code.is_some_and(|code| code <= 3), "{ended}");
    assert_eq!(ended.stderr, "");
    let report = ended.json();
    let targets = report["targets"].as_array().expect("targets");
    assert_eq!(targets.len(), 1);
    assert_eq!(targets[0]["kind"], "local_hosts");
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").expect("a name");
    assert_eq!(targets[0]["name"], host.trim());
    let measured = targets[0]["measurements"].as_array().expect("measurements");
    for metric in ["cpu_percent", "ram_percent", "disk_free_percent"] {
        assert!(
            measured.iter().any(|one| one["metric"] == metric),
            "{metric}: {ended}"
        );
    }
    let text = place.run(&["--run-once"]).await;
    text.assert_prints("round of ").assert_prints("1 target");
    let left: Vec<_> = std::fs::read_dir(place.path()).expect("a folder").collect();
    assert!(left.is_empty(), "a round left {left:?}");
}

#[tokio::test]
async fn what_is_wrong_with_dotenv_is_said_and_the_round_is_made() {
    let place = Workplace::without_configuration().file(".env", "this is no variable\nA=1\n");
    let ended = place.run(&["--run-once"]).await;
    assert!(ended.code.is_some_and(|code| code <= 3), "{ended}");
    ended
        .assert_says("warning: .env:1")
        .assert_prints("round of ");
}

#[tokio::test]
async fn a_configuration_may_lie_elsewhere() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("own.yaml");
    std::fs::write(&file, watching("elsewhere")).expect("a file");
    let place = Workplace::without_configuration();
    let named = file.to_str().expect("UTF-8");
    let ended = place.run(&["--config", named, "check-config"]).await;
    ended.assert_code(0).assert_prints(named);
    let folder = Path::new(named).parent().and_then(Path::to_str);
    let folder = folder.expect("a folder");
    let ended = place.run(&["--config", folder, "--run-once"]).await;
    ended.assert_code(78).assert_says("cannot be read");
}

#[tokio::test]
async fn a_file_that_cannot_be_reached_is_not_taken_for_none() {
    let place = Workplace::without_configuration();
    std::fs::create_dir_all(place.path().join("config")).expect("a folder");
    std::os::unix::fs::symlink("gone.yaml", place.path().join("config/config.yaml"))
        .expect("a link");
    for arguments in [["--run-once"], ["graph"], ["check-config"]] {
        let ended = place.run(&arguments).await;
        ended.assert_code(78);
        let said = format!("{}{}", ended.stdout, ended.stderr);
        assert!(
            said.contains("`config/config.yaml` cannot be read"),
            "{ended}"
        );
    }
}

#[tokio::test]
async fn a_named_pipe_is_no_file_and_is_not_waited_for() {
    let place = Workplace::with_configuration("");
    let made = std::process::Command::new("mkfifo")
        .arg(place.path().join("pipe"))
        .status()
        .expect("mkfifo");
    assert!(made.success());
    let ended = place.run(&["--config", "pipe", "check-config"]).await;
    ended
        .assert_code(78)
        .assert_prints("the file `pipe` cannot be read: it is a named pipe\n  hint: name a file\n");
}
