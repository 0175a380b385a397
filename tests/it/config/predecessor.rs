//! A file and an `.env` in the predecessor's form, with every key and variable of the contract.

use std::time::Duration;

use roundsman::schedule::Timetable;

use crate::support::program::Workplace;

pub(crate) const FILE: &str = r#"
monitoring:
  schedule: "0 */6 * * *"
targets:
  ec2_instances:
    - instance_id: i-0123456789abcdef0
      name: "Production Web"
      region: us-east-1
  vps_servers:
    - host: 203.0.113.10
      name: "VPS 1"
      ssh_key_path: /app/secrets/vps_key
      port: 22
      username: monitor
  api_endpoints:
    - url: https://api.example.com/health
      name: "Main API"
      timeout_ms: 4000
    - url: http://legacy.example.com/ping
  databases:
    - host: db.example.com
      port: 5432
      database: production
      ssl_mode: require
  llm_models:
    - provider: bedrock
      model_id: us.anthropic.claude-3-5-haiku-20241022-v1:0
  s3_buckets:
    - bucket: company-backups
      region: eu-west-1
thresholds:
  cpu_red: 90
  cpu_yellow: 70
  ram_red: 90
  ram_yellow: 70
  disk_free_red: 10
  disk_free_yellow: 20
  api_timeout_ms: 5000
  api_slow_ms: 1500
telegram:
  bot_token: "${TELEGRAM_BOT_TOKEN}"
  chat_id: "${TELEGRAM_CHAT_ID}"
llm:
  provider: bedrock
  model: "us.anthropic.claude-3-5-haiku-20241022-v1:0"
  region: us-east-1
  max_tokens: 4096
  daily_budget_usd: 3.0
"#;

pub(crate) const VARIABLES: &str = "\
AWS_REGION=us-east-1
AWS_ACCESS_KEY_ID=AKIAEXAMPLE
AWS_SECRET_ACCESS_KEY=abc/def+ghi=
TELEGRAM_BOT_TOKEN=123456:canary token with spaces $and a dollar
TELEGRAM_CHAT_ID=-1001234567890
VPS_SSH_KEY_PATH=/app/secrets
POSTGRES_USER=monitor
POSTGRES_PASSWORD='pa$$word'
AZURE_OPENAI_KEY=x
AZURE_OPENAI_ENDPOINT=https://example.openai.azure.com
LOG_LEVEL=INFO
";

#[test]
fn it_loads_unchanged() {
    let folder = Workplace::with_configuration(FILE).file(".env", VARIABLES);
    let loaded = folder.load().expect("a file");
    let errors = folder.problems();
    let plan = loaded.plan.unwrap_or_else(|| panic!("{errors}"));
    let ids: Vec<String> = plan
        .watched
        .iter()
        .map(|one| one.target.id.to_string())
        .collect();
    assert_eq!(
        ids,
        [
            "ec2_instances/Production Web",
            "vps_servers/VPS 1",
            "api_endpoints/Main API",
            "api_endpoints/http://legacy.example.com/ping",
            "databases/production@db.example.com",
            "llm_models/bedrock/us.anthropic.claude-3-5-haiku-20241022-v1:0",
            "s3_buckets/company-backups",
        ]
    );
    assert!(
        matches!(&plan.monitoring.timetable, Timetable::Cron(cron, _) if cron.to_string() == "0 */6 * * *")
    );
    let timeouts: Vec<Duration> = plan.watched[2..4]
        .iter()
        .map(|one| one.target.common.timeout)
        .collect();
    assert_eq!(timeouts, [Duration::from_secs(4), Duration::from_secs(5)]);
    let slow = plan.watched[2]
        .rules
        .effective("response_time_ms", None)
        .yellow
        .expect("a limit");
    assert_eq!(slow.limit.to_string(), "> 1500");
    assert_eq!(
        slow.origin.to_string(),
        "config/config.yaml:39:3 thresholds.api_slow_ms"
    );
}

#[test]
fn what_it_lacks_is_a_warning_and_no_value_is_shown() {
    let folder = Workplace::with_configuration(FILE).file(".env", VARIABLES);
    let said = folder.problems();
    assert!(said.contains(
        "config/config.yaml:12:21 targets.vps_servers[0].ssh_key_path: the key file `/app/secrets/vps_key` is not there"
    ), "{said}");
    assert!(
        !said.contains("canary") && !said.contains("pa$$word"),
        "{said}"
    );
    let plan = folder
        .load()
        .and_then(|loaded| loaded.plan)
        .expect("a plan");
    let token = (plan.sources.iter()).find(|source| source.path == "telegram.bot_token");
    let from = token
        .and_then(|token| token.expanded_from.clone())
        .expect("a variable");
    assert_eq!(&*from, "`TELEGRAM_BOT_TOKEN` (.env:4)");
}

#[test]
fn real_variables_win_over_the_file() {
    let yaml = "targets: {local_hosts: [{name: \"${WHO}\"}]}";
    let folder = Workplace::with_configuration(yaml)
        .file(".env", "WHO=file\n")
        .variable("WHO", "process");
    let plan = folder
        .load()
        .and_then(|loaded| loaded.plan)
        .expect("a plan");
    assert_eq!(&*plan.watched[0].target.id.name, "process");
}

#[test]
fn a_section_may_stand_empty() {
    let yaml = "monitoring:\ntargets:\n  databases:\n  local_hosts:\n    - {}\nthresholds:\ntelegram:\nllm:\n";
    let folder = Workplace::with_configuration(yaml);
    assert!(
        folder.load().and_then(|loaded| loaded.plan).is_some(),
        "{}",
        folder.problems()
    );
}

#[test]
fn a_target_that_is_switched_off_may_be_depended_on() {
    let folder = Workplace::with_configuration(
        "targets:\n  local_hosts:\n    - {name: a, depends_on: b}\n    - {name: b, enabled: false}\n",
    );
    let plan = folder.load().and_then(|loaded| loaded.plan);
    let plan = plan.unwrap_or_else(|| panic!("{}", folder.problems()));
    assert_eq!((plan.watched.len(), plan.disabled), (1, 1));
}
