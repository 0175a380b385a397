//! Servers that misbehave, as no real server would on request: raw TCP, with or without TLS.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex};

use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// A connection that was accepted.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A server inside the test; it ends when this is dropped.
pub(crate) struct RawServer {
    pub(crate) port: u16,
    requests: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl RawServer {
    /// The requests that were recorded so far: their heads, and what came of their bodies with them.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("requests").clone()
    }
}

impl Drop for RawServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Does something with each raw connection.
pub(crate) async fn raw<B, F>(behaviour: B) -> RawServer
where
    B: Fn(TcpStream) -> F + Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    raw_on(Ipv4Addr::LOCALHOST.into(), behaviour).await
}

/// As [`raw`], on an address of choice.
pub(crate) async fn raw_on<B, F>(address: IpAddr, behaviour: B) -> RawServer
where
    B: Fn(TcpStream) -> F + Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind((address, 0))
        .await
        .unwrap_or_else(|error| {
            panic!("cannot listen on `{address}`: {error}; the tests need both loopback addresses")
        });
    let port = listener.local_addr().expect("an address").port();
    let task = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(behaviour(stream));
        }
    });
    RawServer {
        port,
        requests: Arc::default(),
        task,
    }
}

/// Records each request and answers all with the same bytes, then closes.
pub(crate) async fn answering(answer: impl Into<Vec<u8>>) -> RawServer {
    let answer = answer.into();
    answering_as(move |_| answer.clone()).await
}

/// Records each request and answers with what is made of it, then closes.
pub(crate) async fn answering_as<A>(answer: A) -> RawServer
where
    A: Fn(&str) -> Vec<u8> + Send + Sync + 'static,
{
    let requests = Arc::new(Mutex::new(Vec::new()));
    let (answer, record) = (Arc::new(answer), Arc::clone(&requests));
    let mut server = raw(move |mut stream| {
        let (answer, record) = (Arc::clone(&answer), Arc::clone(&record));
        async move {
            let request = request(&mut stream).await;
            let bytes = answer(&request);
            record.lock().expect("requests").push(request);
            stream.write_all(&bytes).await.ok();
            stream.shutdown().await.ok();
        }
    })
    .await;
    server.requests = requests;
    server
}

/// Answers whatever comes first, however little of it, then closes.
pub(crate) async fn blurting(answer: &'static [u8]) -> RawServer {
    raw(move |mut stream| async move {
        if matches!(stream.read(&mut [0; 4096]).await, Ok(1..)) {
            stream.write_all(answer).await.ok();
        }
    })
    .await
}

/// Answers each request with the same bytes over TLS, then closes in form. On `::1` if asked for.
pub(crate) async fn answering_tls(
    address: IpAddr,
    config: Arc<ServerConfig>,
    answer: &'static str,
) -> RawServer {
    let acceptor = TlsAcceptor::from(config);
    let requests = Arc::new(Mutex::new(Vec::new()));
    let record = Arc::clone(&requests);
    let mut server = raw_on(address, move |stream| {
        let (acceptor, record) = (acceptor.clone(), Arc::clone(&record));
        async move {
            let Ok(mut stream) = acceptor.accept(stream).await else {
                return;
            };
            let request = request(&mut stream).await;
            record.lock().expect("requests").push(request);
            stream.write_all(answer.as_bytes()).await.ok();
            stream.shutdown().await.ok();
        }
    })
    .await;
    server.requests = requests;
    server
}

/// Reads a request's head, and the body as far as its length was told.
pub(crate) async fn request(stream: &mut (impl Stream + ?Sized)) -> String {
    let mut bytes = Vec::new();
    let mut part = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.to_lowercase().lines().find_map(|line| {
                let length = line.strip_prefix("content-length:")?;
                length.trim().parse::<usize>().ok()
            });
            if body.len() >= length.unwrap_or(0) {
                return text;
            }
        }
        match stream.read(&mut part).await {
            Ok(0) | Err(_) => return text,
            Ok(read) => bytes.extend_from_slice(&part[..read]),
        }
    }
}

/// The IPv6 loopback address.
pub(crate) fn ipv6() -> IpAddr {
    Ipv6Addr::LOCALHOST.into()
}

/// The IPv4 loopback address.
pub(crate) fn ipv4() -> IpAddr {
    Ipv4Addr::LOCALHOST.into()
}
