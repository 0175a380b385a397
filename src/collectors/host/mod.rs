//! What a Linux host says about itself, as pure functions: the text of its files → structs → measurements.
//!
//! Nothing here reads anything. How the text is had is the business of the kinds: `local_hosts` opens the files,
//! `vps_servers` asks for them over SSH; both say the same about the same text.
//!
//! How you could get this wrong, and what catches it: a number that is missing or garbled must become a gap,
//! never a zero; the broken texts beside each parser check that, and property tests check that nothing panics.

pub(crate) mod cgroup;
pub(crate) mod choice;
pub(crate) mod cpu;
pub(crate) mod disk;
pub(crate) mod memory;
pub(crate) mod metrics;
pub(crate) mod mounts;
pub(crate) mod process;
pub(crate) mod system;

/// The text of a file, or why it could not be had.
pub(crate) type Text = Result<String, String>;

/// A counter as a number that can be divided.
#[expect(
    clippy::cast_precision_loss,
    reason = "2^53 bytes are 8 PiB, and a percentage does not see the difference above it"
)]
pub(crate) fn float(counter: u64) -> f64 {
    counter as f64
}

/// The share of a whole, 0 to 100. A whole of zero gives a number that is not finite, which becomes a gap.
pub(crate) fn percent(part: u64, whole: u64) -> f64 {
    // Multiplied first, so that 7 of 10 is 70 exactly: limits are strict.
    let percent = 100.0 * float(part) / float(whole);
    if percent > 100.0 && part <= whole {
        return 100.0; // rounding
    }
    percent
}

/// A size for people, in binary units.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    let mut size = float(bytes) / 1024.0;
    let mut unit = 0;
    while size >= 1000.0 && unit + 1 < UNITS.len() {
        size /= 1024.0;
        unit += 1;
    }
    let decimals = usize::from(size < 10.0 && unit > 1);
    format!("{size:.decimals$} {}", UNITS[unit])
}

/// One line without control characters: what processes and mount points are called is up to their makers, and
/// ends up on people's terminals.
pub(crate) fn one_line(text: &str) -> String {
    text.trim()
        .chars()
        .filter(|character| !character.is_control())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short() {
        for (bytes, text) in [
            (0, "0 KiB"),
            (4096, "4 KiB"),
            (1_048_576, "1 MiB"),
            (536_870_912, "512 MiB"),
            (1_073_741_824, "1.0 GiB"),
            (1_610_612_736, "1.5 GiB"),
            (25_276_510_208, "24 GiB"),
            (u64::MAX, "16384 PiB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }

    #[test]
    fn shares_are_exact_where_limits_are_strict() {
        for (part, whole, expected) in [
            (7, 10, 70.0),
            (57, 100, 57.0),
            (0, 3, 0.0),
            (u64::MAX, u64::MAX, 100.0),
            (3, 2, 150.0),
        ] {
            assert!(
                (percent(part, whole) - expected).abs() < f64::EPSILON,
                "{part} of {whole}"
            );
        }
        assert!(percent(0, 0).is_nan());
    }

    #[test]
    fn a_line_holds_no_escape_sequences() {
        assert_eq!(one_line(" a\u{1b}[31mb\n"), "a[31mb");
    }
}
