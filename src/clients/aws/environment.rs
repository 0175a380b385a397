use std::collections::BTreeMap;
use std::fmt;

use crate::secret::Secret;

/// The variables whose values are secrets.
pub const SECRET_VARIABLES: [&str; 3] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
];

/// The variables of AWS that we were started with, and those of `.env`: those whose names begin with `AWS_`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct AwsEnvironment(BTreeMap<String, Secret>);

impl AwsEnvironment {
    /// Takes those that begin with `AWS_`.
    pub fn of<'a>(variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let of_aws = variables
            .into_iter()
            .filter(|(name, value)| name.starts_with("AWS_") && !value.is_empty());
        Self(
            of_aws
                .map(|(name, value)| (name.to_owned(), Secret::new(value)))
                .collect(),
        )
    }

    /// The value of a variable that is set and not empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(Secret::expose)
    }

    /// The region where settings name none.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        self.get("AWS_REGION")
            .or_else(|| self.get("AWS_DEFAULT_REGION"))
    }

    /// Where a service is asked, if that is not the usual place: `AWS_ENDPOINT_URL_S3`, then `AWS_ENDPOINT_URL`
    /// (<https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html>).
    #[must_use]
    pub fn endpoint(&self, service: &str) -> Option<&str> {
        self.get(&format!("AWS_ENDPOINT_URL_{service}"))
            .or_else(|| self.get("AWS_ENDPOINT_URL"))
    }

    /// Whether the metadata service of an instance must not be asked.
    #[must_use]
    pub fn metadata_disabled(&self) -> bool {
        self.get("AWS_EC2_METADATA_DISABLED")
            .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }
}

impl fmt::Debug for AwsEnvironment {
    /// The names alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_hidden_and_the_most_particular_endpoint_wins() {
        let environment = AwsEnvironment::of([
            ("AWS_SECRET_ACCESS_KEY", "canary-1"),
            ("AWS_REGION", ""),
            ("AWS_DEFAULT_REGION", "eu-west-1"),
            ("AWS_ENDPOINT_URL", "http://all"),
            ("AWS_ENDPOINT_URL_S3", "http://s3"),
            ("HOME", "/root"),
        ]);
        assert!(!format!("{environment:?}").contains("canary"));
        assert_eq!(environment.region(), Some("eu-west-1"));
        assert_eq!(environment.endpoint("S3"), Some("http://s3"));
        assert_eq!(environment.endpoint("EC2"), Some("http://all"));
        assert_eq!(environment.get("HOME"), None);
    }
}
