//! Very many targets at once.

use super::{Endpoints, Hook};
use crate::support::daemon::Daemon;
use crate::support::program::Workplace;

const COUNT: usize = 1_000;

#[tokio::test]
async fn a_thousand_that_fail_at_once_are_few_messages() {
    let (shops, hook) = (Endpoints::start().await, Hook::start().await);
    shops.fail("*");
    let names: Vec<String> = (0..COUNT).map(|index| format!("shop-{index}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let yaml = format!(
        "monitoring: {{every: 1h, confirm_after: 1s, adaptive: false}}\n{}\
         report: {{when: problems, schedule: \"0 0 1 1 *\"}}\nincidents: {{group_window: 3s}}\nreporters:\n  - {}\n",
        shops.targets(&names, ""),
        hook.reporter()
    );
    let place = Workplace::with_configuration(&yaml);
    let mut daemon = Daemon::start(&place);
    daemon.event("message.sent").await;
    let told = || -> usize {
        let posts = hook.posts();
        let of = |post: &serde_json::Value| -> Vec<serde_json::Value> {
            match post["event"].as_str() {
                Some("incident") => vec![post["incident"].clone()],
                Some("incidents") => post["incidents"].as_array().cloned().unwrap_or_default(),
                _ => Vec::new(),
            }
        };
        let all: std::collections::BTreeMap<u64, usize> = (posts.iter().flat_map(of))
            .map(|incident| {
                let counts = incident["counts"].as_object().expect("counts");
                let count: u64 = counts.values().filter_map(serde_json::Value::as_u64).sum();
                (
                    incident["id"].as_u64().expect("a number"),
                    usize::try_from(count).expect("few"),
                )
            })
            .collect();
        all.values().sum()
    };
    super::until("all of them", || told() == COUNT).await;
    daemon.stop().await.assert_code(0);
    let titles: Vec<String> = (hook.posts().iter())
        .filter(|post| post["event"] != "report")
        .map(|post| format!("{} {}", post["event"], post["title"]))
        .collect();
    assert!(titles.len() <= 5, "{titles:#?}");
}
