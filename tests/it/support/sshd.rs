//! Real OpenSSH servers on free loopback ports, each with all its state in a folder that goes with it.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tokio::sync::OnceCell;

use super::children::{Server, free_port, require};

/// sshd wants to be called by its whole path.
const SSHD: &str = "/usr/sbin/sshd";
/// Where sshd locks up its unprivileged part. The path is compiled in; packages make it when they start.
const PRIVILEGE_SEPARATION: &str = "/run/sshd";

/// A running sshd that takes one key of its own. It listens on 127.0.0.1 and `::1`.
pub(crate) struct Sshd {
    pub(crate) port: u16,
    /// Who may log in: the user that the tests run as.
    pub(crate) username: String,
    /// The private key that is let in: ed25519, without a passphrase.
    pub(crate) key: PathBuf,
    /// A file with the server's host keys, under all its names.
    pub(crate) known_hosts: PathBuf,
    /// Its folder: further files of a test may live there.
    pub(crate) folder: PathBuf,
    _server: Server,
}

/// How an sshd is started.
#[derive(Default)]
pub(crate) struct Builder {
    host_keys: Vec<&'static str>,
    options: Vec<String>,
    key_options: String,
    authorized: Vec<String>,
    around: Vec<String>,
}

/// The sshd of this test process, started when first asked for: no special options, one ed25519 host key.
pub(crate) async fn sshd() -> &'static Sshd {
    static SSHD: OnceCell<Sshd> = OnceCell::const_new();
    SSHD.get_or_init(|| Builder::default().start()).await
}

impl Builder {
    /// A host key of that type (`ed25519`, `ecdsa`, `rsa`); ed25519 where none is asked for.
    pub(crate) fn host_key(mut self, kind: &'static str) -> Self {
        self.host_keys.push(kind);
        self
    }

    /// A line of `sshd_config`. `{folder}` in it is the server's folder. The first line about something wins, and
    /// these come before those of the fixture.
    pub(crate) fn option(mut self, line: impl Into<String>) -> Self {
        self.options.push(line.into());
        self
    }

    /// What stands before the key in `authorized_keys`, such as `command="…"`.
    pub(crate) fn key_options(mut self, options: &str) -> Self {
        options.clone_into(&mut self.key_options);
        self
    }

    /// A further line of `authorized_keys`.
    pub(crate) fn authorize(mut self, line: impl Into<String>) -> Self {
        self.authorized.push(line.into());
        self
    }

    /// Starts the server through a program that ends in `exec "$@"`, such as
    /// `["unshare", "--mount", "sh", "-c", "mount …; exec \"$@\"", "sh"]`. `{folder}` is the server's folder.
    pub(crate) fn around(mut self, program: &[&str]) -> Self {
        self.around = program.iter().map(|&part| part.to_owned()).collect();
        self
    }

    /// Starts it, and waits until it listens.
    pub(crate) async fn start(self) -> Sshd {
        self.start_with(|_| ()).await
    }

    /// The same; before the server starts, but after its keys were made, something is done in its folder.
    pub(crate) async fn start_with(self, prepare: impl FnOnce(&Path)) -> Sshd {
        require(SSHD);
        let username = username();
        if username == "root" {
            std::fs::create_dir_all(PRIVILEGE_SEPARATION).expect("a folder of sshd");
        }
        let folder = tempfile::tempdir().expect("a folder").keep();
        // sshd reads some files as the user that logs in.
        std::fs::set_permissions(&folder, Permissions::from_mode(0o755)).expect("its mode");
        let port = free_port();
        let kinds = if self.host_keys.is_empty() {
            &["ed25519"][..]
        } else {
            &self.host_keys
        };
        let mut configuration = String::new();
        let mut known = String::new();
        for kind in kinds {
            let key = generate(&folder, &format!("host_{kind}"), kind, "");
            configuration.push_str(&format!("HostKey {}\n", key.display()));
            let public = public(&key);
            for host in ["127.0.0.1", "::1", "localhost"] {
                known.push_str(&format!("[{host}]:{port} {public}\n"));
            }
        }
        let key = generate(&folder, "client", "ed25519", "");
        let mut authorized = format!("{} {}\n", self.key_options, public(&key));
        for line in &self.authorized {
            authorized.push_str(&format!("{line}\n"));
        }
        let place = folder.display().to_string();
        for line in &self.options {
            configuration.push_str(&format!("{}\n", line.replace("{folder}", &place)));
        }
        configuration.push_str(&format!(
            "Port {port}
ListenAddress 127.0.0.1
ListenAddress ::1
AuthorizedKeysFile {place}/authorized_keys
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
StrictModes no
PidFile none
LogLevel VERBOSE
"
        ));
        // Of this one the last line wins.
        if !configuration.contains("MaxStartups") {
            configuration.push_str("MaxStartups 1000\n");
        }
        let write = |name: &str, text: &str| {
            let path = folder.join(name);
            std::fs::write(&path, text).expect("a file of sshd");
            path
        };
        write("authorized_keys", &authorized);
        let known_hosts = write("known_hosts", &known);
        let configuration = write("sshd_config", &configuration);
        let log = write("log", "");
        prepare(&folder);

        let mut command: Vec<String> = (self.around.iter())
            .map(|part| part.replace("{folder}", &place))
            .collect();
        command.extend([SSHD, "-D", "-f"].map(str::to_owned));
        command.push(configuration.display().to_string());
        command.extend(["-E".to_owned(), log.display().to_string()]);
        let arguments: Vec<&str> = command[1..].iter().map(String::as_str).collect();
        let server = Server::start(&folder, &command[0], &arguments);
        until_it_listens(&log).await;
        Sshd {
            port,
            username,
            key,
            known_hosts,
            folder,
            _server: server,
        }
    }
}

impl Sshd {
    /// The settings of a target that is this server, as lines of YAML.
    pub(crate) fn yaml(&self) -> String {
        format!(
            "host: 127.0.0.1\nport: {}\nusername: {}\nssh_key_path: {}\nknown_hosts: {}\n",
            self.port,
            self.username,
            self.key.display(),
            self.known_hosts.display()
        )
    }

    /// What the server has written so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).expect("the log of sshd")
    }

    /// How many lines of its log have these words.
    pub(crate) fn logged(&self, words: &str) -> usize {
        self.log().lines().filter(|l| l.contains(words)).count()
    }

    /// How many connections came.
    pub(crate) fn connections(&self) -> usize {
        self.logged("Connection from ")
    }

    /// How many logins it has accepted.
    pub(crate) fn logins(&self) -> usize {
        self.logged("Accepted publickey")
    }

    /// The fingerprint of its host key of that type, as `ssh-keygen` has it: `SHA256:…`.
    pub(crate) fn fingerprint(&self, kind: &str) -> String {
        fingerprint(&self.folder.join(format!("host_{kind}.pub")))
    }
}

/// Waits until its log says that it listens on both addresses: a connection would be counted as one of the test's.
async fn until_it_listens(log: &Path) {
    let text = || std::fs::read_to_string(log).unwrap_or_default();
    let listens = async {
        while text().matches("Server listening on").count() < 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(20), listens).await;
    assert!(waited.is_ok(), "sshd does not listen: {}", text());
}

/// Makes a key pair in a folder: the private key's path.
pub(crate) fn generate(folder: &Path, name: &str, kind: &str, passphrase: &str) -> PathBuf {
    let path = folder.join(name);
    let bits = if kind == "rsa" { "2048" } else { "256" };
    let file = path.display().to_string();
    // One round of the slow derivation: an unoptimized program would take a second for OpenSSH's sixteen.
    ssh_keygen(&[
        "-q", "-t", kind, "-b", bits, "-a", "1", "-N", passphrase, "-C", "", "-f", &file,
    ]);
    path
}

/// The public half of a private key that lies in a file: `ssh-ed25519 AAAA…`.
pub(crate) fn public(key: &Path) -> String {
    let path = format!("{}.pub", key.display());
    let text = std::fs::read_to_string(path).expect("a public key");
    text.trim().to_owned()
}

/// The fingerprint of a public key that lies in a file.
pub(crate) fn fingerprint(public: &Path) -> String {
    let line = ssh_keygen(&["-l", "-f", &public.display().to_string()]);
    let words = line.split_whitespace().nth(1).expect("a fingerprint");
    words.to_owned()
}

/// Runs `ssh-keygen`, and gives what it prints.
pub(crate) fn ssh_keygen(arguments: &[&str]) -> String {
    require("ssh-keygen");
    let output = Command::new("ssh-keygen")
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("`ssh-keygen` runs");
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{arguments:?}: {printed}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    printed
}

/// The user that the tests run as.
fn username() -> String {
    let output = Command::new("id").arg("-un").output().expect("`id` runs");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
