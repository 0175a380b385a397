//! `databases` against real PostgreSQL servers, some behind a front that does to the connection what networks and
//! proxies do, and against servers that are none.

mod fronts;
mod logins;
mod measured;
mod protection;
mod strangers;
mod troubles;

use std::time::Duration;

use roundsman::clients::Clients;
use tokio_postgres::Client;

use crate::support::postgres::{PASSWORD, Postgres};
use crate::support::{Looked, look_at};

/// Long enough for a busy machine.
const PATIENT: Duration = Duration::from_secs(30);

/// Looks at a database of a server as a role, with further settings as YAML lines.
async fn look_as(role: &str, server: &Postgres, database: &str, more: &str) -> Looked {
    look(&settings(role, server.port, database, more)).await
}

/// The settings of a database behind a port of this machine.
fn settings(role: &str, port: u16, database: &str, more: &str) -> String {
    format!(
        "host: 127.0.0.1\nport: {port}\ndatabase: {database}\nusername: {role}\npassword: {PASSWORD}\n{more}"
    )
}

/// Looks at a database with settings as YAML.
async fn look(yaml: &str) -> Looked {
    let looked = look_at("databases", &Clients::new(), yaml, PATIENT).await;
    let said = format!("{looked:?}");
    assert!(!said.contains("canary"), "a secret is said: {said}");
    looked
}

/// Waits until a statement that gives one number gives something else than 0.
async fn until(client: &Client, sql: &str) {
    let waiting = async {
        loop {
            let row = client.query_one(sql, &[]).await.expect("a number");
            if row.get::<_, i64>(0) > 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_mins(1), waiting).await;
    assert!(waited.is_ok(), "never: {sql}");
}

/// The number of a metric for a subject.
fn of(looked: &Looked, metric: &str, subject: &str) -> Option<String> {
    let all = &looked.reading().measurements;
    let found = all
        .iter()
        .find(|one| one.metric == metric && one.subject.as_deref() == Some(subject))?;
    Some(found.value.to_string())
}
