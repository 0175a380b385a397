//! The real program, which looks at engines, providers and endpoints that say secrets nobody configured.

use crate::support::daemon::Daemon;
use crate::support::program::Workplace;
use crate::support::servers::{RawServer, answering_as};

/// As they stand in what is said. Each is made of two parts: nobody shall take them for real ones.
fn canaries() -> [(&'static str, String); 8] {
    let token = |begin: &str, rest: &str| format!("{begin}{rest}");
    [
        (
            "github",
            token("gh", "p_16C7e42F292c6912E7710c838347Ae178B4a"),
        ),
        (
            "other github",
            token("gh", "p_26C7e42F292c6912E7710c838347Ae178B4b"),
        ),
        (
            "openai",
            token("sk-", "proj-a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6"),
        ),
        ("aws", token("AK", "IAIOSFODNN7EXAMPLE")),
        ("password", "canary-hunter2".to_owned()),
        ("url", "canary-p@ss".to_owned()),
        ("bearer", "canary-0123456789".to_owned()),
        ("header", "canary-c0ff33".to_owned()),
    ]
}

fn canary(name: &str) -> String {
    let mut all = canaries().into_iter();
    all.find(|(known, _)| *known == name).expect("a canary").1
}

/// An engine, a provider of models and an endpoint in one, all of which talk too much.
async fn talkative() -> RawServer {
    answering_as(|request| {
        let path = request.split(' ').nth(1).unwrap_or_default();
        let (line, body) = if path.starts_with("/containers/json") {
            ("200 OK", containers())
        } else if path.starts_with("/containers/") {
            ("200 OK", container())
        } else if path.starts_with("/moved") {
            let to = format!("302 Found\r\nlocation: /reset/{}", canary("github"));
            return answer(&to, "").into();
        } else if path.contains("chat/completions") {
            let said = format!("Nothing is known of {}", canary("openai"));
            let body = serde_json::json!({"error": {"message": said, "type": "invalid"}});
            ("400 Bad Request", body.to_string())
        } else {
            ("200 OK", format!("password={}", canary("password")))
        };
        answer(line, &body).into()
    })
    .await
}

fn answer(line: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {line}\r\ncontent-length: {length}\r\n\r\n{body}")
}

fn containers() -> String {
    let listed = |id: &str, name: String, status: &str| {
        serde_json::json!({
            "Id": id.repeat(64), "Names": [format!("/{name}")], "Image": "web", "State": "running",
            "Status": status, "Created": 1_700_000_000
        })
    };
    serde_json::json!([
        listed(
            "a",
            format!("worker-{}", canary("github")),
            "Up 5 minutes (unhealthy)"
        ),
        listed(
            "b",
            format!("worker-{}", canary("other github")),
            "Up 5 minutes (unhealthy)"
        ),
    ])
    .to_string()
}

fn container() -> String {
    let output = format!(
        "connect postgres://app:{}@db/shop: DB_PASSWORD={} key {} refused by db",
        canary("url"),
        canary("password"),
        canary("aws"),
    );
    serde_json::json!({
        "RestartCount": 0,
        "State": {
            "ExitCode": 0, "StartedAt": "2026-01-01T00:00:00Z",
            "Health": {"FailingStreak": 3, "Log": [{"ExitCode": 1, "Output": output}]}
        }
    })
    .to_string()
}

/// An engine that refuses, and repeats what it was sent.
async fn refusing() -> RawServer {
    answering_as(|_| {
        let said = format!(
            "proxy refused: Authorization: Bearer {}, X-Api-Key: {}",
            canary("bearer"),
            canary("header")
        );
        let body = serde_json::json!({ "message": said }).to_string();
        answer("500 Internal Server Error", &body).into()
    })
    .await
}

fn assert_redacted(text: &str, what: &str) {
    for (name, canary) in canaries() {
        assert!(
            !text.contains(&canary),
            "{what} holds the canary `{name}`:\n{text}"
        );
    }
}

#[tokio::test]
async fn what_nobody_configured_is_in_no_report_no_log_and_no_memory() {
    let (server, refusing) = (talkative().await, refusing().await);
    let (port, refusing_port) = (server.port, refusing.port);
    let place = Workplace::with_configuration(&format!(
        "targets:
  docker_hosts:
    - {{name: engine, url: 'http://127.0.0.1:{port}'}}
    - {{name: refused, url: 'http://127.0.0.1:{refusing_port}'}}
  llm_models:
    - {{name: model, provider: openai, model_id: gpt-4o, api_key: '${{KEY}}', base_url: 'http://127.0.0.1:{port}/v1'}}
  api_endpoints:
    - {{name: moved, url: 'http://127.0.0.1:{port}/moved'}}
reporters: [{{kind: file, directory: kept}}]
"
    ))
    .variable("KEY", "canary-configured")
    .variable("LOG_LEVEL", "DEBUG");
    let text = place.run(&["--run-once"]).await;
    assert_redacted(&format!("{text}"), "the report");
    text.assert_prints("postgres://app:[redacted: password]@db/shop")
        .assert_prints(
            "DB_PASSWORD=[redacted: password] key [redacted: AWS access key] refused by db",
        )
        .assert_prints("Authorization: Bearer [redacted: token], X-Api-Key: [redacted: key]")
        .assert_prints("Nothing is known of [redacted: OpenAI key]")
        .assert_prints("worker-[redacted: GitHub token]")
        .assert_prints("worker-[redacted: GitHub token] 2");
    for format in ["json", "junit", "markdown"] {
        let ended = place.run(&["--run-once", "--format", format]).await;
        assert_redacted(&format!("{ended}"), format);
        ended.assert_prints("redacted: password");
    }
    let mut daemon = Daemon::start(&place);
    daemon.reported().await;
    let ended = daemon.stop().await;
    ended.assert_code(0);
    assert_redacted(&format!("{ended}"), "the log");
    let memory = |name: &String| place.path().join("config/data").join(name);
    for name in place.names_in("config/data") {
        let bytes = std::fs::read(memory(&name)).expect("a file");
        assert_redacted(&String::from_utf8_lossy(&bytes), &name);
    }
    for name in place.names_in("kept") {
        assert_redacted(&place.read(&format!("kept/{name}")), &name);
    }
    for command in ["history", "explain"] {
        let ended = place.run(&[command, "engine"]).await;
        assert_redacted(&format!("{ended}"), command);
    }
}

#[tokio::test]
async fn addresses_of_people_go_where_that_is_wished() {
    let server = answering_as(|request| {
        let path = request.split(' ').nth(1).unwrap_or_default();
        if path == "/" {
            return answer("302 Found\r\nlocation: /mailbox/anna@example.com", "").into();
        }
        answer("404 Not Found", "").into()
    })
    .await;
    for (wish, is_there) in [("false", true), ("true", false)] {
        let yaml = format!(
            "monitoring: {{redact_emails: {wish}}}\ntargets:\n  api_endpoints: [{{name: shop, url: \"http://127.0.0.1:{}/\"}}]\n",
            server.port
        );
        let ended =
            (Workplace::with_configuration(&yaml).run(&["--run-once", "--format", "json"])).await;
        ended.assert_code(2);
        assert_eq!(
            format!("{ended}").contains("anna@example.com"),
            is_there,
            "{ended}"
        );
    }
}
