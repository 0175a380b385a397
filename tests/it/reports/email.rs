//! Mail, through a server that others wrote: what it takes is what people read.

use std::sync::Arc;
use std::time::Duration;

use roundsman::clock::Clock;
use roundsman::document::{LIMITS, parse};
use roundsman::model::{Status, Timestamp};
use roundsman::render::blocks::{Block, Column, Fit, Span};
use roundsman::reporters::{
    self, AnyReporter, Content, Means, Message, Receipt, Retry, SendError, Thread,
};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::{Paper, at, means, message};
use crate::support::certificates::{authority, self_signed};
use crate::support::children::free_port;
use crate::support::servers::{RawServer, raw};
use crate::support::smtp::{Mail, Manner, PASSWORD, SmtpServer, USER, smtp};

const LATER: Retry = Retry::Later { not_before: None };

/// A clock that stands.
struct Stopped(Timestamp);

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        self.0
    }
}

fn reporter(yaml: &str) -> Box<dyn AnyReporter> {
    let kind = reporters::kind("email").expect("a known word");
    let node = parse(&"reporters.yaml".into(), yaml, LIMITS, &mut Vec::new());
    let none = |_: &str| None;
    let settings = (kind.read)(&node.expect("a document"), &none);
    let settings = settings.unwrap_or_else(|error| panic!("{error} in\n{yaml}"));
    let problems = (kind.check)(&settings, &none);
    assert!(problems.is_empty(), "{problems:?} in\n{yaml}");
    let means = Means {
        clock: Arc::new(Stopped(at("2026-11-21T09:00:05Z"))),
        ..means(&Paper::default())
    };
    kind.make(&settings, &means).expect("its own settings")
}

/// Settings for a server, with more of them or others in the place of the usual.
fn settings(port: u16, others: &str) -> String {
    let authority = authority().file().into_temp_path().keep().expect("a file");
    let mut yaml = format!(
        "host: localhost\nport: {port}\nca_file: {}\n",
        authority.display()
    );
    for usual in [
        "username: roundsman",
        &format!("password: {PASSWORD}"),
        "from: Roundsman <roundsman@example.com>",
        "to: ops@example.com",
    ] {
        let key = usual.split(':').next().expect("a key");
        let is_other = others
            .lines()
            .any(|line| line.starts_with(&format!("{key}:")));
        if !is_other && !(others.contains("tls: none") && usual.contains("canary")) {
            yaml.push_str(&format!("{usual}\n"));
        }
    }
    yaml.push_str(others);
    yaml
}

async fn send(server: &SmtpServer, others: &str, message: &Message) -> Result<Receipt, SendError> {
    reporter(&settings(server.port, others))
        .send(message)
        .await
        .inspect_err(check)
}

/// What every error keeps to.
fn check(error: &SendError) {
    assert!(error.hint.is_some(), "{error:?}");
    assert!(!format!("{error:?}").contains("canary"), "{error:?}");
}

fn note(id: &str, title: &str, blocks: Vec<Block>) -> Message {
    Message {
        id: id.to_owned(),
        title: title.to_owned(),
        tone: Status::Red,
        blocks,
        content: Content::Note,
        thread: None,
    }
}

fn paragraph(text: &str) -> Vec<Block> {
    vec![Block::Paragraph(vec![Span::Text(text.to_owned())])]
}

fn only(server: &SmtpServer) -> Mail {
    let [mail] = server.mails().try_into().expect("one mail");
    assert_eq!(mail.defects, [""; 0], "{mail:#?}");
    mail
}

/// The words of a text, and of the body of a page, without what either adds of its own.
fn words(text: &str) -> Vec<String> {
    let text = text.replace("- ", " ");
    text.split_whitespace().map(str::to_owned).collect()
}

fn words_of_page(html: &str) -> Vec<String> {
    let (_, body) = html.split_once("<body").expect("a body");
    let parts = body.split('<').skip(1);
    let mut text = String::new();
    for part in parts {
        let (tag, shown) = part.split_once('>').expect("a tag");
        if !matches!(tag.split(' ').next(), Some("b" | "/b" | "span" | "/span")) {
            text.push(' ');
        }
        text.push_str(shown);
    }
    let text = text
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"");
    words(&text.replace("&#39;", "'").replace("&amp;", "&"))
}

#[tokio::test]
async fn a_report_comes_whole_in_both_forms() {
    let server = smtp(&Manner::default()).await;
    let others = "to: [ops@example.com, \"Größe, Jörg <oncall@example.com>\"]\n";
    let others =
        others.replace("Größe, Jörg", "\\\"Größe, Jörg\\\"") + "reply_to: team@example.com\n";
    let sent = message("2026-11-21T09:00:00Z");
    let receipt = send(&server, &others, &sent).await.expect("it is taken");
    let mail = only(&server);
    assert_eq!(mail.from, "roundsman@example.com");
    assert_eq!(mail.to, ["ops@example.com", "oncall@example.com"]);
    assert_eq!((mail.login.as_deref(), mail.protected), (Some(USER), true));
    assert!(mail.is_ascii && mail.longest_line <= 998, "{mail:#?}");
    let id = "<2026-11-21T09%3a00%3a00Z@example.com>";
    assert_eq!(receipt.external_id.as_deref(), Some(id));
    for (name, value) in [
        ("Subject", Some(sent.title.as_str())),
        ("From", Some("Roundsman <roundsman@example.com>")),
        (
            "To",
            Some("ops@example.com, \"Größe, Jörg\" <oncall@example.com>"),
        ),
        ("Reply-To", Some("team@example.com")),
        ("Message-ID", Some(id)),
        ("Date", Some("Sat, 21 Nov 2026 09:00:05 +0000")),
        ("Auto-Submitted", Some("auto-generated")),
        ("X-Auto-Response-Suppress", Some("All")),
        ("X-Roundsman-Delivery", Some("2026-11-21T09:00:00Z")),
        ("MIME-Version", Some("1.0")),
        ("Importance", None),
        ("In-Reply-To", None),
        ("References", None),
    ] {
        assert_eq!(mail.header(name).as_deref(), value, "{name}");
    }
    assert_eq!(
        mail.kinds,
        ["multipart/alternative", "text/plain", "text/html"]
    );
    assert!(mail.text.starts_with("🟡 degraded: "), "{}", mail.text);
    assert_eq!(words(&mail.text), words_of_page(&mail.html));
}

#[tokio::test]
async fn a_login_is_made_the_way_the_server_offers_and_over_tls_alone() {
    for (tls, excluded) in [
        ("starttls", &["LOGIN"][..]),
        ("starttls", &["PLAIN"]),
        ("implicit", &[]),
    ] {
        let server = smtp(&Manner {
            tls,
            excluded_mechanisms: excluded,
            ..Manner::default()
        })
        .await;
        let sent = note("n-1", "hello", paragraph("hello"));
        send(&server, &format!("tls: {tls}\n"), &sent)
            .await
            .expect(tls);
        let mail = only(&server);
        assert_eq!((mail.login.as_deref(), mail.protected), (Some(USER), true));
        assert_eq!(mail.header("Importance").as_deref(), Some("high"));
        assert_eq!(mail.header("X-Priority").as_deref(), Some("1"));
    }
}

#[tokio::test]
async fn a_server_of_this_machine_takes_mail_without_login_and_tls() {
    let server = smtp(&Manner {
        tls: "none",
        login_required: false,
        ..Manner::default()
    })
    .await;
    let yaml = "tls: none\nusername: \"\"\n";
    let sent = note("n-1", "hello", paragraph("hello"));
    send(&server, yaml, &sent).await.expect("it is taken");
    let mail = only(&server);
    assert_eq!((mail.login, mail.protected), (None, false));
}

#[tokio::test]
async fn the_mails_of_a_thread_stay_together() {
    let server = smtp(&Manner::default()).await;
    let reporter = reporter(&settings(server.port, ""));
    let mut before = None;
    for (id, title, news) in [
        ("m-1", "[RED] db: gone", None),
        ("m-2", "[YELLOW] db: slow", Some("better: RED → YELLOW")),
        ("m-3", "[GREEN] db: well", Some("resolved after 4 min")),
    ] {
        let mut sent = note(id, title, paragraph("evidence"));
        sent.thread = Some(Thread {
            key: "incident-12".to_owned(),
            title: "[RED] db: gone".to_owned(),
            before,
            news: news.map(str::to_owned),
        });
        before = reporter.send(&sent).await.expect("taken").external_id;
    }
    assert_eq!(before.as_deref(), Some("<m-1@example.com>"));
    let mails = server.mails_when(3).await;
    let header = |name: &str| -> Vec<Option<String>> {
        mails.iter().map(|mail| mail.header(name)).collect()
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(
        header("Subject"),
        [
            some("[RED] db: gone"),
            some("Re: [RED] db: gone"),
            some("Re: [RED] db: gone"),
        ]
    );
    assert_eq!(
        header("Message-ID"),
        ["m-1", "m-2", "m-3"].map(|id| Some(format!("<{id}@example.com>")))
    );
    let root = some("<m-1@example.com>");
    assert_eq!(header("In-Reply-To"), [None, root.clone(), root]);
    let common = "<thread-incident-12@example.com>";
    let both = format!("{common} <m-1@example.com>");
    assert_eq!(
        header("References"),
        [some(common), some(&both), some(&both)]
    );
    assert!(
        mails[1].text.starts_with("better: RED → YELLOW\n"),
        "{}",
        mails[1].text
    );
    let seen = words_of_page(&mails[1].html).join(" ");
    assert_eq!(seen, "better: RED → YELLOW evidence");
}

#[tokio::test]
async fn a_receipt_of_another_channel_makes_no_reply() {
    let server = smtp(&Manner::default()).await;
    let mut sent = note("m-1", "title", paragraph("evidence"));
    sent.thread = Some(Thread {
        key: "incident-12".to_owned(),
        title: "title".to_owned(),
        before: Some("1700000000.1234\r\nBcc: evil@example.com".to_owned()),
        news: None,
    });
    send(&server, "", &sent).await.expect("taken");
    let mail = only(&server);
    assert_eq!(mail.header("In-Reply-To"), None);
    assert_eq!(mail.header("Bcc"), None);
    assert_eq!(mail.header("Subject").as_deref(), Some("title"));
}

#[tokio::test]
async fn hostile_text_is_shown_and_never_obeyed() {
    let server = smtp(&Manner::default()).await;
    let reporter = reporter(&settings(server.port, ""));
    let long = "x".repeat(10_000);
    let wide = "東京🟢".repeat(3_000);
    let cases = [
        (
            "a\r\nBcc: evil@example.com\r\n\r\nbody",
            "a Bcc: evil@example.com body",
        ),
        ("a\nSubject: b", "a Subject: b"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        (
            "=?utf-8?Q?=0D=0ABcc=3A_evil=40example.com?=",
            "=?utf-8?Q?=0D=0ABcc=3A_evil=40example.com?=",
        ),
        ("größe  東京 🟢", "größe  東京 🟢"),
        ("a\u{202e}b\u{0}c", "a\\u{202e}b\\u{0}c"),
        (".\r\n.\r\nQUIT", ". . QUIT"),
        (
            &long,
            &*format!("{}… (9800 more characters)", "x".repeat(200)),
        ),
        (
            &wide,
            &*format!(
                "{}… (8800 more characters)",
                "東京🟢".repeat(67).chars().take(200).collect::<String>()
            ),
        ),
    ];
    for (hostile, _) in &cases {
        let blocks = vec![
            Block::Title(vec![Span::Text((*hostile).to_owned())]),
            Block::List(vec![vec![Span::Strong((*hostile).to_owned())]]),
        ];
        let sent = note(hostile, hostile, blocks);
        reporter
            .send(&sent)
            .await
            .unwrap_or_else(|error| panic!("{error} of {hostile:?}"));
    }
    let mails = server.mails();
    assert_eq!(mails.len(), cases.len());
    for ((hostile, shown), mail) in cases.iter().zip(&mails) {
        assert_eq!(mail.defects, [""; 0], "{hostile:?} {:#?}", mail.headers);
        assert_eq!(
            mail.header("Subject").as_deref(),
            Some(*shown),
            "{hostile:?}"
        );
        assert_eq!(mail.header("Bcc"), None);
        assert_eq!(mail.to, ["ops@example.com"]);
        let names: Vec<&str> = mail.headers.iter().map(|(name, _)| name.as_str()).collect();
        let of_calm: Vec<&str> = mails[2]
            .headers
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(names, of_calm, "{hostile:?}");
        assert!(mail.longest_line <= 998 && mail.is_ascii, "{hostile:?}");
        assert!(!mail.html.contains("<script") && !mail.html.contains('\u{202e}'));
        assert_eq!(words(&mail.text), words_of_page(&mail.html), "{hostile:?}");
    }
}

#[tokio::test]
async fn a_large_report_stays_below_what_every_server_takes() {
    let server = smtp(&Manner::default()).await;
    let reporter = reporter(&settings(server.port, ""));
    const COLUMNS: &[Column] = &[
        Column {
            title: "STATUS",
            fit: Fit::Whole,
        },
        Column {
            title: "TARGET",
            fit: Fit::Wrap,
        },
        Column {
            title: "PROBLEM",
            fit: Fit::Wrap,
        },
    ];
    let one_long = |index: usize, text: &str| match index {
        0 => text.repeat(500),
        _ => "short".to_owned(),
    };
    for (id, text) in [
        ("usual", "disk_free_percent of / is 17.2 < 20"),
        ("hostile", &"<&\"'>".repeat(2_000)),
        ("wide", &"東京🟢".repeat(3_300)),
        ("one long", ""),
    ] {
        let row = |index: usize| {
            let text = if text.is_empty() {
                one_long(index, "y")
            } else {
                text.to_owned()
            };
            vec![
                vec![Span::Status(Status::Red)],
                vec![Span::Strong(format!("target-{index}"))],
                vec![Span::Text(text)],
            ]
        };
        let blocks = vec![Block::Table {
            columns: COLUMNS,
            rows: (0..500).map(row).collect(),
        }];
        reporter
            .send(&note(id, id, blocks))
            .await
            .unwrap_or_else(|error| panic!("{id}: {error}"));
    }
    let mails = server.mails();
    assert_eq!(mails.len(), 4);
    for mail in &mails {
        assert!(mail.bytes < 1_000_000, "{} bytes", mail.bytes);
        assert_eq!(mail.defects, [""; 0]);
        assert!(mail.longest_line <= 998);
        assert_eq!(words(&mail.text), words_of_page(&mail.html));
    }
    for whole in [&mails[0], &mails[3]] {
        assert!(whole.text.contains("target-499") && whole.html.contains("target-499"));
    }
    for cut in [&mails[1], &mails[2]] {
        assert!(cut.text.contains("lines more") && cut.html.contains("lines more"));
    }
}

#[tokio::test]
async fn refusals_are_told_apart_by_their_codes() {
    let server = smtp(&Manner::default()).await;
    for (others, retry, words, hint) in [
        (
            "to: 451@example.com\n",
            LATER,
            "`451@example.com`: 451 5.0.0",
            "tried again",
        ),
        (
            "to: 452@example.com\n",
            LATER,
            "refused every recipient",
            "tried again",
        ),
        (
            "to: 421@example.com\n",
            LATER,
            "421",
            "too many connections",
        ),
        (
            "to: 550@example.com\n",
            Retry::Never,
            "`550@example.com`: 550 5.0.0",
            "`to`",
        ),
        ("to: 553@example.com\n", Retry::Never, "553", "`to`"),
        (
            "from: sender-553@example.com\n",
            Retry::Never,
            "the sender",
            "`from`",
        ),
        (
            "from: sender-530@example.com\n",
            Retry::Never,
            "530",
            "`password`",
        ),
        (
            "from: data-554@example.com\n",
            Retry::Never,
            "the mail: 554",
            "SPF",
        ),
        (
            "from: data-552@example.com\n",
            Retry::Never,
            "the mail: 552",
            "larger",
        ),
        (
            "from: data-451@example.com\n",
            LATER,
            "the mail: 451",
            "tried again",
        ),
        (
            "password: canary-wrong\n",
            Retry::Never,
            "the login: 535",
            "`password`",
        ),
        ("username: busy\n", LATER, "the login: 454", "at the moment"),
        (
            "username: echo\n",
            Retry::Never,
            "[hidden] is wrong",
            "`password`",
        ),
        (
            "to: cut@example.com\n",
            LATER,
            "it to confirm the mail",
            "log",
        ),
    ] {
        let sent = note("n-1", "hello", paragraph("hello"));
        let error = send(&server, others, &sent).await.expect_err(others);
        assert_eq!(error.retry, retry, "{others}{error:?}");
        assert!(error.message.contains(words), "{others}{error:?}");
        let found = error
            .hint
            .as_deref()
            .is_some_and(|said| said.contains(hint));
        assert!(found, "{others}{error:?}");
        let place = format!("`localhost:{}`", server.port);
        assert!(error.message.contains(&place), "{error:?}");
    }
    assert_eq!(server.mails().len(), 0);
}

#[tokio::test]
async fn one_refused_recipient_does_not_keep_the_mail_from_the_others() {
    let server = smtp(&Manner::default()).await;
    let sent = note("n-1", "hello", paragraph("hello"));
    let yaml = "to: [a@example.com, 550@example.com, b@example.com]\n";
    let error = send(&server, yaml, &sent)
        .await
        .expect_err("one is refused");
    assert_eq!(error.retry, Retry::Never);
    let expected = format!(
        "`localhost:{}` took the mail for 2 of 3 recipients, and refused `550@example.com`: 550 5.0.0 <550@example.com> is refused",
        server.port
    );
    assert_eq!(error.message, expected);
    assert_eq!(only(&server).to, ["a@example.com", "b@example.com"]);
}

#[tokio::test]
async fn whoever_has_the_mail_does_not_get_it_again() {
    let server = smtp(&Manner::default()).await;
    let yaml = "to: [a@example.com, once-451@example.com]\n";
    let reporter = reporter(&settings(server.port, yaml));
    let sent = note("n-1", "hello", paragraph("hello"));
    let error = reporter.send(&sent).await.expect_err("one is refused");
    check(&error);
    assert_eq!(error.retry, LATER);
    assert!(error.message.contains("1 of 2 recipients"), "{error:?}");
    reporter.send(&sent).await.expect("now it takes it");
    let other = note("n-2", "hello", paragraph("hello"));
    reporter.send(&other).await.expect("for both");
    let to: Vec<Vec<String>> = server.mails().into_iter().map(|mail| mail.to).collect();
    assert_eq!(
        to,
        [
            vec!["a@example.com"],
            vec!["once-451@example.com"],
            vec!["a@example.com", "once-451@example.com"],
        ]
    );
    let ids: Vec<_> = server
        .mails()
        .iter()
        .map(|mail| mail.header("Message-ID"))
        .collect();
    assert_eq!(ids[0], ids[1]);
}

#[tokio::test]
async fn addresses_beyond_ascii_go_only_to_servers_that_take_them() {
    let sent = note("n-1", "hello", paragraph("hello"));
    let yaml = "to: [größe@example.com, \"ops@größe.example\"]\n";
    let server = smtp(&Manner::default()).await;
    send(&server, yaml, &sent).await.expect("it is taken");
    let [mail] = server.mails().try_into().expect("one mail");
    assert_eq!(mail.to, ["größe@example.com", "ops@xn--gre-6ka8i.example"]);
    assert!(mail.options.contains(&"SMTPUTF8".to_owned()), "{mail:#?}");
    let without = smtp(&Manner {
        utf8: false,
        ..Manner::default()
    })
    .await;
    let error = send(&without, yaml, &sent)
        .await
        .expect_err("it does not take them");
    assert_eq!(error.retry, Retry::Never);
    let only_domain = "to: \"ops@größe.example\"\n";
    send(&without, only_domain, &sent)
        .await
        .expect("a domain has a form in ASCII");
}

#[tokio::test]
async fn nothing_is_sent_to_a_server_that_cannot_prove_who_it_is() {
    let sent = note("n-1", "hello", paragraph("hello"));
    for (certificate, words) in [
        (self_signed(&["localhost"]), "is self-signed"),
        (
            authority().sign(&["other.example"], -1.0, 90.0),
            "is for another name",
        ),
        (authority().sign(&["localhost"], -9.0, -1.0), "expired on"),
    ] {
        for tls in ["starttls", "implicit"] {
            let server = smtp(&Manner {
                tls,
                certificate: certificate.clone(),
                ..Manner::default()
            })
            .await;
            let error = send(&server, &format!("tls: {tls}\n"), &sent)
                .await
                .expect_err(words);
            assert_eq!(error.retry, Retry::Never, "{error:?}");
            assert!(error.message.contains(words), "{error:?}");
            assert_eq!(server.mails().len(), 0);
        }
    }
}

#[tokio::test]
async fn a_server_without_tls_gets_neither_login_nor_mail() {
    let server = smtp(&Manner {
        tls: "none",
        login_required: false,
        ..Manner::default()
    })
    .await;
    let sent = note("n-1", "hello", paragraph("hello"));
    let error = send(&server, "tls: starttls\n", &sent)
        .await
        .expect_err("no TLS");
    assert_eq!(error.retry, Retry::Never);
    assert!(
        error.message.contains("does not offer STARTTLS"),
        "{error:?}"
    );
    let error = send(&server, "tls: implicit\n", &sent)
        .await
        .expect_err("no TLS");
    assert_eq!(error.retry, Retry::Never);
    assert!(error.message.contains("does not speak TLS"), "{error:?}");
    assert_eq!(server.mails().len(), 0);
}

/// Greets, then answers each line with what the test says; remembers nothing.
async fn scripted(
    greeting: &'static str,
    answers: &'static [(&'static str, &'static str)],
) -> RawServer {
    raw(move |stream: TcpStream| async move {
        let mut stream = BufReader::new(stream);
        stream.write_all(greeting.as_bytes()).await.ok();
        let mut line = String::new();
        while matches!(stream.read_line(&mut line).await, Ok(1..)) {
            let found = answers.iter().find(|(word, _)| line.starts_with(word));
            stream
                .write_all(
                    found
                        .map_or("500 what?\r\n", |(_, answer)| answer)
                        .as_bytes(),
                )
                .await
                .ok();
            line.clear();
        }
    })
    .await
}

#[tokio::test]
async fn what_stands_in_the_way_of_a_conversation_is_told() {
    const EHLO: (&str, &str) = ("EHLO", "250-here\r\n250 STARTTLS\r\n");
    let sent = note("n-1", "hello", paragraph("hello"));
    for (server, retry, words) in [
        (
            scripted("421 busy\r\n", &[]).await,
            LATER,
            "refused to talk with us: 421 busy",
        ),
        (
            scripted("554 go away\r\n", &[]).await,
            Retry::Never,
            "refused to talk with us: 554",
        ),
        (
            scripted("HTTP/1.1 400 Bad Request\r\n\r\n", &[]).await,
            Retry::Never,
            "does not speak SMTP",
        ),
        (
            scripted("220 here\r\n", &[EHLO, ("STARTTLS", "454 no TLS now\r\n")]).await,
            LATER,
            "refused to go over to TLS: 454",
        ),
        (
            // What comes in the same breath as the agreement is not protected: it is nobody's answer.
            scripted(
                "220 here\r\n",
                &[EHLO, ("STARTTLS", "220 go\r\n250 injected\r\n")],
            )
            .await,
            LATER,
            "during the TLS handshake",
        ),
        (
            raw(|stream| async move { drop(stream) }).await,
            LATER,
            "closed the connection",
        ),
    ] {
        let reporter = reporter(&settings(server.port, ""));
        let error = reporter.send(&sent).await.expect_err(words);
        check(&error);
        assert_eq!(error.retry, retry, "{error:?}");
        assert!(error.message.contains(words), "{words}: {error:?}");
    }
    let nobody = reporter(&settings(free_port(), ""))
        .send(&sent)
        .await
        .expect_err("nobody");
    check(&nobody);
    assert_eq!(nobody.retry, LATER);
    assert!(nobody.message.contains("connection refused"), "{nobody:?}");
    let unknown = settings(587, "").replace("localhost", "no-such-host.invalid");
    let unknown = reporter(&unknown)
        .send(&sent)
        .await
        .expect_err("no such host");
    check(&unknown);
    assert_eq!(unknown.retry, LATER);
}

#[tokio::test]
async fn a_server_that_says_nothing_is_left_in_time() {
    let mute = raw(|mut stream| async move {
        stream.read_to_end(&mut Vec::new()).await.ok();
    })
    .await;
    let hanging = smtp(&Manner::default()).await;
    let sent = note("n-1", "hello", paragraph("hello"));
    let silent = reporter(&settings(mute.port, ""));
    let slow = reporter(&settings(hanging.port, "to: hang@example.com\n"));
    let began = std::time::Instant::now();
    let (silent, slow) = tokio::join!(silent.send(&sent), slow.send(&sent));
    let took = began.elapsed();
    assert!(took < Duration::from_secs(40), "{took:?}");
    let (silent, slow) = (silent.expect_err("mute"), slow.expect_err("slow"));
    for error in [&silent, &slow] {
        check(error);
        assert_eq!(error.retry, LATER);
        assert!(error.message.contains("within 30 s"), "{error:?}");
    }
    assert!(silent.message.contains("its greeting"), "{silent:?}");
    assert!(slow.message.contains("it to confirm the mail"), "{slow:?}");
}
