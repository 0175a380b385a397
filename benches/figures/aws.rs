//! EC2 and S3 with answers that take 200 ms each: how many calls a round makes, and what it costs. No account has hundreds
//! of instances for a bench, so this only answers: the documents are those of the service, with all that it sends for an
//! instance.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use ciborium::Value as Cbor;
use roundsman::clock::{Clock as _, SystemClock};
use serde_json::Value;

use crate::figures::{Bench, several};
use crate::measure::{Line, Run, median, milliseconds, run};
use crate::rounds::roundsman;

const INSTANCES: usize = 500;
const BUCKETS: usize = 200;
const ANSWER_AFTER: Duration = Duration::from_millis(200);

/// 500 instances of one region, without credit balances.
pub(crate) fn instances(bench: &Bench) -> Result<Vec<Line>> {
    let mut yaml = String::from("targets:\n  ec2_instances:\n");
    for number in 0..INSTANCES {
        yaml.push_str(&format!(
            "    - {{instance_id: {}, region: eu-west-1, credit_balance: false}}\n",
            id(number)
        ));
    }
    let (runs, calls) = measure(bench, "instances", &yaml, INSTANCES)?;
    #[expect(clippy::cast_precision_loss, reason = "a few calls")]
    let calls = calls as f64;
    Ok(vec![
        Line::at_most("API calls of a round", calls, "calls", 4.0),
        Line::at_most(
            "processor time, whole process, report included",
            median(runs.iter().map(|run| milliseconds(run.processor))),
            "ms",
            250.0,
        ),
        Line::at_most(
            "process start to finished report",
            median(runs.iter().map(|run| milliseconds(run.wall))),
            "ms",
            1_500.0,
        ),
    ])
}

/// 200 buckets.
pub(crate) fn buckets(bench: &Bench) -> Result<Vec<Line>> {
    let mut yaml = String::from("targets:\n  s3_buckets:\n");
    for number in 0..BUCKETS {
        yaml.push_str(&format!(
            "    - {{bucket: bucket-{number}, region: eu-west-1}}\n"
        ));
    }
    let (runs, _) = measure(bench, "buckets", &yaml, BUCKETS)?;
    Ok(vec![
        Line::at_most(
            "process start to finished report",
            median(runs.iter().map(|run| milliseconds(run.wall))),
            "ms",
            1_500.0,
        ),
        Line::note(
            "processor time per bucket",
            format!(
                "{:.2} ms",
                median(runs.iter().map(|run| milliseconds(run.processor))) / 200.0
            ),
        ),
    ])
}

/// Runs rounds, all of whose targets must be GREEN; gives them, and how many calls the last made.
fn measure(bench: &Bench, name: &str, yaml: &str, targets: usize) -> Result<(Vec<Run>, usize)> {
    let recorder = Recorder::start()?;
    let config = bench.path().join(format!("{name}.yaml"));
    std::fs::write(&config, yaml)?;
    let runs = several(|| {
        recorder.calls.store(0, Ordering::SeqCst);
        let mut command = roundsman(bench.path());
        command
            .arg("--config")
            .arg(&config)
            .args(["--no-notify", "--format", "json"])
            .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", "example")
            .env(
                "AWS_ENDPOINT_URL",
                format!("http://127.0.0.1:{}", recorder.port),
            );
        let run = run(&mut command)?;
        let report: Value = serde_json::from_str(&run.output)
            .with_context(|| format!("no report: {}", run.complaints))?;
        if report["counts"]["green"].as_u64() != u64::try_from(targets).ok() {
            bail!(
                "not all are GREEN: {} {}",
                report["counts"],
                report["issues_found"][0]
            );
        }
        Ok(run)
    })?;
    Ok((runs, recorder.calls.load(Ordering::SeqCst)))
}

/// AWS that only answers, each time after a while.
struct Recorder {
    port: u16,
    calls: Arc<AtomicUsize>,
}

impl Recorder {
    fn start() -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let recorder = Self {
            port: listener.local_addr()?.port(),
            calls: Arc::default(),
        };
        let calls = Arc::clone(&recorder.calls);
        let answers = Arc::new(Answers::new());
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (calls, answers) = (Arc::clone(&calls), Arc::clone(&answers));
                std::thread::spawn(move || serve(stream, &calls, &answers).ok());
            }
        });
        Ok(recorder)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the time that a service takes is what is played here"
)]
/// Answers one request after the other until the other side has enough.
fn serve(mut stream: TcpStream, calls: &AtomicUsize, answers: &Answers) -> Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    loop {
        let mut first = String::new();
        if reader.read_line(&mut first)? == 0 {
            return Ok(());
        }
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            if line.trim().is_empty() {
                break;
            }
            if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse()?;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        calls.fetch_add(1, Ordering::SeqCst);
        std::thread::sleep(ANSWER_AFTER);
        let is_head = first.starts_with("HEAD ");
        let (kind, answer) = answers.to(&first, &body)?;
        let more = if kind == "application/cbor" {
            "smithy-protocol: rpc-v2-cbor\r\n"
        } else {
            ""
        };
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nx-amz-bucket-region: eu-west-1\r\n{more}Content-Length: {}\r\n\r\n",
            if is_head { 0 } else { answer.len() }
        );
        let answer = if is_head { &[][..] } else { answer };
        stream.write_all(&[head.as_bytes(), answer].concat())?;
    }
}

struct Answers {
    instances: Vec<u8>,
    statuses: Vec<u8>,
    metrics: Vec<u8>,
}

impl Answers {
    fn new() -> Self {
        Self {
            instances: described().into_bytes(),
            statuses: statuses().into_bytes(),
            metrics: metrics(),
        }
    }

    fn to(&self, first: &str, body: &[u8]) -> Result<(&'static str, &[u8])> {
        let body = String::from_utf8_lossy(body);
        let xml = "text/xml";
        Ok(match first {
            _ if first.contains("/operation/GetMetricData") => ("application/cbor", &self.metrics),
            _ if body.contains("Action=DescribeInstanceStatus") => (xml, &self.statuses),
            _ if body.contains("Action=DescribeInstances") => (xml, &self.instances),
            _ if first.starts_with("HEAD ") => (xml, b""),
            _ if first.contains("list-type=2") => (
                xml,
                b"<ListBucketResult><KeyCount>0</KeyCount></ListBucketResult>",
            ),
            _ if first.contains("versioning") => (
                xml,
                b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>",
            ),
            _ => bail!("an unexpected call: {first}"),
        })
    }
}

fn id(number: usize) -> String {
    format!("i-{number:017x}")
}

/// About 2,300 bytes for each instance, as the service sends them.
fn described() -> String {
    let mut xml = String::from(
        "<DescribeInstancesResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>r</requestId><reservationSet>",
    );
    for number in 0..INSTANCES {
        let id = id(number);
        xml.push_str(&format!(
            "<item><reservationId>r-{number:017x}</reservationId><ownerId>123456789012</ownerId><groupSet/><instancesSet><item>\
             <instanceId>{id}</instanceId><imageId>ami-0123456789abcdef0</imageId><instanceState><code>16</code><name>running</name></instanceState>\
             <privateDnsName>ip-10-0-0-1.eu-west-1.compute.internal</privateDnsName><dnsName>ec2-203-0-113-25.eu-west-1.compute.amazonaws.com</dnsName>\
             <reason/><keyName>key</keyName><amiLaunchIndex>0</amiLaunchIndex><productCodes/><instanceType>m5.large</instanceType>\
             <launchTime>2026-01-01T00:00:00.000Z</launchTime><placement><availabilityZone>eu-west-1a</availabilityZone><groupName/><tenancy>default</tenancy></placement>\
             <monitoring><state>disabled</state></monitoring><subnetId>subnet-0123456789abcdef0</subnetId><vpcId>vpc-0123456789abcdef0</vpcId>\
             <privateIpAddress>10.0.0.1</privateIpAddress><ipAddress>203.0.113.25</ipAddress><sourceDestCheck>true</sourceDestCheck>\
             <groupSet><item><groupId>sg-0123456789abcdef0</groupId><groupName>web</groupName></item></groupSet>\
             <architecture>x86_64</architecture><rootDeviceType>ebs</rootDeviceType><rootDeviceName>/dev/xvda</rootDeviceName>\
             <blockDeviceMapping><item><deviceName>/dev/xvda</deviceName><ebs><volumeId>vol-0123456789abcdef0</volumeId><status>attached</status>\
             <attachTime>2026-01-01T00:00:01.000Z</attachTime><deleteOnTermination>true</deleteOnTermination></ebs></item></blockDeviceMapping>\
             <virtualizationType>hvm</virtualizationType><clientToken>token-{number}</clientToken>\
             <tagSet><item><key>Name</key><value>web-{number}</value></item><item><key>role</key><value>web</value></item><item><key>stage</key><value>production</value></item></tagSet>\
             <hypervisor>xen</hypervisor><networkInterfaceSet><item><networkInterfaceId>eni-0123456789abcdef0</networkInterfaceId><subnetId>subnet-0123456789abcdef0</subnetId>\
             <vpcId>vpc-0123456789abcdef0</vpcId><description/><ownerId>123456789012</ownerId><status>in-use</status><macAddress>02:00:00:00:00:01</macAddress>\
             <privateIpAddress>10.0.0.1</privateIpAddress><attachment><attachmentId>eni-attach-0123456789abcdef0</attachmentId><deviceIndex>0</deviceIndex><status>attached</status></attachment></item></networkInterfaceSet>\
             <ebsOptimized>true</ebsOptimized><enaSupport>true</enaSupport><cpuOptions><coreCount>1</coreCount><threadsPerCore>2</threadsPerCore></cpuOptions>\
             <metadataOptions><state>applied</state><httpTokens>required</httpTokens><httpPutResponseHopLimit>2</httpPutResponseHopLimit><httpEndpoint>enabled</httpEndpoint></metadataOptions>\
             </item></instancesSet></item>"
        ));
    }
    xml.push_str("</reservationSet></DescribeInstancesResponse>");
    xml
}

fn statuses() -> String {
    let mut xml = String::from(
        "<DescribeInstanceStatusResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>r</requestId><instanceStatusSet>",
    );
    for number in 0..INSTANCES {
        let detail =
            "<details><item><name>reachability</name><status>passed</status></item></details>";
        xml.push_str(&format!(
            "<item><instanceId>{}</instanceId><availabilityZone>eu-west-1a</availabilityZone><instanceState><code>16</code><name>running</name></instanceState>\
             <systemStatus><status>ok</status>{detail}</systemStatus><instanceStatus><status>ok</status>{detail}</instanceStatus></item>",
            id(number)
        ));
    }
    xml.push_str("</instanceStatusSet></DescribeInstanceStatusResponse>");
    xml
}

/// A datapoint for every query of a batch, of the period before the running one.
fn metrics() -> Vec<u8> {
    let text = |text: &str| Cbor::Text(text.to_owned());
    let period = SystemClock.now().timestamp().div_euclid(300) * 300 - 300;
    #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 are exact")]
    let time = Cbor::Tag(1, Box::new(Cbor::Float(period as f64)));
    let results = (0..INSTANCES).map(|number| {
        Cbor::Map(vec![
            (text("Id"), text(&format!("m{number}"))),
            (text("Label"), text("CPUUtilization")),
            (text("Timestamps"), Cbor::Array(vec![time.clone()])),
            (text("Values"), Cbor::Array(vec![Cbor::Float(12.5)])),
            (text("StatusCode"), text("Complete")),
        ])
    });
    let whole = Cbor::Map(vec![(
        text("MetricDataResults"),
        Cbor::Array(results.collect()),
    )]);
    let mut bytes = Vec::new();
    // Into memory: it cannot fail.
    ciborium::into_writer(&whole, &mut bytes).ok();
    bytes
}
