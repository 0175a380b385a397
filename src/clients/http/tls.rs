//! TLS: settings that are shared, sessions that are not, and certificates that are told in words.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, CipherSuite, ClientConfig, DigitallySignedStruct, OtherError, RootCertStore,
};
use rustls::{Error as TlsError, SignatureScheme};
use schemars::JsonSchema;
use serde::Deserialize;

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

/// One TLS configuration for each setting, made when it is first needed.
pub(super) struct TlsConfigs {
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    provider: Option<Arc<CryptoProvider>>,
    native_roots: Option<Arc<RootCertStore>>,
    /// Why some or all of them could not be read, if so.
    native_error: Option<String>,
    configs: HashMap<TlsSettings, (Option<SystemTime>, Arc<ClientConfig>)>,
}

impl TlsConfigs {
    pub(super) fn new() -> Self {
        Self {
            held: Mutex::default(),
        }
    }

    /// The configuration for a setting. A `ca_file` that has changed is read again.
    ///
    /// # Errors
    /// There is nothing to check certificates with.
    pub(super) fn get(&self, settings: &TlsSettings) -> Result<Arc<ClientConfig>, Failure> {
        let changed = |path: &PathBuf| std::fs::metadata(path).ok()?.modified().ok();
        let stamp = settings.ca_file.as_ref().and_then(changed);
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((made_at, config)) = held.configs.get(settings)
            && *made_at == stamp
        {
            return Ok(Arc::clone(config));
        }
        let config = Arc::new(held.make(settings)?);
        (held.configs).insert(settings.clone(), (stamp, Arc::clone(&config)));
        Ok(config)
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
    fn make(&mut self, settings: &TlsSettings) -> Result<ClientConfig, Failure> {
        let provider = self.provider.get_or_insert_with(|| Arc::new(provider()));
        let provider = Arc::clone(provider);
        let check = if settings.verify {
            let roots = self.roots(settings.ca_file.as_deref())?;
            let verifier =
                WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider));
            Some(verifier.build().map_err(broken)?)
        } else {
            None
        };
        let verifier = Verifier {
            check,
            provider: Arc::clone(&provider),
        };
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(broken)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        // Every look is to do the whole handshake, so that its time and the certificate are those of today.
        config.resumption = Resumption::disabled();
        Ok(config)
    }

    fn roots(&mut self, ca_file: Option<&Path>) -> Result<Arc<RootCertStore>, Failure> {
        let native = self.native_roots();
        let Some(path) = ca_file else {
            if native.is_empty() {
                let why = self.native_error.as_ref().map_or_else(
                    || "this system has no root certificates".to_owned(),
                    |error| format!("the root certificates cannot be read: {error}"),
                );
                return Err(Failure::ours(format!("no certificate can be checked: {why}")).hint(
                    "install the package `ca-certificates`, look where `SSL_CERT_FILE` and `SSL_CERT_DIR` point, or \
                     set `tls.ca_file`",
                ));
            }
            return Ok(native);
        };
        let hint = "`tls.ca_file` must be a readable file of certificates in PEM form";
        let refuse = |why: String| {
            let shown = path.display();
            Failure::ours(format!("cannot use the certificates of `{shown}`: {why}")).hint(hint)
        };
        let text = std::fs::read(path).map_err(|error| refuse(error.to_string()))?;
        let mut roots = RootCertStore::clone(&native);
        let before = roots.len();
        for certificate in CertificateDer::pem_slice_iter(&text) {
            let certificate = certificate.map_err(|error| refuse(error.to_string()))?;
            (roots.add(certificate)).map_err(|error| refuse(error.to_string()))?;
        }
        if roots.len() == before {
            return Err(refuse("there is no certificate in it".to_owned()));
        }
        Ok(Arc::new(roots))
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
pub(super) struct Rejected {
    /// The server's own certificate.
    pub(super) certificate: CertificateDer<'static>,
    /// What is wrong with it.
    pub(super) reason: CertificateError,
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
    provider: Arc<CryptoProvider>,
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
        match check.verify_server_cert(certificate, intermediates, name, ocsp, now) {
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
