//! One Docker Engine for all tests, with a containerd of its own and all its state in a folder that goes with it.
//!
//! Containers are made through its own interface, from an image of a static busybox. They have no network, and none
//! is given time to end: with the engine all of them are gone at once.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use roundsman::clock::{Clock, SystemClock};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::OnceCell;

use super::certificates::authority;
use super::children::{Server, free_port, require};

/// The image that all containers are made from.
const IMAGE: &str = "roundsman-test";
/// Long enough for a machine that is busy with everything else.
const PATIENCE: Duration = Duration::from_mins(2);

/// Runs the engine until it is told to end. Then it unmounts what a stopped engine leaves mounted, so that the folder
/// can be removed.
const SUPERVISOR: &str = r#"
folder=$1; shift
dockerd "$@" >"$folder/log" 2>&1 & engine=$!
trap 'kill $engine' TERM
wait $engine
wait $engine
awk -v folder="$folder/" 'index($2, folder) == 1 { print $2 }' /proc/mounts | sort -r |
    while read -r mount; do umount -l "$mount"; done
"#;

/// A running Docker Engine.
pub(crate) struct Dockerd {
    pub(crate) socket: PathBuf,
    /// TLS; wants a certificate of [`authority`] from whoever asks.
    pub(crate) port: u16,
    /// Its folder: further files of a test may live there.
    pub(crate) folder: PathBuf,
    _server: Server,
}

/// The engine of this test process, started when first asked for.
pub(crate) async fn dockerd() -> &'static Dockerd {
    static DOCKERD: OnceCell<Dockerd> = OnceCell::const_new();
    DOCKERD.get_or_init(start).await
}

/// Another one, for tests that need its memory of events: no health checks may run there, since these fill it.
pub(crate) async fn quiet_dockerd() -> &'static Dockerd {
    static DOCKERD: OnceCell<Dockerd> = OnceCell::const_new();
    DOCKERD.get_or_init(start).await
}

/// One for a test alone.
pub(crate) async fn start() -> Dockerd {
    for program in [
        "dockerd",
        "containerd",
        "runc",
        "busybox",
        "awk",
        "tar",
        "umount",
    ] {
        require(program);
    }
    let folder = tempfile::tempdir().expect("a folder").keep();
    let pair = authority().good();
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).expect("a file of the engine");
        path.display().to_string()
    };
    let (authority, certificate, key) = (
        write("authority.pem", authority().pem()),
        write("certificate.pem", &pair.certificate),
        write("key.pem", &pair.key),
    );
    // Whatever this machine's own engine is told is not meant for this one.
    let configuration = write("daemon.json", "{}");
    let place = |name: &str| folder.join(name).display().to_string();
    let port = free_port();
    let arguments = [
        "-c".to_owned(),
        SUPERVISOR.to_owned(),
        "sh".to_owned(),
        folder.display().to_string(),
        format!("--config-file={configuration}"),
        format!("--data-root={}", place("data")),
        format!("--exec-root={}", place("exec")),
        format!("--pidfile={}", place("pid")),
        format!("--host=unix://{}", place("docker.sock")),
        format!("--host=tcp://127.0.0.1:{port}"),
        "--tlsverify".to_owned(),
        format!("--tlscacert={authority}"),
        format!("--tlscert={certificate}"),
        format!("--tlskey={key}"),
        "--iptables=false".to_owned(),
        "--ip6tables=false".to_owned(),
        "--ip-masq=false".to_owned(),
        "--bridge=none".to_owned(),
        "--shutdown-timeout=1".to_owned(),
    ];
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let server = Server::start(&folder, "sh", &arguments);
    let dockerd = Dockerd {
        socket: folder.join("docker.sock"),
        port,
        folder,
        _server: server,
    };
    dockerd.answers().await;
    dockerd.import_image().await;
    dockerd
}

/// A container to be made.
pub(crate) struct Container {
    name: String,
    settings: Value,
}

/// A container that runs this command of busybox's shell.
pub(crate) fn container(name: &str, command: &str) -> Container {
    Container {
        name: name.to_owned(),
        settings: json!({
            "Image": IMAGE,
            "Cmd": ["/bin/sh", "-c", command],
            // Nobody waits for it when it is to end.
            "StopTimeout": 0,
            "HostConfig": {"NetworkMode": "none"},
        }),
    }
}

impl Container {
    /// Its health is checked by this command each second, and one failure is enough.
    pub(crate) fn checked_by(mut self, command: &str) -> Self {
        self.settings["Healthcheck"] = json!({
            "Test": ["CMD-SHELL", command],
            "Interval": 1_000_000_000,
            "Timeout": 60_000_000_000_u64,
            "Retries": 1,
        });
        self
    }

    /// An environment variable, `NAME=value`.
    pub(crate) fn variable(mut self, variable: &str) -> Self {
        self.settings["Env"] = json!([variable]);
        self
    }

    /// So much memory and no more.
    pub(crate) fn memory_bytes(mut self, bytes: u64) -> Self {
        self.settings["HostConfig"]["Memory"] = json!(bytes);
        self
    }

    /// Started again whenever it ends by itself.
    pub(crate) fn always_restarted(mut self) -> Self {
        self.settings["HostConfig"]["RestartPolicy"] = json!({"Name": "always"});
        self
    }
}

impl Dockerd {
    /// Makes a container and does not start it.
    pub(crate) async fn create(&self, container: Container) {
        let path = format!("/containers/create?name={}", container.name);
        self.done(&path, container.settings.to_string().as_bytes())
            .await;
    }

    /// Makes a container and starts it.
    pub(crate) async fn run(&self, container: Container) {
        let name = container.name.clone();
        self.create(container).await;
        self.done(&format!("/containers/{name}/start"), b"").await;
    }

    /// Does something to a container: `pause`, `restart?t=0`, `kill`.
    pub(crate) async fn tell(&self, name: &str, what: &str) {
        self.done(&format!("/containers/{name}/{what}"), b"").await;
    }

    /// Puts an empty file into a container's root.
    pub(crate) async fn put_file(&self, name: &str, file: &str) {
        let path = self.folder.join("files").join(file);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(&path, "").expect("a file");
        let archive = packed(&self.folder.join("files"), file);
        let path = format!("/containers/{name}/archive?path=/");
        let (status, answer) = self.ask("PUT", &path, &archive).await;
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&answer));
    }

    /// Removes a container, whatever it does.
    pub(crate) async fn remove(&self, name: &str) {
        let path = format!("/containers/{name}?force=true");
        let (status, answer) = self.ask("DELETE", &path, b"").await;
        assert_eq!(status, 204, "{}", String::from_utf8_lossy(&answer));
    }

    /// What the engine says of a container.
    pub(crate) async fn inspect(&self, name: &str) -> Value {
        let (status, body) = self
            .ask("GET", &format!("/containers/{name}/json"), b"")
            .await;
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
        serde_json::from_slice(&body).expect("JSON")
    }

    /// Waits until the engine says this of a container, and gives all that it says.
    pub(crate) async fn wait_until(&self, name: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let waiting = async {
            loop {
                let seen = self.inspect(name).await;
                if wanted(&seen) {
                    return seen;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        if let Ok(seen) = tokio::time::timeout(PATIENCE, waiting).await {
            return seen;
        }
        let state = &self.inspect(name).await["State"];
        panic!("`{name}` never gets there: {state}");
    }

    /// Waits until a container is in a state.
    pub(crate) async fn wait_for_state(&self, name: &str, state: &str) {
        self.wait_until(name, |seen| seen["State"]["Status"] == state)
            .await;
    }

    /// Waits until a container's own check has come to this.
    pub(crate) async fn wait_for_health(&self, name: &str, health: &str) {
        self.wait_until(name, |seen| seen["State"]["Health"]["Status"] == health)
            .await;
    }

    /// Waits until the engine tells that this happened to a container, in a second that is over.
    pub(crate) async fn wait_for_event(&self, name: &str, event: &str) {
        let waiting = async {
            loop {
                let now = SystemClock.now().timestamp();
                let path = format!("/events?since=0&until={now}");
                let (_, body) = self.ask("GET", &path, b"").await;
                let text = String::from_utf8_lossy(&body).into_owned();
                let events = text
                    .lines()
                    .filter_map(|line| serde_json::from_str(line).ok());
                let is_it = |one: Value| {
                    one["Action"] == event && one["Actor"]["Attributes"]["name"] == name
                };
                if events.into_iter().any(is_it) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let waited = tokio::time::timeout(PATIENCE, waiting).await;
        assert!(waited.is_ok(), "no event `{event}` of `{name}` is told");
    }

    /// Waits until the clock shows a later second: a look asks for whole seconds that are over.
    pub(crate) async fn next_second(&self) {
        let second = || SystemClock.now().timestamp();
        let now = second();
        while second() <= now {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn answers(&self) {
        let waiting = async {
            while !matches!(self.try_ask("GET", "/_ping", b"").await, Some((200, _))) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let waited = tokio::time::timeout(PATIENCE, waiting).await;
        let log = || std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        assert!(
            waited.is_ok(),
            "dockerd does not answer; its log:\n{}",
            log()
        );
    }

    async fn import_image(&self) {
        let archive = image(&self.folder);
        let path = format!("/images/create?fromSrc=-&repo={IMAGE}&tag=latest");
        self.done(&path, &archive).await;
    }

    async fn done(&self, path: &str, body: &[u8]) {
        let (status, answer) = self.ask("POST", path, body).await;
        let answer = String::from_utf8_lossy(&answer);
        assert!(
            (200..300).contains(&status),
            "POST {path}: {status} {answer}"
        );
    }

    async fn ask(&self, method: &str, path: &str, body: &[u8]) -> (u16, Vec<u8>) {
        let answer = self.try_ask(method, path, body).await;
        answer.unwrap_or_else(|| panic!("no answer to {method} {path}"))
    }

    /// Asks in HTTP/1.0, whose answers end with the connection.
    async fn try_ask(&self, method: &str, path: &str, body: &[u8]) -> Option<(u16, Vec<u8>)> {
        let mut stream = UnixStream::connect(&self.socket).await.ok()?;
        let head = format!(
            "{method} {path} HTTP/1.0\r\nHost: docker\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).await.ok()?;
        stream.write_all(body).await.ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.ok()?;
        let end = answer.windows(4).position(|part| part == b"\r\n\r\n")?;
        let status = std::str::from_utf8(&answer).ok().map_or_else(
            || String::from_utf8_lossy(&answer[..end]).into_owned(),
            str::to_owned,
        );
        let status = status.split(' ').nth(1)?.parse().ok()?;
        Some((status, answer.split_off(end + 4)))
    }
}

/// An archive of a file system that holds a static busybox and nothing else.
fn image(folder: &Path) -> Vec<u8> {
    let programs = folder.join("image/bin");
    std::fs::create_dir_all(&programs).expect("a folder");
    let found = Command::new("sh")
        .args(["-c", "command -v busybox"])
        .output()
        .expect("`sh` starts");
    let busybox = String::from_utf8(found.stdout).expect("a path");
    std::fs::copy(busybox.trim(), programs.join("busybox")).expect("busybox");
    for applet in ["sh", "sleep", "tail", "rm", "true", "false"] {
        std::os::unix::fs::symlink("busybox", programs.join(applet)).expect("a link");
    }
    packed(&folder.join("image"), "bin")
}

/// What lies in a folder under that name, as an archive.
fn packed(folder: &Path, name: &str) -> Vec<u8> {
    let packed = Command::new("tar")
        .arg("-C")
        .arg(folder)
        .args(["-c", name])
        .stderr(Stdio::inherit())
        .output()
        .expect("`tar` starts");
    assert!(packed.status.success(), "tar fails");
    packed.stdout
}
