//! How the services fail: the shapes of their errors, and ways that no service fails on request.

use super::wire::{self, Request};

/// How an operation fails.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// With an error of the service: status, code, message.
    Error(u16, &'static str, &'static str),
    /// As an error, and with a clock that shows another time.
    Clock(u16, &'static str, &'static str, String),
    /// With an error, but on any page after the first.
    LaterPage(&'static str),
    /// The connection is cut in the middle of the answer.
    Cut,
    /// Nothing comes.
    Silence,
    /// An answer that is none of the service.
    Garbage,
    /// HTTP 301 to the region where the bucket is, as S3 does it.
    OtherRegion(&'static str),
}

pub(super) enum Answer {
    Bytes(Vec<u8>),
    Cut(Vec<u8>),
    Silence,
}

impl Fault {
    /// The permission is missing.
    pub(crate) fn denied(service: &str) -> Self {
        match service {
            // https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
            "ec2" => Self::Error(
                403,
                "UnauthorizedOperation",
                "You are not authorized to perform this operation.",
            ),
            _ => Self::Error(
                403,
                "AccessDenied",
                "User is not authorized to perform it because no identity-based policy allows it",
            ),
        }
    }

    pub(super) fn answer(&self, request: &Request, is_later_page: bool) -> Option<Answer> {
        let bytes = |bytes| Some(Answer::Bytes(bytes));
        match self {
            Self::Error(status, code, message) => bytes(error(request, *status, code, message, None)),
            Self::Clock(status, code, message, date) => {
                bytes(error(request, *status, code, message, Some(date)))
            }
            Self::LaterPage(code) if is_later_page => bytes(error(request, 400, code, "The token is not valid", None)),
            Self::LaterPage(_) => None,
            Self::Cut => Some(Answer::Cut(
                b"HTTP/1.1 200 OK\r\ncontent-length: 5000\r\ncontent-type: text/xml\r\n\r\n<?xml version".to_vec(),
            )),
            Self::Silence => Some(Answer::Silence),
            Self::Garbage => bytes(wire::answer("200 OK", &[("content-type", "text/html")], b"<html>captive portal")),
            // In the right region it works.
            Self::OtherRegion(region) if request.is_signed_for(region) => None,
            Self::OtherRegion(region) => bytes(wire::answer(
                "301 Moved Permanently",
                &[("x-amz-bucket-region", region)],
                b"",
            )),
        }
    }
}

fn error(request: &Request, status: u16, code: &str, message: &str, date: Option<&str>) -> Vec<u8> {
    let line = format!("{status} Error");
    let date = date.map(|date| ("date", date));
    if request.is_cloudwatch() {
        // https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html
        let body = super::cloudwatch::error(code, message);
        let mut headers = vec![
            ("content-type", "application/cbor"),
            ("smithy-protocol", "rpc-v2-cbor"),
        ];
        headers.extend(date);
        return wire::answer(&line, &headers, &body);
    }
    let action = request.form("Action");
    let is_s3 = action.is_none();
    let body = if request.method == "HEAD" {
        String::new()
    } else if is_s3 {
        format!(
            "<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>{message}</Message><RequestId>1</RequestId></Error>"
        )
    } else if action.as_deref() == Some("AssumeRole") {
        format!(
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>1</RequestId></ErrorResponse>"
        )
    } else {
        format!(
            "<?xml version=\"1.0\"?><Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors><RequestID>1</RequestID></Response>"
        )
    };
    let mut headers = vec![("content-type", "text/xml")];
    headers.extend(date);
    wire::answer(&line, &headers, body.as_bytes())
}
