//! Reports on their way out, one after the other.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use crate::app::Channels;
use crate::model::Report;
use crate::reporters::Means;

/// Sends what comes until there is nothing more to come.
pub(super) async fn send_reports(
    mut reports: mpsc::Receiver<Arc<Report>>,
    channels: watch::Receiver<Arc<Channels>>,
    means: Means,
) {
    while let Some(report) = reports.recv().await {
        let to = Arc::clone(&channels.borrow());
        let failed = to.send(Arc::clone(&report), &means).await;
        tracing::info!(
            event = "report.made",
            round.id = report.round.id,
            overall = %report.overall,
            green = report.counts.green,
            yellow = report.counts.yellow,
            red = report.counts.red,
            unknown = report.counts.unknown,
            changes = report.changes.len(),
            "a report was made"
        );
        for undelivered in failed {
            tracing::error!(
                event = "report.not_sent",
                round.id = report.round.id,
                reporter = undelivered.reporter,
                hint = undelivered.hint,
                "{}",
                undelivered.message
            );
        }
    }
}
