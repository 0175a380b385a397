//! Command lines on which no name says that a value is secret: `mysql -pSECRET`, `curl -u user:password`.

use super::code::is_constant;
use super::findings::Findings;
use super::marks;
use super::values;

/// A program that takes a secret.
pub(super) struct Command {
    /// Its name.
    pub(super) name: &'static str,
    /// Its flag.
    flag: &'static str,
    takes: Takes,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    /// `-pSECRET`
    Attached,
    /// `-p SECRET`
    Next,
    /// `-pSECRET` or `-p SECRET`
    Either,
    /// `-u user:SECRET`
    Pair,
    /// `-U user%SECRET`
    Percent,
    /// `-u user,SECRET`
    Comma,
    /// `-b name=SECRET`
    Cookie,
}

const fn command(name: &'static str, flag: &'static str, takes: Takes) -> Command {
    Command { name, flag, takes }
}

use Takes::{Attached, Comma, Cookie, Either, Next, Pair, Percent};

/// All that are known.
pub(super) const COMMANDS: &[Command] = &[
    command("mysql", "-p", Attached),
    command("mysqldump", "-p", Attached),
    command("mysqladmin", "-p", Attached),
    command("mysqlcheck", "-p", Attached),
    command("mysqlimport", "-p", Attached),
    command("mariadb", "-p", Attached),
    command("mariadb-dump", "-p", Attached),
    command("mariadb-admin", "-p", Attached),
    command("sshpass", "-p", Either),
    command("redis-cli", "-a", Next),
    command("mongo", "-p", Next),
    command("mongosh", "-p", Next),
    command("mongodump", "-p", Either),
    command("mongorestore", "-p", Either),
    command("bcp", "-P", Either),
    command("twine", "-p", Next),
    command("usermod", "-p", Next),
    command("useradd", "-p", Next),
    command("openfortivpn", "-p", Next),
    command("hydra", "-p", Next),
    command("ss-server", "-k", Next),
    command("ss-local", "-k", Next),
    command("rdesktop", "-p", Next),
    command("crackmapexec", "-p", Next),
    command("check_mysql", "-p", Either),
    command("check_mysql_health", "--password", Either),
    command("check_pgsql", "-p", Either),
    command("check_ldap", "-P", Next),
    command("check_snmp", "-C", Next),
    command("check_http", "-a", Pair),
    command("snmpwalk", "-c", Next),
    command("snmpget", "-c", Next),
    command("ldapwhoami", "-w", Either),
    command("openssl", "-k", Next),
    command("7z", "-p", Attached),
    command("rar", "-p", Attached),
    command("zip", "-P", Next),
    command("xfreerdp", "/p:", Attached),
    command("lftp", "-u", Comma),
    command("curl", "-b", Cookie),
    command("curl", "--cookie", Cookie),
    command("sqlcmd", "-P", Either),
    command("mosquitto_pub", "-P", Next),
    command("mosquitto_sub", "-P", Next),
    command("ldapsearch", "-w", Next),
    command("ldapmodify", "-w", Next),
    command("ipmitool", "-P", Next),
    command("login", "-p", Next),
    command("unzip", "-P", Next),
    command("cqlsh", "-p", Next),
    command("curl", "-u", Pair),
    command("curl", "--user", Pair),
    command("curl", "-U", Pair),
    command("curl", "--proxy-user", Pair),
    command("skopeo", "--creds", Pair),
    command("skopeo", "--src-creds", Pair),
    command("skopeo", "--dest-creds", Pair),
    command("smbclient", "-U", Percent),
];

/// A command line is no longer, as far as it is looked at.
const LONGEST_LINE: usize = 512;

/// Looks at the command line that begins with this name.
pub(super) fn look(command: &Command, text: &str, name_end: usize, findings: &mut Findings) {
    let bytes = text.as_bytes();
    let name_start = name_end - command.name.len();
    let part = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    let joined = |at: Option<usize>| {
        at.and_then(|at| bytes.get(at))
            .is_some_and(|byte| part(*byte))
    };
    if joined(name_start.checked_sub(1)) || joined(Some(name_end)) {
        return;
    }
    if command.name == "login" && !is_login_of(&text[..name_start]) {
        return;
    }
    let line = bytes[name_end..].iter().take(LONGEST_LINE);
    let end = name_end + line.take_while(|byte| !b"\n\r|;".contains(byte)).count();
    let mut at = name_end;
    while let Some(found) = bytes[at..end]
        .windows(command.flag.len())
        .position(|window| window == command.flag.as_bytes())
    {
        let flag = at + found;
        at = flag + command.flag.len();
        if b" \t\"',[".contains(&bytes[flag - 1]) {
            argument(command.takes, text, at, findings);
        }
    }
}

/// Programs whose `login` takes a password behind `-p`.
const LOGINS: [&str; 13] = [
    "acr", "az", "buildah", "crane", "docker", "helm", "nerdctl", "oc", "oras", "podman",
    "registry", "regctl", "skopeo",
];

/// Whether a program stands directly before `login` that takes a password there.
fn is_login_of(before: &str) -> bool {
    let before = before.trim_end_matches([' ', '"', '\'', ',']);
    let word = before
        .bytes()
        .rev()
        .take(16)
        .take_while(u8::is_ascii_alphabetic)
        .count();
    LOGINS.contains(&&before[before.len() - word..])
}

/// Behind the name of the next argument, as the kernel's log of commands has them: `a1="-p" a2="value"`.
fn behind_a_number(text: &str, behind: usize) -> Option<usize> {
    let rest = text[behind..].strip_prefix("\" a")?;
    let digits = rest.bytes().take(3).take_while(u8::is_ascii_digit).count();
    let rest = rest[digits..].strip_prefix('=').filter(|_| digits > 0)?;
    Some(text.len() - rest.len())
}

fn argument(takes: Takes, text: &str, behind: usize, findings: &mut Findings) {
    let bytes = text.as_bytes();
    let numbered = behind_a_number(text, behind);
    // Between the elements of a list, or of a line.
    let between = bytes[behind..]
        .iter()
        .take(8)
        .take_while(|byte| b" \t\"',=".contains(byte));
    let apart = bytes
        .get(behind)
        .is_some_and(|byte| b" \t\"',=".contains(byte));
    let quoted = values::quote(text, behind).is_some_and(|quote| {
        bytes
            .get(behind + quote.len())
            .is_some_and(|byte| !b" ,]".contains(byte))
    });
    let start = match takes {
        Next | Either | Pair | Percent | Comma | Cookie if numbered.is_some() => {
            numbered.unwrap_or(behind)
        }
        Attached if apart && !quoted => return,
        Attached => behind,
        Either if !apart => behind,
        _ if !apart => {
            // `-uuser:password`
            if takes != Pair {
                return;
            }
            behind
        }
        _ => {
            let blanks = between.count();
            let last = behind + blanks;
            // The quote that the value begins with.
            if blanks > 0 && b"\"'".contains(&bytes[last - 1]) {
                last - 1
            } else {
                last
            }
        }
    };
    if start >= text.len() {
        return;
    }
    let mut place = values::value(text, start, values::Joint::Space, None);
    let separator = match takes {
        Pair => Some(b':'),
        Percent => Some(b'%'),
        Comma => Some(b','),
        Cookie => Some(b'='),
        Attached | Next | Either => None,
    };
    if let Some(separator) = separator {
        let Some(found) = marks::first_outside(text, place.clone(), separator) else {
            return;
        };
        place.start = found + 1;
    }
    let value = &text[place.clone()];
    let is_flag = value.starts_with('-') && takes != Attached;
    // `usage: login -u USER -p PASSWORD`
    let is_sample = takes != Attached && is_constant(value);
    if !is_sample
        && !values::stands_in(value)
        && !is_flag
        && marks::end(text, place.start).is_none()
    {
        let what = if takes == Cookie {
            marks::COOKIE
        } else {
            marks::PASSWORD
        };
        findings.add(place, what);
    }
}
