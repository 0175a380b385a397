//! The AWS-compatible server of all tests: EC2, S3 and STS.

use tokio::sync::OnceCell;

use crate::support::children::{Server, free_port, listening};
use crate::support::packages::installed;

struct Moto {
    port: u16,
    _server: Server,
}

/// The port of the server of this test process, started when first asked for. Tests keep apart by region and by names.
pub(crate) async fn moto() -> u16 {
    static MOTO: OnceCell<Moto> = OnceCell::const_new();
    MOTO.get_or_init(start).await.port
}

async fn start() -> Moto {
    let port = free_port();
    let folder = tempfile::tempdir().expect("a folder").keep();
    let program = installed("python/bin/moto_server");
    let program = program.display().to_string();
    let server = Server::start(
        &folder,
        &program,
        &["-H", "127.0.0.1", "-p", &port.to_string()],
    );
    listening(port, "moto").await;
    Moto {
        port,
        _server: server,
    }
}
