//! The files that keep reports: never half a one, never one too few.

use std::path::Path;
use std::sync::Arc;

use roundsman::model::Report;
use roundsman::reporters::file::{Settings, read_latest};
use roundsman::reporters::{self, Content, Message, Receipt, Retry, SendError};

use super::{CONTRACT, at, made, message, sample};
use crate::support::program::Workplace;

async fn write(directory: &Path, message: &Message) -> Result<Receipt, SendError> {
    let settings: reporters::Settings = Arc::new(Settings::new(directory));
    made("file", &settings).send(message).await
}

fn names_in(directory: &Path) -> Vec<String> {
    let name = |entry: std::io::Result<std::fs::DirEntry>| {
        let name = entry.expect("a listed file").file_name();
        name.into_string().expect("a name in UTF-8")
    };
    let files = std::fs::read_dir(directory).expect("a folder");
    let mut names: Vec<String> = files.map(name).collect();
    names.sort();
    names
}

#[tokio::test]
async fn two_reports_of_one_second_are_both_kept() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("not/there/yet");
    let sent = message("2026-11-21T09:00:00Z");
    let receipt = write(&directory, &sent).await.unwrap();
    assert!(
        receipt
            .external_id
            .unwrap()
            .ends_with("/monitoring_report_20261121_090000.json")
    );
    write(&directory, &sent).await.unwrap();
    assert_eq!(
        names_in(&directory),
        [
            "latest_report.json",
            "monitoring_report_20261121_090000.json",
            "monitoring_report_20261121_090000_2.json",
        ]
    );
    let latest = read_latest(&directory).unwrap().map(Arc::new);
    assert_eq!(latest.map(Content::Report), Some(sent.content));
}

#[tokio::test]
async fn many_writers_at_once_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().to_owned();
    let writers: Vec<_> = (0..20)
        .map(|_| {
            let directory = directory.clone();
            tokio::spawn(async move { write(&directory, &message("2026-11-21T09:00:00Z")).await })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap().unwrap();
    }
    let names = names_in(&directory);
    assert_eq!(names.len(), 21, "{names:?}");
    for name in names {
        let json = std::fs::read_to_string(directory.join(&name)).unwrap();
        assert!(serde_json::from_str::<Report>(&json).is_ok(), "{name}");
    }
}

#[tokio::test]
async fn only_own_reports_are_deleted_and_only_after_ninety_days() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path();
    for name in [
        "monitoring_report_20260823_085959.json",
        "monitoring_report_20260823_085959_2.json",
        ".monitoring_report_20260823_085959.json.partial",
        ".latest_report.json.monitoring_report_20260823_085959.json.partial",
        "monitoring_report_20260823_090000.json",
        "monitoring_report_20200101_000000.json.bak",
        "monitoring_report_2020.json",
        "notes.txt",
    ] {
        std::fs::write(directory.join(name), "{}").unwrap();
    }
    std::fs::create_dir(directory.join("monitoring_report_20200101_000000.json")).unwrap();
    write(directory, &message("2026-11-21T09:00:00Z"))
        .await
        .unwrap();
    assert_eq!(
        names_in(directory),
        [
            "latest_report.json",
            "monitoring_report_2020.json",
            "monitoring_report_20200101_000000.json",
            "monitoring_report_20200101_000000.json.bak",
            "monitoring_report_20260823_090000.json",
            "monitoring_report_20261121_090000.json",
            "notes.txt",
        ]
    );
}

#[tokio::test]
async fn a_folder_that_is_none_is_said_in_our_words() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("reports");
    std::fs::write(&file, "").unwrap();
    for (directory, words) in [
        (file.clone(), "a file stands where a folder should be"),
        (file.join("below"), "a file stands where a folder should be"),
        ("/proc/reports".into(), "there is no such folder"),
    ] {
        let error = write(&directory, &message("2026-11-21T09:00:00Z"))
            .await
            .unwrap_err();
        let expected = format!(
            "could not make the folder `{}`: {words}",
            directory.display()
        );
        assert_eq!(error.message, expected);
        assert_eq!(error.retry, Retry::Never);
        assert!(error.hint.is_some());
    }
}

#[tokio::test]
async fn a_damaged_latest_report_is_a_warning_and_stays_until_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path();
    assert_eq!(read_latest(directory), Ok(None));
    assert_eq!(read_latest(&directory.join("missing")), Ok(None));
    let latest = directory.join("latest_report.json");
    for (damage, words) in [
        (&CONTRACT[..200], "it is damaged or not ours"),
        ("", "it is damaged or not ours"),
        ("[1, 2]", "it is damaged or not ours"),
        (
            &CONTRACT.replace("\"schema\": 1", "\"schema\": 2"),
            "its schema is 2, expected 1",
        ),
    ] {
        std::fs::write(&latest, damage).unwrap();
        let warning = read_latest(directory).unwrap_err();
        assert!(warning.contains(words), "{warning}");
        assert_eq!(std::fs::read_to_string(&latest).unwrap(), damage);
    }
    write(directory, &message("2026-11-21T09:00:00Z"))
        .await
        .unwrap();
    assert!(read_latest(directory).unwrap().is_some());
}

#[tokio::test]
async fn a_filtered_report_does_not_hide_the_last_complete_one() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path();
    let mut report = sample();
    report.complete = false;
    write(directory, &Message::digest(Arc::new(report.clone())))
        .await
        .unwrap();
    assert_eq!(
        read_latest(directory),
        Ok(Some(report.clone())),
        "there is no other"
    );
    write(directory, &message("2026-11-21T10:00:00Z"))
        .await
        .unwrap();
    report.round.started_at = at("2026-11-21T11:00:00Z");
    write(directory, &Message::digest(Arc::new(report)))
        .await
        .unwrap();
    let previous = read_latest(directory).unwrap().unwrap();
    assert_eq!(previous.round.started_at, at("2026-11-21T10:00:00Z"));
}

/// The limit counts 512-byte blocks, less than any report has. An ignored signal stays ignored in the program.
const NO_ROOM: &str = "trap '' XFSZ; ulimit -f 1; exec \"$0\" \"$@\"";

#[tokio::test]
async fn a_write_that_breaks_off_leaves_nothing_half_written() {
    let place = Workplace::without_configuration().file("reports/latest_report.json", CONTRACT);
    let arguments = ["--run-once", "--report-dir", "reports"];
    let ended = place.run_through(NO_ROOM, &arguments).await;
    assert!(ended.code.is_some_and(|code| code <= 3), "{ended}");
    assert!(ended.stdout.contains("round of "), "{ended}");
    let said = "the report was not sent to --report-dir: could not write the report to `reports`";
    assert!(ended.stderr.contains(said), "{ended}");
    assert!(ended.stderr.contains("\n  hint: "), "{ended}");
    assert_eq!(
        names_in(&place.path().join("reports")),
        ["latest_report.json"]
    );
    assert_eq!(place.read("reports/latest_report.json"), CONTRACT);
}
