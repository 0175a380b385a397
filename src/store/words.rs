//! The numbers of targets and words: asked for once, then remembered.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, params};

use crate::model::TargetId;

/// How many words are remembered.
const MOST_WORDS: usize = 100_000;

/// What has a number in this database. Forget it all when a transaction that may have given numbers was rolled back.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    targets: HashMap<TargetId, i64>,
    words: HashMap<String, u64>,
}

impl Numbers {
    /// The number of a target, given now where it has none.
    pub(super) fn target(
        &mut self,
        connection: &Connection,
        target: &TargetId,
    ) -> rusqlite::Result<i64> {
        if let Some(number) = self.targets.get(target) {
            return Ok(*number);
        }
        let number = match target_number(connection, target)? {
            Some(number) => number,
            None => connection
                .prepare_cached("INSERT INTO targets (kind, name) VALUES (?1, ?2)")?
                .insert(params![target.kind, &*target.name])?,
        };
        self.targets.insert(target.clone(), number);
        Ok(number)
    }

    /// The number of a word, from 1, given now where it has none.
    pub(super) fn word(&mut self, connection: &Connection, word: &str) -> rusqlite::Result<u64> {
        if let Some(number) = self.words.get(word) {
            return Ok(*number);
        }
        let known: Option<i64> = connection
            .prepare_cached("SELECT id FROM words WHERE word = ?1")?
            .query_row([word], |row| row.get(0))
            .optional()?;
        let number = match known {
            Some(number) => number,
            None => connection
                .prepare_cached("INSERT INTO words (word) VALUES (?1)")?
                .insert([word])?,
        };
        let number = u64::try_from(number).unwrap_or_default();
        // Names of containers may be made up anew all the time: those in use are soon known again.
        if self.words.len() >= MOST_WORDS {
            self.words.clear();
        }
        self.words.insert(word.to_owned(), number);
        Ok(number)
    }
}

/// The number of a target, if it has one.
pub(super) fn target_number(
    connection: &Connection,
    target: &TargetId,
) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached("SELECT id FROM targets WHERE kind = ?1 AND name = ?2")?
        .query_row(params![target.kind, &*target.name], |row| row.get(0))
        .optional()
}

/// All words, by their numbers.
pub(super) fn all_words(connection: &Connection) -> rusqlite::Result<HashMap<u64, String>> {
    let mut statement = connection.prepare("SELECT id, word FROM words")?;
    let rows = statement.query_map([], |row| {
        let number: i64 = row.get(0)?;
        Ok((u64::try_from(number).unwrap_or_default(), row.get(1)?))
    })?;
    rows.collect()
}
