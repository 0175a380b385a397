//! Sessions with AWS, and with what speaks its protocols. Nothing is made, read or asked before the first look that needs
//! it: a start never waits for a metadata service.

mod account;
mod credentials;
mod environment;
mod pages;
mod problems;
mod region;
mod transport;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use aws_config::meta::region::ProvideRegion;
use aws_config::profile::region::ProfileFileRegionProvider;
use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use tokio::sync::OnceCell;

pub use account::{Account, AssumeRole};
pub use environment::{AwsEnvironment, SECRET_VARIABLES};
pub(crate) use pages::Pages;
pub(crate) use problems::{Call, CallFailed, Class, call_failed};
pub use region::check as check_region;

use super::net::Network;
use crate::model::Failure;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// One attempt at a call; the whole has the look's own deadline.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);

/// A look has little time, and the next round comes by itself.
const ATTEMPTS: u32 = 3;
const BACKOFF: Duration = Duration::from_millis(100);

/// How we call ourselves in the logs of a role's owner.
const SESSION_NAME: &str = "roundsman";

type Place = (Account, String);

/// Sessions with AWS by account and region. Cheap to clone.
#[derive(Clone)]
pub struct AwsClients {
    shared: Arc<Shared>,
}

struct Shared {
    environment: AwsEnvironment,
    names: transport::Names,
    http: OnceLock<SharedHttpClient>,
    sessions: Mutex<HashMap<Place, Arc<OnceCell<SdkConfig>>>>,
    ec2: Cache<aws_sdk_ec2::Client>,
    cloudwatch: Cache<aws_sdk_cloudwatch::Client>,
    bedrock: Cache<aws_sdk_bedrockruntime::Client>,
    s3: Mutex<HashMap<(Place, bool), aws_sdk_s3::Client>>,
}

type Cache<C> = Mutex<HashMap<Place, C>>;

impl AwsClients {
    /// Makes them. Does no I/O.
    #[must_use]
    pub fn new(network: Network, environment: AwsEnvironment) -> Self {
        Self {
            shared: Arc::new(Shared {
                environment,
                names: transport::Names::new(network),
                http: OnceLock::new(),
                sessions: Mutex::default(),
                ec2: Mutex::default(),
                cloudwatch: Mutex::default(),
                bedrock: Mutex::default(),
                s3: Mutex::default(),
            }),
        }
    }

    /// The region that is written, else that of the environment, else that of the profile.
    ///
    /// # Errors
    /// There is none.
    pub async fn region(
        &self,
        account: &Account,
        written: Option<&str>,
    ) -> Result<String, Failure> {
        let environment = &self.shared.environment;
        if let Some(region) = written.or_else(|| environment.region()) {
            return Ok(region.to_owned());
        }
        let profile = account
            .profile
            .as_deref()
            .or(environment.get("AWS_PROFILE"));
        let builder = ProfileFileRegionProvider::builder();
        let builder = match profile {
            Some(profile) => builder.profile_name(profile),
            None => builder,
        };
        let region = builder.build().region().await;
        region.map(|region| region.to_string()).ok_or_else(|| {
            Failure::ours("no AWS region is set")
                .hint("set `region` of the target, or the variable `AWS_REGION`")
        })
    }

    /// A client of EC2.
    pub async fn ec2(&self, account: &Account, region: &str) -> aws_sdk_ec2::Client {
        let session = self.session(account, region).await;
        cached(&self.shared.ec2, account, region, || {
            let mut builder = aws_sdk_ec2::config::Builder::from(&session);
            builder.set_endpoint_url(self.endpoint(account, "EC2"));
            aws_sdk_ec2::Client::from_conf(builder.build())
        })
    }

    /// A client of CloudWatch.
    pub async fn cloudwatch(&self, account: &Account, region: &str) -> aws_sdk_cloudwatch::Client {
        let session = self.session(account, region).await;
        cached(&self.shared.cloudwatch, account, region, || {
            let mut builder = aws_sdk_cloudwatch::config::Builder::from(&session);
            builder.set_endpoint_url(self.endpoint(account, "CLOUDWATCH"));
            aws_sdk_cloudwatch::Client::from_conf(builder.build())
        })
    }

    /// A client of Bedrock's models.
    pub async fn bedrock(&self, account: &Account, region: &str) -> aws_sdk_bedrockruntime::Client {
        let session = self.session(account, region).await;
        cached(&self.shared.bedrock, account, region, || {
            let mut builder = aws_sdk_bedrockruntime::config::Builder::from(&session);
            builder.set_endpoint_url(self.endpoint(account, "BEDROCK_RUNTIME"));
            // Each try is paid for: whoever reserves the money decides on the next.
            builder.set_retry_config(Some(RetryConfig::disabled()));
            // A model may think for minutes, and say nothing meanwhile: how long is waited decides whoever asks.
            builder.set_timeout_config(Some(
                TimeoutConfig::builder()
                    .connect_timeout(CONNECT_TIMEOUT)
                    .disable_operation_attempt_timeout()
                    .build(),
            ));
            builder.set_stalled_stream_protection(Some(StalledStreamProtectionConfig::disabled()));
            aws_sdk_bedrockruntime::Client::from_conf(builder.build())
        })
    }

    /// A client of S3. `path_style`: the bucket is part of the path, not of the host's name.
    pub async fn s3(
        &self,
        account: &Account,
        region: &str,
        path_style: bool,
    ) -> aws_sdk_s3::Client {
        let session = self.session(account, region).await;
        let mut cache = lock(&self.shared.s3);
        let place = ((account.clone(), region.to_owned()), path_style);
        let client = cache.entry(place).or_insert_with(|| {
            let mut builder =
                aws_sdk_s3::config::Builder::from(&session).force_path_style(path_style);
            builder.set_endpoint_url(self.endpoint(account, "S3"));
            aws_sdk_s3::Client::from_conf(builder.build())
        });
        client.clone()
    }

    /// What a look that began then waited for in vain, if that was a name server of ours.
    #[must_use]
    pub fn mute_since(&self, began: Instant) -> Option<Failure> {
        self.shared.names.mute_since(began)
    }

    fn endpoint(&self, account: &Account, service: &str) -> Option<String> {
        let of_environment = || self.shared.environment.endpoint(service).map(str::to_owned);
        account.endpoint_url.clone().or_else(of_environment)
    }

    fn http(&self) -> SharedHttpClient {
        let make = || transport::http_client(self.shared.names.clone());
        self.shared.http.get_or_init(make).clone()
    }

    async fn session(&self, account: &Account, region: &str) -> SdkConfig {
        let place = (account.clone(), region.to_owned());
        let cell = Arc::clone(lock(&self.shared.sessions).entry(place).or_default());
        cell.get_or_init(|| self.make_session(account, region))
            .await
            .clone()
    }

    async fn make_session(&self, account: &Account, region: &str) -> SdkConfig {
        let environment = &self.shared.environment;
        let sources = credentials::Sources::of(environment, account.profile.as_deref());
        let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .region(Region::new(region.to_owned()))
            .http_client(self.http())
            .retry_config(
                RetryConfig::standard()
                    .with_max_attempts(ATTEMPTS)
                    .with_initial_backoff(BACKOFF),
            )
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(CONNECT_TIMEOUT)
                    .operation_attempt_timeout(ATTEMPT_TIMEOUT)
                    .build(),
            )
            .credentials_provider(sources);
        if let Some(profile) = account
            .profile
            .as_deref()
            .or(environment.get("AWS_PROFILE"))
        {
            loader = loader.profile_name(profile);
        }
        if let Some(endpoint) = environment.get("AWS_ENDPOINT_URL") {
            loader = loader.endpoint_url(endpoint);
        }
        let session = loader.load().await;
        let Some(role) = &account.assume_role else {
            return session;
        };
        let name = role.session_name.as_deref().unwrap_or(SESSION_NAME);
        let mut builder = AssumeRoleProvider::builder(&role.role_arn)
            .session_name(name)
            .configure(&session);
        if let Some(external_id) = &role.external_id {
            builder = builder.external_id(external_id);
        }
        // With the credentials of the session itself.
        let provider = SharedCredentialsProvider::new(builder.build().await);
        session
            .into_builder()
            .credentials_provider(provider)
            .build()
    }
}

fn cached<C: Clone>(
    cache: &Cache<C>,
    account: &Account,
    region: &str,
    make: impl FnOnce() -> C,
) -> C {
    let place = (account.clone(), region.to_owned());
    lock(cache).entry(place).or_insert_with(make).clone()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clients::Clients;

    #[tokio::test]
    async fn a_model_has_the_time_of_whoever_asks_and_other_services_have_ours() {
        let clients = Clients::new().aws;
        let account = Account::default();
        let ec2 = clients.ec2(&account, "eu-west-1").await;
        let bedrock = clients.bedrock(&account, "eu-west-1").await;
        let of_ec2 = ec2.config().timeout_config().expect("time-outs");
        let of_bedrock = bedrock.config().timeout_config().expect("time-outs");
        assert_eq!(of_ec2.operation_attempt_timeout(), Some(ATTEMPT_TIMEOUT));
        assert_eq!(of_bedrock.operation_attempt_timeout(), None);
        assert_eq!(of_bedrock.operation_timeout(), None);
        assert_eq!(of_bedrock.connect_timeout(), Some(CONNECT_TIMEOUT));
    }
}
