//! What a machine may lack.

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
