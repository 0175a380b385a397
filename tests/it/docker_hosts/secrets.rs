//! Environments and commands of containers hold passwords: nothing of them is ever said.

use super::{Watcher, through_socket};
use crate::support::dockerd::{container, dockerd};

const CANARY: &str = "canary-4711";

#[tokio::test]
async fn no_environment_and_no_command_is_ever_said() {
    let dockerd = dockerd().await;
    let talkative = |name, command: &str| {
        container(name, &format!(": {CANARY}; {command}")).variable(&format!("PASSWORD={CANARY}"))
    };
    dockerd.run(talkative("talkative-failed", "exit 1")).await;
    dockerd
        .run(talkative("talkative-checked", "sleep 1000").checked_by(&format!(": {CANARY}; false")))
        .await;
    dockerd.wait_for_state("talkative-failed", "exited").await;
    dockerd
        .wait_for_health("talkative-checked", "unhealthy")
        .await;
    let watcher = Watcher::new(&through_socket(dockerd, "include: 'talkative-*'"));
    for _ in 0..2 {
        let looked = watcher.look().await;
        assert_eq!(looked.findings().len(), 2, "{:?}", looked.findings());
        let said = format!("{looked:?}");
        assert!(!said.contains(CANARY), "{said}");
    }
    dockerd.remove("talkative-checked").await;
}
