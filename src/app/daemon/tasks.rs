//! The tasks that run as long as the daemon: each with its name.

use std::future::Future;
use std::time::Instant;

use tokio::task::JoinSet;

/// The tasks that run as long as the daemon.
#[derive(Default)]
pub(super) struct Tasks {
    set: JoinSet<&'static str>,
    running: Vec<&'static str>,
}

impl Tasks {
    pub(super) fn spawn(
        &mut self,
        name: &'static str,
        task: impl Future<Output = ()> + Send + 'static,
    ) {
        self.running.push(name);
        self.set.spawn(async move {
            let task = std::panic::AssertUnwindSafe(task);
            // The hook has logged where; the name is what the caller needs.
            let _panicked: bool = futures_util::FutureExt::catch_unwind(task).await.is_err();
            name
        });
    }

    /// The name of the next that ends.
    pub(super) async fn next_ended(&mut self) -> &'static str {
        match self.set.join_next().await {
            Some(Ok(name)) => {
                self.running.retain(|running| *running != name);
                name
            }
            Some(Err(_)) | None => "unknown",
        }
    }

    pub(super) async fn all_ended(&mut self, until: Instant) {
        let until = tokio::time::Instant::from_std(until);
        while !self.running.is_empty() {
            if tokio::time::timeout_at(until, self.next_ended())
                .await
                .is_err()
            {
                tracing::warn!(
                    event = "daemon.gave_up",
                    busy = self.names(),
                    "the grace period is over: these are given up"
                );
                self.set.shutdown().await;
                return;
            }
        }
    }

    pub(super) fn names(&self) -> String {
        self.running.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_task_that_ends_or_panics_is_named() {
        let mut tasks = Tasks::default();
        tasks.spawn("goes on", std::future::pending());
        tasks.spawn("panics", async { panic!("on purpose") });
        assert_eq!(tasks.next_ended().await, "panics");
        tasks.spawn("ends", async {});
        assert_eq!(tasks.next_ended().await, "ends");
        assert_eq!(tasks.names(), "goes on");
        // What does not end by itself is given up when the time is over.
        tasks
            .all_ended(Instant::now() + Duration::from_millis(20))
            .await;
    }
}
