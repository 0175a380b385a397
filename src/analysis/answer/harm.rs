//! What a model may say that nobody who is half asleep is to copy.

/// Steps that would destroy what they are to save, or open a door: nobody who is half asleep is to copy them. No list is
/// complete, so whatever a model says is marked as its own.
const HARM: &[&str] = &[
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
    "git clean",
    "git reset --hard",
    "terraform destroy",
    "tofu destroy",
    "helm uninstall",
    "helm delete",
    "zfs destroy",
    "zpool destroy",
    "subvolume delete",
    "instances delete",
    "down -v",
    "userdel",
    "grant all",
    "0.0.0.0/0",
    "permitrootlogin yes",
    "chmod a+",
    "chmod o+",
    "chmod +s",
    "roundsman ack",
    "roundsman silence",
];

/// What a step must not begin to do: it is told that nothing is to be deleted.
const DELETING: [&str; 11] = [
    "delete ",
    "erase ",
    "wipe ",
    "destroy ",
    "purge ",
    "uninstall ",
    "terminate ",
    "drop the ",
    "drop all ",
    "empty the ",
    "clear the ",
];

/// Steps that would open a door or blind us, beside [`BLINDING`] and [`OF_US`]: one of these words, and one of what it is done
/// to.
const OPENING: [&str; 8] = [
    "raise the threshold",
    "remove",
    "allow all",
    "acknowledge",
    "pause",
    "snooze",
    "bypass",
    "stop the monitor",
];
const GUARDS: [&str; 11] = [
    "authentication",
    "security group",
    "inbound",
    "permitrootlogin",
    "incident",
    "notification",
    "channel",
    "firewall",
    "selinux",
    "apparmor",
    "verification",
];

/// Steps that would give a secret away.
const TELLING: [&str; 8] = [
    "post ", "send ", "reply ", "paste ", "share ", "publish ", "upload ", "tell ",
];
const SECRETS: [&str; 7] = [
    "password",
    "token",
    "secret",
    "credential",
    "private key",
    "api key",
    "_key",
];

/// Words of steps that would blind us.
const BLINDING: [&str; 5] = ["disable", "silence", "mute", "turn off", "switch off"];
const OF_US: [&str; 3] = ["roundsman", "monitor", "alert"];

pub(super) fn would_harm(text: &str) -> bool {
    let words = lowered(text);
    let has = |list: &[&str]| list.iter().any(|part| words.contains(part));
    HARM.iter().any(|part| stands_in(&words, part)) || (has(&BLINDING) && has(&OF_US))
}

/// Whether somebody who does that would harm: what may be said of the past, such as that a job did delete rows, is no step.
pub(super) fn step_would_harm(step: &str) -> bool {
    let words = lowered(step);
    let has = |list: &[&str]| list.iter().any(|part| words.contains(part));
    would_harm(step)
        || DELETING.iter().any(|part| stands_in(&words, part))
        || ((has(&BLINDING) || has(&OPENING)) && (has(&OF_US) || has(&GUARDS)))
        || (TELLING.iter().any(|part| stands_in(&words, part)) && has(&SECRETS))
}

/// In small letters, with one blank between words.
pub(super) fn lowered(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").to_lowercase()
}

/// An alarm - as such - is no `rm -`, and a retrieval of data no `eval `.
fn stands_in(words: &str, part: &str) -> bool {
    let begins = |at: usize| {
        let before = words[..at].chars().next_back();
        !part.starts_with(char::is_alphanumeric) || !before.is_some_and(char::is_alphanumeric)
    };
    words.match_indices(part).any(|(at, _)| begins(at))
}
