//! S3 buckets, at AWS or at anything else that speaks S3: are they there, may we in, and how fast.

mod settings;

use std::time::{Duration, Instant};

use aws_sdk_s3::Client;
use aws_sdk_s3::types::{BucketLocationConstraint, BucketVersioningStatus};

use super::{Collector, Home, RunContext, SettingsProblem, Variables};
use crate::clients::Clients;
use crate::clients::aws::{AwsClients, Call, CallFailed, Class, call_failed};
use crate::model::{
    Blame, Failure, FailureKind, KindSpec, Limit, MetricSpec, Reading, Rule, Target, Timestamp,
    Unit,
};
pub use settings::Settings;

/// Looks at S3 buckets.
pub struct S3Buckets {
    aws: AwsClients,
}

const SAMPLE: &str = r#"
- bucket: shop-backups
  region: eu-central-1                   # default: AWS_REGION, then the profile's
- bucket: media
  name: media store
  endpoint_url: https://minio.example.com:9000   # anything that speaks S3
  path_style: true                       # default: true with an endpoint_url
- bucket: partner-exports
  region: us-east-1
  profile: partner                       # of ~/.aws/config
  assume_role: {role_arn: "arn:aws:iam::123456789012:role/monitor", external_id: shop}
"#;

const METRICS: &[MetricSpec] = &[
    MetricSpec {
        name: "latency_ms",
        unit: Unit::Milliseconds,
        subject: None,
        meaning: "from asking whether the bucket is there (`HeadBucket`) to the answer",
        headline: Some("answers in"),
        advice: Some("look at the network to that region, and at the state of the service"),
    },
    MetricSpec {
        name: "listable",
        unit: Unit::Flag,
        subject: None,
        meaning: "whether its keys can be listed; one is",
        headline: None,
        advice: Some("allow `s3:ListBucket` on it"),
    },
    MetricSpec {
        name: "region",
        unit: Unit::State,
        subject: None,
        meaning: "the region it lies in",
        headline: None,
        advice: None,
    },
    MetricSpec {
        name: "region_as_configured",
        unit: Unit::Flag,
        subject: None,
        meaning: "whether it lies in the region that is configured",
        headline: None,
        advice: Some("set `region` to where the bucket lies: each call takes a detour until then"),
    },
    MetricSpec {
        name: "versioning",
        unit: Unit::State,
        subject: None,
        meaning: "`enabled`, `suspended` or `off`; absent where we may not ask or the service does not know it",
        headline: None,
        advice: Some("turn versioning on, so that what is overwritten can be had back"),
    },
];

impl Collector for S3Buckets {
    const KIND: KindSpec = KindSpec {
        key: "s3_buckets",
        title: "S3 buckets",
        how: "HeadBucket, then one key is listed and the versioning asked for; any service that speaks S3",
        sample: SAMPLE,
        metrics: METRICS,
        default_timeout: Duration::from_secs(10),
        built: true,
    };

    type Settings = Settings;

    fn new(clients: &Clients) -> Self {
        Self {
            aws: clients.aws.clone(),
        }
    }

    fn host(settings: &Settings) -> Option<String> {
        (settings.account()).outside_host("s3", settings.region.as_deref())
    }

    /// Buckets of one endpoint fail each for itself; what they have in common is their region.
    fn home(_settings: &Settings) -> Option<Home> {
        None
    }

    fn region(settings: &Settings) -> Option<String> {
        settings.region.clone()
    }

    fn default_name(settings: &Settings) -> String {
        settings.bucket.clone()
    }

    fn rules(_: &Settings) -> Vec<Rule> {
        vec![
            Rule::default_of_kind("latency_ms", Some(Limit::above(2_000.0)), None),
            Rule::default_of_kind("region_as_configured", Some(Limit::equal("no")), None),
        ]
    }

    fn check(settings: &Settings, _: Variables<'_>) -> Vec<SettingsProblem> {
        settings.check()
    }

    async fn look(
        &self,
        _: &Target,
        settings: &Settings,
        run: &RunContext,
    ) -> Result<Reading, Failure> {
        let mut reading = Reading::default();
        let began = Instant::now();
        let visit = self.visit(settings, &mut reading, run.clock.now());
        let outcome = tokio::time::timeout(run.timeout, visit).await;
        let outcome = outcome.unwrap_or_else(|_| {
            if let Some(mute) = self.aws.mute_since(began) {
                return Err(mute);
            }
            let message = format!(
                "the bucket `{}` did not answer within {} ms",
                settings.bucket,
                run.timeout.as_millis()
            );
            Err(Failure::new(FailureKind::TimedOut, message)
                .hint("look at the network to that region, and at the state of the service"))
        });
        match outcome {
            Ok(()) => Ok(reading),
            Err(failure) => Err(failure.seen(reading)),
        }
    }
}

/// What asking whether a bucket is there gave.
enum Head {
    /// It is; the region that was named.
    There(Option<String>),
    /// It lies in this region.
    Elsewhere(String),
    /// Refused, without a reason: the answer to `HeadBucket` has no body.
    Refused,
}

impl S3Buckets {
    async fn visit(
        &self,
        settings: &Settings,
        reading: &mut Reading,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let account = settings.account();
        let asked = match (&settings.region, &settings.endpoint_url) {
            // Others ignore it, but a signature needs one.
            (None, Some(_)) => "us-east-1".to_owned(),
            (region, _) => self.aws.region(&account, region.as_deref()).await?,
        };
        let mut client = self.aws.s3(&account, &asked, settings.path_style()).await;
        let began = Instant::now();
        let mut head = self.head(&client, settings, &asked, now).await?;
        reading.number("latency_ms", None, milliseconds(began), Unit::Milliseconds);
        let mut region = None;
        if let Head::Elsewhere(right) = &head {
            client = self.aws.s3(&account, right, settings.path_style()).await;
            region = Some(right.clone());
            let right = right.clone();
            head = self.head(&client, settings, &right, now).await?;
        }
        let whom = whom(settings, region.as_deref().unwrap_or(&asked));
        list(&client, settings, &whom, now).await?;
        reading.flag("listable", None, true);
        if let Head::There(named) = head {
            region = region.or(named);
        }
        if region.is_none() {
            region = location(&client, settings).await;
        }
        if let Some(region) = region {
            // What an own endpoint calls its region matters only to those who wrote one down.
            if settings.region.is_some() || settings.endpoint_url.is_none() {
                let is_right = region == asked;
                reading.flag("region_as_configured", None, is_right);
                if !is_right {
                    let note = format!("it lies in {region}, and {asked} is configured");
                    reading.note("region_as_configured", None, note);
                }
            }
            reading.state("region", None, region);
        }
        versioning(&client, settings, &whom, reading, now).await;
        Ok(())
    }

    async fn head(
        &self,
        client: &Client,
        settings: &Settings,
        asked: &str,
        now: Timestamp,
    ) -> Result<Head, Failure> {
        let whom = whom(settings, asked);
        match client.head_bucket().bucket(&settings.bucket).send().await {
            Ok(answer) => {
                let named = answer.bucket_region().map(str::to_owned);
                Ok(match named {
                    Some(right) if right != asked && settings.endpoint_url.is_none() => {
                        Head::Elsewhere(right)
                    }
                    named => Head::There(named),
                })
            }
            Err(error) => {
                let failed = call_failed(&error, &call("s3:ListBucket", &whom, now));
                match &failed.answered {
                    Some((_, Some(right))) if right != asked => Ok(Head::Elsewhere(right.clone())),
                    Some((404, _)) => Err(missing(settings, asked)),
                    Some((403, _)) if failed.class != Class::Skew => Ok(Head::Refused),
                    Some((301 | 307 | 400, _)) => match location(client, settings).await {
                        Some(right) if right != asked => Ok(Head::Elsewhere(right)),
                        _ => Err(failure(failed)),
                    },
                    _ => Err(failure(failed)),
                }
            }
        }
    }
}

fn call<'a>(permission: &'static str, whom: &'a str, now: Timestamp) -> Call<'a> {
    Call {
        permission,
        whom,
        now,
    }
}

/// `the bucket "media" in eu-west-1`.
fn whom(settings: &Settings, region: &str) -> String {
    match &settings.endpoint_url {
        None => format!("the bucket `{}` in {region}", settings.bucket),
        Some(endpoint) => format!("the bucket `{}` at {endpoint}", settings.bucket),
    }
}

fn missing(settings: &Settings, region: &str) -> Failure {
    let message = format!("{} is not there", whom(settings, region));
    Failure::new(FailureKind::Missing, message)
        .hint("check the name; it may have been deleted, or belong to another endpoint")
}

/// A bucket that does not let us in is in trouble; that we have no credentials at all is our own.
fn failure(failed: CallFailed) -> Failure {
    let mut failure = failed.failure;
    if failed.answered.is_some() && failure.kind == FailureKind::Denied {
        failure.blame = Blame::Target;
    }
    failure
}

async fn list(
    client: &Client,
    settings: &Settings,
    whom: &str,
    now: Timestamp,
) -> Result<(), Failure> {
    let asked = client
        .list_objects_v2()
        .bucket(&settings.bucket)
        .max_keys(1);
    match asked.send().await {
        Ok(_) => Ok(()),
        Err(error) => {
            let failed = call_failed(&error, &call("s3:ListBucket", whom, now));
            Err(match failed.class {
                Class::Missing => {
                    let message = format!("{whom} is not there");
                    Failure::new(FailureKind::Missing, message)
                        .hint("check the name; it may have been deleted")
                }
                _ => failure(failed),
            })
        }
    }
}

/// The region, for services that do not name it in passing. Whoever may not ask goes without.
async fn location(client: &Client, settings: &Settings) -> Option<String> {
    let asked = client.get_bucket_location().bucket(&settings.bucket);
    let answer = asked.send().await.ok()?;
    // No constraint is the first region there was; `EU` is an old word for eu-west-1
    // (https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html).
    Some(
        match answer
            .location_constraint()
            .map(BucketLocationConstraint::as_str)
        {
            None | Some("") => "us-east-1".to_owned(),
            Some("EU") => "eu-west-1".to_owned(),
            Some(region) => region.to_owned(),
        },
    )
}

async fn versioning(
    client: &Client,
    settings: &Settings,
    whom: &str,
    reading: &mut Reading,
    now: Timestamp,
) {
    let asked = client.get_bucket_versioning().bucket(&settings.bucket);
    match asked.send().await {
        Ok(answer) => {
            let word = match answer.status().map(BucketVersioningStatus::as_str) {
                Some("Enabled") => "enabled",
                Some("Suspended") => "suspended",
                _ => "off",
            };
            reading.state("versioning", None, word);
        }
        Err(error) => {
            let failed = call_failed(&error, &call("s3:GetBucketVersioning", whom, now));
            if failed.class == Class::NotPermitted {
                reading.fact(
                    "missing permission",
                    "s3:GetBucketVersioning (versioning is left out)",
                );
            }
        }
    }
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1_000.0
}
