//! The root certificates that this system trusts.

use std::collections::{BTreeSet, HashSet};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use x509_parser::pem::Pem;

/// Reads them where OpenSSL looks for them: the file and the folders of `SSL_CERT_FILE` and `SSL_CERT_DIR`, else the
/// system's usual ones. What cannot be read is left out; empty: nothing can be checked.
pub(super) fn of_this_system() -> RootCertStore {
    let places = openssl_probe::probe();
    let listed = places.cert_dir.iter().flat_map(|folder| files_in(folder));
    let mut read = HashSet::new();
    let mut found: BTreeSet<Vec<u8>> = BTreeSet::new();
    for path in places.cert_file.into_iter().chain(listed) {
        let Ok(metadata) = std::fs::metadata(&path) else {
            continue;
        };
        // Folders of certificates are full of links to files that have been read already.
        if metadata.is_file() && read.insert((metadata.dev(), metadata.ino())) {
            found.extend(certificates_in(&path));
        }
    }
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.into_iter().map(CertificateDer::from));
    roots
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

fn certificates_in(path: &Path) -> Vec<Vec<u8>> {
    let Ok(bytes) = std::fs::read(path) else {
        return Vec::new();
    };
    Pem::iter_from_buffer(&bytes)
        .flatten()
        .filter(|pem| pem.label == "CERTIFICATE")
        .map(|pem| pem.contents)
        .collect()
}
