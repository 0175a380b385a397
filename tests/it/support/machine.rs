//! What a machine may lack, and how long it works.

use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

/// Says that a test cannot run here. In CI that is a failure: a skipped test is no passed one.
#[expect(clippy::print_stderr, reason = "the person at the prompt must know")]
#[expect(
    clippy::disallowed_methods,
    reason = "whether this is CI is known to the environment alone"
)]
pub(crate) fn cannot_run(why: &str) {
    assert!(
        std::env::var_os("CI").is_none(),
        "this test cannot run here: {why}"
    );
    eprintln!("NOT RUN: {why}");
}

/// What some work gives, and how long the processor worked for this thread meanwhile: other than the time that passes,
/// that does not depend on what else the machine does.
pub(crate) fn processor_time<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let used = || {
        let used = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).expect("a clock of this thread");
        Duration::from(used)
    };
    let before = used();
    (work(), used().saturating_sub(before))
}
