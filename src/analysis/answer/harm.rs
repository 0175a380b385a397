//! What a model may say that nobody who is half asleep is to copy.

/// Steps that would destroy what they are to save, or open a door: nobody who is half asleep is to copy them. No list is
/// complete, so whatever a model says is marked as its own.
const HARM: [&str; 55] = [
    "rm -",
    "rm *",
    "mkfs",
    "dd if=",
    "wipefs",
    "shred ",
    // As `>` is shown.
    "› /dev/",
    "›/dev/",
    "fdisk",
    "parted ",
    "drop database",
    "drop table",
    "drop schema",
    "truncate table",
    "delete from",
    "flushall",
    "flushdb",
    "| sh",
    "|sh",
    "| bash",
    "|bash",
    "| sudo",
    "base64 -d",
    "eval ",
    "python -c",
    "python3 -c",
    "perl -e",
    "nc -",
    "chmod 777",
    "chmod -r 777",
    "iptables -f",
    "ufw disable",
    "setenforce 0",
    "terminate-instances",
    "delete-bucket",
    "kubectl delete",
    "curl ",
    "wget ",
    "authorized_keys",
    "known_hosts",
    "truncate ",
    "find / -",
    " -delete",
    "lvremove",
    "vgremove",
    "pg_resetwal",
    "volume rm",
    "system prune",
    "s3 rm",
    "s3 rb",
    "delete-volume",
    "stop roundsman",
    "kill roundsman",
    "pkill ",
    "killall ",
];

/// Words of steps that would blind us.
const BLINDING: [&str; 5] = ["disable", "silence", "mute", "turn off", "switch off"];
const OF_US: [&str; 3] = ["roundsman", "monitor", "alert"];

pub(super) fn would_harm(step: &str) -> bool {
    let words = step
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .to_lowercase();
    let has = |list: &[&str]| list.iter().any(|part| words.contains(part));
    // An alarm - as such - is no `rm -`, and a retrieval of data no `eval `.
    let begins = |at: usize, part: &str| {
        let before = words[..at].chars().next_back();
        !part.starts_with(char::is_alphanumeric) || !before.is_some_and(char::is_alphanumeric)
    };
    let would = |part: &&str| words.match_indices(*part).any(|(at, _)| begins(at, part));
    HARM.iter().any(would) || (has(&BLINDING) && has(&OF_US))
}
