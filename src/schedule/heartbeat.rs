//! The beat of the daemon. It decides nothing: it makes the rounds look at the wall clock every second, so that a clock
//! that was set forward, or a machine that slept, is noticed at once. What is due is decided by [`super::Agenda`]
//! (`docs/decisions/0014-schedule.md`).

use std::sync::Arc;

use tokio::sync::Notify;
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};
use tokio_util::sync::CancellationToken;

/// Every second, in UTC: of all entries the one in which no zone and no calendar can go wrong.
const EVERY_SECOND: &str = "* * * * * *";

/// Beats until it is stopped.
///
/// # Errors
/// The scheduler could not be started.
pub async fn run(beat: Arc<Notify>, stop: CancellationToken) -> Result<(), JobSchedulerError> {
    let mut scheduler = JobScheduler::new().await?;
    let job = Job::new(EVERY_SECOND, move |_, _| beat.notify_one())?;
    scheduler.add(job).await?;
    scheduler.start().await?;
    stop.cancelled().await;
    scheduler.shutdown().await
}
