//! Commands that nobody who is half asleep is to copy, wherever they stand. Orders in sentences are [`super::orders`]. No list is
//! complete, so whatever a model says is marked as its own.

/// Parts of commands that would destroy what they are to save, open a door, blind those who watch or tell a secret: in small
/// letters, with one blank between words, `>` as it is shown.
#[rustfmt::skip]
const HARM: &[&str] = &[
    // Files and disks.
    "rm -", "rm *", "rm ‹", "xargs rm", "-rf", "-fr", "unlink ", "shutil.rmtree", "os.remove", "mkfs", "dd if=", "dd of=", "wipefs",
    "shred ", "blkdiscard", "sgdisk", "hdparm --", "nvme format", "luksformat", "lukserase", "pvremove", "lvremove", "vgremove", "lvreduce",
    "mdadm --zero", "fdisk", "parted ", "/dev/zero", "/dev/urandom", "truncate -", "'truncate ", "`truncate ", "\"truncate ", "find / -", "-delete", "--delete", "--purge",
    "zfs destroy", "zfs rollback", "zpool destroy", "subvolume delete", "vacuum-time=0", "vacuum-time=1s", "› /var/log", "›/var/log",
    "history -c", "histfile", "logrotate -f and then",
    // Databases and stores.
    "drop database", "drop table", "drop schema", "drop column", "drop user", "drop role", "drop owned", "drop index", "drop view",
    "drop extension", "drop tablespace", "drop keyspace", "drop collection", "drop stream", "drop partition", "truncate table",
    "delete from", "dropdatabase", "dropdb", "dropuser", "deletemany", ".drop()", ".remove({", "initdb", "pg_resetwal",
    "pg_drop_replication_slot", "flushall", "flushdb", "alter role", "alter user", "create role", "create user", "with superuser",
    "grant all", "grant superuser", "set password", "etcdctl del", "etcdctl snapshot restore", "kv delete", "kv destroy",
    "secrets disable", "auth disable", "operator seal", "rabbitmqctl reset", "rabbitmqctl force_reset", "purge_queue", "delete_queue",
    "topics --delete", "clearsnapshot", "cluster reset", "-x delete", "-xdelete", "http delete", "update users set", "update user set",
    // Containers and clouds.
    "volume rm", "volume prune", "system prune", "container prune", "docker rm ", "podman rm ", "compose rm", "down -v",
    "down --volumes", "kubectl delete", "kubectl drain", "replicas=0", "replicas 0", "helm uninstall", "helm delete", "apply -destroy",
    "terraform destroy", "tofu destroy", "pulumi destroy", "terraform state rm", "delete-", "terminate-", "deregister-", "purge-",
    "s3 rm", "s3 rb", "instances delete", "group delete", "server delete", "droplet delete", "cluster delete", "volume delete",
    "public-read", "authorize-security-group", "0.0.0.0/0", "::/0", "get-secret-value", "get secret", "get secrets", "vault kv get",
    // Sources.
    "git clean", "reset --hard", "push --force", "push -f", "branch -d", "filter-branch", "reflog expire", "stash clear",
    // The host, and whoever may use it.
    "poweroff", "shutdown -", "shutdown now", "shutdown /", "reboot -f", "reboot --force", "halt -", "systemctl halt", "telinit", "init 0",
    "init 6", "sysrq", "kill -9 -1", "kill -kill -1", "kill -- -1", "pkill ", "killall ", "crontab -r", "userdel", "deluser", "usermod",
    "useradd", "adduser", "gpasswd", "passwd -d", "passwd -u", "chpasswd", "visudo", "sudoers", "nopasswd", "chmod 777", "chmod 0777",
    "chmod 666", "chmod -r", "chmod a+", "chmod o+", "chmod +s", "chmod u+s", "chown -r", "chgrp -r", "setfacl", "permitrootlogin yes",
    "passwordauthentication yes", "stricthostkeychecking no", "authorized_keys", "known_hosts", "setenforce 0",
    // What guards, and what watches.
    "iptables -f", "iptables -x", "iptables --flush", "iptables -p input accept", "iptables -p forward accept", "nft flush",
    "nft delete", "ufw disable", "ufw reset", "ufw allow", "firewall-cmd --", "kill roundsman", "roundsman ack", "roundsman silence",
    // What runs what nobody has read, or lets somebody in.
    "| sh", "|sh", "| bash", "|bash", "| zsh", "| sudo", "| python", "| perl", "base64 -d", "base64 --decode", "xxd -r", "eval ",
    "python -c", "python3 -c", "perl -e", "ruby -e", "node -e", "php -r", "bash -i", "bash ‹", "sh ‹", "/dev/tcp/", "/dev/udp/", "nc -",
    "| nc ", "|nc ", "-e /bin/", "-c /bin/", "ncat ", "socat ", "mkfifo", "ssh -r", "ngrok", "wget ", "npm install", "npm i ", "npx ",
    "pip install", "pip3 install", "pipx ", "gem install", "cargo install", "go install", "add-apt-repository", "ld_preload",
    // What tells a secret.
    "/etc/shadow", "/etc/gshadow", "id_rsa", "id_ed25519", "id_ecdsa", "| mail ", "|mail ", "@.env", "cat .env", "printenv",
    // Windows.
    "remove-item", "format-volume", "clear-disk", "initialize-disk", "format c:", "format d:", "del /", "rd /s", "rmdir /s", "erase /",
    "vssadmin", "wevtutil cl", "bcdedit", "cipher /w", "reg delete", "schtasks /delete", "stop-computer", "set-mppreference",
    "netsh advfirewall", "net user ", "net stop ", "powershell -e", "powershell -w", "-encodedcommand", "invoke-expression", "iex ",
    "invoke-webrequest", "downloadstring", "certutil -urlcache", "bitsadmin",
];

/// Services that guard or watch: none is stopped to make something work.
#[rustfmt::skip]
const GUARDS: [&str; 34] = [
    "alertmanager", "apparmor", "auditd", "clamav", "crowdsec", "datadog", "falco", "fail2ban", "firewalld", "grafana", "ipsec",
    "iptables", "journald", "monit", "nagios", "netdata", "nftables", "node_exporter", "node-exporter", "ossec", "osquery", "prometheus",
    "roundsman", "rsyslog", "selinux", "sssd", "sshd", "strongswan", "syslog", "telegraf", "ufw", "wazuh", "wireguard", "zabbix",
];

/// How a service is ended.
const ENDING: [&str; 6] = ["stop", "disable", "mask", "kill", "off", "remove"];

/// Whether a command stands in a text that would harm.
pub(super) fn would_harm(text: &str) -> bool {
    let words = as_shown(text);
    HARM.iter().any(|part| stands_in(&words, part))
        || writes_to_a_device(&words)
        || ends_a_guard(&words)
        || (stands_in(&words, "mv ") && words.contains("/dev/null"))
        || (words.contains("pg_hba") && stands_in(&words, "trust"))
        || (stands_in(&words, "alter table") && stands_in(&words, "drop "))
        || (stands_in(&words, "curl ") && !only_looks(&words))
}

/// `systemctl stop auditd`, `service rsyslog stop`
fn ends_a_guard(words: &str) -> bool {
    let is_part = |one: char| one.is_alphanumeric() || one == '_' || one == '-';
    let all: Vec<&str> = words
        .split(|one| !is_part(one))
        .filter(|word| !word.is_empty())
        .collect();
    let is_guard = |word: &&str| GUARDS.contains(word);
    let by_systemd = stands_in(words, "systemctl ")
        || stands_in(words, "service ")
        || stands_in(words, "rc-service ");
    by_systemd && all.iter().any(|word| ENDING.contains(word)) && all.iter().any(is_guard)
}

/// `› /dev/sda`, and not what is thrown away.
fn writes_to_a_device(words: &str) -> bool {
    ["› /dev/", "›/dev/"].iter().any(|to| {
        words.match_indices(to).any(|(at, _)| {
            let device = &words[at + to.len()..];
            !["null", "stdout", "stderr"]
                .iter()
                .any(|harmless| device.starts_with(harmless))
        })
    })
}

/// Whether every `curl` only asks the own host: with flags that change nothing, and nothing behind it.
fn only_looks(words: &str) -> bool {
    const FLAGS: [&str; 22] = [
        "-v",
        "-s",
        "-i",
        "-f",
        "-k",
        "-l",
        "-o",
        "-w",
        "-m",
        "-4",
        "-6",
        "-sv",
        "-ss",
        "-si",
        "-sf",
        "-fss",
        "-vk",
        "-sk",
        "--fail",
        "--head",
        "--silent",
        "--max-time",
    ];
    const OWN: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];
    words.match_indices("curl ").all(|(at, name)| {
        let rest = &words[at + name.len()..];
        let command = rest.split(['`', '\'', '"']).next().unwrap_or_default();
        let mut arguments = command.split(' ').filter(|word| !word.is_empty());
        let is_harmless = |word: &str| {
            let host = word
                .trim_start_matches("http://")
                .trim_start_matches("https://");
            let is_own = OWN.iter().any(|own| {
                host.strip_prefix(own)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/', '.', ',']))
            });
            let is_number = word.bytes().all(|byte| byte.is_ascii_digit());
            FLAGS.contains(&word) || is_own || is_number || word == "/dev/null"
        };
        // Words of a sentence may follow the address, and nothing that is a command.
        let mut has_asked = false;
        arguments.all(|word| {
            has_asked |= OWN.iter().any(|own| word.contains(own));
            is_harmless(word)
                || (has_asked
                    && word
                        .bytes()
                        .all(|byte| byte.is_ascii_alphabetic() || byte == b'.' || byte == b','))
        }) && has_asked
    })
}

/// In small letters, with one blank between words.
pub(super) fn lowered(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").to_lowercase()
}

/// The same with `‹` and `›` for what a shell is told with, as whoever reads it sees them.
fn as_shown(text: &str) -> String {
    lowered(text).replace('<', "‹").replace('>', "›")
}

/// An alarm - as such - is no `rm -`, and a retrieval of data no `eval `.
fn stands_in(words: &str, part: &str) -> bool {
    let begins = |at: usize| {
        let before = words[..at].chars().next_back();
        !part.starts_with(char::is_alphanumeric) || !before.is_some_and(char::is_alphanumeric)
    };
    let ends = |at: usize| {
        let behind = words[at + part.len()..].chars().next();
        // `-rf` is no `-rfoo`, and `trust` no `trusted`.
        let is_whole =
            (part.starts_with('-') && part.ends_with(char::is_alphanumeric)) || part == "trust";
        !is_whole || !behind.is_some_and(char::is_alphanumeric)
    };
    words
        .match_indices(part)
        .any(|(at, _)| begins(at) && ends(at))
}
