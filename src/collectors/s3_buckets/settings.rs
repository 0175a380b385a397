use schemars::JsonSchema;
use serde::Deserialize;

use super::super::SettingsProblem;
use crate::clients::aws::{Account, AssumeRole, check_region};
use crate::problem::Severity;

/// An S3 bucket.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The bucket.
    pub bucket: String,
    /// The region it lies in. Default: the variable `AWS_REGION`, then the profile's.
    pub region: Option<String>,
    /// Another service that speaks S3.
    pub endpoint_url: Option<String>,
    /// Whether the bucket is part of the path, not of the host's name. Default: with an `endpoint_url`.
    pub path_style: Option<bool>,
    /// A profile of the AWS configuration files.
    pub profile: Option<String>,
    /// A role to take on.
    pub assume_role: Option<AssumeRole>,
}

impl Settings {
    /// As whom the bucket is asked.
    #[must_use]
    pub fn account(&self) -> Account {
        Account {
            profile: self.profile.clone(),
            assume_role: self.assume_role.clone(),
            endpoint_url: self.endpoint_url.clone(),
        }
    }

    /// Whether the bucket is part of the path.
    #[must_use]
    pub fn path_style(&self) -> bool {
        self.path_style.unwrap_or(self.endpoint_url.is_some())
    }

    pub(super) fn check(&self) -> Vec<SettingsProblem> {
        let mut problems = Vec::new();
        let name_is_right = (3..=63).contains(&self.bucket.len())
            && self
                .bucket
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-._".contains(c));
        if !name_is_right {
            problems.push(SettingsProblem {
                key: "bucket",
                severity: Severity::Error,
                message: "this is no name of a bucket".to_owned(),
                hint: Some("write the name alone, 3 to 63 letters, digits, hyphens and dots; no `s3://`, no path".to_owned()),
            });
        }
        // Others have regions of their own.
        if let (Some(region), None) = (&self.region, &self.endpoint_url) {
            problems.extend(check_region("region", region));
        }
        if let Some(endpoint) = &self.endpoint_url
            && !url::Url::parse(endpoint)
                .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        {
            problems.push(SettingsProblem {
                key: "endpoint_url",
                severity: Severity::Error,
                message: "expected an address such as `https://minio.example.com:9000`".to_owned(),
                hint: Some("leave it out for AWS itself".to_owned()),
            });
        }
        problems
    }
}
