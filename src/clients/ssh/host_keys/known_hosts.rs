//! Files of known host keys, as OpenSSH writes them (`sshd(8)`, "SSH known hosts file format").

use std::path::{Path, PathBuf};

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use russh::keys::ssh_key::PublicKey;

/// A file that was read.
#[derive(Debug, Default)]
pub(super) struct KnownHosts {
    pub(super) path: PathBuf,
    entries: Vec<Entry>,
}

/// What a line says of its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Marker {
    /// It is the host's.
    None,
    /// It signs the certificates of these hosts.
    Authority,
    /// It must not be accepted.
    Revoked,
}

#[derive(Debug)]
struct Entry {
    /// From 1.
    line: usize,
    marker: Marker,
    hosts: Hosts,
    /// The type and the key, as they are written.
    key: String,
}

#[derive(Debug)]
enum Hosts {
    Hashed { salt: Vec<u8>, hash: Vec<u8> },
    Patterns(Vec<String>),
}

/// A key that a file has for a host.
#[derive(Debug, Clone)]
pub(super) struct Recorded {
    pub(super) marker: Marker,
    pub(super) key: PublicKey,
    pub(super) path: PathBuf,
    /// `file:line`.
    pub(super) place: String,
}

impl KnownHosts {
    /// Lines that are none are left out: others may still be good.
    pub(super) fn parse(path: &Path, text: &str) -> Self {
        let entries = (text.lines().enumerate())
            .filter_map(|(index, line)| Entry::parse(index + 1, line))
            .collect();
        Self {
            path: path.to_owned(),
            entries,
        }
    }

    /// What it has for a host of that name. Keys that cannot be read are left out.
    pub(super) fn find(&self, name: &str) -> impl Iterator<Item = Recorded> {
        let found = self
            .entries
            .iter()
            .filter(move |one| one.hosts.match_name(name));
        found.filter_map(|one| {
            Some(Recorded {
                marker: one.marker,
                key: PublicKey::from_openssh(&one.key).ok()?,
                path: self.path.clone(),
                place: format!("{}:{}", self.path.display(), one.line),
            })
        })
    }
}

impl Entry {
    fn parse(line: usize, text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        let mut word = words.next()?;
        let marker = match word {
            "@cert-authority" => Marker::Authority,
            "@revoked" => Marker::Revoked,
            word if word.starts_with(['#', '@']) => return None,
            _ => Marker::None,
        };
        if marker != Marker::None {
            word = words.next()?;
        }
        Some(Self {
            line,
            marker,
            hosts: Hosts::parse(word)?,
            key: format!("{} {}", words.next()?, words.next()?),
        })
    }
}

impl Hosts {
    fn parse(word: &str) -> Option<Self> {
        let Some(hashed) = word.strip_prefix("|1|") else {
            let patterns = word.split(',').filter(|one| !one.is_empty());
            return Some(Self::Patterns(patterns.map(str::to_owned).collect()));
        };
        let (salt, hash) = hashed.split_once('|')?;
        Some(Self::Hashed {
            salt: STANDARD.decode(salt).ok()?,
            hash: STANDARD.decode(hash).ok()?,
        })
    }

    /// A name that a pattern with `!` matches is not meant, whatever the others say.
    fn match_name(&self, name: &str) -> bool {
        match self {
            Self::Hashed { salt, hash } => {
                let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, salt);
                hmac::sign(&key, name.as_bytes()).as_ref() == hash.as_slice()
            }
            Self::Patterns(patterns) => {
                let is_like = |pattern: &str| is_like(pattern, name);
                let excluded = patterns
                    .iter()
                    .filter_map(|one| one.strip_prefix('!'))
                    .any(is_like);
                !excluded && patterns.iter().any(|one| is_like(one))
            }
        }
    }
}

/// A line without the key that it gives to a host of that name. `None`: nothing of it is left. A pattern that means other
/// hosts as well stays, and so do lines that give no key.
pub(super) fn without_name(line: &str, name: &str) -> Option<String> {
    let unchanged = || Some(line.to_owned());
    let means_it = |one: &Entry| one.marker == Marker::None && one.hosts.match_name(name);
    if !Entry::parse(1, line).as_ref().is_some_and(means_it) {
        return unchanged();
    }
    let (names, key) = line.trim_start().split_once(char::is_whitespace)?;
    if names.starts_with('|') {
        return None;
    }
    let others: Vec<&str> = (names.split(','))
        .filter(|one| one.contains(['*', '?']) || !is_like(one, name))
        .collect();
    let is_left = others
        .iter()
        .any(|one| !one.is_empty() && !one.starts_with('!'));
    is_left.then(|| format!("{} {key}", others.join(",")))
}

/// Whether a name fits a pattern in which `*` is any text and `?` any character, whatever the case.
pub(super) fn is_like(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let (mut at, mut seen) = (0, 0);
    // Where to go on when what follows the last `*` does not fit: linear in practice, and never exponential.
    let mut last_star = None;
    while seen < name.len() {
        match pattern.get(at) {
            Some(b'*') => {
                last_star = Some((at + 1, seen));
                at += 1;
            }
            Some(one) if *one == b'?' || one.eq_ignore_ascii_case(&name[seen]) => {
                at += 1;
                seen += 1;
            }
            _ => match last_star {
                Some((after, from)) => {
                    last_star = Some((after, from + 1));
                    at = after;
                    seen = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|one| *one == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB9dG4kjRhQTtWTVzd2t27+t0DEHBPW7iOD23TUiYLio";

    fn lines_for(text: &str, name: &str) -> Vec<(Marker, String)> {
        let file = KnownHosts::parse(Path::new("known"), text);
        file.find(name).map(|one| (one.marker, one.place)).collect()
    }

    #[test]
    fn patterns_match_as_in_openssh() {
        for (pattern, name, expected) in [
            ("web", "web", true),
            ("WEB", "web", true),
            ("web", "web1", false),
            ("web?", "web1", true),
            ("web?", "web", false),
            ("*.example.com", "a.b.example.com", true),
            ("*.example.com", "example.com", false),
            ("*", "anything", true),
            ("*a*b*c*", "xxaxxbxxcxx", true),
            ("*a*b*c", "xxaxxbxxcxx", false),
            ("[web]:2222", "[web]:2222", true),
            ("", "", true),
            ("", "web", false),
        ] {
            assert_eq!(is_like(pattern, name), expected, "{pattern} {name}");
        }
        let long = "a".repeat(5_000);
        assert!(!is_like(&format!("{}b", "*a".repeat(200)), &long));
    }

    #[test]
    fn all_forms_of_lines_are_read() {
        let text = format!(
            "# a comment\n\n\
             web,10.0.0.1 {ONE} someone@home # and more\n\
             web\t{}\n\
             [web]:2222 {ONE}\n\
             *.example.com,!secret.example.com {ONE}\n\
             @revoked old {ONE}\n\
             @cert-authority *.internal {ONE}\n\
             @strange web {ONE}\n\
             web ssh-ed25519 AAAAnonsense\n\
             web ssh-ed25519\n\
             web\n\
             \u{feff}broken\n",
            ONE.replace(' ', "\t"),
        );
        let plain = |lines: &[usize]| -> Vec<(Marker, String)> {
            (lines
                .iter()
                .map(|line| (Marker::None, format!("known:{line}"))))
            .collect()
        };
        assert_eq!(lines_for(&text, "web"), plain(&[3, 4]));
        assert_eq!(lines_for(&text, "10.0.0.1"), plain(&[3]));
        assert_eq!(lines_for(&text, "[web]:2222"), plain(&[5]));
        assert_eq!(lines_for(&text, "a.example.com"), plain(&[6]));
        assert_eq!(lines_for(&text, "secret.example.com"), []);
        assert_eq!(
            lines_for(&text, "old"),
            [(Marker::Revoked, "known:7".to_owned())]
        );
        assert_eq!(
            lines_for(&text, "x.internal"),
            [(Marker::Authority, "known:8".to_owned())]
        );
    }

    #[test]
    fn hashed_names_are_found() {
        // Made by `ssh-keygen -H` from the name `[web]:2222`.
        let text = format!("|1|Kd5/wOXiLl8jOmvCKdA4rK/ijl4=|zugoLu9FbJkYfBSG+B4yyz31H+w= {ONE}\n");
        assert_eq!(lines_for(&text, "[web]:2222").len(), 1);
        assert_eq!(lines_for(&text, "web"), []);
    }
}
