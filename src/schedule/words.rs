//! A cron entry in words.

/// What the entry says, to stand in the middle of a sentence: no capital and no full stop.
pub(super) fn of(entry: &croner::Cron) -> String {
    let described = entry.describe();
    let described = described.trim_end_matches('.');
    // The parser's words for days and months are good; those for times are not: `At minute 0, of every 6 hours`.
    let days_at = [", on ", ", in "]
        .iter()
        .filter_map(|start| described.find(start))
        .min();
    let (times, days) = described.split_at(days_at.unwrap_or(described.len()));
    let times = times_of(entry).unwrap_or_else(|| lower_first(times));
    let days = days.replace(
        "Monday, Tuesday, Wednesday, Thursday, and Friday",
        "Monday to Friday",
    );
    format!("{times}{days}")
}

/// The times of the common shapes of entries.
fn times_of(entry: &croner::Cron) -> Option<String> {
    /// More times than this make no readable list.
    const MOST_LISTED: usize = 6;

    let (minutes, hours) = (entry.pattern.minutes.values(), entry.pattern.hours.values());
    let (first_minute, last_minute) = (*minutes.first()?, *minutes.last()?);
    let (first_hour, last_hour) = (*hours.first()?, *hours.last()?);
    let hour_step = even_step(&hours, 24);
    if hour_step == Some(1) && minutes == [first_minute] && first_minute != 0 {
        return Some(format!("every hour at minute {first_minute}"));
    }
    if minutes == [0]
        && let Some(hour_step) = hour_step
    {
        return Some(every(hour_step, "hour"));
    }
    if minutes.len() * hours.len() <= MOST_LISTED {
        let times = hours
            .iter()
            .flat_map(|hour| minutes.iter().map(|minute| clock(*hour, *minute)));
        return Some(format!("at {}", listed(&times.collect::<Vec<_>>())));
    }
    let rhythm = if minutes == [first_minute] {
        every(1, "hour")
    } else {
        every(even_step(&minutes, 60)?, "minute")
    };
    if hour_step == Some(1) {
        return Some(rhythm);
    }
    let (first, last) = (
        clock(first_hour, first_minute),
        clock(last_hour, last_minute),
    );
    // Hours apart from one another have a pause between them that no `from` and `to` tells of.
    let is_unbroken = hours.windows(2).all(|pair| pair[1] == pair[0] + 1);
    is_unbroken.then(|| format!("{rhythm} from {first} to {last}"))
}

/// The step between `values`, when it stays the same from 0 all around the clock.
fn even_step(values: &[u16], around: u16) -> Option<u16> {
    let [0, step, ..] = *values else { return None };
    let is_even = values.windows(2).all(|pair| pair[1] - pair[0] == step)
        && values.last() == Some(&(around - step));
    is_even.then_some(step)
}

fn every(count: u16, unit: &str) -> String {
    match count {
        1 => format!("every {unit}"),
        count => format!("every {count} {unit}s"),
    }
}

fn clock(hour: u16, minute: u16) -> String {
    format!("{hour:02}:{minute:02}")
}

fn listed(items: &[String]) -> String {
    match items {
        [front @ .., last] if !front.is_empty() => format!("{} and {last}", front.join(", ")),
        items => items.concat(),
    }
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(letters).collect()
    })
}

#[cfg(test)]
mod tests {
    use crate::schedule::Cron;

    #[test]
    fn entries_read_as_people_say_them() {
        let said = [
            "0 */6 * * *",
            "0 9,17 * * 1-5",
            "*/15 9-17 * * 1-5",
            "0 0 13 * 5",
            "30 2 * * 0",
            "* * * * *",
            "*/5 * * * *",
            "0 * * * *",
            "20 * * * *",
            "30 8-18 * * 1-5",
            "30 */6 * * *",
            "0 */5 * * *",
            "0,30 12 1 1,7 *",
            "*/10 2 * * *",
            "*/15 9,17 * * *",
            "7,21 * * * *",
            "0 0 L * *",
            "@daily",
        ]
        .map(|entry| format!("{entry:20} {}", entry.parse::<Cron>().unwrap().in_words()));
        insta::assert_snapshot!(said.join("\n"), @r"
        0 */6 * * *          every 6 hours
        0 9,17 * * 1-5       at 09:00 and 17:00, on Monday to Friday
        */15 9-17 * * 1-5    every 15 minutes from 09:00 to 17:45, on Monday to Friday
        0 0 13 * 5           at 00:00, on day 13 or Friday
        30 2 * * 0           at 02:30, on Sunday
        * * * * *            every minute
        */5 * * * *          every 5 minutes
        0 * * * *            every hour
        20 * * * *           every hour at minute 20
        30 8-18 * * 1-5      every hour from 08:30 to 18:30, on Monday to Friday
        30 */6 * * *         at 00:30, 06:30, 12:30 and 18:30
        0 */5 * * *          at 00:00, 05:00, 10:00, 15:00 and 20:00
        0,30 12 1 1,7 *      at 12:00 and 12:30, on day 1, in January and July
        */10 2 * * *         at 02:00, 02:10, 02:20, 02:30, 02:40 and 02:50
        */15 9,17 * * *      at every 15 minutes, of hour 9 and 17
        7,21 * * * *         at minute 7 and 21 past every hour
        0 0 L * *            at 00:00, on the last day of the month
        @daily               at 00:00
        ");
    }
}
