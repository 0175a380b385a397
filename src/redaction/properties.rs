//! What holds for every text.

use std::borrow::Cow;
use std::sync::LazyLock;

use proptest::prelude::*;

use super::Redactor;
use crate::secret;

/// What secrets begin with, what ends them, and what is neither.
const PIECES: [&str; 136] = [
    "password",
    "--password",
    "api_key",
    "token",
    "Authorization",
    "Cookie",
    "Set-Cookie",
    "secret",
    "passphrase",
    "DB_PASSWORD",
    "bearer ",
    "Basic ",
    "://",
    "postgres://",
    "https://",
    "@",
    "@tcp(",
    "identified by ",
    "mysql ",
    " -p",
    "curl ",
    " -u ",
    "sshpass -p ",
    "-----BEGIN ",
    "-----END ",
    "PRIVATE KEY-----",
    "Private-Lines:",
    "eyJ",
    "eyJhbGciOiJIUzI1NiJ9",
    ".eyJ",
    "AKIA",
    "IOSFODNN7EXAMPLE",
    "ghp_",
    "sk-",
    "sk-ant-",
    "xoxb-",
    ":AA",
    "1234567",
    "Q~",
    "abc8",
    "hooks.slack.com/",
    "sig=",
    "?key=",
    "&code=",
    "value",
    "name",
    "=",
    ": ",
    ":",
    " ",
    "  ",
    "\n",
    "\"",
    "'",
    "`",
    "\\\"",
    "\\n",
    "\\",
    ",",
    ";",
    "&",
    "&amp;",
    "[",
    "]",
    "(",
    ")",
    "{",
    "}",
    "<",
    ">",
    "…",
    "...",
    "hunter2",
    "a1B2c3D4e5F6g7H8i9J0",
    "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY12",
    "é中",
    "[redacted: password]",
    "[hidden]",
    "<password x=\"é中é中\"",
    "{\"value\":",
    " for user ",
    "set to ",
    "define('",
    "b'",
    "string(3) ",
    "\"\"\"",
    ";s:3:",
    "AUTH ",
    " | chpasswd",
    ":thin:",
    "/services/T00000000",
    "/hooks/",
    "пароль",
    "clave",
    "api key",
    "PASS",
    "(none)",
    "i-0123456789abcdef0",
    "arn:",
    "\u{200b}",
    "\x1b[31m",
    "[0m",
    "＝",
    "%40",
    "example.com",
    "MTA",
    ":APA91b",
    "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8S9t0U1v2W3x4Y5z6A7b8C9d0E1f2\n",
    "---- BEGIN SSH2 ",
    "api_keys",
    "FERNET_KEY",
    "%3A%2F%2F",
    "@//",
    "Key (",
    "=(",
    "\"d\":\"",
    "<td>",
    "</td>",
    "input_value=",
    "--user ",
    "kT4vQ9zLm2Xw7RbN",
    "- ",
    "chpasswd:",
    "list: ",
    "login incorrect",
    "auth\" \"",
    "sip:",
    "echo ",
    "| kinit",
    "identified with ",
    "seed phrase ",
    "&gt;",
    "%2520",
    "\\u0022",
    "\\x27",
    "**",
];

static REDACTOR: LazyLock<Redactor> =
    LazyLock::new(|| Redactor::new(&secret::Redactor::default(), true));

fn made_of_pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        8 => (0..PIECES.len()).prop_map(|index| PIECES[index].to_owned()),
        1 => ".",
    ];
    prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_was_redacted_stays_as_it_is(text in made_of_pieces()) {
        let once = REDACTOR.redact(&text).into_owned();
        let twice = REDACTOR.redact(&once).into_owned();
        prop_assert_eq!(&twice, &once, "from {:?}", text);
    }

    #[test]
    fn no_text_is_too_strange(text in any::<String>()) {
        let once = REDACTOR.redact(&text).into_owned();
        prop_assert_eq!(REDACTOR.redact(&once), once.as_str());
    }

    #[test]
    fn a_text_without_a_beginning_of_a_secret_is_given_back(words in prop::collection::vec("[b-hj-nB-HJ-N0-9 .,é中-]{0,12}", 0..20)) {
        let redactor = &*REDACTOR;
        let text = words.join(" ");
        prop_assume!(redactor.beginnings.find(&text).is_none());
        prop_assert!(matches!(redactor.redact(&text), Cow::Borrowed(same) if same == text));
    }

    #[test]
    fn ids_are_no_secrets(id in "[0-9a-f]{12,64}", uuid in "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}") {
        let redactor = &*REDACTOR;
        for text in [
            format!("container {id} exited"),
            format!("image web@sha256:{id}"),
            format!("request_id={uuid} commit {id}"),
            format!("{{\"id\":\"{id}\",\"trace\":\"{uuid}\"}}"),
        ] {
            prop_assert_eq!(redactor.redact(&text), text.as_str());
        }
    }
}

#[test]
fn configured_secrets_are_taken_out_by_their_value() {
    let mut configured = secret::Redactor::default();
    configured.add("canary-7f3a");
    let redactor = Redactor::new(&configured, false);
    assert_eq!(
        redactor.redact("at canary-7f3a, password=hunter2"),
        "at [hidden], password=[redacted: password]"
    );
    assert_eq!(redactor.redact("password=canary-7f3a"), "password=[hidden]");
    assert!(!format!("{redactor:?}").contains("canary"));
}

/// What is looked at ends after so many bytes, which may be inside of a character.
#[test]
fn wide_letters_around_a_beginning_are_never_cut_in_two() {
    let wide = "中é".repeat(120);
    let around = [
        ("", ""),
        ("", " "),
        (";", "="),
        ("", ": "),
        ("", " '"),
        ("\"", "='"),
        ("", ":a"),
        ("<", " "),
        ("('", "', '"),
        ("", " for "),
    ];
    for (begin, _) in super::beginnings(true) {
        for (ahead, joint) in around {
            // Characters of three bytes and of two: each place is met.
            for shift in ["", "a", "aa", "aaa", "aaaa"] {
                let text = format!("{shift}{ahead}{begin}{joint}{wide}");
                assert!(REDACTOR.redact(&text).len() <= text.len() + 64);
            }
        }
    }
}

#[test]
fn a_configured_secret_that_stands_in_our_marks_changes_none() {
    let mut configured = secret::Redactor::default();
    for word in ["password", "hidden", "redacted"] {
        configured.add(word);
    }
    let redactor = Redactor::new(&configured, false);
    let text = "my password is kept [hidden], token=[redacted: token] pass=hunter2";
    let once = redactor.redact(text).into_owned();
    let expected =
        "my [hidden] is kept [hidden], token=[redacted: token] pass=[redacted: password]";
    assert_eq!(once, expected);
    assert_eq!(redactor.redact(&once), expected);
}

#[test]
fn addresses_of_e_mail_go_only_if_asked_for() {
    let text = "mail to ann.b@example.com, from getty@tty1.service";
    assert_eq!(Redactor::default().redact(text), text);
    assert_eq!(
        Redactor::new(&secret::Redactor::default(), true).redact(text),
        "mail to [redacted: e-mail address], from getty@tty1.service"
    );
}
