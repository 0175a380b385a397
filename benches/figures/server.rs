//! The servers that are looked at, in a process of their own so that their processor time is not ours.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_rustls::TlsAcceptor;

const BACKLOG: u32 = 4096;
const ANSWER: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 3\r\n\r\nok\n";

/// What is to be served.
#[derive(Clone, Copy, Default)]
pub(crate) struct Wanted<'a> {
    /// How many ports answer.
    pub(crate) answering: usize,
    /// How many ports accept and never say a word.
    pub(crate) silent: usize,
    /// How long an answer takes.
    pub(crate) delay: Duration,
    /// A folder with `server.pem` and `server.key`, for HTTPS.
    pub(crate) tls: Option<&'a Path>,
}

/// A process that serves until this value is dropped.
pub(crate) struct Server {
    process: Child,
    /// The ports that answer, then those that are silent.
    pub(crate) ports: Vec<u16>,
}

impl Server {
    /// Starts this binary again, as a server.
    pub(crate) fn start(wanted: Wanted<'_>) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("serve");
        command
            .arg(wanted.answering.to_string())
            .arg(wanted.silent.to_string());
        command.arg(wanted.delay.as_millis().to_string());
        command.args(wanted.tls);
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("no server")?;
        let mut line = String::new();
        let said = process.stdout.take().context("no output")?;
        BufReader::new(said).read_line(&mut line)?;
        let ports: Vec<u16> = line
            .split_whitespace()
            .filter_map(|port| port.parse().ok())
            .collect();
        let server = Self { process, ports };
        if server.ports.len() != wanted.answering + wanted.silent {
            bail!("the server opened {} ports", server.ports.len());
        }
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Its standard input closes, and with it the server; `wait` closes it.
        self.process.wait().ok();
    }
}

/// The other side of [`Server::start`].
pub(crate) fn serve(arguments: &[&str]) -> Result<ExitCode> {
    let (answering, silent, delay_ms, tls) = match arguments {
        [answering, silent, delay_ms] => (answering, silent, delay_ms, None),
        [answering, silent, delay_ms, folder] => (
            answering,
            silent,
            delay_ms,
            Some(acceptor(Path::new(folder))?),
        ),
        _ => bail!("serve ANSWERING SILENT DELAY_MS [FOLDER]"),
    };
    let answering: usize = answering.parse()?;
    let delay = Duration::from_millis(delay_ms.parse()?);
    let runtime = tokio::runtime::Runtime::new()?;
    let entered = runtime.enter();
    let mut ports = Vec::new();
    for index in 0..answering + silent.parse::<usize>()? {
        let socket = TcpSocket::new_v4()?;
        socket.bind(([127, 0, 0, 1], 0).into())?;
        let listener = socket.listen(BACKLOG)?;
        ports.push(listener.local_addr()?.port().to_string());
        let delay = (index < answering).then_some(delay);
        runtime.spawn(accept(listener, delay, tls.clone()));
    }
    println!("{}", ports.join(" "));
    // Until whoever started this is gone.
    std::io::stdin().read_to_end(&mut Vec::new())?;
    drop(entered);
    runtime.shutdown_background();
    Ok(ExitCode::SUCCESS)
}

fn acceptor(folder: &Path) -> Result<TlsAcceptor> {
    let chain: Vec<CertificateDer<'static>> =
        CertificateDer::pem_file_iter(folder.join("server.pem"))?.collect::<Result<_, _>>()?;
    let key = PrivateKeyDer::from_pem_file(folder.join("server.key"))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

async fn accept(listener: TcpListener, delay: Option<Duration>, tls: Option<TlsAcceptor>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(tokio::spawn(talk(stream, delay, tls.clone()))),
            // It shows in the client's report, as a target that is not GREEN; most likely descriptors ran out.
            Err(_) => tokio::time::sleep(Duration::from_millis(1)).await,
        }
    }
}

async fn talk(mut stream: TcpStream, delay: Option<Duration>, tls: Option<TlsAcceptor>) {
    let ended = match (delay, tls) {
        (None, _) => stream.read_to_end(&mut Vec::new()).await.map(drop),
        (Some(delay), None) => answer(stream, delay).await,
        (Some(delay), Some(tls)) => match tls.accept(stream).await {
            Ok(stream) => answer(stream, delay).await,
            Err(error) => Err(error),
        },
    };
    // A client that hangs up is none of our business.
    ended.ok();
}

async fn answer(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    delay: Duration,
) -> std::io::Result<()> {
    let mut request = Vec::new();
    loop {
        request.clear();
        while !request.ends_with(b"\r\n\r\n") {
            if stream.read_buf(&mut request).await? == 0 {
                return Ok(());
            }
        }
        tokio::time::sleep(delay).await;
        stream.write_all(ANSWER).await?;
        stream.flush().await?;
    }
}
