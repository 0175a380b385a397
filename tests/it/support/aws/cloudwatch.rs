//! CloudWatch over Smithy's RPC v2 with CBOR (<https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html>), as
//! strict as the service about what it is asked.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;

use ciborium::Value;

use super::wire::{self, Request};

/// What a metric has: the beginnings of periods in seconds since 1970, with their averages.
pub(crate) type Points = Vec<(i64, f64)>;

/// CloudWatch with the values that a test lays into it.
#[derive(Default)]
pub(crate) struct CloudWatch {
    metrics: Mutex<HashMap<(String, String), Points>>,
    /// How many results a page holds; all of them where it is not set.
    page: Mutex<Option<usize>>,
    partial: Mutex<bool>,
    asked: Mutex<Vec<String>>,
}

impl CloudWatch {
    /// Lays the values of a metric of an instance.
    pub(crate) fn lay(&self, instance: &str, metric: &str, points: Points) {
        let key = (instance.to_owned(), metric.to_owned());
        self.metrics.lock().expect("metrics").insert(key, points);
    }

    /// Gives so many results a page.
    pub(crate) fn pages_of(&self, results: usize) {
        *self.page.lock().expect("page") = Some(results);
    }

    /// Leaves every result incomplete, without values.
    pub(crate) fn only_partial_data(&self) {
        *self.partial.lock().expect("partial") = true;
    }

    /// The metrics that were asked for and would be billed, as `metric of instance`.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("asked").clone()
    }

    pub(super) fn answer(&self, operation: &str, request: &Request) -> Vec<u8> {
        let body = Self::check(request).and_then(|body| match operation {
            "GetMetricData" => self.metric_data(&body),
            "GetMetricStatistics" => self.statistics(&body),
            other => Err(format!("unknown operation {other}")),
        });
        let (status, body) = match body {
            Ok(body) => ("200 OK", encode(&body)),
            Err(message) => ("400 Bad Request", error("ValidationError", &message)),
        };
        let headers = [
            ("content-type", "application/cbor"),
            ("smithy-protocol", "rpc-v2-cbor"),
        ];
        wire::answer(status, &headers, &body)
    }

    fn check(request: &Request) -> Result<Map, String> {
        let is = |name: &str, value: &str| request.header(name) == Some(value);
        if !(is("smithy-protocol", "rpc-v2-cbor") && is("content-type", "application/cbor")) {
            return Err("this is not RPC v2 with CBOR".to_owned());
        }
        let signed = request
            .header("authorization")
            .is_some_and(|text| text.starts_with("AWS4-HMAC-SHA256 Credential="));
        if !signed {
            return Err("the request is not signed".to_owned());
        }
        let body: Value =
            ciborium::from_reader(request.body.as_slice()).map_err(|error| error.to_string())?;
        Map::of(&body)
    }

    fn metric_data(&self, body: &Map) -> Result<Value, String> {
        let (start, end) = (body.time("StartTime")?, body.time("EndTime")?);
        if start >= end {
            return Err("StartTime must be before EndTime".to_owned());
        }
        let queries = body.list("MetricDataQueries")?;
        if queries.is_empty() || queries.len() > 500 {
            return Err("1 to 500 queries".to_owned());
        }
        let first = match body.text("NextToken") {
            Ok(token) => token
                .parse::<usize>()
                .map_err(|_| "invalid NextToken".to_owned())?,
            Err(_) => 0,
        };
        let page = self.page.lock().expect("page").unwrap_or(queries.len());
        let mut results = Vec::new();
        for query in queries.iter().skip(first).take(page) {
            let query = Map::of(query)?;
            let id = query.text("Id")?;
            let mut letters = id.chars();
            let good = letters
                .next()
                .is_some_and(|first| first.is_ascii_lowercase())
                && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
            if !good {
                return Err(format!("`{id}` is no ID of a query"));
            }
            let wanted = query.map("MetricStat")?;
            let metric = wanted.map("Metric")?;
            let points = self.points(&metric, wanted.number("Period")?, start, end)?;
            let partial = *self.partial.lock().expect("partial");
            let (times, values): (Vec<Value>, Vec<Value>) = (points.iter().filter(|_| !partial))
                .map(|(at, value)| (time(*at), Value::Float(*value)))
                .unzip();
            results.push(object([
                ("Id", Value::Text(id)),
                ("Label", Value::Text(metric.text("MetricName")?)),
                ("Timestamps", Value::Array(times)),
                ("Values", Value::Array(values)),
                (
                    "StatusCode",
                    Value::Text(if partial { "PartialData" } else { "Complete" }.to_owned()),
                ),
            ]));
        }
        let mut answer = vec![("MetricDataResults", Value::Array(results))];
        if first + page < queries.len() {
            answer.push(("NextToken", Value::Text((first + page).to_string())));
        }
        Ok(object(answer))
    }

    fn statistics(&self, body: &Map) -> Result<Value, String> {
        let (start, end) = (body.time("StartTime")?, body.time("EndTime")?);
        let points = self.points(body, body.number("Period")?, start, end)?;
        let points = points.into_iter().map(|(at, value)| {
            object([
                ("Timestamp", time(at)),
                ("Average", Value::Float(value)),
                ("Unit", Value::Text("Percent".to_owned())),
            ])
        });
        // GetMetricStatistics gives them in no order.
        let mut points: Vec<Value> = points.collect();
        points.reverse();
        Ok(object([
            ("Label", Value::Text(body.text("MetricName")?)),
            ("Datapoints", Value::Array(points)),
        ]))
    }

    /// The points of a metric within a span, newest first.
    fn points(&self, metric: &Map, period: i64, start: i64, end: i64) -> Result<Points, String> {
        if period < 60 || period % 60 != 0 {
            return Err(format!("a period of {period} s"));
        }
        if metric.text("Namespace")? != "AWS/EC2" {
            return Err("unknown namespace".to_owned());
        }
        let name = metric.text("MetricName")?;
        let dimensions = metric.list("Dimensions")?;
        let dimension = Map::of(dimensions.first().ok_or("no dimension")?)?;
        if dimension.text("Name")? != "InstanceId" {
            return Err("unknown dimension".to_owned());
        }
        let instance = dimension.text("Value")?;
        self.asked
            .lock()
            .expect("asked")
            .push(format!("{name} of {instance}"));
        let metrics = self.metrics.lock().expect("metrics");
        let mut points = metrics.get(&(instance, name)).cloned().unwrap_or_default();
        points.retain(|(at, _)| (start..end).contains(at));
        points.sort_by_key(|(at, _)| -at);
        Ok(points)
    }
}

/// The body of an error.
pub(super) fn error(code: &str, message: &str) -> Vec<u8> {
    encode(&object([
        (
            "__type",
            Value::Text(format!("com.amazonaws.cloudwatch#{code}")),
        ),
        ("message", Value::Text(message.to_owned())),
    ]))
}

fn encode(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).expect("CBOR");
    bytes
}

fn object<'a>(entries: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    let entries = entries
        .into_iter()
        .map(|(key, value)| (Value::Text(key.to_owned()), value));
    Value::Map(entries.collect())
}

/// A time is a number of seconds with the tag 1.
fn time(seconds: i64) -> Value {
    #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 are exact")]
    let seconds = seconds as f64;
    Value::Tag(1, Box::new(Value::Float(seconds)))
}

/// A CBOR map with text keys.
struct Map(BTreeMap<String, Value>);

impl Map {
    fn of(value: &Value) -> Result<Self, String> {
        let entries = value.as_map().ok_or("expected a map")?;
        let entries = entries.iter().map(|(key, value)| {
            let key = key.as_text().ok_or("expected a text as a key")?;
            Ok((key.to_owned(), value.clone()))
        });
        entries.collect::<Result<_, String>>().map(Self)
    }

    fn get(&self, key: &str) -> Result<&Value, String> {
        self.0.get(key).ok_or_else(|| format!("`{key}` is missing"))
    }

    fn text(&self, key: &str) -> Result<String, String> {
        let text = self
            .get(key)?
            .as_text()
            .ok_or_else(|| format!("`{key}` is no text"))?;
        Ok(text.to_owned())
    }

    fn list(&self, key: &str) -> Result<Vec<Value>, String> {
        Ok(self
            .get(key)?
            .as_array()
            .ok_or_else(|| format!("`{key}` is no list"))?
            .clone())
    }

    fn map(&self, key: &str) -> Result<Self, String> {
        Self::of(self.get(key)?)
    }

    fn number(&self, key: &str) -> Result<i64, String> {
        let number = self
            .get(key)?
            .as_integer()
            .ok_or_else(|| format!("`{key}` is no number"))?;
        i64::try_from(number).map_err(|error| error.to_string())
    }

    fn time(&self, key: &str) -> Result<i64, String> {
        let Value::Tag(1, inner) = self.get(key)? else {
            return Err(format!("`{key}` is no time"));
        };
        match inner.as_ref() {
            #[expect(clippy::cast_possible_truncation, reason = "whole seconds")]
            Value::Float(seconds) => Ok(*seconds as i64),
            Value::Integer(seconds) => i64::try_from(*seconds).map_err(|error| error.to_string()),
            _ => Err(format!("`{key}` is no time")),
        }
    }
}
