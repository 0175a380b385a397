/// A place from 0 up to 1 that hangs on a text alone, so that a target keeps it over restarts. Another seed gives another.
///
/// FNV-1a (<https://datatracker.ietf.org/doc/draft-eastlake-fnv/>), then the last step of MurmurHash3, since the upper
/// bits of FNV are much alike for texts that differ in their last letters.
#[must_use]
pub fn share(text: &str, seed: u64) -> f64 {
    let mut hash = 0xCBF2_9CE4_8422_2325_u64 ^ seed;
    for byte in text.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
    }
    for factor in [0xFF51_AFD7_ED55_8CCD_u64, 0xC4CE_B9FE_1A85_EC53] {
        hash = (hash ^ (hash >> 33)).wrapping_mul(factor);
    }
    hash ^= hash >> 33;
    // 53 bits are what a float holds exactly.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are exact")]
    let share = (hash >> 11) as f64 / (1_u64 << 53) as f64;
    share
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_thousand_names_are_spread_evenly() {
        let mut buckets = [0_u32; 100];
        for index in 0..10_000 {
            let share = share(&format!("api_endpoints/shop-{index}"), 0);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "from 0 to 99"
            )]
            let bucket = (share * 100.0) as usize;
            buckets[bucket] += 1;
        }
        assert!(
            buckets.iter().all(|count| (60..=140).contains(count)),
            "{buckets:?}"
        );
    }

    #[test]
    fn a_name_keeps_its_place() {
        let place = |seed| format!("{:.6}", share("vps_servers/web-1", seed));
        assert_eq!(place(0), place(0));
        assert_ne!(place(0), place(1));
    }
}
