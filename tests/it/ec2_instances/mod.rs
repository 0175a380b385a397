//! EC2 instances against an AWS-compatible server, and CloudWatch against a recorder that speaks its protocol.

mod daemon;
mod discovery;
mod faults;
mod metrics;
mod permissions;
mod states;

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use roundsman::clock::{Clock, SystemClock};
use roundsman::collectors::AnyCollector;
use roundsman::model::{Target, Timestamp};

use crate::support::aws::Aws;
use crate::support::{Looked, kind_of, look_together, target};

/// No test is about this deadline.
const LONG: Duration = Duration::from_secs(30);

/// A clock that stands still.
struct At(Timestamp);

impl Clock for At {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// An hour after now: what was launched by a test is no longer young then.
fn later() -> Timestamp {
    SystemClock.now() + TimeDelta::hours(1)
}

/// AWS, and a collector that looks at it.
struct Watch {
    aws: Aws,
    collector: Box<dyn AnyCollector>,
}

impl Watch {
    async fn new() -> Self {
        let aws = Aws::start().await;
        let collector = (kind_of("ec2_instances").new)(&aws.clients());
        Self { aws, collector }
    }

    async fn look_at(&self, yaml: &[&str], now: Timestamp) -> Vec<Looked> {
        let targets: Vec<Arc<Target>> = yaml
            .iter()
            .map(|yaml| Arc::new(target("ec2_instances", yaml, LONG)))
            .collect();
        look_together(self.collector.as_ref(), &targets, Arc::new(At(now))).await
    }

    async fn look(&self, yaml: &str, now: Timestamp) -> Looked {
        self.look_at(&[yaml], now).await.swap_remove(0)
    }
}

/// Starts instances of that type with these tags, and gives their IDs.
pub(crate) async fn launch(
    region: &str,
    count: i32,
    kind: &str,
    tags: &[(&str, &str)],
) -> Vec<String> {
    use aws_sdk_ec2::types::{InstanceType, ResourceType, Tag, TagSpecification};
    let client = aws_sdk_ec2::Client::new(&Aws::session(region).await);
    let mut specification = TagSpecification::builder().resource_type(ResourceType::Instance);
    for (key, value) in tags {
        specification = specification.tags(Tag::builder().key(*key).value(*value).build());
    }
    let mut request = client
        .run_instances()
        .image_id("ami-12c6146b")
        .instance_type(InstanceType::from(kind))
        .min_count(count)
        .max_count(count);
    if !tags.is_empty() {
        request = request.tag_specifications(specification.build());
    }
    let started = request.send().await.expect("instances start");
    started
        .instances()
        .iter()
        .filter_map(|one| one.instance_id().map(str::to_owned))
        .collect()
}

/// Starts as many instances, each by a call of its own: the server's pages hold calls, not instances.
async fn launch_one_by_one(region: &str, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for _ in 0..count {
        ids.extend(launch(region, 1, "m5.large", &[]).await);
    }
    ids
}

/// Stops an instance.
async fn stop(region: &str, id: &str) {
    let client = aws_sdk_ec2::Client::new(&Aws::session(region).await);
    client
        .stop_instances()
        .instance_ids(id)
        .send()
        .await
        .expect("it stops");
}

/// Ends an instance.
async fn terminate(region: &str, id: &str) {
    let client = aws_sdk_ec2::Client::new(&Aws::session(region).await);
    client
        .terminate_instances()
        .instance_ids(id)
        .send()
        .await
        .expect("it ends");
}

/// Lays a complete datapoint of the CPU, five to ten minutes old.
fn lay_cpu(aws: &Aws, id: &str, now: Timestamp, percent: f64) {
    let period = now.timestamp().div_euclid(300) * 300;
    aws.cloudwatch
        .lay(id, "CPUUtilization", vec![(period - 300, percent)]);
}
