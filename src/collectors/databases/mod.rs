//! PostgreSQL databases: can one log in, and how are connections, transactions, locks, replication and sizes.

mod caught_up;
mod decode;
mod metrics;
mod questions;
mod settings;

use std::time::{Duration, Instant};

use super::{Collector, Home, RunContext, SettingsProblem, Variables};
use crate::clients::Clients;
use crate::clients::net::outside_host;
use crate::clients::postgres::{Login, Phase, PostgresClients, Refused, Session, Trace, timed_out};
use crate::clients::tls::Check;
use crate::model::{Failure, KindSpec, Reading, Rule, Target, Timestamp, Unit};

pub use settings::{Engine, Settings};

use caught_up::CaughtUp;
use decode::Answers;
use questions::Question;

/// What is kept back of the deadline: to stop what still runs in the server, and to say how far we came.
const MOST_RESERVE: Duration = Duration::from_millis(500);

/// Looks at PostgreSQL databases.
pub struct Databases {
    postgres: PostgresClients,
    caught_up: CaughtUp,
}

const SAMPLE: &str = r#"
# Any role that may connect is enough. One that sees all sessions and standbys, and no data:
#   CREATE ROLE roundsman LOGIN PASSWORD '…' IN ROLE pg_monitor;
- host: db.example.com                    # or the folder of a local socket: /var/run/postgresql
  port: 5432
  database: shop
  name: shop-db                           # default: shop@db.example.com
  # disable, prefer (default: TLS where the server offers it), require, verify-ca, verify-full. Only the last two
  # check whose certificate it is; `require` does as verify-ca does where `ca_file` is set.
  ssl_mode: verify-full
  ca_file: /etc/ssl/certs/ca-certificates.crt   # default: the system's authorities
  # client_cert: secrets/roundsman.crt    # our own certificate, where the server wants one
  # client_key: secrets/roundsman.key
  username: "${POSTGRES_USER:-roundsman}" # default: the variable POSTGRES_USER, or else postgres
  password: "${POSTGRES_PASSWORD:-}"      # default: the variable POSTGRES_PASSWORD
  tables: 5                               # how many of the largest tables are measured, 0 to 50
"#;

impl Collector for Databases {
    const KIND: KindSpec = KindSpec {
        key: "databases",
        title: "PostgreSQL databases",
        how: "one connection and one login per look, then all questions in one message: catalogues only, read-only, \
              with a short time-out, never the text of a statement. Any role that may connect is enough; \
              `pg_monitor` shows the age of others' transactions and the lag of standbys",
        sample: SAMPLE,
        metrics: metrics::ALL,
        default_timeout: Duration::from_secs(10),
        built: true,
    };

    type Settings = Settings;

    fn new(clients: &Clients) -> Self {
        Self {
            postgres: clients.postgres.clone(),
            caught_up: CaughtUp::default(),
        }
    }

    fn complete(settings: &mut Settings, variable: Variables<'_>) {
        settings.complete(variable);
    }

    fn host(settings: &Settings) -> Option<String> {
        // A folder of sockets is none: it begins with `/`.
        outside_host(&settings.host)
    }

    fn home(settings: &Settings) -> Option<Home> {
        Some(Home::on(Self::host(settings)))
    }

    fn default_name(settings: &Settings) -> String {
        settings.default_name()
    }

    fn rules(_: &Settings) -> Vec<Rule> {
        metrics::rules()
    }

    fn check(settings: &Settings, _: Variables<'_>) -> Vec<SettingsProblem> {
        settings.check()
    }

    async fn look(
        &self,
        target: &Target,
        settings: &Settings,
        run: &RunContext,
    ) -> Result<Reading, Failure> {
        let began = Instant::now();
        let reserve = (run.timeout / 5).min(MOST_RESERVE);
        let deadline = began + run.timeout.saturating_sub(reserve);
        let login = settings.login();
        let mut trace = Trace::new();
        let mut answers = Answers::new();
        let asking = async {
            let mut session = self.postgres.open(&login, &mut trace).await?;
            let version = trace.major_version();
            ask(
                &mut session,
                settings.tables,
                version,
                deadline,
                &mut answers,
            )
            .await?;
            session.close().await;
            Ok(())
        };
        let asked = tokio::time::timeout_at(deadline.into(), Box::pin(asking)).await;
        let outcome = match asked {
            Ok(outcome) => outcome,
            Err(_) if trace.phase == Phase::Dns => Err(self.postgres.mute(login.host, run.timeout)),
            Err(_) => {
                self.postgres.cancel(&login, &mut trace, reserve / 2).await;
                Err(timed_out(&login, &trace, run.timeout))
            }
        };
        let behind_at_most = self.caught_up.since(&target.id, &answers, began);
        let seen = reading(&login, &trace, &answers, behind_at_most, run.clock.now());
        match outcome {
            Ok(()) => Ok(seen),
            Err(failure) => Err(failure.seen(seen)),
        }
    }
}

/// Asks all questions in one message. Where one is refused, those after it are asked again: each costs the others one
/// more way there and back, and nothing else.
async fn ask(
    session: &mut Session,
    tables: u8,
    version: Option<u32>,
    deadline: Instant,
    answers: &mut Answers,
) -> Result<(), Failure> {
    let tables = tables.min(settings::MOST_TABLES);
    let questions = Question::all(tables);
    let mut rest = &questions[..];
    while !rest.is_empty() {
        // One that hangs leaves time for those after it.
        let each = deadline.saturating_duration_since(Instant::now()) / 2;
        let message = questions::message(rest, tables, each, version);
        let batch = session.batch(&message).await?;
        let (answered, left) = rest.split_at(batch.results.len().min(rest.len()));
        answers.extend(
            answered
                .iter()
                .copied()
                .zip(batch.results.into_iter().map(Ok)),
        );
        let (Some(refused), Some((question, left))) = (batch.refused, left.split_first()) else {
            // A server that answers less than it was asked is not asked again.
            let silent = left
                .iter()
                .map(|question| (*question, Err(Refused::silently())));
            answers.extend(silent);
            return Ok(());
        };
        answers.push((*question, Err(refused)));
        rest = left;
    }
    Ok(())
}

/// What is known after a look, whether it came to its end or not.
fn reading(
    login: &Login<'_>,
    trace: &Trace,
    answers: &Answers,
    behind_at_most: Option<Duration>,
    now: Timestamp,
) -> Reading {
    let mut reading = Reading::default();
    if let Some(after) = trace.logged_in_after {
        let milliseconds = after.as_secs_f64() * 1_000.0;
        reading.number("connect_time_ms", None, milliseconds, Unit::Milliseconds);
    }
    decode::read(&mut reading, answers, login.username, behind_at_most);
    if let Some(certificate) = &trace.certificate
        && login.check() != Check::Nothing
    {
        let days = certificate.days_left(now);
        reading.number("certificate_days_left", None, days, Unit::Days);
        let until = certificate.not_after.format("%Y-%m-%d %H:%M UTC");
        reading.fact("certificate_not_after", until.to_string());
    }
    if let Some(version) = &trace.server_version {
        reading.fact("version", version.clone());
    }
    if let Some(address) = trace.address {
        reading.fact("address", address.to_string());
    }
    if trace.logged_in_after.is_some() {
        let protection = match trace.tls_version {
            _ if login.is_local() => "local socket".to_owned(),
            None => "no".to_owned(),
            Some(rustls::ProtocolVersion::TLSv1_2) => "TLS 1.2".to_owned(),
            Some(rustls::ProtocolVersion::TLSv1_3) => "TLS 1.3".to_owned(),
            Some(other) => format!("{other:?}"),
        };
        reading.fact("tls", protection);
    }
    if let Some(why) = &trace.fallback {
        reading.fact("tls_fallback", format!("not protected, because {why}"));
    }
    reading
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_is_on_a_metric_of_the_kind() {
        for rule in metrics::rules() {
            assert!(
                Databases::KIND.metric(&rule.metric).is_some(),
                "{}",
                rule.metric
            );
        }
        for question in Question::all(1) {
            for (metric, unit) in question.measures() {
                let declared = Databases::KIND.metric(metric).expect(metric);
                assert_eq!(declared.unit, *unit, "{metric}");
            }
        }
    }
}
