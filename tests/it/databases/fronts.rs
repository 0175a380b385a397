//! What stands between us and a server: proxies that protect, break, hold back and count.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustls::ServerConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use crate::support::servers::{RawServer, raw};

const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// The number that a request to cancel has in the place of a version.
const CANCEL: [u8; 4] = [4, 210, 22, 46];

async fn to(port: u16) -> TcpStream {
    TcpStream::connect(("127.0.0.1", port))
        .await
        .expect("the server")
}

/// Offers TLS with any certificate, and hands on to a server without TLS.
pub(super) async fn with_certificate(config: Arc<ServerConfig>, port: u16) -> RawServer {
    let acceptor = TlsAcceptor::from(config);
    raw(move |mut stream| {
        let acceptor = acceptor.clone();
        async move {
            let mut request = [0; 8];
            if stream.read_exact(&mut request).await.is_err() || request != SSL_REQUEST {
                return;
            }
            stream.write_all(b"S").await.ok();
            if let Ok(mut stream) = acceptor.accept(stream).await {
                copy_bidirectional(&mut stream, &mut to(port).await)
                    .await
                    .ok();
            }
        }
    })
    .await
}

/// Agrees to TLS and then breaks off; hands on whoever does without.
pub(super) async fn with_broken_tls(port: u16) -> RawServer {
    raw(move |mut stream| async move {
        let mut first = [0; 8];
        if stream.read_exact(&mut first).await.is_err() {
            return;
        }
        if first == SSL_REQUEST {
            stream.write_all(b"S").await.ok();
            // The beginning of its handshake.
            stream.read_u8().await.ok();
            return;
        }
        let mut server = to(port).await;
        server.write_all(&first).await.ok();
        copy_bidirectional(&mut stream, &mut server).await.ok();
    })
    .await
}

/// Counts how often the client speaks after the server has spoken, or first.
pub(super) async fn counting(port: u16) -> (RawServer, Arc<AtomicUsize>) {
    let turns = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&turns);
    let server = raw(move |mut stream| {
        let count = Arc::clone(&count);
        async move {
            let mut server = to(port).await;
            let (mut up, mut down) = (vec![0; 65_536], vec![0; 65_536]);
            let mut clients_turn = false;
            loop {
                tokio::select! {
                    read = stream.read(&mut up) => {
                        let Ok(read @ 1..) = read else { return };
                        if !std::mem::replace(&mut clients_turn, true) {
                            count.fetch_add(1, Ordering::SeqCst);
                        }
                        server.write_all(&up[..read]).await.ok();
                    }
                    read = server.read(&mut down) => {
                        let Ok(read @ 1..) = read else { return };
                        clients_turn = false;
                        stream.write_all(&down[..read]).await.ok();
                    }
                }
            }
        }
    })
    .await;
    (server, turns)
}

/// Hands on the login; what is asked after it never comes to the server, whose answers still come back. Counts the
/// requests to cancel.
pub(super) async fn holding_back(port: u16) -> (RawServer, Arc<AtomicUsize>) {
    let cancelled = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&cancelled);
    let server = raw(move |mut stream| {
        let count = Arc::clone(&count);
        async move {
            let mut first = [0; 8];
            if stream.read_exact(&mut first).await.is_err() {
                return;
            }
            if first[4..] == CANCEL {
                count.fetch_add(1, Ordering::SeqCst);
                return;
            }
            let mut server = to(port).await;
            server.write_all(&first).await.ok();
            let (mut up, mut down) = (vec![0; 65_536], vec![0; 65_536]);
            loop {
                tokio::select! {
                    read = stream.read(&mut up) => {
                        let Ok(read @ 1..) = read else { return };
                        // A question, in the simple form.
                        if up[0] != b'Q' {
                            server.write_all(&up[..read]).await.ok();
                        }
                    }
                    read = server.read(&mut down) => {
                        let Ok(read @ 1..) = read else { return };
                        stream.write_all(&down[..read]).await.ok();
                    }
                }
            }
        }
    })
    .await;
    (server, cancelled)
}
