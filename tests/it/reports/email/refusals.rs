//! What a server refuses, and who gets the mail all the same.

use roundsman::reporters::Retry;

use super::{LATER, note, only, paragraph, reporter, send, settings};
use crate::support::smtp::{Manner, smtp};

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
