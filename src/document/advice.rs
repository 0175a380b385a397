//! What to write instead of a value that does not fit: a short example is of more use than the whole schema.

use super::read::digits;
use super::word::DurationText;
use crate::problem::nearest;

/// What to write instead, for the key `key`. `expected` is what the message says; `found` is the text that stands there,
/// if it may be shown.
pub(super) fn advice(key: Option<&str>, expected: &str, found: Option<&str>) -> Option<String> {
    let write = |value: &str| match key {
        Some(key) => format!("`{key}: {}`", in_yaml(value)),
        None => format!("`{}`", in_yaml(value)),
    };
    let found = found.map(str::trim);
    if let Some(DurationText::EXPECTED_IN_WORDS) =
        expected.get(..DurationText::EXPECTED_IN_WORDS.len())
        && let Some(text) = found
    {
        if digits(text).parse::<u32>().is_ok_and(|number| number > 0) {
            let (seconds, minutes) = (format!("{text}s"), format!("{text}m"));
            return Some(format!(
                "add the unit: {} for seconds, {} for minutes",
                write(&seconds),
                write(&minutes)
            ));
        }
        if let Some(hint) = DurationText::months(text) {
            return Some(hint);
        }
    }
    if expected.contains("milliseconds")
        && let Some(length) = found.and_then(|text| text.parse::<DurationText>().ok())
    {
        let number = length.0.as_millis().to_string();
        return Some(format!(
            "without a unit, in milliseconds: {}",
            write(&number)
        ));
    }
    if expected.contains("number")
        && let Some(number) = found.and_then(|text| text.strip_suffix('%'))
        && digits(number).parse::<f64>().is_ok()
    {
        return Some(format!("without the `%`: {}", write(number.trim())));
    }
    match expected {
        "a list" => return Some("begin each item with `- `, or write `[one, two]`".to_owned()),
        "a map of keys" => {
            return Some(
                "write each key on a line of its own below, such as `name: value`".to_owned(),
            );
        }
        "a text" => return Some(format!("write one value, such as {}", write("…"))),
        _ => {}
    }
    let quoted = || expected.split('`').skip(1).step_by(2);
    if expected.starts_with("one of ") {
        if let Some(near) = found.and_then(|text| nearest(text, quoted())) {
            return Some(format!("did you mean `{near}`?"));
        }
        let first = quoted().next();
        return first.map(|word| format!("write one of these words, such as {}", write(word)));
    }
    if expected.starts_with("a link ") {
        return Some(format!(
            "write it like this: {}",
            write("https://example.com/")
        ));
    }
    let example = match expected.split_once("such as `") {
        Some((_, rest)) => rest.split('`').next(),
        None => quoted().next().filter(|_| expected.starts_with('`')),
    };
    if let Some(example) = example {
        return Some(format!("write it like this: {}", write(example)));
    }
    let sort = ["a whole number", "a number"];
    let sort = sort.into_iter().find(|sort| expected.starts_with(sort))?;
    Some(format!("write {sort}, without a unit"))
}

/// A value as it must be written: some characters mean something at its beginning.
fn in_yaml(value: &str) -> String {
    let is_special = value.starts_with(|c: char| "*&!|>%@`#[]{},?:-<=$".contains(c))
        && value.parse::<f64>().is_err()
        || value.contains(": ")
        || value.contains(" #")
        || value.contains(" * ");
    if is_special {
        format!("\"{value}\"")
    } else {
        value.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_example_stands_for_the_schema() {
        const LENGTH: &str = "a length of time such as `30s`, `5m` or `1h 30m`";
        for (key, expected, found, said) in [
            (
                "every",
                LENGTH,
                Some("60"),
                "add the unit: `every: 60s` for seconds, `every: 60m` for minutes",
            ),
            (
                "every",
                LENGTH,
                Some("often"),
                "write it like this: `every: 30s`",
            ),
            ("every", LENGTH, None, "write it like this: `every: 30s`"),
            (
                "every",
                LENGTH,
                Some("5M"),
                "`M` would be a month: write `5m` for minutes, `d` for days",
            ),
            (
                "every",
                LENGTH,
                Some("2y"),
                "write days, such as `90d`: months and years have no fixed length",
            ),
            (
                "timeout_ms",
                "a whole number of milliseconds from 1 to 86400000",
                Some("5s"),
                "without a unit, in milliseconds: `timeout_ms: 5000`",
            ),
            (
                "cpu_red",
                "a number",
                Some("90%"),
                "without the `%`: `cpu_red: 90`",
            ),
            (
                "cpu_red",
                "a number",
                Some("x"),
                "write a number, without a unit",
            ),
            (
                "tls",
                "one of `implicit`, `starttls`, `none`",
                Some("ssl"),
                "write one of these words, such as `tls: implicit`",
            ),
            (
                "tls",
                "one of `implicit`, `starttls`, `none`",
                Some("starttsl"),
                "did you mean `starttls`?",
            ),
            (
                "schedule",
                "five cron fields (minute …) such as `0 */6 * * *`",
                None,
                "write it like this: `schedule: \"0 */6 * * *\"`",
            ),
            (
                "red",
                "a comparison such as `> 90`, `<= 5`",
                None,
                "write it like this: `red: \"> 90\"`",
            ),
            (
                "critical",
                "`true` or `false`",
                Some("2"),
                "write it like this: `critical: true`",
            ),
            (
                "runbook",
                "a link that begins with `https://` or `http://`",
                None,
                "write it like this: `runbook: https://example.com/`",
            ),
        ] {
            assert_eq!(
                advice(Some(key), expected, found).as_deref(),
                Some(said),
                "{key} {found:?}"
            );
        }
    }
}
