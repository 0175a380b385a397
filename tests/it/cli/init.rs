//! The configuration to start from.

use std::os::unix::fs::PermissionsExt;

use crate::support::program::Workplace;

const SAMPLE: &str = include_str!("../../../config/config.example.yaml");

#[tokio::test]
async fn it_is_written_for_its_owner_alone_and_works_as_it_is() {
    let place = Workplace::without_configuration();
    let ended = place.run(&["init"]).await;
    ended
        .assert_code(0)
        .assert_prints("wrote config/config.yaml\n");
    assert_eq!(ended.stderr, "");
    let text = place.read("config/config.yaml");
    assert_eq!(text, SAMPLE);
    let mode = |name: &str| {
        let metadata = std::fs::metadata(place.path().join(name)).expect("it is there");
        metadata.permissions().mode() & 0o777
    };
    assert_eq!(mode("config/config.yaml"), 0o600);

    let checked = place.run(&["check-config"]).await;
    checked
        .assert_code(0)
        .assert_prints("targets: 1 local_hosts\n")
        .assert_prints("0 errors, 0 warnings");
    let round = place.run(&["--run-once"]).await;
    assert!(round.code.is_some_and(|code| code <= 3), "{round}");
    round.assert_prints("1 target");
    assert_eq!(round.stderr, "");
}

#[tokio::test]
async fn it_goes_where_it_is_told_and_makes_the_folders() {
    let place = Workplace::without_configuration();
    let ended = place.run(&["init", "a/b/own.yaml"]).await;
    ended.assert_code(0);
    assert_eq!(place.read("a/b/own.yaml"), SAMPLE);
    let ended = place.run(&["init", "--config", "beside.yaml"]).await;
    ended.assert_code(0);
    assert_eq!(place.read("beside.yaml"), SAMPLE);
    assert!(!place.path().join("config").exists());
}

#[tokio::test]
async fn the_commands_that_it_names_work() {
    let place = Workplace::without_configuration();
    let ended = place.run(&["init", "own.yaml"]).await;
    let commands: Vec<&str> = ended.stdout.split('`').skip(1).step_by(2).collect();
    assert!(commands.len() >= 2, "{ended}");
    for command in commands {
        let arguments = command.strip_prefix("roundsman ").expect(command);
        let ended = place.run_through(&format!("\"$0\" {arguments}"), &[]).await;
        assert!(
            ended.code.is_some_and(|code| code <= 3),
            "`{command}`: {ended}"
        );
    }
}

#[tokio::test]
async fn the_schema_that_its_first_line_names_lies_beside_it() {
    let line = SAMPLE.lines().next().expect("a line");
    let schema = line.strip_prefix("# yaml-language-server: $schema=");
    let schema = format!("a/{}", schema.expect("what editors look for"));
    let place = Workplace::without_configuration();
    place.run(&["init", "a/own.yaml"]).await.assert_code(0);
    let printed = place.run(&["schema"]).await;
    assert_eq!(place.read(&schema), printed.stdout);

    let place = Workplace::without_configuration().file(&schema, "mine");
    let ended = place.run(&["init", "a/own.yaml"]).await;
    ended.assert_code(0);
    assert_eq!(ended.stderr, "");
    assert_eq!(place.read(&schema), "mine");
}

#[tokio::test]
async fn a_file_that_is_there_is_never_touched() {
    let place = Workplace::with_configuration("mine: yes\n").file("empty.yaml", "");
    std::os::unix::fs::symlink("nowhere.yaml", place.path().join("link.yaml")).expect("a link");
    let refused = "is there already and was not touched\n  hint: ";
    for arguments in [
        &["init"][..],
        &["init", "config/config.yaml"],
        &["init", "--config", "config/config.yaml"],
        &["init", "empty.yaml"],
        &["init", "link.yaml"],
        &["init", "config"],
    ] {
        let ended = place.run(arguments).await;
        ended.assert_code(64).assert_says(refused);
        assert_eq!(ended.stdout, "");
    }
    assert_eq!(place.read("config/config.yaml"), "mine: yes\n");
    assert_eq!(place.read("empty.yaml"), "");
    assert_eq!(place.names_in("."), ["config", "empty.yaml", "link.yaml"]);
    let ended = place.run(&["init", "empty.yaml/config.yaml"]).await;
    ended
        .assert_code(70)
        .assert_says("cannot be written: ")
        .assert_says("\n  hint: ");
}

/// The sample with all that is commented out switched on.
fn in_full() -> String {
    let is_written_out = |line: &str| {
        let rest = line.trim_start().strip_prefix("# ").map(str::trim_start);
        let rest = rest.map(|rest| rest.strip_prefix("- ").unwrap_or(rest));
        rest.is_some_and(|rest| {
            let is_part =
                |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c);
            let word = rest.trim_start_matches(is_part);
            rest.starts_with('{') || (word.len() < rest.len() && word.starts_with(':'))
        })
    };
    let (_, body) = SAMPLE.split_once("\n\n").expect("an introduction");
    let lines = body.lines().map(|line| {
        if is_written_out(line) {
            line.replacen("# ", "", 1)
        } else {
            line.to_owned()
        }
    });
    lines.map(|line| line + "\n").collect()
}

#[tokio::test]
async fn all_that_it_shows_in_comments_works_too() {
    let text = in_full();
    for key in [
        "timezone:",
        "x-quiet:",
        "api_endpoints:",
        "- {metric",
        "vps_servers:",
        "docker_hosts:",
        "databases:",
        "ec2_instances:",
        "s3_buckets:",
        "llm_models:",
        "llm_keys:",
        "prices:",
        "telegram:",
        "reporters:",
        "directory:",
        "route:",
        "escalation:",
        "incidents:",
        "silences:",
        "windows:",
        "delivery:",
    ] {
        let is_there = |line: &str| line.trim_start().starts_with(key);
        assert!(text.lines().any(is_there), "{key} is no line of\n{text}");
    }
    let place = Workplace::with_configuration(&text)
        .variable("API_TOKEN", "x")
        .variable("ANTHROPIC_API_KEY", "x")
        .variable("TELEGRAM_BOT_TOKEN", "1:x")
        .variable("TELEGRAM_CHAT_ID", "42")
        .file("keys/web-1", "");
    let ended = place.run(&["check-config"]).await;
    ended
        .assert_code(0)
        .assert_prints("2 api_endpoints, 1 databases, 1 docker_hosts, 2 ec2_instances, 1 llm_keys, 1 llm_models, 1 local_hosts, 1 s3_buckets, 1 vps_servers")
        .assert_prints("0 errors, 0 warnings");
}
