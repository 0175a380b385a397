//! The purse under pressure: four processes ask for more than there is, all at once.

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use roundsman::clock::{Clock as _, SystemClock};
use roundsman::model::UsDollars;
use roundsman::purse::{Budget, Ledger as _, Purpose, Settled, Wanted};
use roundsman::store::{FileLedger, spendings};

use crate::measure::Line;

const PROCESSES: u32 = 4;
const EACH: u32 = 250;
const THREADS: u32 = 5;

/// What one reservation asks for, and what there is: enough for 300 of 1,000, and a bit.
const WORST_NANOS: u64 = 1_000_003;
const DAILY_NANOS: u64 = 300 * WORST_NANOS + 17;

fn budget() -> Budget {
    Budget {
        daily: UsDollars::from_nanos(DAILY_NANOS),
        zone: chrono_tz::UTC,
    }
}

/// What is spent at most, and how long it takes.
pub(crate) fn figures(folder: &Path) -> Result<Vec<Line>> {
    let place = folder.join("purse");
    std::fs::create_dir_all(&place)?;
    let began = Instant::now();
    let mut running = Vec::new();
    for _ in 0..PROCESSES {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("reserve").arg(&place).stdout(Stdio::null());
        running.push(command.spawn()?);
    }
    for mut process in running {
        ensure!(process.wait()?.success(), "a process failed");
    }
    let took = began.elapsed();
    let today = budget().day(SystemClock.now());
    let spent = spendings(&place, &today, &today)?;
    let calls: u64 = spent.iter().map(|one| one.calls).sum();
    let cost: UsDollars = spent.iter().map(|one| one.cost).sum();
    #[expect(clippy::cast_precision_loss, reason = "a sum of money below a dollar")]
    let over = cost.nanos().saturating_sub(DAILY_NANOS) as f64;
    Ok(vec![
        Line::at_most(
            "spent beyond the budget by 4 processes",
            over,
            "billionths of a dollar",
            0.0,
        ),
        Line::note(
            "reservations asked for, and granted",
            format!("{}, {calls}", PROCESSES * EACH),
        ),
        Line::note(
            "for each, on disk",
            format!(
                "{:.1} ms",
                took.as_secs_f64() * 1_000.0 / f64::from(PROCESSES * EACH)
            ),
        ),
    ])
}

/// The other side: reserves as much as it gets, and settles half of it at its full price.
pub(crate) fn reserve(folder: &str) -> Result<ExitCode> {
    let ledger = FileLedger::new(folder.into());
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|_| {
                scope.spawn(|| (0..EACH / THREADS).try_for_each(|number| one(&ledger, number)))
            })
            .collect();
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().ok().context("a thread panicked")?)
    })?;
    Ok(ExitCode::SUCCESS)
}

fn one(ledger: &FileLedger, number: u32) -> Result<()> {
    let wanted = Wanted {
        purpose: Purpose::Analysis,
        provider: "bench".to_owned(),
        model: "any".to_owned(),
        worst: UsDollars::from_nanos(WORST_NANOS),
    };
    if let Ok(reserved) = ledger.reserve(&budget(), &wanted, SystemClock.now())
        && number.is_multiple_of(2)
    {
        let settled = Settled {
            cost: wanted.worst,
            ..Settled::default()
        };
        ledger.settle(reserved, &settled)?;
    }
    Ok(())
}
