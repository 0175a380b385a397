//! In which other dresses a secret comes back: escaped for JSON, for an address or for HTML, or in base64, also behind
//! something that is not known.

use std::fmt::Write as _;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// For one secret are no more.
const MOST: usize = 12;

/// None is shorter: it would be found inside of ordinary words.
pub(super) const SHORTEST: usize = 6;

/// A longer one comes back whole or in lines: it is a key, and told by its shape besides.
const LONGEST_DRESSED: usize = 512;

/// A longer one is found in capitals and in small letters too.
const LONGEST_EXACT: usize = 11;

/// What is searched for.
pub(super) struct Needle {
    pub(super) text: String,
    /// Whether all that stands around it in base64 belongs to it.
    pub(super) in_base64: bool,
}

/// All that is searched for in the place of one secret, itself first.
pub(super) fn of(secret: &str) -> Vec<Needle> {
    let mut all = vec![plain(without_breaks(secret))];
    if secret.len() <= LONGEST_DRESSED {
        let (likely, others) = escaped(secret);
        let (standard, in_addresses) = in_base64(secret.as_bytes());
        all.extend(likely.map(plain));
        all.extend(standard);
        if secret.len() > LONGEST_EXACT {
            all.extend([secret.to_lowercase(), secret.to_uppercase()].map(plain));
        }
        all.extend(others.map(plain));
        all.extend(in_addresses);
    }
    let mut different: Vec<Needle> = Vec::with_capacity(6);
    for needle in all {
        let is_known = different.iter().any(|known| known.text == needle.text);
        if needle.text.len() >= SHORTEST && !is_known && different.len() < MOST {
            different.push(needle);
        }
    }
    different
}

fn plain(text: String) -> Needle {
    Needle {
        text,
        in_base64: false,
    }
}

/// A text without the ends of its lines, and the blanks around them: what was broken over lines is found so.
pub(super) fn without_breaks(text: &str) -> String {
    let (mut out, mut lines) = (String::with_capacity(text.len()), text.split('\n'));
    out.push_str(lines.next().unwrap_or_default());
    for line in lines {
        let kept = out.trim_end_matches([' ', '\t', '\r']).len();
        out.truncate(kept);
        out.push_str(line.trim_start_matches([' ', '\t']));
    }
    out
}

/// In an address, where these stay beside letters and digits.
fn in_address(secret: &str, kept: &[u8], lower: bool) -> String {
    let mut out = String::with_capacity(3 * secret.len());
    for byte in secret.bytes() {
        let written = match byte {
            _ if byte.is_ascii_alphanumeric() || kept.contains(&byte) => {
                out.push(char::from(byte));
                Ok(())
            }
            _ if lower => write!(out, "%{byte:02x}"),
            _ => write!(out, "%{byte:02X}"),
        };
        debug_assert!(written.is_ok());
    }
    out
}

/// In text of JSON or HTML, or in an address: in the likely ways, and in others.
fn escaped(secret: &str) -> ([String; 4], [String; 4]) {
    const STRICT: &[u8] = b"-._~";
    const AS_USER: &[u8] = b"-._~!$&'()*+,;=";
    let json = serde_json::to_string(secret).unwrap_or_default();
    let json = json.strip_prefix('"').unwrap_or(&json);
    let json = json.strip_suffix('"').unwrap_or(json).to_owned();
    let html = |double: &str, single: &str| {
        secret
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('"', double)
            .replace('\'', single)
    };
    let strict = in_address(secret, STRICT, false);
    let form = strict.replace("%20", "+");
    // As Go writes JSON.
    let careful = json
        .replace('&', "\\u0026")
        .replace('<', "\\u003c")
        .replace('>', "\\u003e");
    let lower = in_address(secret, STRICT, true);
    let as_user = in_address(secret, AS_USER, false);
    let likely = [json, strict, form, html("&quot;", "&#x27;")];
    (likely, [lower, html("&#34;", "&#39;"), careful, as_user])
}

/// The middle of it in base64, which is the same whatever stands before and behind: at each of three places in which it can
/// begin, in both alphabets.
fn in_base64(secret: &[u8]) -> ([Needle; 3], [Needle; 3]) {
    let needle = |text: String| Needle {
        text,
        in_base64: true,
    };
    let middles = [0, 1, 2].map(|before| {
        let mut bytes = vec![0; before];
        bytes.extend_from_slice(secret);
        let whole = STANDARD_NO_PAD.encode(&bytes);
        // Six bits are a character. What has bits of what stands before or behind in it is not the same.
        let (first, last) = ((before * 8).div_ceil(6), bytes.len() * 8 / 6);
        whole[first.min(last)..last].to_owned()
    });
    let in_addresses = middles
        .clone()
        .map(|middle| needle(middle.replace('+', "-").replace('/', "_")));
    (middles.map(needle), in_addresses)
}
