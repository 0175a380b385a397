//! All problems at once, and where each value came from.

use super::{all_four, service};
use crate::config::predecessor;
use crate::ec2_instances::launch;
use crate::s3_buckets::bucket;
use crate::support::aws::Aws;
use crate::support::postgres::{PASSWORD, postgres};
use crate::support::program::Workplace;
use crate::support::telegram::{SUPERGROUP, TOKEN, Telegram};

#[tokio::test]
async fn the_predecessors_file_can_be_used() {
    let place =
        Workplace::with_configuration(predecessor::FILE).file(".env", predecessor::VARIABLES);
    let ended = place.run(&["check-config"]).await;
    ended
        .assert_code(0)
        .assert_prints("files: config/config.yaml\n")
        .assert_prints("2 api_endpoints, 1 databases, 1 ec2_instances, 1 llm_models, 1 s3_buckets, 1 vps_servers")
        .assert_prints("every 6 hours")
        .assert_prints("  thresholds.api_slow_ms: config/config.yaml:39:16\n")
        .assert_prints("  telegram.bot_token: config/config.yaml:41:14, from `TELEGRAM_BOT_TOKEN` (.env:4)\n")
        .assert_prints("  target databases/production@db.example.com: config/config.yaml:")
        .assert_prints("  POSTGRES_PASSWORD: .env:8\n")
        .assert_prints("warning: config/config.yaml:12:21 targets.vps_servers[0].ssh_key_path: ")
        .assert_prints("\n0 errors, ")
        .assert_prints(": this configuration can be used\n");
    assert_eq!(ended.stderr, "");
    for value in [
        "123456:",
        "canary",
        "-1001234567890",
        "pa$$word",
        "abc/def",
        "AKIA",
    ] {
        assert!(!ended.stdout.contains(value), "`{value}` is shown; {ended}");
    }
}

#[tokio::test]
async fn the_predecessors_file_makes_a_round() {
    let (server, database) = (service().await, postgres().await);
    database.database("production").await;
    let (aws, telegram) = (Aws::start().await, Telegram::start().await);
    let instance = &launch("us-east-1", 1, "m5.large", &[]).await[0];
    bucket("eu-west-1", "company-backups").await;
    let file = predecessor::FILE
        .replace("i-0123456789abcdef0", instance)
        .replace("host: db.example.com", "host: 127.0.0.1")
        .replace("port: 5432", &format!("port: {}", database.port))
        .replace(
            "https://api.example.com/health",
            &format!("http://127.0.0.1:{}/green", server.port),
        )
        .replace(
            "http://legacy.example.com/ping",
            &format!("http://127.0.0.1:{}/green", server.port),
        )
        .replace(
            "telegram:\n",
            &format!("telegram:\n  api_url: {}\n", telegram.url()),
        );
    let place = Workplace::with_configuration(&file)
        .file(".env", predecessor::VARIABLES)
        .variable("AWS_ENDPOINT_URL", &aws.url())
        .variable("POSTGRES_USER", "watcher")
        .variable("POSTGRES_PASSWORD", PASSWORD)
        .variable("TELEGRAM_BOT_TOKEN", TOKEN);
    let ended = place.run(&["--run-once", "--format", "json"]).await;
    // All is well but what cannot be: the predecessor's model is no longer offered, and the key of the server is not mounted.
    let report = ended.assert_code(2).json();
    assert_eq!(report["counts"]["green"], 5, "{ended}");
    let issues: Vec<&str> = report["issues_found"]
        .as_array()
        .expect("issues")
        .iter()
        .filter_map(|issue| issue.as_str())
        .collect();
    assert_eq!(
        issues,
        [
            "[RED] bedrock/us.anthropic.claude-3-5-haiku-20241022-v1:0: the model \
             `us.anthropic.claude-3-5-haiku-20241022-v1:0` was retired on 2026-06-19",
            "[UNKNOWN] VPS 1: cannot use the key `/app/secrets/vps_key`: it is not there",
        ]
    );
    let told = telegram.messages();
    assert_eq!(told.len(), 1, "{told:#?} {ended}");
    assert_eq!(told[0].chat, SUPERGROUP);
    assert!(
        told[0].text.contains("⚪ UNKNOWN VPS 1 · cannot use"),
        "{told:#?}"
    );
    let advice = report["recommendations"][0].as_str().expect("an advice");
    assert!(
        advice.ends_with("use `us.anthropic.claude-haiku-5-5`"),
        "{advice}"
    );
}

#[tokio::test]
async fn it_says_what_looks_cost_in_a_month() {
    let yaml = "monitoring: {every: 60s}
targets:
  ec2_instances:
    - {instance_id: i-00000001, region: eu-west-1}
    - {instance_id: i-00000002, region: eu-west-1, credit_balance: false}
    - {name: web, every: 6h, discover: {regions: [eu-west-1]}}
  llm_models:
    - {provider: in-house, model_id: any, base_url: \"http://localhost/v1\", every: 6h, price: {input_per_1k: 0, output_per_1k: 0.1}}
    - {provider: ollama, model_id: llama3.2}
";
    let ended = Workplace::with_configuration(yaml)
        .run(&["check-config"])
        .await;
    // 3 metrics every 5 minutes, though there is a look each minute; 2 metrics four times a day; 64 tokens four times a day.
    ended
        .assert_code(0)
        .assert_prints("costs: metrics of CloudWatch: at most $0.26 a month\n")
        .assert_prints("costs: metrics of CloudWatch of ec2_instances/web: at most $0.0024 a month for each that is found\n")
        .assert_prints("costs: questions to language models: at most $0.78 a month\n");
}

#[tokio::test]
async fn all_problems_are_told_at_once_each_with_its_place() {
    let yaml = "targets:
  local_host: [{}]
  api_endpoints:
    - {url: \"${MISSING}\", timeout_ms: soon}
    - {name: twice, url: \"http://a.example\"}
    - {name: twice, url: \"ftp://b.example\", crticial: true}
thresholds: {cpu_red: 50, cpu_yellow: 60}
";
    let place =
        Workplace::with_configuration(yaml).file("config/conf.d/more.yaml", "monitorring: {}\n");
    let ended = place.run(&["check-config"]).await;
    ended.assert_code(78).assert_prints("cannot be used\n");
    for said in [
        "config/config.yaml:2:3 targets.local_host: ",
        "config/config.yaml:4:13 targets.api_endpoints[0].url: ",
        "`MISSING`",
        "config/config.yaml:4:39 targets.api_endpoints[0].timeout_ms: ",
        "config/config.yaml:6:26 targets.api_endpoints[2].url: ",
        "config/config.yaml:6:45 targets.api_endpoints[2].crticial: ",
        "did you mean `critical`?",
        "config/config.yaml:7:23 thresholds.cpu_red: ",
        "config/conf.d/more.yaml:1:1 monitorring: ",
        "did you mean `monitoring`?",
    ] {
        ended.assert_prints(said);
    }
    let errors = ended
        .stdout
        .lines()
        .filter(|line| line.starts_with("error: "))
        .count();
    ended.assert_prints(&format!("{errors} errors, 0 warnings: "));
}

#[tokio::test]
async fn it_looks_at_nothing() {
    let server = service().await;
    let place = Workplace::with_configuration(&all_four(server.port));
    place.run(&["check-config"]).await.assert_code(0);
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn each_schedule_is_told_in_words_with_its_next_times_and_the_room_it_takes() {
    let place = Workplace::with_configuration(
        "monitoring: {schedule: \"0 9 * * 1-5\", timezone: Europe/Berlin}\n\
         report: {schedule: \"30 9 * * 1\", weekly: \"0 8 * * 1\"}\n\
         store: {path: memory, keep_days: 30, max_bytes: 1000000}\ntargets:\n  local_hosts: [{name: here}]\n  \
         api_endpoints:\n    - {name: one, every: 1s, url: \"http://127.0.0.1/\"}\n    \
         - {name: two, every: 1s, url: \"http://127.0.0.1/\"}\n",
    );
    let ended = place.run(&["check-config"]).await;
    ended.assert_code(0);
    let line = |start: &str| {
        let found = ended.stdout.lines().find(|line| line.starts_with(start));
        found
            .unwrap_or_else(|| panic!("`{start}` is missing: {ended}"))
            .to_owned()
    };
    assert!(line("rounds: ").contains("Europe/Berlin"), "{ended}");
    let next = line("  next: ");
    assert_eq!(next.matches(" 09:00 CE").count(), 5, "{next}");
    assert!(!next.contains("Sat ") && !next.contains("Sun "), "{next}");
    line("reports: ");
    let weekly = line("weekly uptime: ");
    assert!(weekly.contains("at 08:00, on Monday"), "{weekly}");
    assert!(line("api_endpoints/one and 1 more: ").ends_with("every 1s"));
    let memory = line("memory: memory, 30 days, about ");
    assert!(memory.contains("that is too much"), "{memory}");
    assert!(!place.path().join("memory").exists(), "nothing is made");
}

#[tokio::test]
async fn schedules_that_cannot_be_are_refused() {
    let place = Workplace::with_configuration(
        "monitoring: {schedule: \"0 0 30 2 *\", for: 0}\ntargets:\n  local_hosts: [{every: 10ms}]\n",
    );
    let ended = place.run(&["check-config"]).await;
    ended
        .assert_code(78)
        .assert_prints("never comes")
        .assert_prints("monitoring.for: expected a whole number of at least 1")
        .assert_prints("expected a time of at least 1 s");
}
