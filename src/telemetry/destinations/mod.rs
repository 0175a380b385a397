//! Where traces go: by the environment alone, so that whoever knows one of these services knows what to set.

mod langfuse;
mod langsmith;
mod otlp;
mod variables;

use std::time::Duration;

use http::{HeaderMap, HeaderName};

use super::Installation;
use crate::clients::http::{HttpUrl, hidden};
use crate::clients::tls::TlsSettings;
use crate::config::Environment;
use crate::problem::Problem;
use variables::Variables;

/// All variables that say something about traces.
pub const VARIABLES: [&[&str]; 3] = [
    &otlp::VARIABLES,
    &langfuse::VARIABLES,
    &langsmith::VARIABLES,
];

/// A receiver of spans, by OTLP over HTTP.
#[derive(Debug, Clone)]
pub struct Destination {
    /// What sort of receiver.
    pub service: &'static str,
    /// Where spans are posted.
    pub url: HttpUrl,
    /// The headers that carry the key, and what else the receiver wants; keys are not shown.
    pub(super) headers: HeaderMap,
    /// How it proves who it is.
    pub(super) tls: TlsSettings,
    /// How long it may take for a batch.
    pub(super) timeout: Duration,
    /// The variables that hold the address and the key, for hints.
    pub(super) names: Names,
}

/// What variables are called, in words.
#[derive(Debug, Clone, Copy)]
pub(super) struct Names {
    pub(super) address: &'static str,
    pub(super) key: &'static str,
    /// That of the address which is completed.
    pub(super) base_address: &'static str,
    /// What names a file of certificates to trust.
    pub(super) certificate: &'static str,
    /// The variable that holds the whole address, if there is one beside that which is completed.
    pub(super) whole_address: Option<&'static str>,
}

impl Destination {
    /// What it is called, in messages and in the log.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{} at {}", self.service, self.url)
    }
}

/// Which rounds, looks and sends are traced.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sampling {
    /// All.
    All,
    /// None.
    None,
    /// This share of them, from 0 to 1: a round is traced with all that it consists of, or not at all.
    Share(f64),
}

/// What the environment says of traces.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Where they go; each gets all of them.
    pub destinations: Vec<Destination>,
    /// What all spans say of us.
    pub about_us: Vec<(String, String)>,
    /// Which are made.
    pub sampling: Sampling,
    /// How many spans may wait for a receiver; what is more is dropped.
    pub queue: usize,
    /// How often they are sent.
    pub every: Duration,
    /// What is wrong with the variables.
    pub problems: Vec<Problem>,
}

/// The file of the certificates that the whole program trusts.
const SYSTEM_CERTIFICATES: &str = "`SSL_CERT_FILE`";

/// Reads the environment.
#[must_use]
pub fn wanted(environment: &Environment, installation: &Installation) -> Wanted {
    let mut variables = Variables::of(environment);
    let mut destinations = Vec::new();
    if !otlp::is_all_off(&mut variables) {
        let named = [
            otlp::destination(&mut variables),
            langfuse::destination(&mut variables),
            langsmith::destination(&mut variables),
        ];
        destinations.extend(named.into_iter().flatten());
        // Whoever has written down the address of Langfuse as well as its keys means one receiver: the one that the
        // keys are for.
        let of_services: Vec<HttpUrl> = (destinations.iter())
            .filter(|one| one.service != otlp::SERVICE)
            .map(|one| one.url.clone())
            .collect();
        destinations.retain(|one| one.service != otlp::SERVICE || !of_services.contains(&one.url));
    }
    let shared = otlp::shared(&mut variables, installation);
    Wanted {
        destinations,
        problems: variables.problems,
        ..shared
    }
}

/// The address below a base, whose query stays behind.
fn below(base: &str, path: &str) -> Option<HttpUrl> {
    if path.is_empty() {
        return HttpUrl::parse(base).ok();
    }
    let base = base.trim();
    let end = base.find(['?', '#']).unwrap_or(base.len());
    let (base, query) = base.split_at(end);
    HttpUrl::parse(&format!("{}{path}{query}", base.trim_end_matches('/'))).ok()
}

/// Adds a header; what a header cannot hold is a problem of the variable, and nothing is to be sent without it.
fn add_header(
    headers: &mut HeaderMap,
    name: &'static str,
    value: &str,
    variable: &str,
    variables: &mut Variables<'_>,
) -> Option<()> {
    match hidden(value) {
        Ok(value) => {
            headers.insert(HeaderName::from_static(name), value);
            Some(())
        }
        Err(expected) => {
            let hint = "write it without line breaks; no traces go there until then";
            variables.wrong(variable, expected, hint);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn of(variables: &[(&str, &str)]) -> Wanted {
        let variables = variables.iter().copied();
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let process = variables.collect();
        let environment = Environment::from_parts(process, Path::new("/nowhere"), &mut Vec::new());
        let installation = Installation {
            host: "web-1".to_owned(),
            id: "0-1-2".to_owned(),
        };
        wanted(&environment, &installation)
    }

    /// Where traces go, in words.
    fn goes(variables: &[(&str, &str)]) -> Vec<String> {
        let wanted = of(variables);
        assert_eq!(wanted.problems, [], "{variables:?}");
        wanted.destinations.iter().map(Destination::name).collect()
    }

    const LANGFUSE: [(&str, &str); 2] = [
        ("LANGFUSE_PUBLIC_KEY", "pk-canary"),
        ("LANGFUSE_SECRET_KEY", "sk-canary"),
    ];

    #[test]
    fn nothing_goes_anywhere_by_itself() {
        for nothing in [
            &[][..],
            &[("OTEL_SERVICE_NAME", "watchman")],
            &[("OTEL_EXPORTER_OTLP_ENDPOINT", " ")],
            &[("LANGFUSE_HOST", "http://localhost:3000")],
            &[
                ("LANGSMITH_PROJECT", "night"),
                ("LANGSMITH_TRACING", "false"),
            ],
        ] {
            assert_eq!(goes(nothing), Vec::<String>::new(), "{nothing:?}");
        }
    }

    #[test]
    fn an_address_is_completed_as_its_service_has_it() {
        for (variables, expected) in [
            (
                &[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318/")][..],
                "OpenTelemetry at http://collector:4318/v1/traces",
            ),
            (
                &[(
                    "OTEL_EXPORTER_OTLP_ENDPOINT",
                    "https://user:canary@in.example.com/otlp",
                )],
                "OpenTelemetry at https://in.example.com/otlp/v1/traces",
            ),
            (
                &[(
                    "OTEL_EXPORTER_OTLP_ENDPOINT",
                    "https://in.example.com/otlp/?key=canary",
                )],
                "OpenTelemetry at https://in.example.com/otlp/v1/traces?…",
            ),
            (
                &[(
                    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
                    "https://in.example.com/with/a/slash/",
                )],
                "OpenTelemetry at https://in.example.com/with/a/slash/",
            ),
            (
                &[
                    ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318"),
                    (
                        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
                        "http://traces:4318/as/it/stands",
                    ),
                ],
                "OpenTelemetry at http://traces:4318/as/it/stands",
            ),
            (
                &[("OTEL_TRACES_EXPORTER", "otlp")],
                "OpenTelemetry at http://localhost:4318/v1/traces",
            ),
            (
                &LANGFUSE,
                "Langfuse at https://cloud.langfuse.com/api/public/otel/v1/traces",
            ),
            (
                &[
                    LANGFUSE[0],
                    LANGFUSE[1],
                    ("LANGFUSE_HOST", "https://us.cloud.langfuse.com"),
                ],
                "Langfuse at https://us.cloud.langfuse.com/api/public/otel/v1/traces",
            ),
            (
                &[
                    ("LANGCHAIN_API_KEY", "canary"),
                    ("LANGCHAIN_TRACING_V2", "true"),
                ],
                "LangSmith at https://api.smith.langchain.com/otel/v1/traces",
            ),
            (
                &[
                    ("LANGSMITH_API_KEY", "canary"),
                    (
                        "LANGSMITH_ENDPOINT",
                        "https://eu.api.smith.langchain.com/otel/",
                    ),
                ],
                "LangSmith at https://eu.api.smith.langchain.com/otel/v1/traces",
            ),
        ] {
            assert_eq!(goes(variables), [expected]);
        }
    }

    #[test]
    fn a_switch_that_is_off_wins() {
        let smith = ("LANGSMITH_API_KEY", "canary");
        let own = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318");
        let all = [LANGFUSE[0], LANGFUSE[1], smith, own];
        for (switch, left) in [
            (("OTEL_SDK_DISABLED", "TRUE"), 0),
            (("OTEL_TRACES_EXPORTER", "none"), 2),
            (("LANGFUSE_TRACING_ENABLED", "false"), 2),
            (("LANGSMITH_TRACING", "false"), 2),
            (("LANGCHAIN_TRACING_V2", "0"), 2),
            (("OTEL_SDK_DISABLED", "false"), 3),
        ] {
            let with: Vec<_> = all.iter().copied().chain([switch]).collect();
            assert_eq!(goes(&with).len(), left, "{switch:?}");
        }
    }

    #[test]
    fn one_receiver_that_is_named_twice_gets_spans_once() {
        let twice = [
            LANGFUSE[0],
            LANGFUSE[1],
            (
                "OTEL_EXPORTER_OTLP_ENDPOINT",
                "https://cloud.langfuse.com/api/public/otel",
            ),
        ];
        let wanted = of(&twice);
        assert_eq!(wanted.destinations.len(), 1);
        assert!(
            wanted.destinations[0]
                .headers
                .contains_key("x-langfuse-ingestion-version")
        );
    }

    #[test]
    fn headers_are_read_as_the_standard_writes_them_and_never_shown() {
        let wanted = of(&[
            (
                "OTEL_EXPORTER_OTLP_ENDPOINT",
                "http://one:canary-1@collector:4318",
            ),
            (
                "OTEL_EXPORTER_OTLP_HEADERS",
                "x-key=canary%2C2, Authorization=Basic canary-3==",
            ),
            ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "1500"),
        ]);
        assert_eq!(wanted.problems, []);
        let to = &wanted.destinations[0];
        assert_eq!(to.headers["x-key"], "canary,2");
        assert_eq!(to.headers["authorization"], "Basic canary-3==");
        assert_eq!(
            (to.headers.len(), to.timeout),
            (2, Duration::from_millis(1_500))
        );
        assert!(!format!("{wanted:?}").contains("canary"), "{wanted:?}");
    }

    #[test]
    fn nothing_goes_where_a_key_cannot_be_sent_along() {
        let wanted = of(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318"),
            (
                "OTEL_EXPORTER_OTLP_HEADERS",
                "x-key=canary-1,host=canary-2,nothing",
            ),
        ]);
        assert!(wanted.destinations.is_empty());
        let told: Vec<String> = wanted.problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [2, 3].map(|entry| format!(
                "`OTEL_EXPORTER_OTLP_HEADERS` (the environment): entry {entry} is no header\n  hint: write `name=value,name=value`, with `%2C` for a comma in a value; no traces go there until then"
            ))
        );
        assert!(!format!("{wanted:?}").contains("canary"), "{wanted:?}");
        for broken in [
            &[("LANGSMITH_API_KEY", "canary\nkey")][..],
            &[
                ("LANGSMITH_API_KEY", "canary"),
                ("LANGSMITH_WORKSPACE_ID", "a\nb"),
            ],
        ] {
            let wanted = of(broken);
            let counts = (wanted.destinations.len(), wanted.problems.len());
            assert_eq!(counts, (0, 1), "{broken:?} {wanted:?}");
        }
        // What is no address and no key is taken at its usual value.
        let wanted = of(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "soon"),
            ("OTEL_TRACES_SAMPLER", "some"),
            ("OTEL_BSP_MAX_QUEUE_SIZE", "many"),
            ("OTEL_BSP_SCHEDULE_DELAY", "often"),
        ]);
        assert_eq!((wanted.destinations.len(), wanted.problems.len()), (1, 4));
        assert_eq!(wanted.destinations[0].timeout, Duration::from_secs(10));
        assert_eq!((wanted.queue, wanted.sampling), (2_048, Sampling::All));
    }

    #[test]
    fn a_key_of_several_workspaces_says_which_is_meant() {
        let wanted = of(&[
            ("LANGSMITH_API_KEY", "canary"),
            ("LANGSMITH_WORKSPACE_ID", "w-1"),
        ]);
        assert_eq!(wanted.destinations[0].headers["x-tenant-id"], "w-1");
    }

    #[test]
    fn what_is_wrong_is_told_with_the_variable_and_without_what_it_holds() {
        for (variables, expected) in [
            (
                &[LANGFUSE[0]][..],
                "`LANGFUSE_SECRET_KEY`: is not set, though its other half is",
            ),
            (
                &[("LANGSMITH_TRACING", "true")],
                "`LANGSMITH_API_KEY`: is not set, though tracing is switched on",
            ),
            (
                &[("LANGSMITH_API_KEY", "canary\nkey")],
                "`LANGSMITH_API_KEY` (the environment): expected one line of text that a header can hold",
            ),
            (
                &[
                    ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://canary:4317"),
                    ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
                ],
                "`OTEL_EXPORTER_OTLP_PROTOCOL` (the environment): we speak `http/protobuf` only",
            ),
            (
                &[("OTEL_TRACES_EXPORTER", "canary")],
                "`OTEL_TRACES_EXPORTER` (the environment): expected `otlp` or `none`",
            ),
            (
                &[("OTEL_TRACES_SAMPLER", "canary")],
                "`OTEL_TRACES_SAMPLER` (the environment): expected `always_on`, `always_off` or `traceidratio`, with or without `parentbased_` before it",
            ),
            (
                &[
                    ("OTEL_TRACES_SAMPLER", "traceidratio"),
                    ("OTEL_TRACES_SAMPLER_ARG", "10"),
                ],
                "`OTEL_TRACES_SAMPLER_ARG` (the environment): expected a share from 0 to 1",
            ),
            (
                &[("OTEL_RESOURCE_ATTRIBUTES", "canary")],
                "`OTEL_RESOURCE_ATTRIBUTES` (the environment): entry 1 is no attribute",
            ),
            (
                &[("OTEL_BSP_MAX_QUEUE_SIZE", "0")],
                "`OTEL_BSP_MAX_QUEUE_SIZE` (the environment): expected a number of spans from 1 to 1000000",
            ),
            // It holds for both receivers, and is told once.
            (
                &[
                    LANGFUSE[0],
                    LANGFUSE[1],
                    ("LANGSMITH_API_KEY", "key"),
                    ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s"),
                ],
                "`OTEL_EXPORTER_OTLP_TIMEOUT` (the environment): expected a whole number of milliseconds, at least 1",
            ),
        ] {
            let wanted = of(variables);
            assert_eq!(
                wanted.problems.len(),
                1,
                "{variables:?} {:?}",
                wanted.problems
            );
            assert_eq!(wanted.problems[0].message, expected);
            assert!(wanted.problems[0].hint.is_some());
            assert!(!format!("{:?}", wanted.problems).contains("canary"));
        }
    }

    #[test]
    fn what_spans_say_of_us_can_be_set() {
        let about = |variables: &[(&str, &str)]| {
            let mut about = of(variables).about_us;
            about.sort();
            about
        };
        let pairs = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            let pairs = pairs.iter();
            pairs
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect()
        };
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(
            about(&[]),
            pairs(&[
                ("host.name", "web-1"),
                ("service.instance.id", "0-1-2"),
                ("service.name", "roundsman"),
                ("service.version", version)
            ])
        );
        assert_eq!(
            about(&[
                (
                    "OTEL_RESOURCE_ATTRIBUTES",
                    "service.name=other,team=a%20b,service.instance.id=mine"
                ),
                ("OTEL_SERVICE_NAME", "watchman"),
            ]),
            pairs(&[
                ("host.name", "web-1"),
                ("service.instance.id", "mine"),
                ("service.name", "watchman"),
                ("service.version", version),
                ("team", "a b")
            ])
        );
    }
}
