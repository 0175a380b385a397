//! Where the servers from the Python and the Node.js registry were installed.

use std::path::PathBuf;

/// A program that `scripts/install-test-packages` installed.
#[expect(
    clippy::disallowed_methods,
    reason = "the script that installs it asks the same variables"
)]
pub(crate) fn installed(path: &str) -> PathBuf {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")));
    let file = cache
        .expect("a cache folder")
        .join("roundsman/servers")
        .join(path);
    assert!(
        file.exists(),
        "`{}` is not there: `make test` installs what the tests need",
        file.display()
    );
    file
}
