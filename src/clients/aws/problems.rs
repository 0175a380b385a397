//! What an error of AWS means, in our words.

use std::error::Error;
use std::io;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::credentials::NoCredentials;
use crate::clients::net::blame::{chain, find, ours_by_errno};
use crate::clients::words::shortened;
use crate::model::{Failure, FailureKind, Timestamp};

/// A call, for messages.
#[derive(Debug, Clone)]
pub(crate) struct Call<'a> {
    /// The permission that it needs, as policies name it: `ec2:DescribeInstances`.
    pub(crate) permission: &'static str,
    /// Who is asked: `EC2 in eu-west-1`.
    pub(crate) whom: &'a str,
    /// The time, for telling a wrong clock.
    pub(crate) now: Timestamp,
}

/// What sort of trouble, for those who can do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// The credentials are good, but may not do this.
    NotPermitted,
    /// The credentials are not accepted, or there are none.
    Credentials,
    /// Our clock is wrong.
    Skew,
    /// Too many calls.
    Throttled,
    /// What was asked about is not there.
    Missing,
    /// Anything else.
    Other,
}

/// A call that failed.
#[derive(Debug, Clone)]
pub(crate) struct CallFailed {
    pub(crate) class: Class,
    pub(crate) failure: Failure,
    /// The HTTP status and the region that an answer named, if there was one.
    pub(crate) answered: Option<(u16, Option<String>)>,
}

impl CallFailed {
    /// One that no error of AWS stands behind.
    pub(crate) fn other(failure: Failure) -> Self {
        Self {
            class: Class::Other,
            failure,
            answered: None,
        }
    }
}

/// A clock further off than this is told of: S3 refuses at 15 minutes
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>), other services at 5.
const SKEW_SECONDS: u64 = 240;

/// Codes by class: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html>,
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>,
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CommonErrors.html>.
const THROTTLED: [&str; 12] = [
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "TooManyRequestsException",
    "SlowDown",
    "LimitExceededException",
    "BandwidthLimitExceeded",
    "EC2ThrottledException",
    "TransactionInProgressException",
];
const NOT_PERMITTED: [&str; 5] = [
    "AccessDenied",
    "AccessDeniedException",
    "UnauthorizedOperation",
    "NotAuthorized",
    "AllAccessDisabled",
];
const EXPIRED: [&str; 5] = [
    "ExpiredToken",
    "ExpiredTokenException",
    "TokenRefreshRequired",
    "ExpiredTokenId",
    "InvalidToken",
];
const BAD_CREDENTIALS: [&str; 12] = [
    "AuthFailure",
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "InvalidAccessKeyId",
    "InvalidSecurity",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "SignatureDoesNotMatch",
    "InvalidSignatureException",
    "IncompleteSignature",
    "OptInRequired",
    "NotSignedUp",
];
/// A limit of the account, which waiting does not raise.
const QUOTA: &str = "ServiceQuotaExceededException";
const SKEWED: [&str; 3] = [
    "RequestTimeTooSkewed",
    "RequestExpired",
    "RequestInTheFuture",
];

/// What an error of a call means.
pub(crate) fn call_failed<E>(error: &SdkError<E, HttpResponse>, call: &Call<'_>) -> CallFailed
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let what = format!("cannot ask {}", call.whom);
    let other = |failure: Failure| CallFailed {
        class: Class::Other,
        failure,
        answered: None,
    };
    if let Some(none) = find::<NoCredentials>(error) {
        let failure = Failure::new(
            FailureKind::Denied,
            format!("{what}: no credentials: {none}"),
        );
        return CallFailed {
            class: Class::Credentials,
            failure: failure.hint(
                "set `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, name a `profile`, or give the machine a role",
            ),
            answered: None,
        };
    }
    match error {
        // What cannot be read with a good status is no error of the service.
        SdkError::ServiceError(context) if context.raw().status().is_success() => {
            no_answer(error, context.raw(), call)
        }
        SdkError::ServiceError(context) => {
            let error = context.err();
            of_service(error.code(), error.message(), context.raw(), call)
        }
        SdkError::TimeoutError(_) => other(timed_out(&what)),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => other(timed_out(&what)),
        SdkError::ResponseError(context) => no_answer(error, context.raw(), call),
        _ => other(of_way(error, &what)),
    }
}

/// What answered does not speak the protocol.
fn no_answer(
    error: &(dyn Error + 'static),
    response: &HttpResponse,
    call: &Call<'_>,
) -> CallFailed {
    let message = format!(
        "{} answered what is no answer of it: {}",
        call.whom,
        shortened(&chain(error))
    );
    let failure = Failure::new(FailureKind::Unexpected, message);
    CallFailed {
        class: Class::Other,
        failure: failure
            .hint("look at what stands between: a proxy, or another service at that address"),
        answered: Some((response.status().as_u16(), None)),
    }
}

fn timed_out(what: &str) -> Failure {
    Failure::new(FailureKind::TimedOut, format!("{what}: no answer in time"))
        .hint("look at the network between, and at the state of the service: https://health.aws.amazon.com")
}

/// The call did not reach the service, or could not be made.
fn of_way(error: &(dyn Error + 'static), what: &str) -> Failure {
    // Of our own name servers, with who is to blame.
    if let Some(failure) = find::<Failure>(error) {
        return failure.clone();
    }
    if let Some(error) = find::<io::Error>(error) {
        if let Some(failure) = ours_by_errno(error, what) {
            return failure;
        }
        let why = error.to_string();
        return Failure::new(
            FailureKind::Unreachable,
            format!("{what}: {}", shortened(&why)),
        )
        .hint("check the region and `endpoint_url`, the DNS and the network of this machine");
    }
    let text = chain(error);
    if find::<hyper::Error>(error).is_some() {
        // The library tells what came before the answer apart in words only.
        let closed = ["closed", "incomplete", "end of file"];
        return if closed.iter().any(|word| text.contains(word)) {
            Failure::new(
                FailureKind::Unreachable,
                format!("{what}: the connection was closed before the answer"),
            )
            .hint("the service, or something before it, ended the connection: look at its log")
        } else {
            Failure::new(
                FailureKind::Unexpected,
                format!("{what}: what answers there does not speak HTTP"),
            )
            .hint("check the address and the port of `endpoint_url`")
        };
    }
    // An assumed role is asked for by a call of its own, whose error is a cause of this one.
    let denied = NOT_PERMITTED.iter().chain(&EXPIRED).chain(&BAD_CREDENTIALS);
    if denied.into_iter().any(|code| text.contains(code)) {
        return Failure::new(FailureKind::Denied, format!("{what}: {}", shortened(&text)))
            .hint("check the credentials, and for a role its trust policy and `external_id`: `sts:AssumeRole`");
    }
    if text.contains("timed out") || text.contains("timeout") {
        return timed_out(what);
    }
    Failure::ours(format!("{what}: {}", shortened(&text)))
        .hint("check `region`, `profile`, `assume_role` and `endpoint_url`")
}

fn of_service(
    code: Option<&str>,
    message: Option<&str>,
    response: &HttpResponse,
    call: &Call<'_>,
) -> CallFailed {
    let status = response.status().as_u16();
    let header = |name: &str| response.headers().get(name).map(str::to_owned);
    let answered = Some((status, header("x-amz-bucket-region")));
    let code = code.unwrap_or_default();
    // Query and CBOR services put the sender before the code, or a namespace.
    let code = code.rsplit(['.', '#']).next().unwrap_or_default();
    let said = |class, failure| CallFailed {
        class,
        failure,
        answered: answered.clone(),
    };
    let whom = call.whom;
    let message = message.unwrap_or_default();
    let expired_signature = message.contains("Signature expired")
        || message.contains("not yet current")
        || SKEWED.contains(&code);
    let skew = skew_seconds(header("date").as_deref(), call.now);
    let refused = matches!(status, 400 | 401 | 403);
    if expired_signature || refused && skew.is_some_and(|skew| skew.unsigned_abs() > SKEW_SECONDS) {
        return said(Class::Skew, skewed(whom, skew));
    }
    if THROTTLED.contains(&code) || status == 429 || code.is_empty() && status == 503 {
        let failure = Failure::new(
            FailureKind::Throttled,
            format!("{whom} is asked too often ({})", or_status(code, status)),
        );
        return said(
            Class::Throttled,
            failure.hint(
                "look less often (`every`), or find who else calls it with these credentials",
            ),
        );
    }
    if NOT_PERMITTED.contains(&code) {
        let failure = Failure::new(
            FailureKind::Denied,
            format!(
                "{whom} does not let us: the permission `{}` is missing",
                call.permission
            ),
        );
        return said(Class::NotPermitted, failure.hint(
            "allow it in the policy of the credentials; `deployment/aws-iam-policy.json` has all that is needed",
        ));
    }
    if code == QUOTA {
        return said(Class::Other, quota_used_up(whom));
    }
    if EXPIRED.contains(&code) {
        let failure = Failure::new(
            FailureKind::Denied,
            format!("{whom} does not accept our credentials: they have expired ({code})"),
        );
        return said(
            Class::Credentials,
            failure.hint("renew the session token, or use a role or a key that renews itself"),
        );
    }
    if BAD_CREDENTIALS.contains(&code) {
        let failure = Failure::new(
            FailureKind::Denied,
            format!("{whom} does not accept our credentials ({code})"),
        );
        return said(
            Class::Credentials,
            failure.hint("check the access key and its secret, and that it was not deleted"),
        );
    }
    if status >= 500 {
        let failure = Failure::new(
            FailureKind::Unexpected,
            format!("{whom} failed with {}", or_status(code, status)),
        );
        return said(
            Class::Other,
            failure.hint("it is asked again in the next round; see https://health.aws.amazon.com"),
        );
    }
    let failure = Failure::new(
        if status == 404 {
            FailureKind::Missing
        } else {
            FailureKind::Unexpected
        },
        format!(
            "{whom} refused: {}{}",
            or_status(code, status),
            said_words(message)
        ),
    );
    let class = if status == 404 {
        Class::Missing
    } else {
        Class::Other
    };
    said(class, failure.hint("check the settings of the target, and what stands at `endpoint_url` or `AWS_ENDPOINT_URL`"))
}

fn quota_used_up(whom: &str) -> Failure {
    let message = format!("{whom} does not let us: a quota of the account is used up (`{QUOTA}`)");
    Failure::new(FailureKind::Denied, message)
        .hint("look at Service Quotas in the console of AWS, and ask for a higher one")
}

fn or_status(code: &str, status: u16) -> String {
    if code.is_empty() {
        format!("HTTP {status}")
    } else {
        format!("`{code}`")
    }
}

fn said_words(message: &str) -> String {
    if message.is_empty() {
        String::new()
    } else {
        format!(": {}", shortened(message))
    }
}

/// By how many seconds our clock is before that of whoever answered.
fn skew_seconds(date: Option<&str>, now: Timestamp) -> Option<i64> {
    let theirs = chrono::DateTime::parse_from_rfc2822(date?).ok()?;
    Some(now.timestamp() - theirs.timestamp())
}

fn skewed(whom: &str, skew: Option<i64>) -> Failure {
    let by = match skew {
        Some(skew) if skew.unsigned_abs() > 60 => {
            let side = if skew > 0 { "ahead" } else { "behind" };
            format!("{} min {side}", skew.unsigned_abs() / 60)
        }
        _ => "wrong".to_owned(),
    };
    Failure::ours(format!("{whom} refused: the clock of this machine is {by}"))
        .hint("set the clock: `timedatectl set-ntp true`")
}
