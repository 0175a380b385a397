//! Keys of model providers, over TLS.

use std::time::Duration;

use roundsman::clients::Clients;
use roundsman::model::Status;

use crate::support::certificates::authority;
use crate::support::program::Workplace;
use crate::support::servers::{RawServer, answering_tls, ipv4};
use crate::support::{Looked, kind_of, look_again, target_with};

const CANARY: &str = "sk-canary-0815";

const LISTED: &str = "HTTP/1.1 200 OK\r\nContent-Length: 12\r\nx-ratelimit-remaining-requests: 99\r\nx-ratelimit-remaining-tokens: 7000\r\n\r\n{\"data\": []}";

async fn serving(answer: &'static str) -> RawServer {
    answering_tls(ipv4(), authority().good().server_config(), answer).await
}

async fn look(server: &RawServer, provider: &str, key: Option<&str>, more: &str) -> Looked {
    let ca = authority().file();
    let yaml = format!(
        "provider: {provider}\nenv: KEY_UNDER_TEST\ntest_url: https://127.0.0.1:{}/v1/models\ntls: {{ca_file: {}}}\n{more}",
        server.port,
        ca.path().display()
    );
    let key = key.map(str::to_owned);
    let target = target_with("llm_keys", &yaml, Duration::from_secs(5), &|name| {
        key.clone().filter(|_| name == "KEY_UNDER_TEST")
    });
    let collector = (kind_of("llm_keys").new)(&Clients::new());
    let looked = look_again(collector.as_ref(), &target).await;
    assert!(!format!("{looked:?}").contains(CANARY), "{looked:?}");
    looked
}

#[tokio::test]
async fn a_key_that_is_good_and_what_is_left_of_it() {
    let server = serving(LISTED).await;
    let looked = look(&server, "openai", Some(CANARY), "").await;
    looked.assert_green();
    assert_eq!(looked.state("key_present").as_deref(), Some("yes"));
    assert_eq!(looked.state("key_valid").as_deref(), Some("yes"));
    assert_eq!(looked.number("remaining_requests"), Some(99.0));
    assert_eq!(looked.number("remaining_tokens"), Some(7_000.0));
    let request = server.requests()[0].to_lowercase();
    assert!(
        request.contains(&format!("authorization: bearer {CANARY}")),
        "{request}"
    );
}

#[tokio::test]
async fn each_provider_gets_its_key_where_it_wants_it_and_never_in_the_address() {
    for (provider, header) in [
        ("together", "authorization: bearer "),
        ("openai", "authorization: bearer "),
        ("anthropic", "x-api-key: "),
        ("openrouter", "authorization: bearer "),
        ("google", "x-goog-api-key: "),
        ("moonshot", "authorization: bearer "),
        ("in-house", "authorization: bearer "),
    ] {
        let server = serving(LISTED).await;
        look(&server, provider, Some(CANARY), "")
            .await
            .assert_green();
        let request = server.requests()[0].to_lowercase();
        assert!(
            request.contains(&format!("{header}{CANARY}")),
            "{provider}: {request}"
        );
        let line = request.lines().next().expect("a line");
        assert!(!line.contains(CANARY), "{line}");
        assert_eq!(
            request.contains("anthropic-version: 2023-06-01"),
            provider == "anthropic"
        );
    }
}

#[tokio::test]
async fn refused_is_red_and_absent_only_where_it_is_required() {
    let refused = serving("HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\n{}").await;
    let looked = look(&refused, "openai", Some(CANARY), "").await;
    looked.assert_failed(
        Status::Red,
        "denied `openai` refuses the key in `KEY_UNDER_TEST` (HTTP 401)",
    );
    let google = serving(
        "HTTP/1.1 400 Bad Request\r\nContent-Length: 61\r\n\r\n{\"error\": {\"message\": \"API key not valid. Please pass one.\"}}",
    )
    .await;
    look(&google, "google", Some(CANARY), "")
        .await
        .assert_failed(Status::Red, "denied `google` refuses the key");
    let absent = look(&refused, "openai", None, "").await;
    absent.assert_green();
    assert_eq!(absent.state("key_present").as_deref(), Some("no"));
    assert!(
        absent
            .fact("key")
            .is_some_and(|fact| fact == "`KEY_UNDER_TEST` is not set")
    );
    look(&refused, "openai", None, "required: true")
        .await
        .assert_failed(
            Status::Red,
            "missing the variable `KEY_UNDER_TEST` is not set, and the key of `openai` is required",
        );
}

#[tokio::test]
async fn a_provider_in_trouble_is_not_a_bad_key() {
    let busy = serving("HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n").await;
    look(&busy, "openai", Some(CANARY), "")
        .await
        .assert_failed(Status::Unknown, "throttled ");
    let down = serving("HTTP/1.1 503 Unavailable\r\nContent-Length: 0\r\n\r\n").await;
    look(&down, "openai", Some(CANARY), "")
        .await
        .assert_failed(Status::Red, "unexpected ");
}

/// An answer of any server, whatever it is.
async fn saying(status: &str, content_type: &str, body: &str) -> RawServer {
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    serving(answer.leak()).await
}

#[tokio::test]
async fn only_what_a_good_key_gets_proves_it() {
    let page = "<html><body>Welcome to nginx</body></html>";
    for (status, body, expected, words) in [
        (
            "200 OK",
            page,
            Status::Red,
            "answered what says nothing about a key",
        ),
        (
            "200 OK",
            "",
            Status::Red,
            "answered what says nothing about a key",
        ),
        (
            "204 No Content",
            "",
            Status::Red,
            "answered what says nothing about a key",
        ),
        (
            "200 OK",
            "{}",
            Status::Red,
            "answered what says nothing about a key",
        ),
        (
            "200 OK",
            "\"fine\"",
            Status::Red,
            "answered what says nothing about a key",
        ),
        (
            "200 OK",
            r#"{"status": "fine"}"#,
            Status::Red,
            "answered what says nothing about a key",
        ),
        (
            "200 OK",
            r#"{"error": {"message": "no"}, "data": []}"#,
            Status::Red,
            "answered what says nothing about a key",
        ),
        (
            "200 OK",
            r#"{"error": {"message": "Invalid key", "code": 401}}"#,
            Status::Red,
            "denied `openai` refuses the key in `KEY_UNDER_TEST` (HTTP 401)",
        ),
        (
            "200 OK",
            r#"{"error": {"message": "Slow down", "code": 429}}"#,
            Status::Unknown,
            "answered with an error 429",
        ),
        (
            "403 Forbidden",
            page,
            Status::Unknown,
            "answered 403 with a page",
        ),
        (
            "403 Forbidden",
            "{}",
            Status::Red,
            "denied `openai` refuses the key",
        ),
        (
            "402 Payment Required",
            "{}",
            Status::Unknown,
            "the account has no credit left",
        ),
        (
            "400 Bad Request",
            r#"{"type": "error", "error": {"type": "invalid_request_error", "message": "Your credit balance is too low to access the Anthropic API."}}"#,
            Status::Unknown,
            "the account has no credit left",
        ),
    ] {
        let server = saying(status, "text/html", body).await;
        let looked = look(&server, "openai", Some(CANARY), "").await;
        assert_eq!(looked.status(), expected, "{status} {body}: {looked:?}");
        assert!(
            looked.failure().contains(words),
            "{status} {body}: {}",
            looked.failure()
        );
        assert_ne!(looked.state("key_valid").as_deref(), Some("yes"), "{body}");
    }
}

#[tokio::test]
async fn each_provider_has_its_own_proof() {
    for (provider, body) in [
        (
            "openai",
            r#"{"object": "list", "data": [{"id": "gpt-4o"}]}"#,
        ),
        (
            "anthropic",
            r#"{"data": [{"type": "model", "id": "x"}], "has_more": false}"#,
        ),
        ("together", r#"[{"id": "x", "object": "model"}]"#),
        ("google", r#"{"models": [{"name": "models/gemini"}]}"#),
        (
            "openrouter",
            r#"{"data": {"label": "sk-or-v1", "limit_remaining": null, "usage": 0}}"#,
        ),
        // Whose address somebody wrote down for this.
        ("in-house", r#"{"key": "…", "info": {"spend": 0.1}}"#),
    ] {
        let server = saying("200 OK", "application/json", body).await;
        let looked = look(&server, provider, Some(CANARY), "").await;
        looked.assert_green();
        assert_eq!(
            looked.state("key_valid").as_deref(),
            Some("yes"),
            "{provider}"
        );
    }
}

#[tokio::test]
async fn a_key_is_never_sent_in_the_clear() {
    let place = Workplace::with_configuration(
        "targets:\n  llm_keys:\n    - {provider: in-house, env: SOME_KEY, test_url: \"http://127.0.0.1:1/\"}\n",
    );
    let ended = place.run(&["check-config"]).await;
    ended
        .assert_code(78)
        .assert_prints("test_url: expected an address that begins with `https://`");
}

#[tokio::test]
async fn providers_are_listed_in_order_of_preference() {
    let (good, refused) = (
        serving(LISTED).await,
        serving("HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\n{}").await,
    );
    let ca = authority().file();
    let entry = |provider: &str, port: u16| {
        format!(
            "    - {{provider: {provider}, test_url: \"https://127.0.0.1:{port}/\", tls: {{ca_file: \"{}\"}}}}\n",
            ca.path().display()
        )
    };
    let yaml = format!(
        "targets:\n  llm_keys:\n{}{}{}",
        entry("openai", refused.port),
        entry("anthropic", good.port),
        entry("google", good.port)
    );
    let place = Workplace::with_configuration(&yaml)
        .variable("OPENAI_API_KEY", CANARY)
        .variable("ANTHROPIC_API_KEY", CANARY);
    let ended = place.run(&["providers"]).await;
    ended.assert_code(0);
    let lines: Vec<&str> = ended.stdout.lines().collect();
    assert_eq!(
        lines,
        [
            "1.  anthropic: usable, 99 requests left, 7000 tokens left",
            "-   openai: the key in `OPENAI_API_KEY` is refused (HTTP 401)",
            "-   google: no key: `GOOGLE_API_KEY` is not set",
        ]
    );
    let json = place.run(&["providers", "--json"]).await;
    assert!(!json.stdout.contains(CANARY));
    let list = json.json();
    assert_eq!(
        (list[0]["provider"].as_str(), list[0]["usable"].as_bool()),
        (Some("anthropic"), Some(true))
    );
    // None of them can be used.
    let nobody = Workplace::without_configuration().run(&["providers"]).await;
    nobody
        .assert_code(2)
        .assert_prints("-   together: no key: `TOGETHER_API_KEY` is not set");
}

#[tokio::test]
async fn who_is_asked_for_words_and_not_known_by_name_is_listed_too() {
    let listing = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 29\r\n\r\n{\"data\": [{\"id\": \"llama-3\"}]}";
    let gateway = crate::support::servers::answering(listing).await;
    for (model, said) in [
        ("llama-3", "1.  in-house: usable, offers `llama-3`"),
        (
            "other",
            "1.  in-house: usable, but `other` is not in its list of models",
        ),
    ] {
        let yaml = format!(
            "targets: {{local_hosts: [{{}}]}}\nllm: {{provider: in-house, model: {model}, base_url: \"http://127.0.0.1:{}/v1\", api_key: {CANARY}}}\n",
            gateway.port
        );
        let place = Workplace::with_configuration(&yaml);
        let ended = place.run(&["providers"]).await;
        ended.assert_code(0);
        assert_eq!(ended.stdout.lines().next(), Some(said), "{ended}");
        ended.assert_prints("-   openai: no key: `OPENAI_API_KEY` is not set");
        let json = place.run(&["providers", "--json"]).await;
        let first = &json.json()[0];
        assert_eq!(first["provider"], "in-house");
        assert_eq!(
            (&first["usable"], &first["key_present"]),
            (&true.into(), &true.into())
        );
        assert!(!format!("{ended}{json}").contains(CANARY));
    }
    assert!(gateway.requests()[0].starts_with("GET /v1/models "));
    let dead = "targets: {local_hosts: [{}]}\nllm: {provider: in-house, model: any, base_url: \"http://127.0.0.1:9/v1\"}\n";
    let ended = Workplace::with_configuration(dead)
        .run(&["providers"])
        .await;
    ended
        .assert_code(2)
        .assert_prints("-   in-house: cannot connect to `127.0.0.1:9`: connection refused");
}
