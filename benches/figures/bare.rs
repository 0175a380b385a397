//! The least that a client can do: connect, ask, read the answer. What we need beyond that is the price of
//! measuring phases, judging and reporting.

use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

use crate::measure::{Run, run};

/// A bench that hangs tells nothing.
const DEADLINE: Duration = Duration::from_mins(1);

/// Asks for every path of the file, each `PORT PATH` on a line, all at once, in a process of its own.
pub(crate) fn client(requests: &Path, authority: Option<&Path>) -> Result<Run> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("ask").arg(requests).args(authority);
    let run = run(&mut command)?;
    if run.exit_code != Some(0) {
        bail!("the bare client failed: {}", run.output);
    }
    Ok(run)
}

/// The other side of [`client`].
pub(crate) fn ask(arguments: &[&str]) -> Result<ExitCode> {
    let (requests, tls) = match arguments {
        [requests] => (requests, None),
        [requests, authority] => (requests, Some(connector(Path::new(authority))?)),
        _ => bail!("ask REQUESTS [AUTHORITY]"),
    };
    let requests = std::fs::read_to_string(requests)?;
    tokio::runtime::Runtime::new()?.block_on(async {
        let mut tasks = JoinSet::new();
        for line in requests.lines() {
            let (port, path) = line.split_once(' ').context("PORT PATH")?;
            let asking = ask_one(port.parse()?, path.to_owned(), tls.clone());
            tasks.spawn(tokio::time::timeout(DEADLINE, asking));
        }
        while let Some(done) = tasks.join_next().await {
            done???;
        }
        Ok(ExitCode::SUCCESS)
    })
}

fn connector(authority: &Path) -> Result<TlsConnector> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority)?)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    // A session that is taken up again is no fresh connection.
    config.resumption = rustls::client::Resumption::disabled();
    Ok(TlsConnector::from(Arc::new(config)))
}

async fn ask_one(port: u16, path: String, tls: Option<TlsConnector>) -> Result<()> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await?;
    match tls {
        None => exchange(stream, &path).await,
        Some(tls) => {
            let name = ServerName::try_from("127.0.0.1")?;
            exchange(tls.connect(name, stream).await?, &path).await
        }
    }
}

async fn exchange(mut stream: impl AsyncRead + AsyncWrite + Unpin, path: &str) -> Result<()> {
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: */*\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    stream.flush().await?;
    let mut answer = Vec::with_capacity(1024);
    // An answer of unknown length ends with its connection.
    while !is_complete(&answer) && stream.read_buf(&mut answer).await? > 0 {}
    if !answer.starts_with(b"HTTP/1.1 200 ") {
        bail!("the answer was `{}`", String::from_utf8_lossy(&answer));
    }
    Ok(())
}

/// Whether the head and as much body as it announces are there.
fn is_complete(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let announced = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse().ok())?
    });
    announced.is_some_and(|length: usize| body.len() >= length)
}
