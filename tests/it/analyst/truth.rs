//! What a model said stands only beside the picture that it is of, whatever happens meanwhile.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use super::configuration;
use super::trouble::{llm, reply};
use crate::incidents::{Endpoints, Hook, until};
use crate::support::daemon::Daemon;
use crate::support::program::Workplace;
use crate::support::servers::{RawServer, answering_as, raw, request};

/// Words that fit whatever it is asked about, because they name a target.
fn words_about_partner() -> String {
    json!({"summary": {"text": "partner is in trouble.", "evidence": ["E01"]}, "cause": null, "confidence": "low",
        "impact": null, "steps": [], "plain": "partner is in trouble."})
    .to_string()
}

async fn recorder() -> RawServer {
    let answer = reply(&words_about_partner(), "stop");
    answering_as(move |_| answer.clone()).await
}

/// A recorder that keeps its answers back until it may give them, and what it was asked. One that `forgets` gives none to
/// whoever asked before.
async fn holding_back(forgets: bool) -> (RawServer, Arc<AtomicBool>, Arc<Mutex<Vec<String>>>) {
    let answer = reply(&words_about_partner(), "stop");
    let may_answer = Arc::new(AtomicBool::new(false));
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let (waits, kept) = (Arc::clone(&may_answer), Arc::clone(&asked));
    let server = raw(move |mut stream| {
        let (answer, waits, kept) = (answer.clone(), Arc::clone(&waits), Arc::clone(&kept));
        async move {
            let question = request(&mut stream).await;
            kept.lock().expect("the questions").push(question);
            if forgets && !waits.load(Ordering::SeqCst) {
                std::future::pending::<()>().await;
            }
            until("leave to answer", || waits.load(Ordering::SeqCst)).await;
            stream.write_all(&answer).await.ok();
        }
    })
    .await;
    (server, may_answer, asked)
}

/// The question of a request, without when it was asked.
fn question(request: &str) -> String {
    let body = request.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let body: Value = serde_json::from_str(body).expect("a question");
    let messages = body["messages"].as_array().expect("messages");
    let text = messages.last().and_then(|last| last["content"].as_str());
    let text = text.expect("a text");
    let (_, rest) = text.split_once(". ").expect("when it is asked");
    rest.to_owned()
}

async fn incident(place: &Workplace) -> Value {
    let all = place.run(&["incidents", "--format", "json"]).await.json();
    all[0].clone()
}

async fn until_incident(place: &Workplace, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_mins(1);
    loop {
        let incident = incident(place).await;
        if is_so(&incident) {
            return incident;
        }
        assert!(
            tokio::time::Instant::now() < deadline,
            "never {what}: {incident:#}"
        );
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

fn has_words(incident: &Value) -> bool {
    incident["analysis"]["explanation"].is_object()
}

fn are_outdated(incident: &Value) -> bool {
    incident["analysis"]["explanation"]["outdated"] == true
}

#[tokio::test]
async fn another_failure_of_the_same_target_is_another_picture() {
    let model = recorder().await;
    let status = Arc::new(Mutex::new("503 Service Unavailable"));
    let shown = Arc::clone(&status);
    let server = answering_as(move |_| {
        let status = *shown.lock().expect("a status");
        format!("HTTP/1.1 {status}\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok").into()
    })
    .await;
    let hook = Hook::start().await;
    let yaml = format!(
        "monitoring: {{every: 1s, confirm_after: 1s}}\ntargets:\n  api_endpoints:\n    \
         - {{name: partner, url: \"http://127.0.0.1:{}/\"}}\nreport: {{when: changes, schedule: \"0 0 1 1 *\"}}\n\
         llm: {}\nreporters: [{}]\n",
        server.port,
        llm(model.port),
        hook.reporter()
    );
    let place = Workplace::with_configuration(&yaml);
    let daemon = Daemon::start(&place);
    until_incident(&place, "words", has_words).await;
    *status.lock().expect("a status") = "404 Not Found";
    let says = |incident: &Value| incident["analysis"]["groups"].to_string().contains("404");
    let known = until_incident(&place, "another cause", says).await;
    // They are of another failure until there are others, which somebody is asked for.
    let asked_about_it = || {
        let asked = model.requests();
        asked
            .iter()
            .any(|one| question(one).contains("404 Not Found"))
    };
    assert!(are_outdated(&known) || asked_about_it(), "{known:#}");
    until("a question about it", asked_about_it).await;
    until_incident(&place, "words that are of it", |incident| {
        has_words(incident) && !are_outdated(incident)
    })
    .await;
    daemon.stop().await.assert_code(0);
}

#[tokio::test]
async fn where_nobody_is_asked_any_more_old_words_are_marked() {
    let model = recorder().await;
    let (shops, hook) = (Endpoints::start().await, Hook::start().await);
    let yaml = configuration(&shops, &llm(model.port), &hook.reporter());
    let place = Workplace::with_configuration(&yaml);
    shops.fail("partner");
    let mut daemon = Daemon::start(&place);
    until_incident(&place, "words", has_words).await;
    let without = configuration(&shops, "{when: never}", &hook.reporter());
    std::fs::write(place.path().join("config/config.yaml"), without).expect("a configuration");
    daemon.signal(Signal::HUP);
    daemon.event("config.loaded").await;
    shops.fail("*");
    until_incident(&place, "words that are marked", are_outdated).await;
    daemon.stop().await.assert_code(0);
}

#[tokio::test]
async fn nothing_is_asked_twice_and_nothing_that_is_over() {
    let (model, may_answer, asked) = holding_back(false).await;
    let slow = llm(model.port).replace("deadline: 3s", "deadline: 60s");
    let (shops, hook) = (Endpoints::start().await, Hook::start().await);
    let yaml = configuration(&shops, &slow, &hook.reporter());
    let place = Workplace::with_configuration(&yaml);
    shops.fail("*");
    let mut daemon = Daemon::start(&place);
    // A report and an incident of one trouble wait, and then more of it that is over before its turn comes.
    daemon.event("report.made").await;
    daemon.event("incident.opened").await;
    hook.incidents(1).await;
    shops.recover("*");
    daemon.event("incident.closed").await;
    may_answer.store(true, Ordering::SeqCst);
    shops.fail("*");
    daemon.event("incident.opened").await;
    until("a question about the second", || {
        asked.lock().expect("the questions").len() > 1
    })
    .await;
    daemon.stop().await.assert_code(0);
    let asked = asked.lock().expect("the questions");
    let mut questions: Vec<String> = asked.iter().map(|one| question(one)).collect();
    questions.sort();
    let count = questions.len();
    questions.dedup();
    assert_eq!(questions.len(), count, "{questions:#?}");
}

#[tokio::test]
async fn what_is_still_wrong_after_others_recovered_is_no_effect_of_them() {
    let (shops, hook) = (Endpoints::start().await, Hook::start().await);
    let yaml = configuration(&shops, "{when: never}", &hook.reporter());
    let place = Workplace::with_configuration(&yaml);
    let mut daemon = Daemon::start(&place);
    for _ in 0..3 {
        daemon.event("target.changed").await;
    }
    let cause =
        |incident: &Value| incident["analysis"]["groups"][0]["candidates"][0]["target"].clone();
    shops.fail("partner");
    until_incident(&place, "an incident", |incident| incident["id"].is_u64()).await;
    shops.fail("*");
    let members = |incident: &Value| incident["members"].as_array().map_or(0, Vec::len);
    until_incident(&place, "all of them", |incident| members(incident) == 3).await;
    let whole = until_incident(&place, "a cause", |incident| cause(incident) == "partner").await;
    shops.recover("*");
    let closed = |incident: &Value| {
        let all = incident["members"].as_array().expect("members").iter();
        all.filter(|member| member["resolved_at"].is_null()).count() < 3
    };
    until_incident(&place, "fewer", closed).await;
    let last = until_incident(&place, "one that is left", closed).await;
    assert_eq!(cause(&last), cause(&whole), "{last:#}");
    daemon.stop().await.assert_code(0);
}

#[tokio::test]
async fn who_was_asked_when_the_daemon_was_killed_is_asked_again() {
    let (model, may_answer, asked) = holding_back(true).await;
    let (shops, hook) = (Endpoints::start().await, Hook::start().await);
    let yaml = configuration(&shops, &llm(model.port), &hook.reporter());
    let yaml = yaml.replace("report: {when: always", "report: {when: changes");
    let place = Workplace::with_configuration(&yaml);
    let mut daemon = Daemon::start(&place);
    for _ in 0..3 {
        daemon.event("target.changed").await;
    }
    shops.fail("partner");
    until("a question", || {
        !asked.lock().expect("the questions").is_empty()
    })
    .await;
    daemon.kill().await;
    may_answer.store(true, Ordering::SeqCst);
    let daemon = Daemon::start(&place);
    until_incident(&place, "words", has_words).await;
    daemon.stop().await.assert_code(0);
}
