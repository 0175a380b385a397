//! Bodies that were compressed, opened with a limit.

use std::io::{self, Read};

use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use http::{HeaderMap, header};

/// How a body was compressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Encoding {
    Identity,
    Gzip,
    Deflate,
    /// One that we cannot open.
    Other(String),
}

impl Encoding {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let Some(value) = headers.get(header::CONTENT_ENCODING) else {
            return Self::Identity;
        };
        let word = String::from_utf8_lossy(value.as_bytes())
            .trim()
            .to_ascii_lowercase();
        match word.as_str() {
            "" | "identity" => Self::Identity,
            "gzip" | "x-gzip" => Self::Gzip,
            "deflate" => Self::Deflate,
            _ => Self::Other(word.chars().take(40).collect()),
        }
    }
}

/// Opens a compressed body up to `limit` bytes; says whether there was more. `cut`: the compressed body was cut
/// off by us, so that its sudden end is no mistake of the server.
pub(super) fn decode(
    encoding: &Encoding,
    body: Vec<u8>,
    cut: bool,
    limit: usize,
) -> io::Result<(Vec<u8>, bool)> {
    let compressed = body.as_slice();
    let reader: Box<dyn Read + '_> = match encoding {
        _ if compressed.is_empty() => return Ok((body, cut)),
        Encoding::Identity | Encoding::Other(_) => return Ok((body, cut)),
        Encoding::Gzip => Box::new(MultiGzDecoder::new(compressed)),
        // RFC 9110 §8.4.1.2 means zlib; some servers send the bare stream. CMF 8 is "deflate" (RFC 1950 §2.2).
        Encoding::Deflate if compressed[0] & 0x0f == 8 => Box::new(ZlibDecoder::new(compressed)),
        Encoding::Deflate => Box::new(DeflateDecoder::new(compressed)),
    };
    let mut opened = Vec::new();
    let ceiling = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    match reader.take(ceiling).read_to_end(&mut opened) {
        Err(error) if !(cut && error.kind() == io::ErrorKind::UnexpectedEof) => return Err(error),
        _ => {}
    }
    let more = opened.len() > limit;
    opened.truncate(limit);
    Ok((opened, cut || more))
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use std::io::Write;

    fn compressed(text: &[u8]) -> [(Encoding, Vec<u8>); 3] {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(text).unwrap();
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
        zlib.write_all(text).unwrap();
        let mut bare = DeflateEncoder::new(Vec::new(), Compression::best());
        bare.write_all(text).unwrap();
        [
            (Encoding::Gzip, gzip.finish().unwrap()),
            (Encoding::Deflate, zlib.finish().unwrap()),
            (Encoding::Deflate, bare.finish().unwrap()),
        ]
    }

    #[test]
    fn compressed_bodies_are_opened() {
        for (encoding, body) in compressed(b"all is well") {
            let opened = decode(&encoding, body, false, 1_000).expect("a body");
            assert_eq!(opened, (b"all is well".to_vec(), false));
        }
    }

    #[test]
    fn what_unpacks_to_too_much_is_cut() {
        for (encoding, body) in compressed(&vec![0; 1_000_000]) {
            let (opened, more) = decode(&encoding, body, false, 1_000).expect("a body");
            assert_eq!((opened.len(), more), (1_000, true));
        }
    }

    #[test]
    fn an_end_too_early_is_a_mistake_unless_it_was_ours() {
        for (encoding, mut body) in compressed(b"all is well, all is well, and all is well") {
            body.truncate(body.len() / 2);
            assert!(decode(&encoding, body.clone(), false, 1_000).is_err());
            assert!(decode(&encoding, body, true, 1_000).expect("a part").1);
        }
    }
}
