//! Our own certificate, for servers that want to know who asks.

use std::path::Path;

use rustls::client::WantsClientCert;
use rustls::pki_types::pem::{Error as PemError, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, ConfigBuilder};

use super::ClientIdentity;
use crate::model::Failure;

/// Adds our certificate to a configuration.
///
/// # Errors
/// A file cannot be read, is no certificate or key, or the two do not belong together: always our own trouble.
pub(super) fn identify(
    config: ConfigBuilder<ClientConfig, WantsClientCert>,
    own: &ClientIdentity,
) -> Result<ClientConfig, Failure> {
    let certificates = read(&own.certificate)?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&certificates).collect();
    let certificates = match certificates {
        Ok(certificates) if !certificates.is_empty() => certificates,
        _ => {
            return Err(refuse(
                &own.certificate,
                "there is no certificate in it",
                "it must hold our certificate in PEM form: `-----BEGIN CERTIFICATE-----`",
            ));
        }
    };
    let key = PrivateKeyDer::from_pem_slice(&read(&own.key)?).map_err(|error| match error {
        PemError::NoItemsFound => refuse(
            &own.key,
            "there is no private key in it",
            "it must hold the key of our certificate in PEM form, not encrypted",
        ),
        _ => refuse(
            &own.key,
            "it is not in PEM form",
            "write it with `openssl pkey -in FILE -out FILE.pem`",
        ),
    })?;
    config
        .with_client_auth_cert(certificates, key)
        .map_err(|error| {
            refuse(
                &own.key,
                &error.to_string(),
                "the key must be that of the certificate, RSA, ECDSA or Ed25519",
            )
        })
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|error| {
        refuse(
            path,
            &error.to_string(),
            "check the path, and that we may read the file",
        )
    })
}

fn refuse(path: &Path, why: &str, hint: &str) -> Failure {
    let shown = path.display();
    Failure::ours(format!("cannot use `{shown}` to say who we are: {why}")).hint(hint)
}
