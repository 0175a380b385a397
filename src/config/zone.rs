//! The time zone where the configuration names none.

use chrono_tz::{TZ_VARIANTS, Tz, UTC};

use super::Environment;
use crate::document::shown_name;
use crate::problem::{Problem, nearest};

/// Where the files of the zones lie; their names below it are those of the zones.
const FOLDERS: [&str; 2] = ["/usr/share/zoneinfo/", "/etc/zoneinfo/"];

/// The zone of `TZ`, else of the system, else UTC. A `TZ` that is there and names no zone is told of: schedules would be
/// off by hours, and nobody would know why.
pub(super) fn of_the_system(environment: &Environment, problems: &mut Vec<Problem>) -> Tz {
    let by_system = || iana_time_zone::get_timezone().ok()?.parse().ok();
    let written = environment
        .get("TZ")
        .map(|text| text.trim().trim_start_matches(':'));
    match written {
        None | Some("" | "/etc/localtime") => by_system().unwrap_or(UTC),
        Some(text) => by_name(text).unwrap_or_else(|| {
            let zone = by_system().unwrap_or(UTC);
            problems.push(unreadable(text, zone));
            zone
        }),
    }
}

/// By its name, by the path of its file, or by a link to that.
fn by_name(text: &str) -> Option<Tz> {
    let below = |path: &str| {
        let name = FOLDERS
            .iter()
            .find_map(|folder| path.strip_prefix(folder))?;
        name.parse().ok()
    };
    if !text.starts_with('/') {
        return text.parse().ok();
    }
    below(text).or_else(|| below(std::fs::canonicalize(text).ok()?.to_str()?))
}

fn unreadable(text: &str, zone: Tz) -> Problem {
    let names = || TZ_VARIANTS.iter().map(|zone| zone.name());
    let is_city =
        |name: &&str| (name.rsplit('/').next()).is_some_and(|city| city.eq_ignore_ascii_case(text));
    let near = names().find(is_city).or_else(|| nearest(text, names()));
    let example = near.unwrap_or("Europe/Berlin");
    let message = format!(
        "the variable `TZ` names no zone that we know, found {}: times are those of `{zone}`",
        shown_name(text)
    );
    Problem::warning(message).hint(format!(
        "set `monitoring.timezone: {example}`, or `TZ={example}`; rules such as `CET-1CEST` are not read"
    ))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use chrono_tz::Europe;

    use super::*;

    fn zone(text: &str) -> (Tz, Vec<Problem>) {
        let variables = BTreeMap::from([("TZ".to_owned(), text.to_owned())]);
        let nowhere = Path::new("/nowhere");
        let environment = Environment::from_parts(variables, nowhere, &mut Vec::new());
        let mut problems = Vec::new();
        let zone = of_the_system(&environment, &mut problems);
        (zone, problems)
    }

    #[test]
    fn zones_are_named_by_name_and_by_file() {
        for text in [
            "Europe/Berlin",
            ":Europe/Berlin",
            "/usr/share/zoneinfo/Europe/Berlin",
            ":/usr/share/zoneinfo/Europe/Berlin",
        ] {
            let (zone, problems) = zone(text);
            assert_eq!(zone, Europe::Berlin, "{text}");
            assert!(problems.is_empty(), "{problems:?}");
        }
    }

    #[test]
    fn the_zone_of_the_system_is_no_mistake() {
        let system = iana_time_zone::get_timezone().ok();
        let system = system.and_then(|name| name.parse().ok()).unwrap_or(UTC);
        for text in ["", ":", "/etc/localtime", ":/etc/localtime"] {
            let (zone, problems) = zone(text);
            assert_eq!(zone, system, "{text}");
            assert!(problems.is_empty(), "{problems:?}");
        }
    }

    #[test]
    fn a_zone_that_nobody_knows_is_told_of() {
        for (text, near) in [
            ("Berlin", "Europe/Berlin"),
            ("Europe/Berln", "Europe/Berlin"),
            ("Mars/Foo", ""),
            ("CET-1CEST,M3.5.0,M10.5.0/3", ""),
        ] {
            let (_, problems) = zone(text);
            let [problem] = &problems[..] else {
                panic!("{text}: {problems:?}");
            };
            let said = problem.to_string();
            assert!(
                said.contains("`TZ` names no zone") && said.contains("times are those of"),
                "{said}"
            );
            assert!(
                said.contains(&format!("`monitoring.timezone: {near}")),
                "{said}"
            );
        }
    }
}
