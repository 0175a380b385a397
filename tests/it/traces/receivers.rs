//! Langfuse and LangSmith by their own variables, several at once, and what keys may be seen by whom.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use prost::Message;

use super::place;
use crate::daemon::Endpoint;
use crate::support::certificates::self_signed_authority;
use crate::support::otlp::Recorder;
use crate::support::program::Workplace;
use crate::support::servers::{answering_tls, ipv4};

const PUBLIC: &str = "pk-lf-canary-public";
const SECRET: &str = "sk-lf-canary-secret";
const SMITH: &str = "lsv2_canary_key";
const OWN: &str = "canary-own-token";

#[tokio::test]
async fn langfuse_needs_its_own_variables_alone() {
    let shop = Endpoint::start().await;
    for host in ["LANGFUSE_HOST", "LANGFUSE_BASE_URL"] {
        let recorder = Recorder::start().await;
        let place = place(&shop)
            .variable("LANGFUSE_PUBLIC_KEY", PUBLIC)
            .variable("LANGFUSE_SECRET_KEY", SECRET)
            .variable(host, &format!("{}/", recorder.url()));
        let checked = place.run(&["check-config"]).await;
        checked.assert_code(0).assert_prints(&format!(
            "\ntraces: to Langfuse at {}/api/public/otel/v1/traces, which takes them\n",
            recorder.url()
        ));
        let ended = place.run(&["--run-once"]).await;
        let batches = recorder.batches();
        assert_eq!(
            batches.len(),
            2,
            "the question of `check-config`, and a round"
        );
        for batch in &batches {
            assert_eq!(batch.path, "/api/public/otel/v1/traces");
            let pair = STANDARD.encode(format!("{PUBLIC}:{SECRET}"));
            assert_eq!(batch.headers["authorization"], format!("Basic {pair}"));
            assert_eq!(batch.headers["x-langfuse-ingestion-version"], "4");
        }
        assert_eq!(recorder.spans().len(), 4);
        for said in [&checked, &ended] {
            assert!(!said.to_string().contains("canary"), "{said}");
        }
    }
}

#[tokio::test]
async fn langsmith_needs_its_own_variables_alone() {
    let shop = Endpoint::start().await;
    for (prefix, behind) in [("LANGSMITH", ""), ("LANGCHAIN", ""), ("LANGSMITH", "/otel")] {
        let recorder = Recorder::start().await;
        let place = place(&shop)
            .variable(&format!("{prefix}_API_KEY"), SMITH)
            .variable(&format!("{prefix}_PROJECT"), "night watch")
            .variable(
                &format!("{prefix}_ENDPOINT"),
                &format!("{}{behind}", recorder.url()),
            );
        let ended = place.run(&["--run-once"]).await;
        let batches = recorder.batches();
        assert_eq!(batches.len(), 1, "{ended}");
        assert_eq!(batches[0].path, "/otel/v1/traces");
        assert_eq!(batches[0].headers["x-api-key"], SMITH);
        assert_eq!(batches[0].headers["langsmith-project"], "night watch");
        assert!(!batches[0].headers.contains_key("authorization"));
        assert!(!ended.to_string().contains("canary"), "{ended}");
    }
}

#[tokio::test]
async fn each_of_several_gets_all_spans_and_no_key_of_another() {
    let shop = Endpoint::start().await;
    let (own, fuse, smith) = (
        Recorder::start().await,
        Recorder::start().await,
        Recorder::start().await,
    );
    let place = place(&shop)
        .variable(
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            &format!("{}/any", own.url()),
        )
        .variable(
            "OTEL_EXPORTER_OTLP_HEADERS",
            &format!("x-token=a%2C{OWN}, x-tenant=1"),
        )
        .variable("LANGFUSE_PUBLIC_KEY", PUBLIC)
        .variable("LANGFUSE_SECRET_KEY", SECRET)
        .variable("LANGFUSE_HOST", &fuse.url())
        .variable("LANGSMITH_API_KEY", SMITH)
        .variable("LANGSMITH_ENDPOINT", &smith.url());
    let ended = place.run(&["--run-once"]).await;
    let ids = |recorder: &Recorder| {
        let mut ids: Vec<_> = recorder.spans().into_iter().map(|one| one.id).collect();
        ids.sort();
        ids
    };
    assert_eq!(ids(&own).len(), 4, "{ended}");
    assert_eq!(ids(&own), ids(&fuse));
    assert_eq!(ids(&own), ids(&smith));
    let batch = &own.batches()[0];
    assert_eq!(batch.path, "/any");
    assert_eq!(batch.headers["x-token"], format!("a,{OWN}"));
    assert_eq!(batch.headers["x-tenant"], "1");
    let pair = STANDARD.encode(format!("{PUBLIC}:{SECRET}"));
    for (recorder, own) in [(&own, OWN), (&fuse, pair.as_str()), (&smith, SMITH)] {
        let batch = &recorder.batches()[0];
        let sent = format!(
            "{:?} {}",
            batch.headers,
            String::from_utf8_lossy(&batch.bytes)
        );
        for key in [OWN, SECRET, SMITH, &pair] {
            assert_eq!(sent.contains(key), key == own, "{key} in {sent}");
        }
    }
}

#[tokio::test]
async fn check_config_says_why_a_receiver_takes_nothing() {
    let shop = Endpoint::start().await;
    let recorder = Recorder::start().await;
    let place = place(&shop)
        .variable("LANGFUSE_PUBLIC_KEY", PUBLIC)
        .variable("LANGFUSE_SECRET_KEY", SECRET)
        .variable("LANGFUSE_HOST", &recorder.url());
    for (status, why, hint) in [
        (
            401,
            "our key was not accepted",
            "check `LANGFUSE_PUBLIC_KEY` and `LANGFUSE_SECRET_KEY`, and that it is a key of the Langfuse at this address",
        ),
        (
            403,
            "our key is known there, but may not send traces",
            "and what that key may do",
        ),
        (
            404,
            "there is no receiver of traces at that address",
            "check `LANGFUSE_BASE_URL` or `LANGFUSE_HOST`",
        ),
        (
            308,
            "it leads elsewhere, and we follow nobody with a key",
            "to where it leads",
        ),
        (500, "it failed", "look at the log of the Langfuse there"),
    ] {
        recorder.answers(status);
        let ended = place.run(&["check-config"]).await;
        ended
            .assert_code(0)
            .assert_prints(&format!("  warning: it does not take them: `{}/api/public/otel/v1/traces` answered {status}: {why}\n", recorder.url()))
            .assert_prints(hint)
            .assert_prints("\n0 errors, 1 warning: this configuration can be used");
        assert!(!ended.to_string().contains("canary"), "{ended}");
    }
    let nobody = place.variable("LANGFUSE_HOST", "http://127.0.0.1:9");
    nobody
        .run(&["check-config"])
        .await
        .assert_code(0)
        .assert_prints(
            "it does not take them: cannot connect to `127.0.0.1:9`: connection refused",
        );
}

#[tokio::test]
async fn check_config_names_variables_that_are_wrong_and_never_what_they_hold() {
    let shop = Endpoint::start().await;
    let place = place(&shop)
        .variable("OTEL_EXPORTER_OTLP_ENDPOINT", "canary.example.com:4317")
        .variable("OTEL_EXPORTER_OTLP_HEADERS", "canary-without-value")
        .variable("OTEL_EXPORTER_OTLP_TIMEOUT", "canary")
        .variable("LANGFUSE_SECRET_KEY", SECRET)
        .file(".env", "LANGSMITH_TRACING=canary\n");
    let ended = place.run(&["check-config"]).await;
    ended
        .assert_code(0)
        .assert_prints("warning: `OTEL_EXPORTER_OTLP_ENDPOINT` (the environment): expected an address that begins with `http://` or `https://`\n")
        .assert_prints("warning: `LANGFUSE_PUBLIC_KEY`: is not set, though its other half is\n")
        .assert_prints("warning: `LANGSMITH_TRACING` (.env:1): expected `true` or `false`\n")
        .assert_prints("traces: nowhere\n")
        .assert_prints("  LANGFUSE_SECRET_KEY: the environment\n")
        .assert_prints("this configuration can be used");
    assert!(!ended.to_string().contains("canary"), "{ended}");
}

#[tokio::test]
async fn no_secret_of_a_target_or_a_reporter_is_in_a_span() {
    let (shop, recorder) = (Endpoint::start().await, Recorder::start().await);
    let port = shop.server.port;
    let yaml = format!(
        "targets:
  api_endpoints:
    - url: http://127.0.0.1:{port}/${{SECRET}}/x?key=${{SECRET}}
      headers: {{x-token: \"${{SECRET}}\"}}
      auth: {{bearer: \"${{SECRET}}\"}}
      method: POST
      body: canary-body
      expect: {{contains: canary-expected}}
    - {{name: dead, url: \"http://127.0.0.1:9/${{SECRET}}\"}}
reporters:
  - {{kind: webhook, name: hook, url: \"http://127.0.0.1:9/${{SECRET}}\", secret: \"${{SECRET}}\"}}
"
    );
    let place = Workplace::with_configuration(&yaml)
        .variable("SECRET", "canary-of-a-target")
        .variable("OTEL_EXPORTER_OTLP_ENDPOINT", &recorder.url());
    let ended = place.run(&["--run-once"]).await;
    let spans = recorder.spans();
    assert_eq!(spans.len(), 4, "{ended} {spans:#?}");
    assert_eq!(recorder.span("send").attribute("send.outcome"), "not_sent");
    for batch in recorder.batches() {
        let sent = format!(
            "{:?} {}",
            batch.headers,
            String::from_utf8_lossy(&batch.bytes)
        );
        assert!(!sent.contains("canary"), "{sent}");
    }
}

#[tokio::test]
async fn an_answer_that_is_no_receivers_is_none() {
    let (shop, recorder) = (Endpoint::start().await, Recorder::start().await);
    let place = place(&shop).variable("OTEL_EXPORTER_OTLP_ENDPOINT", &recorder.url());
    for (kind, body, is_taken) in [
        ("application/x-protobuf", "", true),
        ("text/html", "", true),
        ("application/json", "{}", true),
        (
            "application/json; charset=utf-8",
            r#"{"partialSuccess":{}}"#,
            true,
        ),
        ("text/plain", "ok", true),
        ("text/html; charset=utf-8", "<p>canary: sign in</p>", false),
        ("Text/HTML", "<p>canary: sign in</p>", false),
    ] {
        recorder.says(kind, body);
        let ended = place.run(&["check-config"]).await;
        if is_taken {
            ended.assert_prints("/v1/traces, which takes them\n");
        } else {
            ended
                .assert_prints("warning: it does not take them: `")
                .assert_prints("/v1/traces` answered 200 with a web page, which no receiver of traces does\n    hint: check `OTEL_EXPORTER_OTLP_ENDPOINT` or");
        }
        assert!(!ended.to_string().contains("canary"), "{ended}");
    }
    let ended = place.run(&["--run-once"]).await;
    let told = "traces do not get out, and are dropped: `";
    assert!(ended.stderr.contains(told), "{ended}");
}

#[tokio::test]
async fn what_a_receiver_throws_away_is_told_once_in_its_words() {
    let (shop, recorder) = (Endpoint::start().await, Recorder::start().await);
    let place = place(&shop)
        .variable("OTEL_EXPORTER_OTLP_ENDPOINT", &recorder.url())
        .variable("OTEL_EXPORTER_OTLP_HEADERS", &format!("x-token={OWN}"))
        .variable("OTEL_BSP_MAX_QUEUE_SIZE", "1000");
    let partial = ExportTraceServiceResponse {
        partial_success: Some(ExportTracePartialSuccess {
            rejected_spans: 2,
            error_message: format!("quota of {OWN} is\nused up"),
        }),
    };
    let json = format!(
        r#"{{"partialSuccess":{{"rejectedSpans":"2","errorMessage":"quota of {OWN} is\nused up"}}}}"#
    );
    for (kind, body) in [
        ("application/x-protobuf", partial.encode_to_vec()),
        ("application/json", json.into_bytes()),
    ] {
        recorder.says(kind, body);
        let words = "/v1/traces` threw away 2 spans of a batch: quota of *** is used up";
        let checked = place.run(&["check-config"]).await;
        checked
            .assert_prints("warning: it takes a part of them only: `")
            .assert_prints(words);
        let ended = place.run(&["--run-once"]).await;
        assert_eq!(ended.stderr.matches(words).count(), 1, "{ended}");
        for said in [&checked, &ended] {
            assert!(!said.to_string().contains("canary"), "{said}");
        }
    }
}

#[tokio::test]
async fn a_hint_names_what_can_be_set() {
    let (shop, recorder) = (Endpoint::start().await, Recorder::start().await);
    recorder.answers(404);
    for (name, address, hint) in [
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            format!("{}/v1/traces", recorder.url()),
            "it was there already: leave it out of `OTEL_EXPORTER_OTLP_ENDPOINT`, or put the whole of it into `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`\n",
        ),
        (
            "LANGFUSE_HOST",
            format!("{}/api/public/otel", recorder.url()),
            "it was there already: leave it out of `LANGFUSE_BASE_URL` or `LANGFUSE_HOST`\n",
        ),
        (
            "LANGSMITH_ENDPOINT",
            format!("{}/otel/v1/traces", recorder.url()),
            "it was there already: leave it out of `LANGSMITH_ENDPOINT`\n",
        ),
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "http://127.0.0.1:4317".to_owned(),
            "4317 is the usual port for gRPC, which we do not speak; that for HTTP is usually 4318\n",
        ),
    ] {
        let place = place(&shop).variable(name, &address);
        let place = match name.split('_').next() {
            Some("LANGFUSE") => place
                .variable("LANGFUSE_PUBLIC_KEY", PUBLIC)
                .variable("LANGFUSE_SECRET_KEY", SECRET),
            Some("LANGSMITH") => place.variable("LANGSMITH_API_KEY", SMITH),
            _ => place,
        };
        place.run(&["check-config"]).await.assert_prints(hint);
    }
    let pair = self_signed_authority(&["localhost", "127.0.0.1"], 90.0, &[]);
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    let server = answering_tls(ipv4(), pair.server_config(), answer).await;
    let url = format!("https://127.0.0.1:{}", server.port);
    let place = place(&shop).variable("OTEL_EXPORTER_OTLP_ENDPOINT", &url);
    place
        .run(&["check-config"])
        .await
        .assert_prints("is self-signed\n    hint: set `OTEL_EXPORTER_OTLP_CERTIFICATE` to it");
    let file = pair.file();
    let path = file.path().display().to_string();
    let place = place.variable("OTEL_EXPORTER_OTLP_CERTIFICATE", &path);
    let ended = place.run(&["check-config"]).await;
    ended.assert_prints("/v1/traces, which takes them\n");
}

#[tokio::test]
async fn a_slow_receiver_has_its_time() {
    let (shop, recorder) = (Endpoint::start().await, Recorder::start().await);
    recorder.takes_ms(3_500);
    let place = place(&shop).variable("OTEL_EXPORTER_OTLP_ENDPOINT", &recorder.url());
    let ended = place.run(&["check-config"]).await;
    ended.assert_prints("/v1/traces, which takes them\n");
    let place = place.variable("OTEL_EXPORTER_OTLP_TIMEOUT", "300");
    let ended = place.run(&["check-config"]).await;
    ended
        .assert_prints("warning: whether it takes them is not known: no first byte from `")
        .assert_prints("within 300 ms")
        .assert_prints("`OTEL_EXPORTER_OTLP_TIMEOUT` says how long it may take");
    assert!(!ended.stdout.contains("`timeout_ms`"), "{ended}");
}
