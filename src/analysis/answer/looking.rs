//! Commands that only look, or that keep what they change small. Their figures say nothing of what happened, so that they need not
//! stand in a fact: `docker logs --tail 50`, `openssl x509`, `chmod 600`.

/// How they begin, in small letters, with one blank between words.
#[rustfmt::skip]
const LOOKING: [&str; 44] = [
    "awk ", "chmod 400", "chmod 440", "chmod 600", "chmod 640", "chmod 644", "chmod 700", "chmod 750", "curl ", "df ", "dig ", "dmesg",
    "docker events", "docker inspect", "docker logs", "docker ps", "docker stats", "docker top", "du ", "free ", "git log", "git show",
    "head ", "iostat", "journalctl", "kubectl describe", "kubectl get", "kubectl logs", "kubectl top", "lsof", "mpstat", "mtr ", "nslookup ",
    "openssl ", "pidstat", "ping ", "podman logs", "ps ", "sar ", "ss ", "tail ", "top ", "traceroute ", "vmstat",
];

/// A text without the figures of such commands. Each goes to the end of its quote, or of the sentence.
pub(super) fn without_arguments(text: &str) -> String {
    let mut rest = text;
    let mut left = String::with_capacity(text.len());
    while let Some((at, name)) = first_in(rest) {
        let start = at + name.len();
        let is_digit = |one: char| one.is_ascii_digit();
        left.extend(rest[..start].chars().filter(|one| !is_digit(*one)));
        let command = &rest[start..];
        let ends = ['`', ';', '\n', '(', ')'];
        let end = command.find(ends).unwrap_or(command.len());
        let end = command.find(". ").map_or(end, |point| point.min(end));
        for (index, word) in command[..end].split(' ').enumerate() {
            if index > 0 {
                left.push(' ');
            }
            if !is_argument(word, name, before(&command[..end], word)) {
                left.push_str(word);
            }
        }
        rest = &command[end..];
    }
    left.push_str(rest);
    left
}

/// The word before another of the same text.
fn before<'text>(text: &'text str, word: &str) -> &'text str {
    let at = word.as_ptr() as usize - text.as_ptr() as usize;
    text[..at].trim_end().rsplit(' ').next().unwrap_or_default()
}

/// Whether the figures of a word are those of an argument: of a flag, behind one, of a size or an interval.
fn is_argument(word: &str, name: &str, before: &str) -> bool {
    let bare = word.trim_matches(|one: char| "'\".,".contains(one));
    let is_number = !bare.is_empty() && bare.bytes().all(|byte| byte.is_ascii_digit());
    let takes_numbers = ["iostat", "vmstat", "mpstat", "pidstat", "sar "].contains(&name);
    bare.starts_with('-')
        || bare == "x509"
        || (before.starts_with('-') && bare.len() <= 8)
        || (takes_numbers && is_number)
}

/// Where the first such command stands in a text, as it is written there.
fn first_in(text: &str) -> Option<(usize, &str)> {
    let small = text.to_ascii_lowercase();
    let found = LOOKING.iter().filter_map(|name| {
        let mut places = small.match_indices(name);
        places.find_map(|(at, _)| {
            let begins = !small[..at]
                .ends_with(|one: char| one.is_alphanumeric() || one == '-' || one == '_');
            begins.then_some((at, name.len()))
        })
    });
    let (at, length) = found.min()?;
    Some((at, &text[at..at + length]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_commands_that_look_are_left_out() {
        for (text, left) in [
            (
                "Run `docker logs --tail 50 db-1` at 10:05",
                "Run `docker logs   db-1` at 10:05",
            ),
            (
                "Run `journalctl -u db -n 100`, 31 times",
                "Run `journalctl    `, 31 times",
            ),
            ("tail -n 100 /var/log/syslog", "tail   /var/log/syslog"),
            ("Run `journalctl --vacuum-size=500M`", "Run `journalctl `"),
            ("openssl x509 -in /etc/cert.pem", "openssl   /etc/cert.pem"),
            ("chmod 600 key.pem", "chmod  key.pem"),
            ("Run iostat -x 1 30", "Run iostat   "),
            ("Look at 4711 rows", "Look at 4711 rows"),
            ("the detail 4711", "the detail 4711"),
        ] {
            assert_eq!(without_arguments(text), left);
        }
    }
}
