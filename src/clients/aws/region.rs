//! Whether a text can be a region.

use crate::document::shown_name;
use crate::problem::{SettingsProblem, Severity};

/// The middle of a region's name. Those that begin with others come first.
const SIDES: [&str; 9] = [
    "northeast",
    "northwest",
    "southeast",
    "southwest",
    "north",
    "south",
    "east",
    "west",
    "central",
];

/// What is to be said of the region under that key: all have the form of `eu-central-1` and `us-gov-west-1`. New ones come
/// each year, so that it is only a warning.
#[must_use]
pub fn check(key: &'static str, region: &str) -> Option<SettingsProblem> {
    // A variable may leave it empty.
    if region.trim().is_empty() || is_one(region.trim()) {
        return None;
    }
    let hint = meant(region).map_or_else(
        || "regions look like `eu-central-1`".to_owned(),
        |meant| format!("did you mean `{meant}`?"),
    );
    Some(SettingsProblem {
        severity: Severity::Warning,
        ..SettingsProblem::error(
            key,
            format!("{} is no region of AWS", shown_name(region)),
            hint,
        )
    })
}

fn is_one(text: &str) -> bool {
    let mut parts = text.split('-');
    let is_word = |part: &str| part.len() > 1 && part.chars().all(|c| c.is_ascii_lowercase());
    let area = parts
        .next()
        .is_some_and(|part| (2..=4).contains(&part.len()) && is_word(part));
    let number = parts.next_back().is_some_and(|part| {
        (1..=2).contains(&part.len()) && part.chars().all(|c| c.is_ascii_digit())
    });
    let middle: Vec<&str> = parts.collect();
    area && number && (1..=2).contains(&middle.len()) && middle.iter().all(|part| is_word(part))
}

/// The region whose hyphens are missing, or are other signs.
fn meant(text: &str) -> Option<String> {
    let letters: String = text
        .to_lowercase()
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect();
    let number = letters.trim_start_matches(|c: char| !c.is_ascii_digit());
    let words = letters.strip_suffix(number)?;
    let side = SIDES.iter().find(|side| words.ends_with(**side))?;
    let area = words.strip_suffix(side)?;
    let area = match area.split_at_checked(2)? {
        (area, "") => area.to_owned(),
        (area, more) => format!("{area}-{more}"),
    };
    let meant = format!("{area}-{side}-{number}");
    is_one(&meant).then_some(meant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_told_by_their_form() {
        for region in [
            "us-east-1",
            "eu-central-1",
            "ap-southeast-4",
            "us-gov-west-1",
            "us-isob-east-1",
            "cn-northwest-1",
            "il-central-1",
            "eusc-de-east-1",
            " eu-west-1 ",
            "",
        ] {
            assert_eq!(check("region", region), None, "{region}");
        }
        for (region, said) in [
            ("eu_central_1", "did you mean `eu-central-1`?"),
            ("useast1", "did you mean `us-east-1`?"),
            ("US-East-1", "did you mean `us-east-1`?"),
            ("apsoutheast2", "did you mean `ap-southeast-2`?"),
            ("usgovwest1", "did you mean `us-gov-west-1`?"),
            ("Frankfurt", "regions look like `eu-central-1`"),
            ("eu-central", "regions look like `eu-central-1`"),
            ("eu-central-1a", "regions look like `eu-central-1`"),
        ] {
            let problem = check("region", region).expect(region);
            assert_eq!(problem.hint.as_deref(), Some(said), "{region}");
            assert_eq!(problem.severity, Severity::Warning);
        }
    }
}
