//! Values from CloudWatch: the newest complete datapoint of each metric, asked for in few calls, and never twice for the
//! same window.
//!
//! CloudWatch counts metrics, not calls: 0.01 US dollars for 1,000 metrics asked for by `GetMetricData`, without a free
//! part (<https://aws.amazon.com/cloudwatch/pricing/>). A datapoint whose period has not ended yet is an average over
//! what has come so far, and is left out.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{
    Dimension, Metric, MetricDataQuery, MetricStat, ScanBy, Statistic, StatusCode,
};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use crate::clients::aws::{Call, CallFailed, Class, Pages, call_failed};
use crate::model::{Blame, Failure, FailureKind, Timestamp};

/// So many queries fit into one call
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html>).
const QUERIES: usize = 500;

/// How many calls for one metric each are under way at once, where `GetMetricData` is not allowed.
const SINGLE_CALLS: usize = 8;

/// What was not allowed is tried again after this.
const DENIED_FOR: Duration = Duration::from_hours(1);

/// A metric of an instance that is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Wanted {
    pub(super) instance: String,
    /// `CPUUtilization`, `CPUCreditBalance`.
    pub(super) metric: &'static str,
    /// How far apart its datapoints are, in seconds.
    pub(super) period: i32,
    /// How old a datapoint may be.
    pub(super) within: Duration,
}

/// A value, and when its period began.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Datapoint {
    pub(super) at: Timestamp,
    pub(super) value: f64,
}

/// What CloudWatch knows of a metric.
#[derive(Debug, Clone)]
pub(super) enum Known {
    /// Its newest complete datapoint.
    Value(Datapoint),
    /// There is none that is new enough.
    Nothing,
    /// It could not be had.
    Failed(Failure),
}

impl Known {
    /// That CloudWatch does not answer says nothing about an instance.
    pub(super) fn blame_us(&mut self) {
        if let Self::Failed(failure) = self {
            failure.blame = Blame::Ours;
        }
    }
}

/// The answers, and what they cost.
#[derive(Debug, Default)]
pub(super) struct Answers {
    pub(super) known: HashMap<(String, &'static str), Known>,
    /// How many metrics were asked for and are billed, by instance.
    pub(super) billed: BTreeMap<String, u32>,
    /// The permission that is missing, where there was a way around it.
    pub(super) missing_permission: Option<&'static str>,
}

impl Answers {
    /// None could be had.
    pub(super) fn failed(wanted: &[Wanted], failure: &Failure) -> Self {
        let known = wanted.iter().map(|one| {
            let key = (one.instance.clone(), one.metric);
            (key, Known::Failed(failure.clone()))
        });
        Self {
            known: known.collect(),
            ..Self::default()
        }
    }
}

/// What is remembered between rounds, of one account and region.
#[derive(Debug, Default)]
pub(super) struct Memory {
    windows: Mutex<HashMap<(String, &'static str), Window>>,
    denied_at: Mutex<Option<Instant>>,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    /// The period that had not ended yet when it was asked for.
    end: i64,
    value: Option<Datapoint>,
}

impl Memory {
    /// The newest complete datapoints. What is known of the same window is not asked for again.
    pub(super) async fn ask(
        &self,
        client: &Client,
        whom: &str,
        wanted: &[Wanted],
        now: Timestamp,
    ) -> Answers {
        let mut answers = Answers::default();
        let unknown: Vec<&Wanted> = wanted
            .iter()
            .filter(|one| !self.recall(one, now, &mut answers))
            .collect();
        if unknown.is_empty() {
            return answers;
        }
        let is_denied = lock(&self.denied_at).is_some_and(|at| at.elapsed() < DENIED_FOR);
        let asked = if is_denied {
            self.one_by_one(client, whom, &unknown, now, &mut answers)
                .await;
            return answers;
        } else {
            let calls = unknown
                .chunks(QUERIES)
                .map(|batch| in_one_call(client, whom, batch, now));
            futures_util::future::join_all(calls).await
        };
        let mut denied: Vec<&Wanted> = Vec::new();
        for (batch, outcome) in unknown.chunks(QUERIES).zip(asked) {
            match outcome {
                Ok(values) => {
                    for (one, value) in batch.iter().zip(values) {
                        *answers.billed.entry(one.instance.clone()).or_default() += 1;
                        self.keep(one, value, now, &mut answers);
                    }
                }
                Err(failed) if failed.class == Class::NotPermitted => denied.extend(batch),
                Err(failed) => fail(&mut answers, batch, &failed.failure),
            }
        }
        if !denied.is_empty() {
            *lock(&self.denied_at) = Some(Instant::now());
            self.one_by_one(client, whom, &denied, now, &mut answers)
                .await;
        }
        answers
    }

    /// Whether the same window was asked for before; then the answer is the same.
    fn recall(&self, one: &Wanted, now: Timestamp, answers: &mut Answers) -> bool {
        let key = (one.instance.clone(), one.metric);
        let windows = lock(&self.windows);
        let Some(window) = windows
            .get(&key)
            .filter(|window| window.end == end_of_window(one, now))
        else {
            return false;
        };
        let fresh = window
            .value
            .filter(|value| is_fresh(value.at.timestamp(), one, now));
        answers
            .known
            .insert(key, fresh.map_or(Known::Nothing, Known::Value));
        true
    }

    fn keep(
        &self,
        one: &Wanted,
        value: Option<Result<Datapoint, Failure>>,
        now: Timestamp,
        answers: &mut Answers,
    ) {
        let key = (one.instance.clone(), one.metric);
        let value = match value {
            Some(Err(failure)) => {
                answers.known.insert(key, Known::Failed(failure));
                return;
            }
            Some(Ok(value)) => Some(value),
            None => None,
        };
        let window = Window {
            end: end_of_window(one, now),
            value,
        };
        lock(&self.windows).insert(key.clone(), window);
        answers
            .known
            .insert(key, value.map_or(Known::Nothing, Known::Value));
    }

    /// Forgets instances that are not watched any more.
    pub(super) fn forget_all_but(&self, watched: impl Fn(&str) -> bool) {
        lock(&self.windows).retain(|(instance, _), _| watched(instance));
    }

    /// `GetMetricStatistics`, which the predecessor's policy allows: a call for each metric.
    async fn one_by_one(
        &self,
        client: &Client,
        whom: &str,
        wanted: &[&Wanted],
        now: Timestamp,
        answers: &mut Answers,
    ) {
        let mut waiting = wanted.iter();
        let mut running = FuturesUnordered::new();
        loop {
            let room = SINGLE_CALLS.saturating_sub(running.len());
            for one in waiting.by_ref().take(room) {
                running.push(single(client, whom, one, now));
            }
            let Some((one, outcome)) = running.next().await else {
                return;
            };
            match outcome {
                Ok(value) => {
                    answers.missing_permission = Some("cloudwatch:GetMetricData");
                    *answers.billed.entry(one.instance.clone()).or_default() += 1;
                    self.keep(one, value.map(Ok), now, answers);
                }
                Err(failed) => fail(answers, &[one], &failed.failure),
            }
        }
    }
}

fn fail(answers: &mut Answers, wanted: &[&Wanted], failure: &Failure) {
    for one in wanted {
        let key = (one.instance.clone(), one.metric);
        answers.known.insert(key, Known::Failed(failure.clone()));
    }
}

/// The begin of the period that has not ended yet.
fn end_of_window(one: &Wanted, now: Timestamp) -> i64 {
    let period = i64::from(one.period);
    now.timestamp().div_euclid(period) * period
}

/// Whether the datapoint of the period that begins then is complete, and new enough.
fn is_fresh(at: i64, one: &Wanted, now: Timestamp) -> bool {
    let oldest = now.timestamp() - i64::try_from(one.within.as_secs()).unwrap_or(i64::MAX);
    at + i64::from(one.period) <= now.timestamp() && at >= oldest
}

/// From when to when to ask, so that every period that can count is within.
fn span(wanted: &[&Wanted], now: Timestamp) -> (DateTime, DateTime) {
    let longest = wanted
        .iter()
        .map(|one| one.within.as_secs())
        .max()
        .unwrap_or(0);
    let start = now.timestamp() - i64::try_from(longest).unwrap_or(0);
    // On whole minutes, as CloudWatch itself rounds to.
    let minute = |seconds: i64| DateTime::from_secs(seconds.div_euclid(60) * 60);
    (minute(start), minute(now.timestamp()))
}

type Value = Option<std::result::Result<Datapoint, Failure>>;

/// The values of up to 500 metrics, in their order.
async fn in_one_call(
    client: &Client,
    whom: &str,
    wanted: &[&Wanted],
    now: Timestamp,
) -> Result<Vec<Value>, CallFailed> {
    let call = Call {
        permission: "cloudwatch:GetMetricData",
        whom,
        now,
    };
    let (start, end) = span(wanted, now);
    let queries: Vec<MetricDataQuery> = wanted
        .iter()
        .enumerate()
        .map(|(index, one)| query(index, one))
        .collect();
    let mut values: Vec<Value> = vec![None; wanted.len()];
    let mut open: Vec<Option<StatusCode>> = vec![None; wanted.len()];
    let mut pages = Pages::of(whom);
    loop {
        let asked = client
            .get_metric_data()
            .start_time(start)
            .end_time(end)
            .scan_by(ScanBy::TimestampDescending)
            .set_metric_data_queries(Some(queries.clone()))
            .set_next_token(pages.token());
        let page = asked
            .send()
            .await
            .map_err(|error| call_failed(&error, &call))?;
        for result in page.metric_data_results() {
            let index = result
                .id()
                .and_then(|id| id.strip_prefix('m')?.parse::<usize>().ok());
            let Some((index, one)) = index.and_then(|index| Some((index, wanted.get(index)?)))
            else {
                continue;
            };
            for (at, value) in result.timestamps().iter().zip(result.values()) {
                newer(&mut values[index], one, at.secs(), *value, now);
            }
            open[index] = result.status_code().cloned();
        }
        if !pages.turn(page.next_token())? {
            break;
        }
    }
    for (value, status) in values.iter_mut().zip(open) {
        note_incomplete(value, status.as_ref(), whom);
    }
    Ok(values)
}

/// Puts a datapoint into its place if it counts, and is newer than the one that is there.
fn newer(place: &mut Value, one: &Wanted, at: i64, value: f64, now: Timestamp) {
    let before = place
        .as_ref()
        .and_then(|known| known.as_ref().ok())
        .map(|known| known.at.timestamp());
    if !is_fresh(at, one, now) || before.is_some_and(|before| before >= at) {
        return;
    }
    if let Some(at) = Timestamp::from_timestamp(at, 0) {
        *place = Some(Ok(Datapoint { at, value }));
    }
}

/// A result that never became complete, and has no value: it is not known that there is none.
fn note_incomplete(value: &mut Value, status: Option<&StatusCode>, whom: &str) {
    if value.is_some() || matches!(status, Some(StatusCode::Complete)) {
        return;
    }
    let (kind, why, hint) = match status {
        Some(StatusCode::Forbidden) => (
            FailureKind::Denied,
            "does not let us: the permission `cloudwatch:GetMetricData` is missing for it",
            "allow it in the policy of the credentials; `deployment/aws-iam-policy.json` has all that is needed",
        ),
        Some(_) => (
            FailureKind::Unexpected,
            "gave a part of the values only",
            "it is asked again in the next round",
        ),
        None => (
            FailureKind::Unexpected,
            "left the metric out of its answer",
            "it is asked again in the next round",
        ),
    };
    *value = Some(Err(Failure::new(kind, format!("{whom} {why}")).hint(hint)));
}

fn metric(one: &Wanted) -> (Metric, Dimension) {
    let dimension = Dimension::builder()
        .name("InstanceId")
        .value(&one.instance)
        .build();
    let metric = Metric::builder()
        .namespace("AWS/EC2")
        .metric_name(one.metric)
        .dimensions(dimension.clone())
        .build();
    (metric, dimension)
}

fn query(index: usize, one: &Wanted) -> MetricDataQuery {
    let (metric, _) = metric(one);
    let stat = MetricStat::builder()
        .metric(metric)
        .period(one.period)
        .stat("Average")
        .build();
    // An ID begins with a small letter.
    MetricDataQuery::builder()
        .id(format!("m{index}"))
        .metric_stat(stat)
        .build()
}

async fn single<'a>(
    client: &Client,
    whom: &str,
    one: &'a Wanted,
    now: Timestamp,
) -> (&'a Wanted, Result<Option<Datapoint>, CallFailed>) {
    (one, statistics(client, whom, one, now).await)
}

async fn statistics(
    client: &Client,
    whom: &str,
    one: &Wanted,
    now: Timestamp,
) -> Result<Option<Datapoint>, CallFailed> {
    let call = Call {
        permission: "cloudwatch:GetMetricData",
        whom,
        now,
    };
    let (start, end) = span(&[one], now);
    let (_, dimension) = metric(one);
    let asked = client
        .get_metric_statistics()
        .namespace("AWS/EC2")
        .metric_name(one.metric)
        .dimensions(dimension)
        .start_time(start)
        .end_time(end)
        .period(one.period)
        .statistics(Statistic::Average);
    let answer = asked
        .send()
        .await
        .map_err(|error| call_failed(&error, &call))?;
    let mut value = None;
    for point in answer.datapoints() {
        if let (Some(at), Some(average)) = (point.timestamp(), point.average()) {
            newer(&mut value, one, at.secs(), average, now);
        }
    }
    Ok(value.and_then(Result::ok))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_complete_datapoint_counts() {
        let now: Timestamp = "2026-11-29T10:07:00Z".parse().expect("a time");
        let one = Wanted {
            instance: "i-1".to_owned(),
            metric: "CPUUtilization",
            period: 300,
            within: Duration::from_mins(15),
        };
        let at = |text: &str| text.parse::<Timestamp>().expect("a time").timestamp();
        let mut value = None;
        for (time, number) in [
            ("2026-11-29T09:50:00Z", 1.0), // older than 15 minutes
            ("2026-11-29T09:55:00Z", 2.0),
            ("2026-11-29T10:05:00Z", 99.0), // its period ends at 10:10
            ("2026-11-29T10:00:00Z", 3.0),
            ("2026-11-29T09:57:00Z", 4.0),
        ] {
            newer(&mut value, &one, at(time), number, now);
        }
        let found = value.expect("a value").expect("no failure");
        assert!((found.value - 3.0).abs() < f64::EPSILON);
        assert_eq!(end_of_window(&one, now), at("2026-11-29T10:05:00Z"));
    }
}
