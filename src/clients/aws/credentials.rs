//! Where credentials come from, in the order of the SDKs
//! (<https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html>): the first that has some.
//!
//! It is a chain of our own over the SDK's providers, because the SDK's does not say in words what it tried, asks the
//! metadata service four times, and does not know `.env`.

use std::error::Error;
use std::fmt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_config::ecs::EcsCredentialsProvider;
use aws_config::imds::{self, credentials::ImdsCredentialsProvider};
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::web_identity_token::WebIdentityTokenCredentialsProvider;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, Result, future};
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};

use super::environment::AwsEnvironment;
use crate::clients::net::blame::chain;

/// How long all sources together may take: a look must be able to say what is wrong.
const PATIENCE: Duration = Duration::from_millis(1_800);

/// How long the metadata service may take to answer at all. On an instance it answers within milliseconds.
const METADATA_PATIENCE: Duration = Duration::from_secs(1);

/// For how long it is remembered that there are none: hundreds of looks must not ask one after the other.
const REMEMBERED: Duration = Duration::from_secs(10);

/// Tries one source after the other.
pub(super) struct Sources {
    sources: Vec<Source>,
    none: Mutex<Option<(Instant, NoCredentials)>>,
}

struct Source {
    /// What it is, for messages.
    name: String,
    /// How it is said that it has none.
    absent: &'static str,
    provider: Box<dyn ProvideCredentials>,
}

/// No source had credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NoCredentials {
    /// What was tried, and what came of it.
    tried: Vec<(String, String)>,
}

impl fmt::Display for NoCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tried = self
            .tried
            .iter()
            .map(|(name, why)| format!("{name} ({why})"));
        write!(f, "tried {}", tried.collect::<Vec<_>>().join(", "))
    }
}

impl Error for NoCredentials {}

impl Sources {
    /// Those of a profile that was named, or else all that the environment may offer.
    pub(super) fn of(environment: &AwsEnvironment, profile: Option<&str>) -> Self {
        let files = profile_files(environment);
        let of_profile = |profile: &str| Source {
            name: format!("the profile `{profile}`"),
            absent: "not there",
            provider: of_profile(profile, files),
        };
        let sources = match profile {
            Some(profile) => vec![of_profile(profile)],
            None => vec![
                Source {
                    name: "the variables `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`"
                        .to_owned(),
                    absent: "not set",
                    provider: Box::new(Variables(credentials_in(environment))),
                },
                of_profile(environment.get("AWS_PROFILE").unwrap_or("default")),
                Source {
                    name: "a web identity".to_owned(),
                    absent: "not set",
                    provider: Box::new(WebIdentityTokenCredentialsProvider::builder().build()),
                },
                Source {
                    name: "the container's credentials".to_owned(),
                    absent: "not set",
                    provider: Box::new(EcsCredentialsProvider::builder().build()),
                },
                Source {
                    name: "the metadata service of an instance".to_owned(),
                    absent: "not there",
                    provider: of_instance(environment),
                },
            ],
        };
        Self {
            sources,
            none: Mutex::new(None),
        }
    }

    async fn try_all(&self) -> Result {
        if let Some(none) = self.remembered() {
            return Err(CredentialsError::not_loaded(none));
        }
        let until = Instant::now() + PATIENCE;
        let mut tried = Vec::new();
        for source in &self.sources {
            let left = until.saturating_duration_since(Instant::now());
            let asked = tokio::time::timeout(left, source.provider.provide_credentials()).await;
            let why = match asked {
                Ok(Ok(credentials)) => return Ok(credentials),
                Ok(Err(error)) => in_words(&error, source.absent),
                Err(_) => NO_ANSWER.to_owned(),
            };
            tried.push((source.name.clone(), why));
        }
        let none = NoCredentials { tried };
        let mut remembered = self.none.lock().unwrap_or_else(PoisonError::into_inner);
        *remembered = Some((Instant::now(), none.clone()));
        Err(CredentialsError::not_loaded(none))
    }

    fn remembered(&self) -> Option<NoCredentials> {
        let remembered = self.none.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, none) = remembered.as_ref()?;
        (at.elapsed() < REMEMBERED).then(|| none.clone())
    }
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.sources.iter().map(|source| &source.name);
        f.debug_list().entries(names).finish()
    }
}

impl ProvideCredentials for Sources {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.try_all())
    }
}

/// Those of the variables, whether they are real ones or come from `.env`.
struct Variables(Option<Credentials>);

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Variables")
    }
}

impl ProvideCredentials for Variables {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let none = CredentialsError::not_loaded_no_source;
        future::ProvideCredentials::ready(self.0.clone().ok_or_else(none))
    }
}

fn credentials_in(environment: &AwsEnvironment) -> Option<Credentials> {
    Some(Credentials::new(
        environment.get("AWS_ACCESS_KEY_ID")?,
        environment.get("AWS_SECRET_ACCESS_KEY")?,
        environment.get("AWS_SESSION_TOKEN").map(str::to_owned),
        None,
        "environment",
    ))
}

fn of_profile(profile: &str, files: Option<EnvConfigFiles>) -> Box<dyn ProvideCredentials> {
    let builder = ProfileFileCredentialsProvider::builder().profile_name(profile);
    Box::new(match files {
        Some(files) => builder.profile_files(files).build(),
        None => builder.build(),
    })
}

/// The files that the variables name; `None`: those in the home directory.
fn profile_files(environment: &AwsEnvironment) -> Option<EnvConfigFiles> {
    let config = environment.get("AWS_CONFIG_FILE").map(Path::new);
    let credentials = environment
        .get("AWS_SHARED_CREDENTIALS_FILE")
        .map(Path::new);
    if config.is_none() && credentials.is_none() {
        return None;
    }
    let builder = EnvConfigFiles::builder();
    let builder = match config {
        Some(path) => builder.with_file(EnvConfigFileKind::Config, path),
        None => builder.include_default_config_file(true),
    };
    let builder = match credentials {
        Some(path) => builder.with_file(EnvConfigFileKind::Credentials, path),
        None => builder.include_default_credentials_file(true),
    };
    Some(builder.build())
}

fn of_instance(environment: &AwsEnvironment) -> Box<dyn ProvideCredentials> {
    if environment.metadata_disabled() {
        return Box::new(SwitchedOff);
    }
    let builder = imds::Client::builder()
        .max_attempts(1)
        .connect_timeout(METADATA_PATIENCE)
        .read_timeout(METADATA_PATIENCE);
    // An address that is none is the same as the usual one.
    let builder = match environment.get("AWS_EC2_METADATA_SERVICE_ENDPOINT") {
        Some(endpoint) => (builder.clone().endpoint(endpoint)).unwrap_or(builder),
        None => builder,
    };
    let provider = ImdsCredentialsProvider::builder().imds_client(builder.build());
    Box::new(provider.build())
}

const SWITCHED_OFF: &str = "switched off by `AWS_EC2_METADATA_DISABLED`";

#[derive(Debug)]
struct SwitchedOff;

impl ProvideCredentials for SwitchedOff {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::ready(Err(CredentialsError::not_loaded(SWITCHED_OFF)))
    }
}

const NO_ANSWER: &str = "no answer in time";

/// Why a source had none, shortly: the innermost cause says most.
fn in_words(error: &CredentialsError, absent: &'static str) -> String {
    let text = chain(error);
    let innermost = text.rsplit(": ").next().unwrap_or(&text);
    let words = match error {
        CredentialsError::ProviderTimedOut(_) => NO_ANSWER,
        _ if text.contains("imeout") || text.contains("timed out") => NO_ANSWER,
        _ if text.contains("dispatch failure") || text.contains("connect") => "cannot be reached",
        CredentialsError::CredentialsNotLoaded(_) if text.contains(SWITCHED_OFF) => SWITCHED_OFF,
        CredentialsError::CredentialsNotLoaded(_) => absent,
        _ => innermost,
    };
    words.trim_end_matches('.').to_owned()
}
