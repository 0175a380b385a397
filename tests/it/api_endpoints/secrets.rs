use std::time::Duration;

use roundsman::document::{LIMITS, parse};

use crate::support::servers::answering;
use crate::support::{kind_of, look, target};

const ANSWERS: [&str; 5] = [
    "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nX: canary\r\n\r\ncanary",
    "HTTP/1.1 401 canary\r\nWww-Authenticate: canary\r\nContent-Length: 6\r\n\r\ncanary",
    "HTTP/1.1 302 Found\r\nLocation: /canaryless?canary=canary\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 429 canary\r\nRetry-After: canary\r\nContent-Length: 0\r\n\r\n",
    "canary",
];

#[tokio::test]
async fn nothing_secret_is_ever_shown() {
    for answer in ANSWERS {
        let server = answering(answer).await;
        let yaml = format!(
            "{{url: 'http://canary:canary@127.0.0.1:{}/a?token=canary#canary', method: POST, body: canary,
               auth: {{basic: {{username: canary, password: canary}}}}, headers: {{X-Api-Key: canary}},
               expect: {{contains: all is well}}}}",
            server.port
        );
        let looked = look(&yaml).await;
        let shown = format!("{looked:?} {}", looked.failure()).replace("canaryless", "");
        assert!(!shown.contains("canary"), "{shown}");
        let target = target("api_endpoints", &yaml, Duration::from_secs(5));
        let settings = target
            .settings
            .downcast_ref::<roundsman::collectors::api_endpoints::Settings>();
        let shown = format!(
            "{target:?} {:?} {:#?}",
            settings.expect("settings"),
            target.id
        );
        assert!(!shown.contains("canary"), "{shown}");
    }
}

#[test]
fn mistakes_in_settings_show_no_secret() {
    for (yaml, words) in [
        (
            "url: 'htps://u:canary@example.com'",
            "expected a URL that begins with `https://` or `http://`",
        ),
        (
            "url: 'canary'",
            "expected a URL such as `https://example.com/health`",
        ),
        (
            "{url: 'http://x', headers: {X: \"canary\\ncanary\"}}",
            "expected one line of text that a header can hold",
        ),
        (
            "{url: 'http://x', headers: {'a b': x}}",
            "expected the name of an HTTP header",
        ),
        (
            "{url: 'http://x', headers: {Content-Length: 5}}",
            "the header `content-length` follows from the request",
        ),
        (
            "{url: 'http://x', method: 'a canary'}",
            "expected an HTTP method",
        ),
        (
            "{url: 'http://x', auth: {bearer: \"canary\\n\\x01\"}}",
            "expected one line of text that a header can hold",
        ),
        (
            "{url: 'http://x', auth: {basic: {username: x, secret: canary}}}",
            "unknown key `secret`",
        ),
        (
            "{url: 'http://x', expect: {regex: '('}}",
            "expected a regular expression: unclosed group",
        ),
        (
            "{url: 'http://x', expect: {json: {status: 1}}}",
            "expected a JSON path that begins with `$`",
        ),
        (
            "{url: 'http://x', expect: {status: 700}}",
            "expected a status such as `200`, `2xx` or `200-299`",
        ),
        (
            "{url: 'http://x', tls: {verfy: false}}",
            "unknown key `verfy`",
        ),
    ] {
        let mut problems = Vec::new();
        let node = parse(&"test.yaml".into(), yaml, LIMITS, &mut problems).expect("a document");
        let Err(error) = (kind_of("api_endpoints").read)(&node, &|_| None) else {
            panic!("`{yaml}` was taken");
        };
        assert!(
            error.to_string().starts_with(words),
            "expected `{words}`, found `{error}`"
        );
        assert!(
            !format!("{error} {error:?}").contains("canary"),
            "{error:?}"
        );
    }
}

#[test]
fn a_missing_ca_file_is_a_warning() {
    let yaml = "{url: 'https://example.com', tls: {ca_file: /nowhere/ca.pem}}";
    let settings = target("api_endpoints", yaml, Duration::from_secs(5)).settings;
    let found = (kind_of("api_endpoints").check)(&settings, &|_| None);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].severity, roundsman::problem::Severity::Warning);
    assert_eq!(found[0].message, "there is no file `/nowhere/ca.pem`");
}
