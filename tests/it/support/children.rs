//! Child processes that end with this process, however it ends.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use tokio::net::TcpStream;

/// Runs the command until the pipe on its standard input closes, then removes the folder.
const UNTIL_THE_PIPE_CLOSES: &str =
    r#"folder=$1; shift; "$@" & pid=$!; read -r _; kill $pid; wait; rm -rf "$folder""#;

/// A server that runs beside the tests. It ends when this is dropped, or when this process is gone.
pub(crate) struct Server {
    _child: Child,
    _pipe: ChildStdin,
}

impl Server {
    /// Starts a program whose state is all in a folder, which is removed when it ends.
    pub(crate) fn start(folder: &Path, program: &str, arguments: &[&str]) -> Self {
        let mut child = Command::new("sh")
            .args(["-c", UNTIL_THE_PIPE_CLOSES, "sh"])
            .arg(folder)
            .arg(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("`sh` starts");
        let pipe = child.stdin.take().expect("a pipe");
        Self {
            _child: child,
            _pipe: pipe,
        }
    }
}

/// Fails with what to do where a program is not installed.
pub(crate) fn require(program: &str) {
    let found = Command::new("sh")
        .args(["-c", "command -v \"$1\"", "sh", program])
        .stdout(Stdio::null())
        .status();
    assert!(
        found.is_ok_and(|status| status.success()),
        "`{program}` is not installed: `make test` installs what the tests need"
    );
}

/// A port that nothing listens on at the moment.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("its address").port()
}

/// Waits until something listens on a port.
pub(crate) async fn listening(port: u16, who: &str) {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let answered = async {
        while TcpStream::connect(address).await.is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(20), answered).await;
    assert!(waited.is_ok(), "{who} does not listen on port {port}");
}
