//! The figures of a text: numbers, times of day and dates, each as one whole. A figure that a model made up is the most
//! convincing mistake, so one that stands nowhere in the question is found, whatever script or dress it comes in.

use std::collections::BTreeSet;

/// What a question says in figures.
#[derive(Debug)]
pub(super) struct Figures {
    /// Times of day and dates, as they stand there; of times no leading zero.
    wholes: BTreeSet<String>,
    numbers: BTreeSet<String>,
}

impl Figures {
    /// All that stand in a text.
    pub(super) fn of(text: &str) -> Self {
        let (mut wholes, mut numbers) = (BTreeSet::new(), BTreeSet::new());
        for run in runs(text) {
            if is_whole(run.text) {
                wholes.insert(without_zero(run.text));
            } else {
                numbers.extend(readings(run.text));
            }
        }
        Self { wholes, numbers }
    }

    /// Whether all figures of a text are known. One digit alone says little, and is in every list of steps; one that is a
    /// share or thousands says much.
    pub(super) fn know_those_of(&self, text: &str) -> bool {
        let mut runs = runs(text).peekable();
        while let Some(run) = runs.next() {
            let thousands = runs.peek().filter(|next| run.is_followed_by(next));
            if let Some(next) = thousands {
                // `10 500` is one number, unless both stand in the question.
                let joined = format!("{}{}", run.text, next.text);
                let is_apart = !next.text.starts_with('0') && self.knows(run.text);
                if !(self.knows(&joined) || is_apart && self.knows(next.text)) {
                    return false;
                }
                runs.next();
                continue;
            }
            if !(is_small(&run) || self.knows(run.text)) {
                return false;
            }
        }
        true
    }

    fn knows(&self, run: &str) -> bool {
        if is_whole(run) {
            return self.wholes.contains(&without_zero(run));
        }
        // Where a comma stands for thousands or for a decimal point, either may be meant; what it is not must not help it.
        readings(run)
            .iter()
            .any(|number| self.numbers.contains(number) || self.is_rounded(number))
    }

    /// `96` and `96.2` of `96.24`.
    fn is_rounded(&self, number: &str) -> bool {
        let decimals = decimals(number);
        let Ok(value) = number.parse::<f64>() else {
            return false;
        };
        let unit = 10_f64.powi(-i32::try_from(decimals).unwrap_or(i32::MAX));
        let mut finer = self.numbers.iter().filter_map(|known| {
            let is_finer = self::decimals(known) > decimals;
            is_finer.then(|| known.parse::<f64>().ok()).flatten()
        });
        // Some round, and some cut off.
        finer.any(|known| {
            let step = ((known - value) / unit).abs();
            step <= 0.5 + 1e-9 || (known >= value && step < 1.0)
        })
    }
}

/// A run of figures, with what follows it.
struct Run<'a> {
    text: &'a str,
    behind: &'a str,
}

impl Run<'_> {
    /// Whether the next run is the rest of this one, with a space in between for thousands.
    fn is_followed_by(&self, next: &Run<'_>) -> bool {
        let digits = |text: &str| text.chars().all(|one| one.is_ascii_digit());
        let between = self.behind.len() - next.behind.len() - next.text.len();
        let gap = self.behind.get(..between).unwrap_or_default();
        let is_gap = matches!(
            gap,
            " " | "\u{a0}" | "\u{202f}" | "\u{2009}" | "'" | "’" | "_"
        );
        is_gap
            && digits(self.text)
            && self.text.len() <= 3
            && digits(next.text)
            && next.text.len() == 3
    }
}

fn runs(text: &str) -> impl Iterator<Item = Run<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let start = rest.find(char::is_numeric)?;
        let from = &rest[start..];
        let is_part = |one: char| one.is_numeric() || matches!(one, '.' | ',' | ':');
        let date = date_at(from);
        let end = date.unwrap_or_else(|| {
            let end = from.find(|one| !is_part(one)).unwrap_or(from.len());
            from[..end].trim_end_matches(['.', ',', ':']).len()
        });
        rest = &from[end..];
        Some(Run {
            text: &from[..end],
            behind: rest,
        })
    })
}

/// How long a date is that a text begins with: `2026-11-21`.
fn date_at(text: &str) -> Option<usize> {
    const LENGTH: usize = "2026-11-21".len();
    let date = text.get(..LENGTH)?;
    let is_date = date.bytes().enumerate().all(|(place, byte)| match place {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    let ends = !text[LENGTH..].starts_with(|one: char| one.is_numeric());
    (is_date && ends).then_some(LENGTH)
}

/// Whether it is a time of day, a date, or an address: nothing that is read in another way.
fn is_whole(run: &str) -> bool {
    run.contains([':', '-'])
}

fn without_zero(run: &str) -> String {
    run.strip_prefix('0')
        .filter(|rest| rest.starts_with(|one: char| one.is_ascii_digit()))
        .unwrap_or(run)
        .to_owned()
}

/// One digit that is no share and counts nothing large.
fn is_small(run: &Run<'_>) -> bool {
    const LARGE: [&str; 7] = [
        "%", "‰", "percent", "per cent", "hundred", "thousand", "million",
    ];
    let mut characters = run.text.chars();
    let is_one =
        characters.next().is_some_and(|one| one.is_ascii_digit()) && characters.next().is_none();
    let mut next = run.behind.chars();
    let is_prefixed = next.next().is_some_and(|one| "kKMGT".contains(one))
        && !next.next().is_some_and(char::is_lowercase);
    let unit: String = (run.behind.trim_start().chars())
        .take(10)
        .flat_map(char::to_lowercase)
        .collect();
    is_one && !is_prefixed && !LARGE.iter().any(|word| unit.starts_with(word))
}

/// What a number may be: `1,234` is a thousand and more, `2,5` is two and a half, `1.234` is either.
fn readings(run: &str) -> Vec<String> {
    let parts: Vec<&str> = run.split(['.', ',']).collect();
    let is_grouped = |parts: &[&str]| {
        parts.len() > 1
            && (1..=3).contains(&parts[0].len())
            && parts[0] != "0"
            && parts[1..].iter().all(|part| part.len() == 3)
    };
    let mut readings = Vec::new();
    if is_grouped(&parts) {
        readings.push(plain(&parts.concat()));
    }
    if let [head @ .., last] = parts.as_slice()
        && is_grouped(head)
    {
        readings.push(plain(&format!("{}.{last}", head.concat())));
    }
    match parts.as_slice() {
        // A group of three behind a comma is no decimals, and zeros would be taken for nothing.
        [_, decimals] if decimals.len() == 3 && (run.contains(',') || *decimals == "000") => {}
        _ => readings.push(plain(&run.replace(',', "."))),
    }
    readings
}

/// `2.50` and `2.5` are one, and so are `09` and `9`.
fn plain(number: &str) -> String {
    let number = match number.split_once('.') {
        Some((_, decimals)) if !decimals.contains('.') => {
            number.trim_end_matches('0').trim_end_matches('.')
        }
        _ => number,
    };
    let whole = number.trim_start_matches('0');
    if whole.is_empty() || whole.starts_with('.') {
        format!("0{whole}")
    } else {
        whole.to_owned()
    }
}

fn decimals(number: &str) -> usize {
    number
        .split_once('.')
        .map_or(0, |(_, decimals)| decimals.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUESTION: &str = "Now it is 2026-11-21 10:06. disk_free_percent of db-1:/var/lib fell 31 → 2.54 between 09:40 and 10:05, \
                            response_time_ms of shop is 1500, table_rows rose to 12,345,678, 96.24, 10.0.0.5:5432, 500, 10";

    #[test]
    fn what_the_question_says_is_known_in_other_dresses_too() {
        let figures = Figures::of(QUESTION);
        for text in [
            "2.54 % are left, so 2.5 %, so about 3 %",
            "2,5 % are left, of 31",
            "It took 1500 ms, 1,500 ms, 1.500 ms, 1 500 ms or 1'500 ms.",
            "Since 09:40, or 9:40, until 10:05.",
            "12345678 rows, 12.345.678 rows",
            "96 % or 96.2 %",
            "On 2026-11-21 at 10.0.0.5:5432.",
            "1. look 2. think 3. act, with 2 others and 4 keys",
            "HTTP 500 and 10 others, 10 500",
        ] {
            assert!(figures.know_those_of(text), "{text}");
        }
    }

    #[test]
    fn what_it_does_not_say_is_found() {
        let figures = Figures::of(QUESTION);
        for text in [
            "4711 ms",
            "Since 10:40.",
            "Since 09:05.",
            "It began at 31:10.",
            "1,000 errors",
            "1.000 errors",
            "1 000 errors",
            "10 501",
            "5,000,000 rows",
            "5 % are left",
            "8k requests",
            "7 million rows",
            "97 %",
            "2.6 % are left",
            "2.541 % are left",
            "on 2026-11-20",
            "４７１１ of them",
            "٤٧١١",
            "½ of them",
            "10.0.0.6",
            "10.0.0.5:5433",
            "21 errors",
        ] {
            assert!(!figures.know_those_of(text), "{text}");
        }
    }
}
