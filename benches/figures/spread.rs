//! A round whose looks are spread over a minute, as the daemon spreads them, in a process of its own.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use roundsman::app::{App, Before};
use roundsman::config::{self, Environment, Found};

use crate::measure::{Run, run};

/// Over how long the looks are spread.
const SPREAD: Duration = Duration::from_mins(1);

/// Looks at all targets of a configuration, spread over [`SPREAD`], in a process of its own.
pub(crate) fn process(config: &Path) -> Result<Run> {
    let mut command = Command::new(std::env::current_exe()?);
    let run = run(command.arg("spread").arg(config))?;
    if run.exit_code != Some(0) {
        bail!("the spread round failed: {}{}", run.output, run.complaints);
    }
    Ok(run)
}

/// What that process does: the parts that the program itself is made of, with nothing of the bench in between.
pub(crate) fn look(config: &str) -> Result<ExitCode> {
    let mut problems = Vec::new();
    let environment = Environment::from_parts(BTreeMap::new(), Path::new("."), &mut problems);
    let Found::File(loaded) = config::load(Some(Path::new(config)), &environment, Path::new("."))
    else {
        bail!("no configuration");
    };
    let plan = loaded.plan.context("a configuration without mistakes")?;
    let app = App::new(&plan.watched, &plan).spread_over(SPREAD);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let report = runtime.block_on(app.round(&plan.watched, &Before::default(), true, &|_| ()));
    if report.counts.green != plan.watched.len() {
        bail!("not all were GREEN: {:?}", report.counts);
    }
    Ok(ExitCode::SUCCESS)
}
