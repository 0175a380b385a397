//! An open session: statements in, rows of text out.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use futures_util::StreamExt;
use tokio_postgres::error::{Severity, SqlState};
use tokio_postgres::{Client, Connection, Error, SimpleQueryMessage, SimpleQueryRow};

use super::problems;
use super::stream::Watched;
use crate::clients::words::shortened;
use crate::model::Failure;

/// How many rows of one statement are kept.
const MOST_ROWS: usize = 1_000;

/// How long a server may take to say goodbye.
const FAREWELL: Duration = Duration::from_millis(100);

/// A row: the names of its columns, and their values as text. `None` is SQL's NULL.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row(pub Vec<(String, Option<String>)>);

impl Row {
    /// The text in a column; `None` where it is NULL or not there.
    #[must_use]
    pub fn text(&self, column: &str) -> Option<&str> {
        let found = self.0.iter().find(|(name, _)| name == column)?;
        found.1.as_deref()
    }
}

/// What came of a batch.
#[derive(Debug, Default)]
pub struct Batch {
    /// The rows of each statement that gives rows and came to its end.
    pub results: Vec<Vec<Row>>,
    /// Why the next statement was refused; it, and all after it, gave nothing.
    pub refused: Option<Refused>,
}

/// A statement that was refused, in a session that goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The error's code (PostgreSQL documentation, "PostgreSQL Error Codes").
    pub code: SqlState,
    /// What the server says, in one line.
    pub message: String,
}

impl Refused {
    /// The server gave neither rows nor a reason.
    #[must_use]
    pub fn silently() -> Self {
        Self {
            code: SqlState::PROTOCOL_VIOLATION,
            message: "it gave no answer and no reason".to_owned(),
        }
    }
}

/// An open session. Dropped, it closes its connection.
pub struct Session {
    place: String,
    client: Client,
    /// `None`: it has ended.
    connection: Option<Box<Connection<Watched, Watched>>>,
}

impl Session {
    pub(super) fn new(
        place: String,
        client: Client,
        connection: Connection<Watched, Watched>,
    ) -> Self {
        Self {
            place,
            client,
            connection: Some(Box::new(connection)),
        }
    }

    /// Sends statements as one message: one way there and back, one transaction, which ends with it.
    ///
    /// # Errors
    /// The connection broke, or the server ended the session.
    pub async fn batch(&mut self, sql: &str) -> Result<Batch, Failure> {
        let mut batch = Batch::default();
        let asking = ask(&self.client, sql, &mut batch);
        let (asked, ended) = drive(&mut self.connection, asking).await;
        let Err(error) = asked else {
            return Ok(batch);
        };
        match error.as_db_error() {
            // The session goes on after an error, and only after that.
            Some(said) if said.parsed_severity() == Some(Severity::Error) => {
                batch.refused = Some(Refused {
                    code: said.code().clone(),
                    message: shortened(said.message()),
                });
                Ok(batch)
            }
            // What the server says, or what ended the connection, says more than that it has ended.
            Some(_) => Err(problems::session_failed(&self.place, &error)),
            None => Err(problems::session_failed(
                &self.place,
                ended.as_ref().unwrap_or(&error),
            )),
        }
    }

    /// Says goodbye.
    pub async fn close(self) {
        let Self {
            client, connection, ..
        } = self;
        drop(client);
        if let Some(connection) = connection {
            // How it ends no longer matters.
            tokio::time::timeout(FAREWELL, connection).await.ok();
        }
    }
}

/// Does both: what is asked, and the work of the connection meanwhile. Gives the error that ended the connection too.
async fn drive<T>(
    connection: &mut Option<Box<Connection<Watched, Watched>>>,
    asking: impl Future<Output = T>,
) -> (T, Option<Error>) {
    let mut asking = pin!(asking);
    let mut ended = None;
    let asked = poll_fn(|context| {
        if let Some(running) = connection
            && let Poll::Ready(outcome) = Pin::new(running.as_mut()).poll(context)
        {
            ended = outcome.err();
            // Whoever waits for an answer is told by this.
            *connection = None;
        }
        asking.as_mut().poll(context)
    });
    let asked = asked.await;
    (asked, ended)
}

async fn ask(client: &Client, sql: &str, batch: &mut Batch) -> Result<(), Error> {
    let mut messages = pin!(client.simple_query_raw(sql).await?);
    let mut rows: Option<Vec<Row>> = None;
    while let Some(message) = messages.next().await {
        match message? {
            SimpleQueryMessage::RowDescription(_) => rows = Some(Vec::new()),
            SimpleQueryMessage::Row(row) => {
                if let Some(rows) = rows.as_mut().filter(|rows| rows.len() < MOST_ROWS) {
                    rows.push(text_of(&row));
                }
            }
            SimpleQueryMessage::CommandComplete(_) => batch.results.extend(rows.take()),
            _ => {}
        }
    }
    Ok(())
}

fn text_of(row: &SimpleQueryRow) -> Row {
    let columns = row.columns().iter().enumerate();
    Row(columns
        .map(|(index, column)| {
            // Names in a database without an encoding may be any bytes.
            let text = row.try_get(index).unwrap_or(Some("?"));
            (column.name().to_owned(), text.map(str::to_owned))
        })
        .collect())
}
