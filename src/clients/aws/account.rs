//! As whom AWS is asked.

use std::fmt;

use serde::de::{self, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer};

use crate::clients::net::outside_host;

/// As whom, and where AWS is asked. Targets of one account share sessions and calls.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Account {
    /// A profile of the AWS configuration files; `None`: what the environment gives.
    pub profile: Option<String>,
    /// A role to take on with that.
    pub assume_role: Option<AssumeRole>,
    /// Another service that speaks the same protocol.
    pub endpoint_url: Option<String>,
}

impl Account {
    /// The host of a service, unless it is this machine: that of `endpoint_url`, else AWS's own. A region or an address
    /// that only the environment names is not known here; it is the same for all targets.
    #[must_use]
    pub fn outside_host(&self, service: &str, region: Option<&str>) -> Option<String> {
        if let Some(endpoint) = &self.endpoint_url {
            return outside_host(url::Url::parse(endpoint).ok()?.host_str()?);
        }
        Some(match region {
            // <https://docs.aws.amazon.com/general/latest/gr/rande.html>
            Some(region) if region.starts_with("cn-") => {
                format!("{service}.{region}.amazonaws.com.cn")
            }
            Some(region) => format!("{service}.{region}.amazonaws.com"),
            None => format!("{service}.amazonaws.com"),
        })
    }
}

impl fmt::Display for Account {
    /// For messages, and as a key: `profile prod as arn:aws:iam::123456789012:role/monitor`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.profile {
            Some(profile) => write!(f, "profile {profile}")?,
            None => f.write_str("the default credentials")?,
        }
        if let Some(role) = &self.assume_role {
            write!(f, " as {}", role.role_arn)?;
            if let Some(external_id) = &role.external_id {
                write!(f, " ({external_id})")?;
            }
        }
        if let Some(endpoint) = &self.endpoint_url {
            write!(f, " at {endpoint}")?;
        }
        Ok(())
    }
}

/// A role to take on: its ARN alone, or a map.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AssumeRole {
    /// `arn:aws:iam::123456789012:role/name`.
    pub role_arn: String,
    /// What the role's owner asks for, so that nobody else can make us take it on.
    pub external_id: Option<String>,
    /// How our session is called in the role's logs. Default `roundsman`.
    pub session_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    role_arn: String,
    external_id: Option<String>,
    session_name: Option<String>,
}

impl<'de> Deserialize<'de> for AssumeRole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = AssumeRole;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the ARN of a role, or a map with `role_arn`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<AssumeRole, E> {
                checked(Written {
                    role_arn: text.to_owned(),
                    external_id: None,
                    session_name: None,
                })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<AssumeRole, A::Error> {
                checked(Written::deserialize(MapAccessDeserializer::new(map))?)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

fn checked<E: de::Error>(written: Written) -> Result<AssumeRole, E> {
    if !(written.role_arn.starts_with("arn:") && written.role_arn.contains(":role/")) {
        return Err(E::custom(
            "expected the ARN of a role, such as `arn:aws:iam::123456789012:role/monitor`",
        ));
    }
    Ok(AssumeRole {
        role_arn: written.role_arn,
        external_id: written.external_id,
        session_name: written.session_name,
    })
}

impl schemars::JsonSchema for AssumeRole {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "AssumeRole".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A role to take on: its ARN, or a map with `role_arn`, `external_id` and `session_name`.",
            "anyOf": [
                {"type": "string"},
                {
                    "type": "object",
                    "properties": {
                        "role_arn": {"type": "string"},
                        "external_id": {"type": "string"},
                        "session_name": {"type": "string"}
                    },
                    "required": ["role_arn"],
                    "additionalProperties": false
                }
            ]
        })
    }
}
