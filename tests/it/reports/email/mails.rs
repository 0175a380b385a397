//! What people get: headers, threads, and the same facts in both forms.

use roundsman::reporters::Thread;

use super::{note, only, paragraph, reporter, send, settings, words, words_of_page};
use crate::reports::incidents::news;
use crate::reports::message;
use crate::support::smtp::{Manner, USER, smtp};

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
async fn an_incident_is_one_conversation_with_the_news_in_front() {
    let server = smtp(&Manner::default()).await;
    let first = send(&server, "", &news(0, None))
        .await
        .expect("it is taken");
    let last = news(2, Some(&first));
    send(&server, "", &last).await.expect("it is taken");
    let mails = server.mails();
    let [opened, resolved] = mails.as_slice() else {
        panic!("{mails:#?}");
    };
    let subject = "host-1: connection refused";
    assert_eq!(opened.header("Subject"), Some(format!("[RED] {subject}")));
    assert!(
        opened
            .text
            .starts_with("🔴 [RED] host-1: connection refused"),
        "{opened:#?}"
    );
    assert_eq!(
        resolved.header("Subject"),
        Some(format!("[RESOLVED] {subject}"))
    );
    assert_eq!(resolved.header("In-Reply-To"), first.external_id);
    assert!(
        resolved.text.starts_with("resolved after 12 min\n"),
        "{resolved:#?}"
    );
    for mail in [opened, resolved] {
        assert!(mail.text.contains("#12, critical, "), "{mail:#?}");
        assert_eq!(words(&mail.text), words_of_page(&mail.html));
    }
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
            title: "db: gone".to_owned(),
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
            some("[YELLOW] db: gone"),
            some("[GREEN] db: gone"),
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
