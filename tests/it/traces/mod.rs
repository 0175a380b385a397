//! Traces: the real program against a receiver that others wrote, strict recorders, and receivers that are not well.

mod models;
mod receivers;
mod trouble;

use crate::daemon::Endpoint;
use crate::support::daemon::Daemon;
use crate::support::otlp::{Recorder, Rotel};
use crate::support::program::Workplace;

/// One target that is well, one that is down, and a reporter.
fn place(shop: &Endpoint) -> Workplace {
    let yaml = format!(
        "{}    - {{name: dead, url: \"http://127.0.0.1:9/\"}}\nreporters:\n  - {{kind: file, name: archive, directory: out}}\n",
        shop.watched("every: 1s")
    );
    Workplace::with_configuration(&yaml)
}

#[tokio::test]
async fn a_collector_that_others_wrote_takes_and_understands_them() {
    let (shop, rotel) = (Endpoint::start().await, Rotel::start().await);
    let url = format!("http://127.0.0.1:{}", rotel.port);
    let place = place(&shop).variable("OTEL_EXPORTER_OTLP_ENDPOINT", &url);
    place.run(&["check-config"]).await.assert_prints(&format!(
        "\ntraces: to OpenTelemetry at {url}/v1/traces, which takes them\n"
    ));
    place.run(&["--run-once"]).await.assert_code(2);
    let printed = rotel
        .printed(&[
            "-> service.name: Str(roundsman)",
            "Name           : round\n",
            "Name           : look api_endpoints\n",
            "-> target.name: Str(shop)\n     -> target.status: Str(GREEN)",
            "-> target.name: Str(dead)\n     -> error.type: Str(unreachable)\n     -> target.status: Str(RED)",
            "-> round.targets: Int(2)",
            "Name           : send\n",
            "-> reporter: Str(archive)",
            "-> send.outcome: Str(sent)",
        ])
        .await;
    assert_eq!(printed.matches("Span #").count(), 4, "{printed}");
}

#[tokio::test]
async fn a_round_holds_its_looks_and_a_send_stands_alone() {
    let (shop, recorder) = (Endpoint::start().await, Recorder::start().await);
    let place = place(&shop)
        .variable("OTEL_EXPORTER_OTLP_ENDPOINT", &recorder.url())
        .variable(
            "OTEL_RESOURCE_ATTRIBUTES",
            "deployment.environment=lab,team=a%20b",
        )
        .variable("OTEL_SERVICE_NAME", "watchman");
    let report = place.run(&["--run-once", "--format", "json"]).await;
    let round = recorder.span("round");
    assert_eq!(report.json()["round"]["id"], round.attribute("round.id"));
    assert_eq!(round.attribute("session.id"), round.attribute("round.id"));
    assert_eq!(round.attribute("round.targets"), "int 2");
    assert!(round.parent.is_empty() && !round.failed, "{round:#?}");
    let spans = recorder.spans();
    let looks: Vec<_> = (spans.iter())
        .filter(|one| one.name == "look api_endpoints")
        .collect();
    assert_eq!(looks.len(), 2, "{spans:#?}");
    for look in looks {
        assert_eq!((&look.parent, &look.trace), (&round.id, &round.trace));
        assert_eq!(look.attribute("target.kind"), "api_endpoints");
        assert!(look.took <= round.took, "{spans:#?}");
        let is_dead = look.attribute("target.name") == "dead";
        assert_eq!(look.failed, is_dead);
        let (status, error) = if is_dead {
            ("RED", "unreachable")
        } else {
            ("GREEN", "")
        };
        assert_eq!(look.attribute("target.status"), status);
        assert_eq!(look.attribute("error.type"), error);
    }
    let send = recorder.span("send");
    assert!(
        send.parent.is_empty() && send.trace != round.trace,
        "{spans:#?}"
    );
    assert_eq!(send.attribute("send.outcome"), "sent");
    let batch = &recorder.batches()[0];
    assert_eq!(
        batch.scope,
        format!("roundsman {}", env!("CARGO_PKG_VERSION"))
    );
    let about = &batch.about;
    assert!(!about["host.name"].is_empty() && about["service.instance.id"].len() == 36);
    assert_eq!(about["service.name"], "watchman");
    assert_eq!(about["service.version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(
        (
            about["deployment.environment"].as_str(),
            about["team"].as_str()
        ),
        ("lab", "a b")
    );
}

#[tokio::test]
async fn the_rounds_of_a_daemon_come_while_it_runs_and_the_last_with_its_end() {
    let (shop, recorder) = (Endpoint::start().await, Recorder::start().await);
    let place = place(&shop)
        .variable("OTEL_EXPORTER_OTLP_ENDPOINT", &recorder.url())
        .variable("OTEL_BSP_SCHEDULE_DELAY", "100");
    let mut daemon = Daemon::start(&place);
    let ended = daemon.event("round.ended").await;
    recorder.until("round").await;
    recorder.until("send").await;
    let spans = recorder.spans();
    let first = spans
        .iter()
        .find(|one| one.name == "round")
        .expect("a round");
    assert_eq!(ended["round.id"], first.attribute("round.id"));
    assert_eq!(first.attribute("round.unfinished"), "int 0");
    let rest = daemon.stop().await;
    rest.assert_code(0);
    let rounds = rest.stdout.matches("\"event\":\"round.ended\"").count();
    let spans = recorder.spans();
    let told = spans.iter().filter(|one| one.name == "round").count();
    assert_eq!(told, rounds, "{rest}");
    // Those between rounds, which confirm that something is down, belong to none.
    let of_a_round = |id: &[u8]| spans.iter().any(|one| one.name == "round" && one.id == id);
    let looks: Vec<_> = spans
        .iter()
        .filter(|one| one.name.starts_with("look "))
        .collect();
    assert!(
        looks.iter().any(|look| of_a_round(&look.parent)),
        "{spans:#?}"
    );
    assert!(
        looks
            .iter()
            .all(|look| look.parent.is_empty() || of_a_round(&look.parent))
    );
    assert!(
        looks
            .iter()
            .all(|look| !look.attribute("target.status").is_empty()),
        "{looks:#?}"
    );
    assert!(!rest.stdout.contains("traces."), "{rest}");
}

#[tokio::test]
async fn a_share_of_the_rounds_is_whole_or_nothing() {
    let (shop, recorder) = (Endpoint::start().await, Recorder::start().await);
    for sampler in ["always_off", "traceidratio"] {
        let place = place(&shop)
            .variable("OTEL_EXPORTER_OTLP_ENDPOINT", &recorder.url())
            .variable("OTEL_TRACES_SAMPLER", sampler)
            .variable("OTEL_TRACES_SAMPLER_ARG", "0");
        place.run(&["--run-once"]).await.assert_code(2);
    }
    assert_eq!(recorder.batches().len(), 0);
    let place = place(&shop)
        .variable("OTEL_EXPORTER_OTLP_ENDPOINT", &recorder.url())
        .variable("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
        .variable("OTEL_TRACES_SAMPLER_ARG", "0.5");
    let checked = place.run(&["check-config"]).await;
    checked.assert_prints("traces: 50 % of them to OpenTelemetry at ");
    for _ in 0..6 {
        place
            .run(&["--run-once", "--no-notify"])
            .await
            .assert_code(2);
    }
    let spans = recorder.spans();
    let rounds = spans.iter().filter(|one| one.name == "round").count();
    assert_eq!(spans.len(), rounds * 3, "{spans:#?}");
}
