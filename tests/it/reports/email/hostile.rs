//! Text that was collected is shown and never obeyed, and never too much of it.

use roundsman::model::Status;
use roundsman::render::blocks::{Block, Column, Fit, Span};

use super::{note, reporter, settings, words, words_of_page};
use crate::support::smtp::{Manner, smtp};

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
