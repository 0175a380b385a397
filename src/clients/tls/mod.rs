//! TLS: settings that are shared, sessions that are not, and certificates that are told in words.

mod certificate;
mod client;
pub(crate) mod problems;

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, CipherSuite, ClientConfig, DigitallySignedStruct, OtherError, RootCertStore,
};
use rustls::{Error as TlsError, SignatureScheme};
use schemars::JsonSchema;
use serde::Deserialize;

pub use certificate::Certificate;
use certificate::is_for_servers;

use crate::model::Failure;

/// How a server proves who it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TlsSettings {
    /// Whether the server's certificate is checked. Without it anybody may answer in its place.
    #[serde(default = "yes")]
    pub verify: bool,
    /// A file of certificates (PEM) that are trusted besides the system's.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
}

fn yes() -> bool {
    true
}

impl Default for TlsSettings {
    fn default() -> Self {
        Self {
            verify: true,
            ca_file: None,
        }
    }
}

/// How much of a server's certificate is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Check {
    /// Nothing: anybody may answer in the server's place, who holds the key of what is shown.
    Nothing,
    /// That an authority we trust has signed it, and its dates; not for whom.
    Chain,
    /// All of it, the name included.
    Full,
}

/// Our own certificate and its key, both PEM files.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ClientIdentity {
    /// The certificate, with those that lead to its authority.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// How one kind's keys are called, for hints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Keys {
    /// The key that names the host.
    pub host: &'static str,
    /// The key of the authorities' file.
    pub ca_file: &'static str,
    /// The keys of our own certificate, in words; `None`: there are none.
    pub client: Option<&'static str>,
    /// What to do where TLS is not meant.
    pub without: &'static str,
}

/// How the two ends of a TLS connection prove who they are.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Trust {
    /// What is checked of the server's certificate.
    pub check: Check,
    /// A file of certificates (PEM) that are trusted.
    pub ca_file: Option<PathBuf>,
    /// Whether those of `ca_file` are trusted alone, not besides the system's.
    pub only_ca_file: bool,
    /// Who we are, where the server wants to know.
    pub client: Option<ClientIdentity>,
    /// The protocols offered (ALPN, RFC 7301), the best first.
    pub protocols: &'static [&'static [u8]],
    /// How the keys are called.
    pub keys: Keys,
}

/// Files that a configuration was made from, with the time each was changed.
type Stamps = Vec<Option<SystemTime>>;

/// One TLS configuration for each setting, made when it is first needed. Cheap to clone.
#[derive(Clone)]
pub struct TlsConfigs {
    held: Arc<Mutex<Held>>,
}

#[derive(Default)]
struct Held {
    provider: Option<Arc<CryptoProvider>>,
    native_roots: Option<Arc<RootCertStore>>,
    /// Why some or all of them could not be read, if so.
    native_error: Option<String>,
    configs: HashMap<Trust, (Stamps, Arc<ClientConfig>)>,
}

impl TlsConfigs {
    /// Holds none yet. Does no I/O.
    #[must_use]
    pub fn new() -> Self {
        Self {
            held: Arc::default(),
        }
    }

    /// The configuration for a setting. Files that have changed are read again.
    ///
    /// # Errors
    /// There is nothing to check certificates with, or our own certificate cannot be used.
    pub fn config(&self, trust: &Trust) -> Result<Arc<ClientConfig>, Failure> {
        let changed = |path: &PathBuf| std::fs::metadata(path).ok()?.modified().ok();
        let own = trust.client.iter();
        let own = own.flat_map(|own| [&own.certificate, &own.key]);
        let stamps: Stamps = trust.ca_file.iter().chain(own).map(changed).collect();
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((made_at, config)) = held.configs.get(trust)
            && *made_at == stamps
        {
            return Ok(Arc::clone(config));
        }
        let config = Arc::new(held.make(trust)?);
        (held.configs).insert(trust.clone(), (stamps, Arc::clone(&config)));
        Ok(config)
    }
}

impl Default for TlsConfigs {
    fn default() -> Self {
        Self::new()
    }
}

/// The usual algorithms, in the order in which browsers offer them: AES-128 with SHA-256 first, for which processors have
/// instructions, where the library would begin with SHA-384, for which they have none.
fn provider() -> CryptoProvider {
    let mut provider = aws_lc_rs::default_provider();
    let suites = &mut provider.cipher_suites;
    suites.sort_by_key(|suite| suite.suite() != CipherSuite::TLS13_AES_128_GCM_SHA256);
    provider
}

impl Held {
    fn make(&mut self, trust: &Trust) -> Result<ClientConfig, Failure> {
        let provider = self.provider.get_or_insert_with(|| Arc::new(provider()));
        let provider = Arc::clone(provider);
        let (check, named) = match trust.check {
            Check::Nothing => (None, Vec::new()),
            Check::Chain | Check::Full => {
                let (roots, named) = self.roots(trust)?;
                let verifier =
                    WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider));
                (Some(verifier.build().map_err(broken)?), named)
            }
        };
        let verifier = Verifier {
            check,
            named,
            for_any_name: trust.check == Check::Chain,
            provider: Arc::clone(&provider),
        };
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(broken)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        let mut config = match &trust.client {
            Some(own) => client::identify(config, own)?,
            None => config.with_no_client_auth(),
        };
        config.alpn_protocols = trust.protocols.iter().map(|name| name.to_vec()).collect();
        // Every look is to do the whole handshake, so that its time and the certificate are those of today.
        config.resumption = Resumption::disabled();
        Ok(config)
    }

    /// Who may sign, and the certificates of `ca_file`, each of which a server may show as its own.
    fn roots(
        &mut self,
        trust: &Trust,
    ) -> Result<(Arc<RootCertStore>, Vec<CertificateDer<'static>>), Failure> {
        let key = trust.keys.ca_file;
        let Some(path) = trust.ca_file.as_deref() else {
            let native = self.native_roots();
            if native.is_empty() {
                let why = self.native_error.as_ref().map_or_else(
                    || "this system has no root certificates".to_owned(),
                    |error| format!("the root certificates cannot be read: {error}"),
                );
                return Err(Failure::ours(format!("no certificate can be checked: {why}")).hint(format!(
                    "install the package `ca-certificates`, look where `SSL_CERT_FILE` and `SSL_CERT_DIR` point, or \
                     set `{key}`",
                )));
            }
            return Ok((native, Vec::new()));
        };
        let mut roots = if trust.only_ca_file {
            RootCertStore::empty()
        } else {
            RootCertStore::clone(&self.native_roots())
        };
        let refuse = |why: String| {
            let shown = path.display();
            Failure::ours(format!("cannot use the certificates of `{shown}`: {why}")).hint(format!(
                "`{key}` must be a readable file of certificates in PEM form"
            ))
        };
        let text = std::fs::read(path).map_err(|error| refuse(error.to_string()))?;
        let mut named = Vec::new();
        for certificate in CertificateDer::pem_slice_iter(&text) {
            let certificate = certificate.map_err(|error| refuse(error.to_string()))?;
            named.push(certificate.clone());
            (roots.add(certificate)).map_err(|error| refuse(error.to_string()))?;
        }
        if named.is_empty() {
            return Err(refuse("there is no certificate in it".to_owned()));
        }
        Ok((Arc::new(roots), named))
    }

    fn native_roots(&mut self) -> Arc<RootCertStore> {
        if let Some(roots) = &self.native_roots {
            return Arc::clone(roots);
        }
        let mut roots = RootCertStore::empty();
        let found = rustls_native_certs::load_native_certs();
        self.native_error = found.errors.first().map(ToString::to_string);
        roots.add_parsable_certificates(found.certs);
        let roots = Arc::new(roots);
        // None at all is not kept: the package may be installed while we run.
        if !roots.is_empty() {
            self.native_roots = Some(Arc::clone(&roots));
        }
        roots
    }
}

fn broken(error: impl fmt::Display) -> Failure {
    Failure::ours(format!("cannot set up TLS: {error}"))
        .hint("this is a bug of ours: please report it")
}

/// A certificate that was not accepted, and why. It travels inside the TLS library's own error, so that one
/// verifier serves all connections.
#[derive(Debug)]
pub(crate) struct Rejected {
    /// The server's own certificate.
    pub(crate) certificate: CertificateDer<'static>,
    /// What is wrong with it.
    pub(crate) reason: CertificateError,
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.reason)
    }
}

impl std::error::Error for Rejected {}

/// Really checks, and hands out the certificate with the refusal. Validity is checked against the system's clock,
/// which the TLS library reads itself.
#[derive(Debug)]
struct Verifier {
    /// `None`: any certificate is accepted, but the server must hold its key.
    check: Option<Arc<WebPkiServerVerifier>>,
    /// Certificates that somebody has named to be trusted.
    named: Vec<CertificateDer<'static>>,
    /// Whether a certificate for another name is accepted too.
    for_any_name: bool,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    /// Whether somebody has named this very certificate, and nothing is amiss but that nobody who is trusted has signed it,
    /// or that it might sign others. The commonest self-signed certificate is such a one: `openssl req -x509` makes an
    /// authority of it, which must not be a server by the rules of the web.
    fn is_named(
        &self,
        certificate: &CertificateDer<'_>,
        reason: &CertificateError,
        now: UnixTime,
    ) -> bool {
        let is_of_no_authority = match reason {
            CertificateError::UnknownIssuer => true,
            CertificateError::Other(other) => matches!(
                other.0.downcast_ref::<webpki::Error>(),
                Some(webpki::Error::CaUsedAsEndEntity)
            ),
            _ => false,
        };
        is_of_no_authority
            && (self.named.iter()).any(|named| named.as_ref() == certificate.as_ref())
            && is_for_servers(certificate, now)
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let Some(check) = &self.check else {
            return Ok(ServerCertVerified::assertion());
        };
        let mut checked = check.verify_server_cert(certificate, intermediates, name, ocsp, now);
        if let Err(TlsError::InvalidCertificate(reason)) = &checked
            && self.is_named(certificate, reason, now)
        {
            let parsed = ParsedCertificate::try_from(certificate)?;
            checked = verify_server_name(&parsed, name).map(|()| ServerCertVerified::assertion());
        }
        match checked {
            // The name is what is checked last: all else was right.
            Err(TlsError::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if self.for_any_name => Ok(ServerCertVerified::assertion()),
            Err(TlsError::InvalidCertificate(reason)) => {
                let certificate = certificate.clone().into_owned();
                let rejected = Arc::new(Rejected {
                    certificate,
                    reason,
                });
                Err(CertificateError::Other(OtherError(rejected)).into())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = &self.provider.signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}
