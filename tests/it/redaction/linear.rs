//! No text costs more than its length.

use std::time::Duration;

use roundsman::redaction::Redactor;

/// Each of these would cost the square of its length if what was found were searched again and again.
#[test]
fn time_grows_with_the_length_and_no_faster() {
    let redactor = Redactor::new(&roundsman::secret::Redactor::default(), true);
    for piece in [
        "password",
        "token",
        "://",
        "?key=",
        "&code=",
        "sk-",
        "AKIA",
        "eyJ",
        ":AA",
        "Q~",
        "-----BEGIN ",
        "Private-Lines:",
        "Cookie",
        "hunter2",
        "mysql ",
        "bearer ",
        "Basic ",
        "hooks.slack.com/",
        "a1B2c3D4e5F6g7H8i9J0",
        "[",
        "\"",
        "\\\"",
        " ",
        "&amp;",
        "token: \"a ",
        "`token`: \"",
        "'password=",
        "password=<",
        "sk-sk",
        "eyJ-",
        "eyJhbGciOiJIUzI1NiJ9-",
        "x://a:b/",
        "mysql -",
        "a@",
        "1:AA",
        "-----END PRIVATE KEY-----",
        "MHcCAQEEIIGabcdefghijklmnopqrstuvwxyz0123\n-----END PRIVATE KEY-----\n",
        "\"password\": \"\\",
        "[redacted: ",
        "password=[redacted: password]",
        "passphrase: ",
        "Cookie: a; ",
        "Authorization: [",
        "; password=",
    ] {
        let took = |bytes: usize| {
            let text = piece.repeat(bytes / piece.len());
            let began = on_processor();
            assert!(redactor.redact(&text).len() <= 40 * text.len());
            on_processor().saturating_sub(began)
        };
        // The square would be 256 times as long. What other threads do meanwhile does not count, but slows caches down: the fastest counts.
        let short = (0..3).map(|_| took(2_000)).min().unwrap_or_default();
        let mut long = (0..4).map(|_| took(32_000));
        let limit = 64 * short + Duration::from_millis(2);
        assert!(
            long.any(|long| long < limit),
            "16 times as long a text of {piece:?} takes more than {limit:?} instead of {short:?}"
        );
    }
}

/// For how long this thread was on a processor (`man proc_pid_schedstat`).
fn on_processor() -> Duration {
    let text =
        std::fs::read_to_string("/proc/thread-self/schedstat").expect("the scheduler's figures");
    let nanoseconds = text.split(' ').next().and_then(|text| text.parse().ok());
    Duration::from_nanos(nanoseconds.expect("a number"))
}
