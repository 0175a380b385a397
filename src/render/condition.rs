//! How a target is, as far as an incident tells of it, and why it could not be measured.

use crate::model::{Condition, Status};

use super::compose::Seen;
use super::digest::LONGEST_TEXT;
use super::escape::shortened;
use super::issues::{issues, summary};
use super::recommend::advice_for;

/// An incident keeps the condition of each of its targets: nobody reads more problems of one, nor more advice.
const MOST_PROBLEMS: usize = 5;
const MOST_ADVICE: usize = 4;

const NO_REASON: &str = "no reason was given";

/// How a target is now.
#[must_use]
pub fn condition(seen: &Seen<'_>) -> Condition {
    let status = seen.verdict.status;
    let issues = issues(seen.observation, seen.verdict);
    let mut advice: Vec<String> = Vec::new();
    if status != Status::Green {
        for what_to_do in advice_for(seen).iter().map(|text| short(text)) {
            if advice.len() < MOST_ADVICE && !advice.contains(&what_to_do) {
                advice.push(what_to_do);
            }
        }
    }
    Condition {
        status,
        at: seen.observation.at,
        summary: short(&summary(seen.spec, seen.observation, &issues)),
        problems: (issues.iter().take(MOST_PROBLEMS))
            .map(|issue| short(&issue.text))
            .collect(),
        more_problems: issues.len().saturating_sub(MOST_PROBLEMS),
        advice,
        cause: (status == Status::Unknown).then(|| cause(seen)),
    }
}

fn short(text: &str) -> String {
    shortened(text, LONGEST_TEXT).into_owned()
}

/// `denied ec2_instances: EC2 in … does not accept our credentials: they have expired (ExpiredToken)`
fn cause(seen: &Seen<'_>) -> String {
    let failure = (seen.observation.outcome.as_ref().err())
        .filter(|failure| failure.status() == Status::Unknown);
    let (what, why) = if let Some(failure) = failure {
        (failure.kind.word(), in_common(&failure.message))
    } else {
        let mut findings = seen.verdict.findings.iter();
        let gap = findings.find(|finding| finding.status == Status::Unknown);
        let why = gap.map_or_else(
            || NO_REASON.to_owned(),
            |gap| {
                let reason = in_common(gap.message.as_deref().unwrap_or(NO_REASON));
                format!("{} could not be measured: {reason}", gap.metric)
            },
        );
        ("gap", why)
    };
    short(&format!("{what} {}: {why}", seen.target.id.kind))
}

/// A message without what tells targets apart: what stands in back-ticks, numbers and addresses become `…`.
fn in_common(message: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    for word in without_quoted(message).split_whitespace() {
        let is_part = |character: char| character.is_alphanumeric() || character == '…';
        let bare = word.trim_end_matches(|character| !is_part(character));
        // `::1` is an address.
        let bare = bare.trim_start_matches(|character| !is_part(character) && character != ':');
        let word = if is_own(bare) {
            word.replacen(bare, "…", 1)
        } else {
            word.to_owned()
        };
        // A list of names is as one name.
        match words.last_mut() {
            Some(last) if last.ends_with("…,") && word.starts_with('…') => {
                last.truncate(last.len() - "…,".len());
                last.push_str(&word);
            }
            _ => words.push(word),
        }
    }
    words.join(" ")
}

/// The text with `…` for everything that stands in back-ticks; one that is not closed stays.
fn without_quoted(message: &str) -> String {
    let mut text = String::with_capacity(message.len());
    let mut rest = message;
    while let Some((before, quoted)) = rest.split_once('`') {
        let Some((_, after)) = quoted.split_once('`') else {
            break;
        };
        text.push_str(before);
        text.push('…');
        rest = after;
    }
    text + rest
}

/// Whether a word is a number, an address, or a name with a number in it. `EC2` and `S3` are words.
fn is_own(word: &str) -> bool {
    let letters = word.trim_end_matches(|character: char| character.is_ascii_digit());
    let is_service = !letters.is_empty() && letters.chars().all(|c| c.is_ascii_uppercase());
    let has_digit = word.chars().any(|character| character.is_ascii_digit());
    (has_digit && !is_service) || word.contains(['/', '@']) || word.contains("::")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Failure, FailureKind, Limit, Reading};
    use crate::render::samples::{ENDPOINTS, SERVERS, Visit};

    fn of(visit: &Visit) -> Condition {
        condition(&Seen {
            target: &visit.target,
            spec: visit.spec,
            observation: &visit.observation,
            verdict: &visit.verdict,
            since: visit.observation.at,
        })
    }

    fn failed(kind: FailureKind, message: &str) -> Condition {
        let failure = Failure::new(kind, message);
        of(&Visit::new(&SERVERS, "web", "09:00:01", Err(failure)))
    }

    fn cause(kind: FailureKind, message: &str) -> String {
        failed(kind, message).cause.expect("it is UNKNOWN")
    }

    #[test]
    fn a_condition_has_what_a_report_says_and_what_to_do() {
        let seen = of(&Visit::green(&SERVERS, "web", "09:00:01")
            .finding(Status::Red, 3.0, Limit::below(10.0))
            .gap(Some("let `monitor` read /proc")));
        assert_eq!(seen.status, Status::Red);
        assert_eq!(seen.summary, "disk_free_percent of / is 3 < 10 (+1 more)");
        assert_eq!(
            seen.problems,
            [
                "disk_free_percent of / is 3 < 10",
                "cpu_percent could not be measured: permission denied"
            ]
        );
        assert_eq!(
            seen.advice,
            ["find what grows with `du -x`", "let `monitor` read /proc"]
        );
        assert_eq!(seen.cause, None);
    }

    #[test]
    fn one_that_is_well_has_its_summary_and_nothing_else() {
        let seen = of(&Visit::green(&SERVERS, "web", "09:00:01"));
        assert_eq!(seen.summary, "cpu 3.1 % · disk free 58 % (/)");
        assert_eq!(
            (seen.problems.len(), seen.advice.len(), seen.cause),
            (0, 0, None)
        );
    }

    #[test]
    fn not_more_is_kept_than_is_read() {
        let mut visit = Visit::new(&SERVERS, "web", "09:00:01", Ok(Reading::default()));
        for number in 0..40 {
            visit = visit.finding(Status::Red, f64::from(number), Limit::below(50.0));
            visit = visit.gap(Some(&format!("step {number}")));
        }
        let seen = of(&visit);
        assert_eq!((seen.problems.len(), seen.more_problems), (5, 75));
        // The gaps of one look may each say something else, the metric says it once.
        assert!(seen.advice.len() <= 4, "{:?}", seen.advice);
        let long = failed(FailureKind::Unreachable, &"x".repeat(10_000));
        assert!(long.summary.chars().count() < 550 && long.problems[0].chars().count() < 550);
    }

    #[test]
    fn the_same_reason_is_one_cause_whatever_target_it_is() {
        use FailureKind::{Denied, Ours, Throttled};
        for (kind, one, other, expected) in [
            (
                Denied,
                "EC2 in eu-west-1 does not accept our credentials: they have expired (ExpiredToken)",
                "EC2 in sa-east-1 does not accept our credentials: they have expired (ExpiredToken)",
                "denied vps_servers: EC2 in … does not accept our credentials: they have expired (ExpiredToken)",
            ),
            (
                Denied,
                "the bucket `shut` in eu-west-1 does not accept our credentials: they have expired",
                "the bucket `logs` in eu-west-2 does not accept our credentials: they have expired",
                "denied vps_servers: the bucket … in … does not accept our credentials: they have expired",
            ),
            (
                Denied,
                "`https://a.example/x` answered 401 Unauthorized: our credentials were not accepted",
                "`https://b.example/y` answered 401 Unauthorized: our credentials were not accepted",
                "denied vps_servers: … answered … Unauthorized: our credentials were not accepted",
            ),
            (
                Throttled,
                "`https://a.example` answered 429 Too Many Requests, retry after 120 s",
                "`https://a.example` answered 429 Too Many Requests, retry after 7 s",
                "throttled vps_servers: … answered … Too Many Requests, retry after … s",
            ),
            (
                Ours,
                "cannot look up `mute.example.test`: no DNS server answered (127.0.0.1)",
                "cannot look up `shop.example.test`: no DNS server answered (::1, 192.0.2.7)",
                "ours vps_servers: cannot look up …: no DNS server answered (…)",
            ),
            (
                Ours,
                "`ops@10.0.0.7:22` runs only 8 of our commands at once, and none ended within 5000 ms",
                "`ops@[fe80::1]:22` runs only 10 of our commands at once, and none ended within 300 ms",
                "ours vps_servers: … runs only … of our commands at once, and none ended within … ms",
            ),
        ] {
            assert_eq!(cause(kind, one), expected);
            assert_eq!(cause(kind, other), expected);
        }
    }

    #[test]
    fn two_reasons_are_two_causes() {
        use FailureKind::{Denied, Ours, Throttled};
        let all = [
            (
                Denied,
                "EC2 in eu-west-1 does not accept our credentials: they have expired (ExpiredToken)",
            ),
            (
                Denied,
                "EC2 in eu-west-1 does not accept our credentials (AuthFailure)",
            ),
            (
                Denied,
                "EC2 in eu-west-1 does not let us: the permission `ec2:DescribeInstances` is missing",
            ),
            (
                Throttled,
                "EC2 in eu-west-1 is asked too often (RequestLimitExceeded)",
            ),
            (
                Ours,
                "EC2 in eu-west-1 refused: the clock of this machine is 90 min behind",
            ),
            (
                Ours,
                "cannot look up `a.example`: no DNS server answered (127.0.0.1)",
            ),
            (Ours, "cannot look up `a.example`: no DNS server is set up"),
            (Ours, "no AWS region is set"),
            (Denied, "`a:22` wants a client certificate"),
        ];
        let causes: std::collections::BTreeSet<String> = (all.iter())
            .map(|(kind, message)| cause(*kind, message))
            .collect();
        assert_eq!(causes.len(), all.len(), "{causes:#?}");
    }

    #[test]
    fn the_kind_and_the_gap_are_part_of_the_cause() {
        let gap = |spec| of(&Visit::green(spec, "web", "09:00:01").gap(None)).cause;
        assert_eq!(
            gap(&SERVERS).as_deref(),
            Some("gap vps_servers: cpu_percent could not be measured: permission denied")
        );
        assert_ne!(gap(&SERVERS), gap(&ENDPOINTS));
    }

    #[test]
    fn quotes_that_do_not_end_lose_nothing() {
        assert_eq!(in_common("a `b` and `c"), "a … and `c");
        assert_eq!(in_common("``"), "…");
        assert_eq!(in_common("`a`, `b`, `c` failed"), "… failed");
        assert_eq!(in_common("x509: 東京 1"), "…: 東京 …");
        assert_eq!(in_common(""), "");
    }
}
