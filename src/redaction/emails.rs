//! Addresses of e-mail, which go only where that is wished.

use std::ops::Range;

use super::findings::{Findings, has_ellipsis};
use super::marks;

const LONGEST_LOCAL: usize = 64;
const LONGEST_DOMAIN: usize = 253;

/// What units of systemd and files end with: `getty@tty1.service`, `openvpn@client.conf`.
#[rustfmt::skip]
const NO_DOMAINS: [&str; 24] = [
    "automount", "cfg", "conf", "crt", "device", "journal", "json", "key", "link", "log", "mount", "netdev", "network",
    "path", "pem", "scope", "service", "slice", "socket", "swap", "target", "timer", "yaml", "yml",
];

/// Programs behind which an account on a host stands.
const PROGRAMS: [&str; 8] = [
    "autossh",
    "mosh",
    "rsync",
    "scp",
    "sftp",
    "ssh",
    "ssh-copy-id",
    "sshfs",
];

/// `name@example.com`, from the `@`, or from what stands for it.
pub(super) fn look(text: &str, sign: Range<usize>, findings: &mut Findings) {
    let start = local_start(text, sign.start);
    let domain = domain(&text[sign.end..]);
    let end = sign.end + domain.len();
    let cut = has_ellipsis(text, end);
    if start == sign.start || is_login(text, start, end) || !is_domain(domain, cut) {
        return;
    }
    findings.add(start..end, marks::EMAIL);
}

/// Where the name before the sign begins; there, where none does.
fn local_start(text: &str, sign: usize) -> usize {
    let before = &text[..sign];
    if let Some(quoted) = before.strip_suffix('"') {
        // `"bob smith"@example.com`
        let reach = quoted.len() - quoted.bytes().rev().take(LONGEST_LOCAL).count();
        let open = quoted
            .bytes()
            .rposition(|byte| byte == b'"' || byte == b'\n');
        let open = open.filter(|at| *at >= reach && *at + 1 < quoted.len());
        return open
            .filter(|at| quoted.as_bytes()[*at] == b'"')
            .unwrap_or(sign);
    }
    let mut start = sign;
    for (at, c) in before.char_indices().rev().take(LONGEST_LOCAL) {
        // `o'brien@example.com`, and not the quote that an address stands in.
        let apostrophe = c == '\'' && start < sign && before[..at].ends_with(char::is_alphabetic);
        if !c.is_alphanumeric() && !"._+-".contains(c) && !apostrophe {
            break;
        }
        start = at;
    }
    start
}

fn domain(rest: &str) -> &str {
    let made = |c: char| c.is_alphanumeric() || c == '.' || c == '-';
    let length: usize = rest
        .chars()
        .take(LONGEST_DOMAIN)
        .take_while(|c| made(*c))
        .map(char::len_utf8)
        .sum();
    let domain = &rest[..length];
    // Three points stand for what was cut off.
    let domain = domain.split("..").next().unwrap_or(domain);
    domain.trim_end_matches(['.', '-'])
}

fn is_domain(domain: &str, cut: bool) -> bool {
    let top = domain.rsplit_once('.').map_or("", |(_, top)| top);
    let whole = top.chars().count() >= 2 && top.chars().all(char::is_alphabetic);
    let begun = cut && domain.chars().count() >= 2 && domain.starts_with(char::is_alphabetic);
    (whole || begun) && !NO_DOMAINS.contains(&top)
}

/// Whether this is an account on a host, which is what people look for: behind a program, in an address, before a path.
fn is_login(text: &str, start: usize, end: usize) -> bool {
    const REACH: usize = 80;
    let mut from = start.saturating_sub(REACH);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let before = &text[from..start];
    let behind = &text[end..];
    let is_git = text[start..end].starts_with("git@");
    is_git
        || before.ends_with("://")
        || behind.starts_with(":/")
        || behind.starts_with(":~")
        || behind.starts_with(": Permission denied (")
        || is_behind_a_program(before)
}

/// Whether a program stands before, and nothing between but options and what they take.
fn is_behind_a_program(before: &str) -> bool {
    let line = before.rsplit('\n').next().unwrap_or(before);
    let apart = |c: char| c.is_whitespace() || "\"'`:;|&(/".contains(c);
    let mut is_taken = false;
    for word in line.rsplit(apart).filter(|word| !word.is_empty()).take(8) {
        if PROGRAMS.contains(&word) {
            return true;
        }
        let is_option = word.starts_with('-');
        if is_taken && !is_option {
            return false;
        }
        is_taken = !is_option;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::super::Redactor;
    use crate::secret;

    #[test]
    fn addresses_of_people_go() {
        let redactor = Redactor::new(&secret::Redactor::default(), true);
        for address in [
            "bob@example.com",
            "BOB@EXAMPLE.CO.UK",
            "bob+tag@example.com",
            "o'brien@example.com",
            "böb@exämple.de",
            "боб@пример.рф",
            "bob%40example.com",
            "\"bob smith\"@example.com",
            "bob＠example.com",
            "a@b.co",
        ] {
            for (before, behind) in [
                ("", ""),
                ("to ", "."),
                ("<", ">"),
                ("Key (email)=(", ") exists"),
                ("'", "'"),
            ] {
                let text = format!("{before}{address}{behind}");
                let expected = format!("{before}[redacted: e-mail address]{behind}");
                assert_eq!(redactor.redact(&text), expected, "{text}");
                assert_eq!(Redactor::default().redact(&text), text);
            }
        }
        for (text, expected) in [
            (
                "write bob.smith@longn…",
                "write [redacted: e-mail address]…",
            ),
            (
                "write bob.smith@longn...",
                "write [redacted: e-mail address]...",
            ),
            (
                "ssh is down, write bob@example.com",
                "ssh is down, write [redacted: e-mail address]",
            ),
        ] {
            assert_eq!(redactor.redact(text), expected);
        }
    }

    #[test]
    fn accounts_on_hosts_units_and_versions_stay() {
        let redactor = Redactor::new(&secret::Redactor::default(), true);
        for text in [
            "git@github.com: Permission denied (publickey).",
            "git@github.com",
            "ssh deploy@web-1.example.com",
            "ssh -i key -p 2222 deploy@web-1.example.com uptime",
            "deploy@web-1.example.com: Permission denied (publickey,password).",
            "rsync -a deploy@web-1.example.com:/var/www .",
            "scp deploy@web-1.example.com:~/a .",
            "postgres://app@db.example.com/x",
            "openvpn@client.conf",
            "getty@tty1.service failed",
            "user@1000.service",
            "@types/node@20.1.0",
            "nginx@sha256:4bf3a0d1c5e6f7a8b9c0d1e2f3a4b5c6",
            "repl@10.0.0.5:3306",
            "bob@localhost",
            "http://example.com:8080/a@b/c",
            "'app'@'%'",
        ] {
            assert_eq!(redactor.redact(text), text);
        }
    }
}
