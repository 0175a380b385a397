//! Certificates for tests, signed by an authority that lives as long as the test process.

use std::io::Write;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use roundsman::clock::{Clock, SystemClock};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::version::{TLS12, TLS13};
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
use tempfile::NamedTempFile;

/// Who signs.
pub(crate) struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its key, as PEM.
#[derive(Clone)]
pub(crate) struct Pair {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

/// The authority of this test process.
pub(crate) fn authority() -> &'static Authority {
    static AUTHORITY: OnceLock<Authority> = OnceLock::new();
    AUTHORITY.get_or_init(|| {
        let mut parameters = parameters(&[], "Roundsman test authority", -1.0, 365.0);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        parameters.extended_key_usages = Vec::new();
        let key = KeyPair::generate().expect("a key");
        let pem = parameters.self_signed(&key).expect("a certificate").pem();
        Authority {
            pem,
            issuer: Issuer::new(parameters, key),
        }
    })
}

impl Authority {
    /// A certificate for names and addresses, valid from and until so many days from now.
    pub(crate) fn sign(&self, names: &[&str], from_days: f64, until_days: f64) -> Pair {
        let key = KeyPair::generate().expect("a key");
        let parameters = parameters(names, "roundsman test server", from_days, until_days);
        let signed = parameters.signed_by(&key, &self.issuer).expect("signed");
        Pair {
            certificate: signed.pem(),
            key: key.serialize_pem(),
        }
    }

    /// A good certificate for this machine: `localhost`, `127.0.0.1` and `::1`.
    pub(crate) fn good(&self) -> Pair {
        self.sign(&["localhost", "127.0.0.1", "::1"], -1.0, 90.0)
    }

    /// A certificate for somebody who asks, not for a server.
    pub(crate) fn for_client(&self, subject: &str) -> Pair {
        let key = KeyPair::generate().expect("a key");
        let mut parameters = parameters(&[], subject, -1.0, 90.0);
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let signed = parameters.signed_by(&key, &self.issuer).expect("signed");
        Pair {
            certificate: signed.pem(),
            key: key.serialize_pem(),
        }
    }

    /// Its certificate, as PEM.
    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    /// Its certificate in a file, for `tls.ca_file`.
    pub(crate) fn file(&self) -> NamedTempFile {
        let mut file = NamedTempFile::new().expect("a file");
        file.write_all(self.pem.as_bytes()).expect("written");
        file
    }
}

/// A certificate that signed itself.
pub(crate) fn self_signed(names: &[&str]) -> Pair {
    let key = KeyPair::generate().expect("a key");
    let signed = parameters(names, "self-signed", -1.0, 90.0).self_signed(&key);
    Pair {
        certificate: signed.expect("signed").pem(),
        key: key.serialize_pem(),
    }
}

/// A certificate that signed itself as `openssl req -x509` does: an authority, and for no purpose in particular.
pub(crate) fn self_signed_authority(
    names: &[&str],
    until_days: f64,
    purposes: &[ExtendedKeyUsagePurpose],
) -> Pair {
    let key = KeyPair::generate().expect("a key");
    let mut parameters = parameters(names, "self-signed", -60.0, until_days);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.extended_key_usages = purposes.to_vec();
    Pair {
        certificate: parameters.self_signed(&key).expect("signed").pem(),
        key: key.serialize_pem(),
    }
}

impl Pair {
    /// The certificate in a file, for `tls.ca_file`.
    pub(crate) fn file(&self) -> NamedTempFile {
        let mut file = NamedTempFile::new().expect("a file");
        file.write_all(self.certificate.as_bytes())
            .expect("written");
        file
    }
}

fn parameters(names: &[&str], subject: &str, from_days: f64, until_days: f64) -> CertificateParams {
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut parameters = CertificateParams::new(names).expect("names");
    parameters.distinguished_name = rcgen::DistinguishedName::new();
    parameters
        .distinguished_name
        .push(DnType::CommonName, subject);
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let now = SystemClock.now().timestamp();
    let at = |days: f64| {
        #[expect(clippy::cast_possible_truncation, reason = "seconds")]
        let seconds = now + (days * 86_400.0) as i64;
        let seconds = u64::try_from(seconds).expect("after 1970");
        rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(seconds)
    };
    parameters.not_before = at(from_days);
    parameters.not_after = at(until_days);
    parameters
}

impl Pair {
    /// A TLS server's set-up with this certificate.
    pub(crate) fn server_config(&self) -> Arc<ServerConfig> {
        let builder = builder(&[&TLS13, &TLS12]).with_no_client_auth();
        let config = builder.with_single_cert(vec![self.certificate()], self.key());
        Arc::new(config.expect("a TLS set-up"))
    }

    /// A set-up that wants a certificate of the client, by the authority.
    pub(crate) fn server_config_for_known_clients(
        &self,
        version: &'static SupportedProtocolVersion,
    ) -> Arc<ServerConfig> {
        let mut roots = RootCertStore::empty();
        let own = CertificateDer::from_pem_slice(authority().pem.as_bytes());
        roots.add(own.expect("PEM")).expect("a root");
        let roots = WebPkiClientVerifier::builder_with_provider(
            Arc::new(roots),
            Arc::new(aws_lc_rs::default_provider()),
        );
        let builder =
            builder(&[version]).with_client_cert_verifier(roots.build().expect("a verifier"));
        let config = builder.with_single_cert(vec![self.certificate()], self.key());
        Arc::new(config.expect("a TLS set-up"))
    }

    fn certificate(&self) -> CertificateDer<'static> {
        CertificateDer::from_pem_slice(self.certificate.as_bytes()).expect("PEM")
    }

    fn key(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::from_pem_slice(self.key.as_bytes()).expect("PEM")
    }
}

fn builder(
    versions: &[&'static SupportedProtocolVersion],
) -> rustls::ConfigBuilder<ServerConfig, rustls::WantsVerifier> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(provider);
    builder.with_protocol_versions(versions).expect("versions")
}
