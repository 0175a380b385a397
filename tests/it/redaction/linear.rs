//! No text costs more than its length.

use std::time::Duration;

use roundsman::redaction::Redactor;

use crate::support::processor_time;

/// Each of these would cost the square of its length if what was found were searched again and again.
const PIECES: &[&str] = &[
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
    "MTA",
    "pat",
    ":::",
    ":APA91b",
    "AZDO",
    "/services/T",
    "/hooks/a1",
    "/webhooks/",
    ":thin:a/",
    "sqlplus a/",
    "password for user ",
    "password set to ",
    "password `",
    "<password ",
    "define('password', '",
    "('password', '",
    "password: {\"value\": ",
    "\"password\";s:1:",
    "password=string(",
    "password=(",
    "AUTH ",
    ":a| chpasswd",
    "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8S9t0U1v2W3x4Y5z6A7b8C9d0E1f2",
    "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8S9t0U1v2W3x4Y5z6A7b8C9d0E1f2\n",
    "a1B2c3D4 ",
    "\u{200b}",
    "\u{1b}[1m",
    " [1mpassword=a",
    "\"a\"@",
    "ssh a@b.example.com ",
    "пароль: ",
    "api key ",
    "passphrase: is ",
    "Password=a ",
    "---- BEGIN SSH2 PRIVATE KEY",
    "%25",
    "password x ",
    "passwords: [\"a\",",
    "passwords: [\"a",
    "tokens:\n  - a",
    "Key (token)=(",
    "token, ",
    "<td>password</td>",
    "name=\"password\" ",
    "SET PASSWORD FOR a = ",
    "%3A%2F%2Fa%3A",
    "a/b@//",
    "sip:a:b@",
    "\"d\":\"a1B",
    "seed phrase ocean ",
    "createUser SHA \"a",
    "login incorrect [a/",
    "echo a | kinit",
    "input_value='",
    "pdo->__construct('a', ",
    "chpasswd: list: a:b ",
    "identified with a by '",
    "auth\" \"auth\" \"",
    ":5432:a:b:",
    "--user a:b1",
    "\\u0022token\\u0022:",
    "\\nsk-",
];

#[test]
fn time_grows_with_the_length_and_no_faster() {
    let redactor = Redactor::new(&roundsman::secret::Redactor::default(), true);
    for piece in PIECES {
        let took = |bytes: usize| {
            let text = piece.repeat(bytes / piece.len());
            let (redacted, took) = processor_time(|| redactor.redact(&text));
            assert!(redacted.len() <= 40 * text.len());
            took
        };
        // The square would be 256 times as long. Caches are shared with the rest of the machine: the fastest of some counts.
        let short = (0..3).map(|_| took(2_000)).min().unwrap_or_default();
        let mut long = (0..16).map(|_| took(32_000));
        let limit = 64 * short + Duration::from_millis(2);
        assert!(
            long.any(|long| long < limit),
            "16 times as long a text of {piece:?} takes more than {limit:?} instead of {short:?}"
        );
    }
}
