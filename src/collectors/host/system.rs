//! `/proc/loadavg`, `/proc/uptime` and `/etc/os-release`.

use super::metrics::{self, LOAD_1M, LOAD_5M, LOAD_15M, LOAD_PER_CORE, UPTIME_SECONDS};
use super::{Text, one_line};
use crate::model::Reading;

/// Adds what the text of `/proc/loadavg` says. Without the number of cores there is no load per core.
pub(crate) fn measure_load(reading: &mut Reading, text: &Text, cores: Option<u32>) {
    let loads = match text {
        Ok(text) => leading_numbers::<3>(text)
            .ok_or_else(|| "`/proc/loadavg` does not begin with three numbers".to_owned()),
        Err(error) => Err(error.clone()),
    };
    match loads {
        Ok([one, five, fifteen]) => {
            metrics::put(reading, &LOAD_1M, None, one);
            metrics::put(reading, &LOAD_5M, None, five);
            metrics::put(reading, &LOAD_15M, None, fifteen);
            match cores {
                Some(cores) => {
                    metrics::put(reading, &LOAD_PER_CORE, None, five / f64::from(cores));
                }
                None => metrics::gap(
                    reading,
                    &[&LOAD_PER_CORE],
                    None,
                    "the number of cores is not known",
                ),
            }
        }
        Err(error) => {
            let missing = [&LOAD_1M, &LOAD_5M, &LOAD_15M, &LOAD_PER_CORE];
            metrics::gap(reading, &missing, None, &error);
        }
    }
}

/// Adds what the text of `/proc/uptime` says.
pub(crate) fn measure_uptime(reading: &mut Reading, text: &Text) {
    let uptime = match text {
        Ok(text) => leading_numbers::<1>(text)
            .ok_or_else(|| "`/proc/uptime` does not begin with a number".to_owned()),
        Err(error) => Err(error.clone()),
    };
    match uptime {
        Ok([seconds]) => metrics::put(reading, &UPTIME_SECONDS, None, seconds),
        Err(error) => metrics::gap(reading, &[&UPTIME_SECONDS], None, &error),
    }
}

/// The first `COUNT` words of a text, if all are finite and not negative.
fn leading_numbers<const COUNT: usize>(text: &str) -> Option<[f64; COUNT]> {
    let mut numbers = [0.0; COUNT];
    let mut words = text.split_ascii_whitespace();
    for number in &mut numbers {
        let parsed: f64 = words.next()?.parse().ok()?;
        if !parsed.is_finite() || parsed < 0.0 {
            return None;
        }
        *number = parsed;
    }
    Some(numbers)
}

/// What the system calls itself: `PRETTY_NAME` of os-release(5).
pub(crate) fn pretty_name(text: &str) -> Option<String> {
    let value = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("PRETTY_NAME="))?
        .trim();
    let quote = value
        .chars()
        .next()
        .filter(|first| matches!(first, '"' | '\''));
    let inner = match quote {
        Some(quote) => value.strip_prefix(quote)?.strip_suffix(quote)?,
        None => value,
    };
    let name = one_line(&inner.replace('\\', ""));
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_load_is_read_and_divided() {
        let mut reading = Reading::default();
        measure_load(
            &mut reading,
            &Ok("1.50 3.00 0.25 2/512 11548\n".to_owned()),
            Some(4),
        );
        let values: Vec<String> = (reading.measurements.iter())
            .map(|measurement| format!("{}={}", measurement.metric, measurement.value))
            .collect();
        assert_eq!(
            values,
            [
                "load_1m=1.5",
                "load_5m=3",
                "load_15m=0.25",
                "load_per_core=0.75"
            ]
        );
        assert!(reading.gaps.is_empty());
    }

    #[test]
    fn what_is_garbled_is_a_gap() {
        for text in [
            "", "\n", "1.5", "1 2", "a b c", "NaN 1 1", "inf 1 1", "-1 0 0",
        ] {
            let mut reading = Reading::default();
            measure_load(&mut reading, &Ok(text.to_owned()), Some(4));
            assert!(reading.measurements.is_empty(), "`{text}` was taken");
            assert_eq!(reading.gaps.len(), 4, "`{text}`");
        }
        let mut reading = Reading::default();
        measure_uptime(&mut reading, &Ok("soon".to_owned()));
        measure_uptime(
            &mut reading,
            &Err("`/proc/uptime` could not be read".to_owned()),
        );
        assert!(reading.measurements.is_empty());
        assert_eq!(reading.gaps.len(), 2);
    }

    #[test]
    fn the_name_of_the_system_loses_its_quotes() {
        for (text, name) in [
            (
                "NAME=x\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n",
                Some("Debian GNU/Linux 12 (bookworm)"),
            ),
            (
                "PRETTY_NAME='Alpine Linux v3.20'\r\n",
                Some("Alpine Linux v3.20"),
            ),
            ("PRETTY_NAME=Arch\n", Some("Arch")),
            ("PRETTY_NAME=\"a \\\"b\\\"\"", Some("a \"b\"")),
            ("PRETTY_NAME=\"", None),
            ("PRETTY_NAME=\"\"", None),
            ("NAME=x\n", None),
            ("", None),
        ] {
            assert_eq!(pretty_name(text).as_deref(), name, "`{text}`");
        }
    }
}
