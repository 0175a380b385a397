//! The uptime of a week, sent by the daemon.

use std::time::Duration;

use super::{Endpoints, Hook};
use crate::support::daemon::Daemon;
use crate::support::program::Workplace;

/// The shortest schedule is a minute.
const A_MINUTE_AND_A_LITTLE: Duration = Duration::from_secs(75);

#[tokio::test]
async fn it_comes_on_its_schedule_with_what_was_seen() {
    let (shops, hook) = (Endpoints::start().await, Hook::start().await);
    shops.fail("blog");
    let yaml = format!(
        "monitoring: {{every: 1s, for: 1, adaptive: false}}\n{}\
         report: {{when: problems, schedule: \"0 0 1 1 *\", weekly: \"* * * * *\"}}\nreporters:\n  - {}\n",
        shops.targets(&["shop", "blog"], ""),
        hook.reporter()
    );
    let place = Workplace::with_configuration(&yaml);
    let daemon = Daemon::start(&place);
    let told = async {
        loop {
            let posts = hook.posts().into_iter();
            let mut notes = posts.filter(|post| {
                post["event"] == "note" && post["title"].to_string().contains("ptime")
            });
            if let Some(note) = notes.next() {
                return note;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let told = tokio::time::timeout(A_MINUTE_AND_A_LITTLE, told).await;
    let told = told.expect("the uptime within a minute").to_string();
    daemon.stop().await.assert_code(0);
    assert!(told.contains("shop") && told.contains("blog"), "{told}");
}
