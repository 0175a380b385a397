//! No command shows a secret, wherever it stands and whatever goes wrong.

use crate::support::daemon::Daemon;
use crate::support::program::{Ended, Workplace};
use crate::support::servers::{RawServer, answering_as};

/// Each place has a word of its own, so that a leak says where it came from.
const CANARIES: [&str; 18] = [
    "canary-variable",
    "canary-dotenv",
    "canary-file",
    "canary-url-user",
    "canary-url-password",
    "canary-query",
    "canary-header",
    "canary-bearer",
    "canary-basic",
    "canary-body",
    "canary-answer",
    "canary_chat",
    "canary-database",
    "canary-location",
    "canary-unused",
    "canary-access-key",
    "canary-secret-key",
    "canary-session",
];

/// Answers in all the ways that make us talk about it, and repeats what it was sent.
async fn hostile() -> RawServer {
    answering_as(|request| {
        let path = request.split(' ').nth(1).unwrap_or_default();
        let line = match path {
            _ if path.starts_with("/denied") => "401 Unauthorized",
            _ if path.starts_with("/broken") => "500 Internal Server Error",
            _ if path.starts_with("/away") => {
                "302 Found\r\nlocation: http://u:canary-location@127.0.0.1:1/x?t=canary-location"
            }
            _ if path.starts_with("/garbage") => return request.to_owned().into(),
            _ => "200 OK",
        };
        let body = format!("canary-answer {request}");
        let length = body.len();
        format!(
            "HTTP/1.1 {line}\r\nx-echo: canary-answer\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .into()
    })
    .await
}

fn configuration(port: u16) -> String {
    let place = format!("http://canary-url-user:canary-url-password@127.0.0.1:{port}");
    let mut yaml = String::from("x-secrets: &secrets\n  method: POST\n  body: \"${BODY}\"\n");
    yaml.push_str("  headers: {X-Api-Key: \"${HEADER}\", Cookie: \"${file:secrets/cookie}\"}\n");
    yaml.push_str("targets:\n  api_endpoints:\n");
    for path in ["fine", "denied", "broken", "away", "garbage"] {
        yaml.push_str(&format!(
            "    - {{<<: *secrets, name: {path}, url: \"{place}/{path}?key=canary-query\"}}\n"
        ));
    }
    yaml.push_str(&format!(
        "    - {{<<: *secrets, name: bearer, url: \"http://127.0.0.1:{port}/denied\", auth: {{bearer: \"${{BEARER}}\"}}}}
    - {{<<: *secrets, name: basic, url: \"http://127.0.0.1:{port}/denied\", auth: {{basic: {{username: u, password: \"${{BASIC}}\"}}}}}}
    - {{<<: *secrets, name: wrong, url: \"http://127.0.0.1:{port}/ok?key=canary-query\", expect: {{contains: never}}}}
    - {{<<: *secrets, name: refused, url: \"http://canary-url-user:canary-url-password@127.0.0.1:1/?key=canary-query\"}}
    - {{<<: *secrets, url: \"{place}/unnamed?key=canary-query\"}}
    - {{<<: *secrets, url: \"http://127.0.0.1:{port}/broken/bot${{TELEGRAM_BOT_TOKEN}}/x\"}}
    - {{<<: *secrets, url: \"http://127.0.0.1:1/bot${{TELEGRAM_BOT_TOKEN}}/x\"}}
  databases:
    - {{host: 127.0.0.1, port: 1, database: app, username: u, password: \"${{POSTGRES_PASSWORD}}\"}}
  ec2_instances:
    - {{instance_id: i-00000001, region: eu-west-1, endpoint_url: \"http://127.0.0.1:{port}/garbage\"}}
  s3_buckets:
    - {{bucket: shop, region: eu-west-1, endpoint_url: \"http://127.0.0.1:{port}/denied\"}}
  llm_models:
    - {{name: model-fine, provider: openai, model_id: gpt-4o, base_url: \"http://127.0.0.1:{port}/fine\"}}
    - {{name: model-denied, provider: anthropic, model_id: claude-haiku-4-5, api_key: \"${{BEARER}}\", base_url: \"http://127.0.0.1:{port}/denied\"}}
    - {{name: model-broken, provider: azure, model_id: chat, api_key: \"${{BEARER}}\", base_url: \"http://127.0.0.1:{port}/broken\"}}
  llm_keys:
    - {{provider: openai, test_url: \"https://127.0.0.1:1/\"}}
telegram: {{bot_token: \"${{TELEGRAM_BOT_TOKEN}}\", chat_id: \"${{TELEGRAM_CHAT_ID}}\", api_url: \"http://127.0.0.1:{port}/garbage\"}}
llm: {{provider: openai, api_key: \"${{OPENAI_API_KEY}}\"}}
reporters: [{{kind: file, directory: kept}}]
"
    ));
    yaml
}

fn place(yaml: &str) -> Workplace {
    Workplace::with_configuration(yaml)
        .file("secrets/cookie", "canary-file\n")
        .file(
            ".env",
            "BEARER=canary-bearer\nBASIC=canary-basic\nTELEGRAM_CHAT_ID=@canary_chat\n\
             OPENAI_API_KEY=canary-dotenv\nUNUSED=canary-unused\nbroken canary-unused\n",
        )
        .variable("BODY", "canary-body")
        .variable("HEADER", "canary-header")
        .variable("TELEGRAM_BOT_TOKEN", "1:canary-variable")
        .variable("POSTGRES_PASSWORD", "canary-database")
        .variable("AWS_ACCESS_KEY_ID", "canary-access-key")
        .variable("AWS_SECRET_ACCESS_KEY", "canary-secret-key")
        .variable("AWS_SESSION_TOKEN", "canary-session")
        .variable("SMTP_PASSWORD", "canary-unused")
        .variable("LOG_LEVEL", "DEBUG")
}

const COMMANDS: [&[&str]; 28] = [
    &["--run-once"],
    &["--run-once", "--format", "json", "--report-dir", "kept"],
    &["--run-once", "--format", "junit"],
    &["--run-once", "--format", "markdown", "--no-notify"],
    &["check-config"],
    &["graph"],
    &["kinds"],
    &["schema"],
    &["probe", "fine"],
    &["probe", "denied"],
    &["probe", "broken"],
    &["probe", "away"],
    &["probe", "garbage"],
    &["probe", "bearer"],
    &["probe", "basic"],
    &["probe", "wrong"],
    &["probe", "refused"],
    &["probe", "model-denied"],
    &["probe", "shop"],
    &["providers"],
    &["budget"],
    &["incidents"],
    &["ack", "12"],
    &["silence", "*", "--for", "2h"],
    &["silences"],
    &["outbox"],
    &["test-report"],
    &["init", "sample.yaml"],
];

/// The base64 of a secret is as good as the secret.
fn assert_silent(ended: &Ended, what: &str) {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    for canary in CANARIES {
        for text in [&ended.stdout, &ended.stderr] {
            assert!(!text.contains(canary), "{what} shows {canary}: {ended}");
        }
    }
    for pair in ["canary-url-user:canary-url-password", "u:canary-basic"] {
        let encoded = STANDARD.encode(pair);
        assert!(!ended.stdout.contains(&encoded), "{what}: {ended}");
        assert!(!ended.stderr.contains(&encoded), "{what}: {ended}");
    }
}

fn assert_kept_in_silence(place: &Workplace) {
    let names = place.names_in("kept");
    assert!(names.len() >= 3, "{names:?}");
    for name in names {
        let text = place.read(&format!("kept/{name}"));
        assert!(!text.contains("canary"), "{name} has a secret: {text}");
    }
}

/// Neither in its log nor in its memory.
async fn assert_daemon_is_silent(place: &Workplace) {
    let mut daemon = Daemon::start(place);
    daemon.event("report.made").await;
    let ended = daemon.stop().await;
    ended.assert_code(0);
    assert_silent(&ended, "the daemon");
    for name in place.names_in("config/data") {
        let bytes = std::fs::read(place.path().join("config/data").join(&name)).expect("a file");
        let text = String::from_utf8_lossy(&bytes);
        for canary in CANARIES {
            assert!(
                !text.contains(canary),
                "{name} of the memory holds {canary}"
            );
        }
    }
    let shown = place.run(&["history", "refused"]).await;
    shown.assert_code(0);
    assert_silent(&shown, "history");
}

#[tokio::test]
async fn no_command_shows_a_secret() {
    let server = hostile().await;
    let place = place(&configuration(server.port));
    for arguments in COMMANDS {
        let ended = place.run(arguments).await;
        assert_ne!(ended.code, Some(78), "{ended}");
        assert_silent(&ended, &format!("{arguments:?}"));
        if arguments[..] == ["--run-once"] {
            ended.assert_says("DEBUG").assert_says("looked");
        }
    }
    assert_daemon_is_silent(&place).await;
    assert_kept_in_silence(&place);
    let sent = server.requests().concat();
    for canary in [
        "canary-header",
        "canary-bearer",
        "canary-body",
        "canary-file",
        "canary-query",
    ] {
        assert!(
            sent.contains(canary),
            "{canary} was never sent: the test tests nothing"
        );
    }
}

#[tokio::test]
async fn a_configuration_with_mistakes_shows_no_secret_either() {
    let server = hostile().await;
    let good = configuration(server.port);
    let mistakes = [
        good.replace("name: fine,", "name: fine, timeout_ms: \"${HEADER}\","),
        good.replace("name: fine,", "name: fine, depends_on: \"${HEADER}\","),
        good.replace("name: fine,", "name: \"${HEADER}\",")
            .replace("name: away,", "name: \"${HEADER}\","),
        good.replace("@127.0.0.1", "@127.0.0.1:x:y"),
        good.replace("http://canary", "htp://canary"),
        good.replace("X-Api-Key", "X Api Key"),
        good.replace("method: POST", "method: \"${BEARER} x\""),
        good.replace("kind: file", "kind: \"${BEARER}\""),
        good.replace("provider: openai", "max_tokens: \"${OPENAI_API_KEY}\""),
        format!("{good}\"${{BEARER}}\": 1\n"),
        format!("{good}  ]}} canary"),
    ];
    for yaml in mistakes {
        let place = place(&yaml);
        for arguments in [
            &["check-config"][..],
            &["--run-once"],
            &["graph"],
            &["probe", "x"],
        ] {
            let ended = place.run(arguments).await;
            assert_eq!(ended.code, Some(78), "{ended}\n{yaml}");
            assert_silent(&ended, &format!("{arguments:?} of\n{yaml}"));
        }
    }
}
