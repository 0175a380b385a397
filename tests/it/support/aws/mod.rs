//! AWS for tests: one address that speaks for EC2, S3 and STS through an AWS-compatible server, and for CloudWatch through
//! a recorder of our own. It records every call, and can make each fail the way the service does.

mod cloudwatch;
mod faults;
mod moto;
mod wire;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use roundsman::clients::aws::AwsEnvironment;
use roundsman::clients::{Clients, Surroundings};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

pub(crate) use cloudwatch::CloudWatch;
pub(crate) use faults::Fault;

use super::servers::{RawServer, raw};

/// In the secret key that all clients of tests are given.
pub(crate) const CANARY: &str = "canary-secret-access-key";

/// AWS, with its faults.
pub(crate) struct Aws {
    pub(crate) port: u16,
    pub(crate) cloudwatch: Arc<CloudWatch>,
    shared: Arc<Shared>,
    _server: RawServer,
}

#[derive(Default)]
struct Shared {
    faults: Mutex<HashMap<String, Fault>>,
    calls: Mutex<Vec<String>>,
    access_keys: Mutex<BTreeSet<String>>,
    latency: Mutex<Duration>,
    page: Mutex<Option<u32>>,
}

impl Aws {
    pub(crate) async fn start() -> Self {
        let upstream = moto::moto().await;
        let shared = Arc::new(Shared::default());
        let cloudwatch = Arc::new(CloudWatch::default());
        let (known, recorder) = (Arc::clone(&shared), Arc::clone(&cloudwatch));
        let server =
            raw(move |stream| serve(stream, upstream, Arc::clone(&known), Arc::clone(&recorder)))
                .await;
        Self {
            port: server.port,
            cloudwatch,
            shared,
            _server: server,
        }
    }

    /// Makes an operation fail from now on.
    pub(crate) fn fail(&self, operation: &str, fault: Fault) {
        self.shared
            .faults
            .lock()
            .expect("faults")
            .insert(operation.to_owned(), fault);
    }

    /// Makes an operation work again.
    pub(crate) fn mend(&self, operation: &str) {
        self.shared.faults.lock().expect("faults").remove(operation);
    }

    /// Lets each answer come so much later.
    pub(crate) fn slow_by(&self, latency: Duration) {
        *self.shared.latency.lock().expect("latency") = latency;
    }

    /// Makes EC2's pages hold no more than that.
    pub(crate) fn pages_of(&self, items: u32) {
        *self.shared.page.lock().expect("page") = Some(items);
    }

    /// The operations that were asked for so far.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.shared.calls.lock().expect("calls").clone()
    }

    /// The access keys that asked so far.
    pub(crate) fn access_keys(&self) -> BTreeSet<String> {
        self.shared.access_keys.lock().expect("keys").clone()
    }

    /// How often an operation was asked for.
    pub(crate) fn count(&self, operation: &str) -> usize {
        self.calls()
            .iter()
            .filter(|call| *call == operation)
            .count()
    }

    /// Its address.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The variables that lead to it.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", CANARY.to_owned()),
            ("AWS_ENDPOINT_URL", self.url()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ]
    }

    /// Clients that it is the whole of AWS for.
    pub(crate) fn clients(&self) -> Clients {
        clients_with(&self.variables())
    }

    /// What tests lay out through: the same SDK, straight to the server.
    pub(crate) async fn session(region: &str) -> aws_config::SdkConfig {
        let upstream = moto::moto().await;
        aws_config::defaults(aws_config::BehaviorVersion::v2026_01_12())
            .region(aws_config::Region::new(region.to_owned()))
            .endpoint_url(format!("http://127.0.0.1:{upstream}"))
            .credentials_provider(aws_credential_types::Credentials::new(
                "test", "test", None, None, "tests",
            ))
            .load()
            .await
    }
}

/// Clients that find these variables of AWS around them.
pub(crate) fn clients_with(variables: &[(&str, String)]) -> Clients {
    let variables = variables
        .iter()
        .map(|(name, value)| (*name, value.as_str()));
    Clients::within(&Surroundings {
        aws: AwsEnvironment::of(variables),
        ..Surroundings::default()
    })
}

async fn serve(
    mut stream: TcpStream,
    upstream: u16,
    shared: Arc<Shared>,
    cloudwatch: Arc<CloudWatch>,
) {
    // Connections are kept, as the service keeps them.
    while let Some(mut request) = wire::read(&mut stream).await {
        let operation = request.operation();
        shared.calls.lock().expect("calls").push(operation.clone());
        if let Some(key) = request.access_key() {
            shared.access_keys.lock().expect("keys").insert(key);
        }
        let latency = *shared.latency.lock().expect("latency");
        tokio::time::sleep(latency).await;
        let fault = shared
            .faults
            .lock()
            .expect("faults")
            .get(&operation)
            .cloned();
        if let Some(page) = *shared.page.lock().expect("page") {
            request.limit_page(page);
        }
        let page = request.token();
        let answer = match fault.and_then(|fault| fault.answer(&request, page.is_some())) {
            Some(faults::Answer::Bytes(bytes)) => bytes,
            Some(faults::Answer::Silence) => return std::future::pending().await,
            Some(faults::Answer::Cut(bytes)) => {
                stream.write_all(&bytes).await.ok();
                return;
            }
            None if request.is_cloudwatch() => cloudwatch.answer(&operation, &request),
            None => wire::forward(&request, upstream).await,
        };
        if stream.write_all(&answer).await.is_err() {
            return;
        }
    }
}
