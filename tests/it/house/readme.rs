//! The README is short, and its configuration works.

use super::read;
use crate::support::program::Workplace;

#[test]
fn it_is_short() {
    let lines = read("README.md").lines().count();
    assert!(lines <= 200, "README.md has {lines} lines, more than 200");
}

#[test]
fn its_configuration_loads() {
    let readme = read("README.md");
    let blocks: Vec<&str> = readme.split("```yaml\n").skip(1).collect();
    assert!(!blocks.is_empty(), "README.md shows no configuration");
    for block in blocks {
        let yaml = block.split("```").next().unwrap_or_default();
        let folder = Workplace::with_configuration(yaml)
            .variable("API_TOKEN", "canary")
            .variable("TELEGRAM_BOT_TOKEN", "123456789:canary")
            .variable("HOOK_SECRET", "canary")
            .variable(
                "SLACK_WEBHOOK_URL",
                "https://hooks.slack.com/services/T0/B0/canary",
            );
        let loaded = folder.load().expect("a file");
        assert!(loaded.plan.is_some(), "{}", folder.problems());
    }
}
