//! `/proc/stat`: what the processors did.

use std::time::Duration;

use super::metrics::{self, CPU_CORES, CPU_IOWAIT_PERCENT, CPU_PERCENT, CPU_STEAL_PERCENT};
use super::{Text, percent};
use crate::model::Reading;

/// What all processors together did since the start, in clock ticks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct CpuTimes {
    /// User, nice, system, irq, softirq. Guest times are not read: the kernel counts them in user and nice already.
    work: [u64; 5],
    idle: u64,
    /// Since Linux 2.5.41.
    iowait: Option<u64>,
    /// Since Linux 2.6.11.
    steal: Option<u64>,
}

/// What `/proc/stat` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stat {
    /// All processors together.
    pub(crate) times: CpuTimes,
    /// How many processors are online.
    pub(crate) cores: u32,
}

/// What share of a stretch of time the processors spent on what, 0 to 100.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(
    clippy::struct_field_names,
    reason = "names of numbers end with their unit"
)]
pub(crate) struct CpuShares {
    /// Neither idle nor waiting for disks.
    pub(crate) busy_percent: f64,
    /// Idle while a task waits for disks; `None` on kernels that do not count it.
    pub(crate) iowait_percent: Option<f64>,
    /// Taken away by the hypervisor; `None` on kernels that do not count it.
    pub(crate) steal_percent: Option<f64>,
}

/// Reads `/proc/stat`.
///
/// # Errors
/// Says what is missing, to stand behind the name of the file.
pub(crate) fn parse(text: &str) -> Result<Stat, String> {
    let mut times = None;
    let mut cores = 0;
    for line in text.lines() {
        let mut words = line.split_ascii_whitespace();
        let Some(number) = words.next().and_then(|word| word.strip_prefix("cpu")) else {
            continue;
        };
        if number.is_empty() {
            let columns: Result<Vec<u64>, _> = words.map(str::parse).collect();
            times = columns.ok().and_then(|columns| from_columns(&columns));
        } else if number.bytes().all(|byte| byte.is_ascii_digit()) {
            cores += 1;
        }
    }
    match times {
        Some(times) => Ok(Stat { times, cores }),
        None => Err("has no line `cpu` with at least four numbers".to_owned()),
    }
}

/// `proc_stat(5)`: user nice system idle iowait irq softirq steal `guest` `guest_nice`.
fn from_columns(columns: &[u64]) -> Option<CpuTimes> {
    let [user, nice, system, idle, ..] = columns else {
        return None;
    };
    let at = |index: usize| columns.get(index).copied();
    Some(CpuTimes {
        work: [
            *user,
            *nice,
            *system,
            at(5).unwrap_or(0),
            at(6).unwrap_or(0),
        ],
        idle: *idle,
        iowait: at(4),
        steal: at(7),
    })
}

impl CpuTimes {
    /// What was spent on what since `before`; `None` when the counters did not move.
    ///
    /// The formula of `psutil.cpu_percent` and of `top`: busy = total − idle − iowait, steal included. Each counter
    /// is compared on its own and never gives less than nothing, because iowait and idle may run backwards
    /// (`proc_stat(5)`).
    pub(crate) fn shares_since(&self, before: &Self) -> Option<CpuShares> {
        let since = |after: Option<u64>, before: Option<u64>| {
            Some(after?.saturating_sub(before.unwrap_or_default()))
        };
        let work = (self.work.iter().zip(&before.work))
            .map(|(after, before)| after.saturating_sub(*before))
            .fold(0, u64::saturating_add);
        let idle = self.idle.saturating_sub(before.idle);
        let iowait = since(self.iowait, before.iowait);
        let steal = since(self.steal, before.steal);
        let busy = work.saturating_add(steal.unwrap_or(0));
        let total = busy
            .saturating_add(idle)
            .saturating_add(iowait.unwrap_or(0));
        (total > 0).then(|| CpuShares {
            busy_percent: percent(busy, total),
            iowait_percent: iowait.map(|ticks| percent(ticks, total)),
            steal_percent: steal.map(|ticks| percent(ticks, total)),
        })
    }
}

/// Adds what two texts of `/proc/stat` say, read `interval` apart. Gives the number of cores, where it is known.
pub(crate) fn measure(
    reading: &mut Reading,
    before: &Text,
    after: &Text,
    interval: Duration,
) -> Option<u32> {
    let parsed = |text: &Text| match text {
        Ok(text) => parse(text).map_err(|error| format!("`/proc/stat` {error}")),
        Err(error) => Err(error.clone()),
    };
    let (before, after) = (parsed(before), parsed(after));
    let cores = match &after {
        Ok(stat) if stat.cores > 0 => Ok(stat.cores),
        Ok(_) => Err("`/proc/stat` names no processor".to_owned()),
        Err(error) => Err(error.clone()),
    };
    let shares = before.and_then(|before| {
        after?.times.shares_since(&before.times).ok_or_else(|| {
            let interval_ms = interval.as_millis();
            format!("the counters of `/proc/stat` did not move within {interval_ms} ms")
        })
    });
    match shares {
        Ok(shares) => {
            metrics::put(reading, &CPU_PERCENT, None, shares.busy_percent);
            if let Some(iowait_percent) = shares.iowait_percent {
                metrics::put(reading, &CPU_IOWAIT_PERCENT, None, iowait_percent);
            }
            if let Some(steal_percent) = shares.steal_percent {
                metrics::put(reading, &CPU_STEAL_PERCENT, None, steal_percent);
            }
            reading.fact("cpu_interval_ms", interval.as_millis().to_string());
        }
        Err(error) => {
            let missing = [&CPU_PERCENT, &CPU_IOWAIT_PERCENT, &CPU_STEAL_PERCENT];
            metrics::gap(reading, &missing, None, &error);
        }
    }
    match cores {
        Ok(cores) => {
            metrics::put(reading, &CPU_CORES, None, f64::from(cores));
            reading.fact("cores", cores.to_string());
            Some(cores)
        }
        Err(error) => {
            metrics::gap(reading, &[&CPU_CORES], None, &error);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Linux 6.18 in a virtual machine.
    const RECENT: &str = "\
cpu  20291 7 9381 674260 929 3 65 59 40 2
cpu0 9623 0 3584 339140 172 3 15 29 40 2
cpu1 10667 7 5797 335119 756 0 50 30 0 0
intr 1182640 0 29 0 0
ctxt 1922110
btime 1795260000
processes 11532
";
    /// Linux 2.6.9 (RHEL 4): neither steal nor guests.
    const OLD: &str =
        "cpu  46828 0 16375 8192710 3452 120 401\ncpu0 46828 0 16375 8192710 3452 120 401\n";
    /// Linux 2.4: four columns only.
    const OLDEST: &str = "cpu  100 20 30 850\ncpu0 100 20 30 850\n";

    fn read(text: &str) -> Stat {
        parse(text).expect(text)
    }

    #[test]
    fn kernels_of_all_ages_are_read() {
        let recent = read(RECENT);
        assert_eq!(recent.cores, 2);
        assert_eq!(recent.times.work, [20291, 7, 9381, 3, 65]);
        assert_eq!(recent.times.idle, 674_260);
        assert_eq!(
            (recent.times.iowait, recent.times.steal),
            (Some(929), Some(59))
        );
        let old = read(OLD);
        assert_eq!(
            (old.cores, old.times.iowait, old.times.steal),
            (1, Some(3452), None)
        );
        assert_eq!(read(OLDEST).times.iowait, None);
    }

    #[test]
    fn what_is_garbled_is_refused() {
        for text in [
            "",
            "cpu\n",
            "cpu  1 2 3\n",
            "cpu  1 2 3 x\n",
            "cpu  -1 2 3 4\n",
            "cpu0 1 2 3 4\n",
            "cpus 1 2 3 4\n",
        ] {
            assert!(parse(text).is_err(), "`{text}` was taken");
        }
    }

    #[test]
    fn busy_is_neither_idle_nor_waiting_and_counts_guests_once() {
        let before = read("cpu  100 0 100 1000 100 0 0 0 50 0\n");
        // 40 user (30 of them for a guest), 10 system, 120 idle, 20 iowait, 10 steal: 200 in all.
        let after = read("cpu  140 0 110 1120 120 0 0 10 80 0\n");
        let shares = after
            .times
            .shares_since(&before.times)
            .expect("the counters moved");
        let expected = CpuShares {
            busy_percent: 30.0,
            iowait_percent: Some(10.0),
            steal_percent: Some(5.0),
        };
        assert_eq!(shares, expected);
    }

    #[test]
    fn a_counter_that_runs_backwards_counts_nothing() {
        let before = read("cpu  100 0 100 1000 500 0 0 0 0 0\n");
        let after = read("cpu  150 0 100 1050 400 0 0 0 0 0\n");
        let shares = after
            .times
            .shares_since(&before.times)
            .expect("the counters moved");
        assert_eq!(shares.iowait_percent, Some(0.0));
        assert!((shares.busy_percent - 50.0).abs() < 1e-9);
    }

    #[test]
    fn counters_that_stand_still_are_a_gap() {
        let mut reading = Reading::default();
        let text = Ok(RECENT.to_owned());
        let cores = measure(&mut reading, &text, &text, Duration::from_millis(250));
        assert_eq!(cores, Some(2));
        let gaps: Vec<_> = reading.gaps.iter().map(|gap| gap.metric).collect();
        assert_eq!(
            gaps,
            ["cpu_percent", "cpu_iowait_percent", "cpu_steal_percent"]
        );
        assert_eq!(
            reading.gaps[0].message,
            "the counters of `/proc/stat` did not move within 250 ms"
        );
    }

    #[test]
    fn metrics_that_the_kernel_does_not_count_are_left_out() {
        let mut reading = Reading::default();
        let after = OLDEST.replace("100", "150");
        measure(
            &mut reading,
            &Ok(OLDEST.to_owned()),
            &Ok(after),
            Duration::from_secs(1),
        );
        let measured: Vec<_> = reading.measurements.iter().map(|one| one.metric).collect();
        assert_eq!(measured, ["cpu_percent", "cpu_cores"]);
        assert!(reading.gaps.is_empty());
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(cpu[0-9]{0,2}( -?[0-9]{0,20}){0,12}\n?){0,4}|\\PC{0,80}") {
            prop_assert!(parse(&text).is_ok() || parse(&text).is_err());
        }

        #[test]
        fn shares_lie_between_0_and_100(
            before in proptest::collection::vec(any::<u64>(), 4..12),
            after in proptest::collection::vec(any::<u64>(), 4..12),
        ) {
            let before = from_columns(&before).expect("four columns");
            let after = from_columns(&after).expect("four columns");
            if let Some(shares) = after.shares_since(&before) {
                for percent in [
                    shares.busy_percent,
                    shares.iowait_percent.unwrap_or(0.0),
                    shares.steal_percent.unwrap_or(0.0),
                ] {
                    prop_assert!((0.0..=100.0).contains(&percent), "{shares:?}");
                }
            }
        }
    }
}
