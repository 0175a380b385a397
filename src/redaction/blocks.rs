//! Blocks of text that are private keys: PEM, OpenSSH, PGP, `PuTTY`. Cut ones too.

use std::ops::Range;

use super::findings::Findings;
use super::marks;

/// How the first and the last line of a block begin.
pub(super) const BEGIN: &str = "---BEGIN ";
pub(super) const END: &str = "---END ";

/// The same as SSH2 has them.
pub(super) const SSH2_BEGIN: &str = "--- BEGIN ";
pub(super) const SSH2_END: &str = "--- END ";

/// What the lines of a key of `PuTTY` stand behind, and what stands behind them.
pub(super) const PUTTY: &str = "Private-Lines:";
const PUTTY_END: &str = "Private-MAC:";

/// The longest name of a block.
const LONGEST_NAME: usize = 48;

/// Whether the block is one of a private key, and where its first or last line ends.
fn is_private(text: &str, start: usize) -> bool {
    let name = text[start..].bytes().take(LONGEST_NAME);
    let length = name
        .take_while(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b' ')
        .count();
    let name = &text[start..start + length];
    let cut = start + length == text.len();
    name.contains("PRIVATE KEY") || (cut && name.contains("PRIV"))
}

/// Where the dashes begin that end here.
fn dashes(text: &str, at: usize) -> usize {
    let dashes = text.as_bytes()[..at].iter().rev().take(2);
    at - dashes.take_while(|byte| **byte == b'-').count()
}

/// From the first line of a block to its last; without a last line, all that follows. From where the first begins to where its
/// name does.
pub(super) fn look_at_begin(text: &str, sign: Range<usize>, findings: &mut Findings) {
    let (start, name) = (dashes(text, sign.start), sign.end);
    if !is_private(text, name) {
        return;
    }
    let end = if text[sign].starts_with(SSH2_BEGIN) {
        SSH2_END
    } else {
        END
    };
    let end = text[name..].find(end).map_or(text.len(), |length| {
        let behind = name + length + end.len();
        // The name, and the dashes behind it.
        let close = text[behind..].bytes().take(LONGEST_NAME);
        let close = close.take_while(|byte| {
            byte.is_ascii_uppercase() || byte.is_ascii_digit() || b" -".contains(byte)
        });
        behind + close.count()
    });
    let kept = text[start..end].trim_end().len();
    findings.add(start..start + kept, marks::PRIVATE_KEY);
}

/// A block whose beginning was cut off: the lines above the last one.
pub(super) fn look_at_end(text: &str, sign: Range<usize>, findings: &mut Findings) {
    const LONGEST_KEY: usize = 16 * 1024;
    let (start, name) = (dashes(text, sign.start), sign.end);
    if !is_private(text, name) {
        return;
    }
    let bytes = text.as_bytes();
    let mut from = start;
    loop {
        // `\n` is two characters where the text was escaped.
        let breaks = bytes[..from]
            .iter()
            .rev()
            .take(8)
            .take_while(|byte| b"\r\n \\nr".contains(byte));
        let line_end = from - breaks.count();
        let made = |byte: &&u8| byte.is_ascii_alphanumeric() || b"+/=".contains(byte);
        let length = bytes[..line_end].iter().rev().take_while(made).count();
        let first = from == start;
        if length < if first { 4 } else { 32 } || start - line_end > LONGEST_KEY {
            break;
        }
        from = line_end - length;
    }
    let close = text[name..].bytes().take(LONGEST_NAME);
    let close = close
        .take_while(|byte| byte.is_ascii_uppercase() || b" -".contains(byte))
        .count();
    if from < start {
        let kept = text[..name + close].trim_end().len();
        findings.add(from..kept, marks::PRIVATE_KEY);
    }
}

/// The private lines of a key of `PuTTY`.
pub(super) fn look_at_putty(text: &str, behind: usize, findings: &mut Findings) {
    let start = behind + text[behind..].find('\n').map_or(0, |length| length + 1);
    if marks::end(text, start).is_some() {
        return;
    }
    let end = text[start..]
        .find(PUTTY_END)
        .map_or(text.len(), |length| start + length);
    let kept = text[start..end].trim_end().len();
    findings.add(start..start + kept, marks::PRIVATE_KEY);
}
