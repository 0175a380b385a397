//! A way to a server that can be counted, cut and blocked, as a network is.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A proxy inside the test; it ends, with its connections, when this is dropped.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    state: Arc<State>,
    task: JoinHandle<()>,
}

struct State {
    connections: AtomicUsize,
    /// How many bytes of the server are let through on each connection.
    most_bytes: AtomicUsize,
    /// Whether bytes are swallowed: the connection stands, and nothing comes.
    is_mute: AtomicBool,
    /// Changes when all connections are cut.
    cuts: watch::Sender<usize>,
}

/// Starts a proxy to a port of this machine.
pub(crate) async fn to(port: u16) -> Proxy {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .expect("a port");
    let own = listener.local_addr().expect("an address").port();
    let state = Arc::new(State {
        connections: AtomicUsize::new(0),
        most_bytes: AtomicUsize::new(usize::MAX),
        is_mute: AtomicBool::new(false),
        cuts: watch::Sender::new(0),
    });
    let shared = Arc::clone(&state);
    let task = tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            shared.connections.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(carry(client, port, Arc::clone(&shared)));
        }
    });
    Proxy {
        port: own,
        state,
        task,
    }
}

impl Proxy {
    /// How many connections came.
    pub(crate) fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }

    /// Cuts each connection after so many bytes of the server.
    pub(crate) fn cut_after(&self, bytes: usize) {
        self.state.most_bytes.store(bytes, Ordering::SeqCst);
    }

    /// Cuts all connections that there are.
    pub(crate) fn cut(&self) {
        self.state.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// From now on lets nothing through, without closing anything.
    pub(crate) fn mute(&self) {
        self.state.is_mute.store(true, Ordering::SeqCst);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.cut();
        self.task.abort();
    }
}

async fn carry(client: TcpStream, port: u16, state: Arc<State>) {
    let mut cuts = state.cuts.subscribe();
    let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await else {
        return;
    };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::select! {
        () = copy(from_client, to_server, &state, false) => {}
        () = copy(from_server, to_client, &state, true) => {}
        _ = cuts.changed() => {}
    }
}

async fn copy(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    state: &State,
    is_counted: bool,
) {
    let mut buffer = vec![0; 16 * 1024];
    let mut passed = 0;
    loop {
        let Ok(read @ 1..) = from.read(&mut buffer).await else {
            return;
        };
        if state.is_mute.load(Ordering::SeqCst) {
            continue;
        }
        let room = if is_counted {
            state
                .most_bytes
                .load(Ordering::SeqCst)
                .saturating_sub(passed)
        } else {
            usize::MAX
        };
        passed += read;
        if to.write_all(&buffer[..read.min(room)]).await.is_err() || read > room {
            return;
        }
    }
}
