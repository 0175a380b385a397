//! The largest tables: their sizes and rows.

use super::super::metrics::Measured;
use super::{column, gap, number, shown, value};
use crate::clients::postgres::Row;
use crate::model::Reading;

/// The fact that a size is missing, and is missing for a good reason: every migration and every `VACUUM FULL` does that.
pub(super) fn held(reading: &mut Reading, names: &str) {
    let why = "size unknown while somebody holds an exclusive lock, or waits for one";
    reading.fact("tables_held", format!("{names}: {why}"));
}

pub(super) fn read(reading: &mut Reading, metrics: &[Measured], rows: &[Row], is_standby: bool) {
    let mut names = Vec::new();
    for row in rows {
        let name = |column| row.text(column).map_or_else(String::new, part_of_name);
        let subject = format!("{}.{}", name("schema"), name("name"));
        table(reading, metrics, &subject, row, is_standby);
        if row.text("is_held") == Some("t") {
            names.push(subject);
        }
    }
    if !names.is_empty() {
        held(reading, &names.join(", "));
    }
}

fn table(reading: &mut Reading, metrics: &[Measured], subject: &str, row: &Row, is_standby: bool) {
    let [size, rows, dead] = metrics else {
        return;
    };
    let subject = Some(subject);
    // It has none where it is held, or was dropped meanwhile.
    if row.text("size_bytes").is_some() {
        column(reading, *size, subject, row, "size_bytes");
    }
    let (live, dead_rows) = (value(row, "live_rows"), value(row, "dead_rows"));
    // Statistics begin anew after a crash, and on a standby there are none; the last vacuum's count stays.
    let known = match (&live, &dead_rows, value(row, "rows_at_vacuum")) {
        (Ok(Some(0.0)), Ok(Some(0.0)), Ok(Some(at_vacuum))) if at_vacuum > 0.0 => {
            Ok(Some(at_vacuum))
        }
        _ => live,
    };
    match known {
        Ok(Some(known)) => number(reading, *rows, subject, known),
        Ok(None) => {}
        Err(why) => gap(reading, *rows, subject, why, None),
    }
    match dead_rows {
        Ok(Some(known)) if !is_standby => number(reading, *dead, subject, known),
        Ok(_) => {}
        Err(why) => gap(reading, *dead, subject, why, None),
    }
}

/// A schema or table as a part of a name with dots, so that no two tables have the same.
fn part_of_name(text: &str) -> String {
    let name = shown(text);
    if name.contains(['.', '"']) {
        format!("\"{}\"", name.replace('"', "\"\""))
    } else {
        name
    }
}
