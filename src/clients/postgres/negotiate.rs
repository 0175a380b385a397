//! From an open TCP connection to one that is protected as far as it is to be (PostgreSQL documentation, "SSL Session
//! Encryption").

use std::io;
use std::net::IpAddr;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::problems;
use super::stream::{Transport, old_error};
use super::{KEYS, Login, Phase, SslMode, Trace};
use crate::clients::net::blame::broken_off;
use crate::clients::tls::problems::handshake_failed;
use crate::clients::tls::{Certificate, Check, TlsConfigs, Trust};
use crate::model::{Failure, FailureKind};

/// The request for TLS: its length, and a number in the place of the protocol's version.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// Longer than any answer to the request.
const ANSWER_BYTES: usize = 256;

/// Why there is no protected connection, and whether it could be tried without protection.
pub(super) struct Unprotected {
    pub(super) failure: Failure,
    pub(super) in_handshake: bool,
}

impl From<Failure> for Unprotected {
    fn from(failure: Failure) -> Self {
        Self {
            failure,
            in_handshake: false,
        }
    }
}

/// Asks for TLS and does the handshake.
pub(super) async fn protect(
    login: &Login<'_>,
    tls: &TlsConfigs,
    mut stream: TcpStream,
    trace: &mut Trace,
) -> Result<Transport, Unprotected> {
    // Before the server is bothered: whatever is wrong with our files is ours.
    let config = tls.config(&trust(login))?;
    trace.enter(Phase::Greeting);
    if !ask(login, &mut stream).await? {
        if login.ssl_mode == SslMode::Prefer {
            return Ok(Transport::Tcp(stream));
        }
        let place = login.place();
        let message = format!(
            "`{place}` offers no TLS, and `ssl_mode: {}` wants it",
            login.ssl_mode.word()
        );
        let hint = "set `ssl = on` and a certificate on the server, or `ssl_mode: prefer` if the way to it is safe";
        return Err(Failure::new(FailureKind::Unexpected, message)
            .hint(hint)
            .into());
    }
    let name = server_name(login.host).ok_or_else(|| {
        let message = format!("no certificate can be for `{}`", login.host);
        Failure::new(FailureKind::Unexpected, message).hint("check `host`")
    })?;
    trace.enter(Phase::Tls);
    // The handshake's future is large and short-lived.
    let handshake = Box::pin(TlsConnector::from(config).connect(name, stream));
    let stream = handshake.await.map_err(|error| {
        let (failure, certificate) = handshake_failed(&login.place(), &KEYS, &error);
        trace.certificate = certificate.or(trace.certificate.take());
        Unprotected {
            failure,
            in_handshake: true,
        }
    })?;
    let (_, session) = stream.get_ref();
    trace.tls_version = session.protocol_version();
    let own = session.peer_certificates().and_then(<[_]>::first);
    trace.certificate = own.and_then(Certificate::read);
    Ok(Transport::Tls(Box::new(stream)))
}

/// Whether the server agrees to TLS.
async fn ask(login: &Login<'_>, stream: &mut TcpStream) -> Result<bool, Failure> {
    let place = login.place();
    let failed = |error: io::Error| {
        broken_off(&error, &format!("asking `{place}` for TLS"))
            .hint("the server, or a firewall before it, ended the connection: look at its log")
    };
    stream.write_all(&SSL_REQUEST).await.map_err(failed)?;
    let mut answer = vec![0; ANSWER_BYTES];
    let mut length = stream.read(&mut answer).await.map_err(failed)?;
    match &answer[..length] {
        b"S" => return Ok(true),
        b"N" => return Ok(false),
        b"" => return Err(problems::closed(&place, "on our request for TLS")),
        _ => {}
    }
    // An error has its whole text only once the server has closed.
    while answer[0] == b'E' && length < answer.len() {
        match stream.read(&mut answer[length..]).await {
            Ok(more @ 1..) => length += more,
            Ok(0) | Err(_) => break,
        }
    }
    let answer = &answer[..length];
    Err(match old_error(answer) {
        Some(text) => problems::no_process(&place, &text),
        None => problems::not_postgres(&place, answer),
    })
}

/// What a certificate must be for.
fn server_name(host: &str) -> Option<ServerName<'static>> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    match bare.parse::<IpAddr>() {
        Ok(address) => Some(ServerName::from(address)),
        Err(_) => ServerName::try_from(bare.trim_end_matches('.').to_owned()).ok(),
    }
}

fn trust(login: &Login<'_>) -> Trust {
    Trust {
        check: login.check(),
        ca_file: (login.ca_file.filter(|_| login.check() != Check::Nothing))
            .map(std::path::Path::to_owned),
        only_ca_file: true,
        client: login.client.clone(),
        protocols: &[],
        keys: KEYS,
    }
}
