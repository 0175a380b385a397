//! Any receiver, by the variables that `OpenTelemetry` defines for all programs.

use std::path::PathBuf;
use std::time::Duration;

use http::{HeaderMap, HeaderName, header};

use super::variables::Variables;
use super::{Destination, Installation, Names, Sampling, Wanted};
use crate::clients::http::{hidden, percent_decoded};
use crate::clients::tls::TlsSettings;

const DISABLED: &str = "OTEL_SDK_DISABLED";
const EXPORTER: &str = "OTEL_TRACES_EXPORTER";
const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const TRACES_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
const HEADERS: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
    "OTEL_EXPORTER_OTLP_HEADERS",
];
const TIMEOUT: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
    "OTEL_EXPORTER_OTLP_TIMEOUT",
];
const PROTOCOL: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
    "OTEL_EXPORTER_OTLP_PROTOCOL",
];
const CERTIFICATE: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_CERTIFICATE",
];
const SERVICE_NAME: &str = "OTEL_SERVICE_NAME";
const ATTRIBUTES: &str = "OTEL_RESOURCE_ATTRIBUTES";
const SAMPLER: &str = "OTEL_TRACES_SAMPLER";
const SAMPLER_ARGUMENT: &str = "OTEL_TRACES_SAMPLER_ARG";
const QUEUE: &str = "OTEL_BSP_MAX_QUEUE_SIZE";
const DELAY: &str = "OTEL_BSP_SCHEDULE_DELAY";

pub(super) const VARIABLES: [&str; 18] = [
    DISABLED,
    EXPORTER,
    ENDPOINT,
    TRACES_ENDPOINT,
    HEADERS[0],
    HEADERS[1],
    TIMEOUT[0],
    TIMEOUT[1],
    PROTOCOL[0],
    PROTOCOL[1],
    CERTIFICATE[0],
    CERTIFICATE[1],
    SERVICE_NAME,
    ATTRIBUTES,
    SAMPLER,
    SAMPLER_ARGUMENT,
    QUEUE,
    DELAY,
];

/// Headers that follow from the request.
const OURS: [HeaderName; 5] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::HOST,
    header::TRANSFER_ENCODING,
];

pub(super) const SERVICE: &str = "OpenTelemetry";

// The standard's own.
const USUAL_ADDRESS: &str = "http://localhost:4318";
const PATH: &str = "/v1/traces";
const USUAL_TIMEOUT: Duration = Duration::from_secs(10);
const USUAL_QUEUE: usize = 2_048;
const USUAL_DELAY: Duration = Duration::from_secs(5);

/// A span takes about a kilobyte.
const LARGEST_QUEUE: usize = 1_000_000;

pub(super) fn is_all_off(variables: &mut Variables<'_>) -> bool {
    variables.switch(&[DISABLED]) == Some(true)
}

pub(super) fn destination(variables: &mut Variables<'_>) -> Option<Destination> {
    let exporter = variables.text(EXPORTER);
    let wants =
        |word: &str| exporter.is_some_and(|text| text.split(',').any(|one| one.trim() == word));
    if wants("none") {
        return None;
    }
    if exporter.is_some() && !wants("otlp") {
        variables.wrong(
            EXPORTER,
            "expected `otlp` or `none`",
            "we send traces by OTLP only; none are sent until it is one of them",
        );
        return None;
    }
    let url = if let Some(address) = variables.text(TRACES_ENDPOINT) {
        variables.address(TRACES_ENDPOINT, address, "")?
    } else if let Some(address) = variables.text(ENDPOINT) {
        variables.address(ENDPOINT, address, PATH)?
    } else if wants("otlp") {
        variables.address(ENDPOINT, USUAL_ADDRESS, PATH)?
    } else {
        return None;
    };
    if let Some((name, protocol)) = variables.first(&PROTOCOL)
        && protocol != "http/protobuf"
    {
        variables.wrong(
            name,
            "we speak `http/protobuf` only",
            "leave it out, and give the receiver's port for HTTP, usually 4318; no traces go there until then",
        );
        return None;
    }
    let mut headers = headers(variables)?;
    if let Some(authorization) = url.basic_authorization() {
        let entry = headers.entry(header::AUTHORIZATION);
        entry.or_insert(authorization);
    }
    let tls = TlsSettings {
        ca_file: variables
            .first(&CERTIFICATE)
            .map(|(_, path)| PathBuf::from(path)),
        ..TlsSettings::default()
    };
    Some(Destination {
        service: SERVICE,
        url,
        headers,
        tls,
        timeout: timeout(variables),
        names: Names {
            address: "`OTEL_EXPORTER_OTLP_ENDPOINT` or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`",
            base_address: "`OTEL_EXPORTER_OTLP_ENDPOINT`",
            key: "`OTEL_EXPORTER_OTLP_HEADERS`",
            certificate: "`OTEL_EXPORTER_OTLP_CERTIFICATE`",
            whole_address: Some("`OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`"),
        },
    })
}

/// How long a receiver may take, whichever it is.
pub(super) fn timeout(variables: &mut Variables<'_>) -> Duration {
    variables.milliseconds(&TIMEOUT).unwrap_or(USUAL_TIMEOUT)
}

/// `name=value,name=value`, each written as in a URL.
fn pairs(text: &str) -> impl Iterator<Item = Option<(String, String)>> {
    let all = text.split(',').filter(|pair| !pair.trim().is_empty());
    all.map(|pair| {
        let (name, value) = pair.split_once('=')?;
        let name = percent_decoded(name.trim());
        Some((name, percent_decoded(value.trim()))).filter(|(name, _)| !name.is_empty())
    })
}

/// `None`: one of them is none. It may be the key, and nothing is to be sent without that.
fn headers(variables: &mut Variables<'_>) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    let Some((variable, text)) = variables.first(&HEADERS) else {
        return Some(headers);
    };
    let mut are_all_good = true;
    for (index, pair) in pairs(text).enumerate() {
        let parsed = pair.and_then(|(name, value)| {
            let name = HeaderName::try_from(name).ok()?;
            let is_ours = OURS.contains(&name);
            let name = Some(name).filter(|_| !is_ours)?;
            Some((name, hidden(&value).ok()?))
        });
        if let Some((name, value)) = parsed {
            headers.insert(name, value);
        } else {
            are_all_good = false;
            variables.wrong(
                variable,
                &format!("entry {} is no header", index + 1),
                "write `name=value,name=value`, with `%2C` for a comma in a value; no traces go there until then",
            );
        }
    }
    are_all_good.then_some(headers)
}

/// What holds for all receivers.
pub(super) fn shared(variables: &mut Variables<'_>, installation: &Installation) -> Wanted {
    Wanted {
        destinations: Vec::new(),
        about_us: about_us(variables, installation),
        sampling: sampling(variables),
        queue: queue(variables),
        every: variables.milliseconds(&[DELAY]).unwrap_or(USUAL_DELAY),
        problems: Vec::new(),
    }
}

fn about_us(variables: &mut Variables<'_>, installation: &Installation) -> Vec<(String, String)> {
    let mut about_us = vec![
        ("host.name".to_owned(), installation.host.clone()),
        ("service.instance.id".to_owned(), installation.id.clone()),
        ("service.name".to_owned(), "roundsman".to_owned()),
        (
            "service.version".to_owned(),
            env!("CARGO_PKG_VERSION").to_owned(),
        ),
    ];
    let mut set = |name: String, value: String| {
        about_us.retain(|(known, _)| *known != name);
        about_us.push((name, value));
    };
    let mut wrong = Vec::new();
    if let Some(text) = variables.text(ATTRIBUTES) {
        for (index, pair) in pairs(text).enumerate() {
            match pair {
                Some((name, value)) => set(name, value),
                None => wrong.push(index + 1),
            }
        }
    }
    if let Some(name) = variables.text(SERVICE_NAME) {
        set("service.name".to_owned(), name.to_owned());
    }
    for number in wrong {
        variables.wrong(
            ATTRIBUTES,
            &format!("entry {number} is no attribute"),
            "write `name=value,name=value`, with `%2C` for a comma in a value",
        );
    }
    about_us
}

fn sampling(variables: &mut Variables<'_>) -> Sampling {
    match variables.text(SAMPLER) {
        None | Some("always_on" | "parentbased_always_on") => Sampling::All,
        Some("always_off" | "parentbased_always_off") => Sampling::None,
        Some("traceidratio" | "parentbased_traceidratio") => {
            let Some(text) = variables.text(SAMPLER_ARGUMENT) else {
                return Sampling::All;
            };
            let share = text.parse::<f64>().ok();
            let share = share.filter(|share| (0.0..=1.0).contains(share));
            if share.is_none() {
                variables.wrong(
                    SAMPLER_ARGUMENT,
                    "expected a share from 0 to 1",
                    "0.1 traces one round in ten; all are traced until it is one",
                );
            }
            share.map_or(Sampling::All, Sampling::Share)
        }
        Some(_) => {
            variables.wrong(
                SAMPLER,
                "expected `always_on`, `always_off` or `traceidratio`, with or without `parentbased_` before it",
                "everything is traced until it is one of them",
            );
            Sampling::All
        }
    }
}

fn queue(variables: &mut Variables<'_>) -> usize {
    let Some(text) = variables.text(QUEUE) else {
        return USUAL_QUEUE;
    };
    let size = text.parse::<usize>().ok();
    let size = size.filter(|size| (1..=LARGEST_QUEUE).contains(size));
    if size.is_none() {
        variables.wrong(
            QUEUE,
            "expected a number of spans from 1 to 1000000",
            "2048 is taken until it is one",
        );
    }
    size.unwrap_or(USUAL_QUEUE)
}
