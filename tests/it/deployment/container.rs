use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::OnceCell;

use super::{CONFIGURATION, done, file};
use crate::support::certificates::authority;
use crate::support::children::require;
use crate::support::dockerd::{Dockerd, start};
use crate::support::program::PROGRAM;
use crate::support::servers::{answering_tls, ipv4};

/// A small Debian of this machine's own release, since the program needs its C library. Made once and kept with the build
/// output, as an archive. It has no certificates, as slim images have none.
fn base() -> PathBuf {
    require("debootstrap");
    let output = Path::new(PROGRAM)
        .parent()
        .and_then(Path::parent)
        .expect("the folder of build output");
    let release =
        done(Command::new("sh").args(["-c", ". /etc/os-release; echo $VERSION_CODENAME"]));
    let release = release.trim();
    let kept = output.join(format!("debootstrap-minbase-{release}.tar"));
    if kept.exists() {
        return kept;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().join("root");
    done(
        Command::new("debootstrap")
            .args(["--variant=minbase", release])
            .arg(&root),
    );
    let unfinished = output.join(format!("debootstrap-minbase.{}", std::process::id()));
    // Much that an image does not need is left out: the engine unpacks and compresses all of it each time.
    let left_out = [
        "dev/*",
        "usr/share/doc/*",
        "usr/share/locale/*",
        "usr/share/man/*",
        "var/cache/apt/*",
        "var/lib/apt/lists/*",
    ];
    done(
        Command::new("tar")
            .arg("-C")
            .arg(&root)
            .args(left_out.map(|path| format!("--exclude=./{path}")))
            .arg("-cf")
            .arg(&unfinished)
            .arg("."),
    );
    std::fs::rename(&unfinished, &kept).expect("the same folder");
    kept
}

/// An engine with our image in it, as `roundsman`.
struct Engine {
    dockerd: Dockerd,
}

impl Engine {
    fn docker(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("docker");
        command
            .args(arguments)
            .env(
                "DOCKER_HOST",
                format!("unix://{}", self.dockerd.socket.display()),
            )
            .env("DOCKER_BUILDKIT", "0");
        command
    }
}

async fn engine() -> &'static Engine {
    static ENGINE: OnceCell<Engine> = OnceCell::const_new();
    ENGINE
        .get_or_init(|| async {
            for program in ["docker", "strip", "tar"] {
                require(program);
            }
            let engine = Engine {
                dockerd: start().await,
            };
            let base = base();
            let context = engine.dockerd.folder.join("context");
            std::fs::create_dir(&context).expect("a folder");
            // What a debugger wants is nine tenths of it.
            done(
                Command::new("strip")
                    .arg("-o")
                    .arg(context.join("roundsman"))
                    .arg(PROGRAM),
            );
            let authorities = context.join("ca-certificates.crt");
            std::fs::write(authorities, authority().pem()).expect("a file");
            done(&mut engine.docker(&["import", base.to_str().expect("UTF-8"), "base"]));
            done(
                engine
                    .docker(&[
                        "build",
                        "--build-arg",
                        "BASE=base",
                        "--tag",
                        "roundsman",
                        "-f",
                    ])
                    .arg(file("Dockerfile"))
                    .arg(&context),
            );
            engine
        })
        .await
}

/// What a container has logged: a line may be cut only where the engine dies.
fn log(engine: &Engine, name: &str) -> Vec<Value> {
    let text = done(&mut engine.docker(&["logs", name]));
    let line = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    text.lines().map(line).collect()
}

async fn events(engine: &Engine, name: &str, event: &str, count: usize) {
    let waited = async {
        loop {
            let seen = log(engine, name);
            if seen.iter().filter(|line| line["event"] == event).count() >= count {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let came = tokio::time::timeout(Duration::from_mins(1), waited).await;
    assert!(came.is_ok(), "no `{event}`: {:#?}", log(engine, name));
}

/// What the memory knows, once it has been written: that comes a moment after the report.
async fn history(engine: &Engine, name: &str) -> Value {
    let began = Instant::now();
    loop {
        let arguments = [
            "exec",
            name,
            "roundsman",
            "history",
            "here",
            "--format",
            "json",
        ];
        let output = engine.docker(&arguments).output().expect("it starts");
        if output.status.success() {
            return serde_json::from_slice(&output.stdout).expect("JSON");
        }
        assert!(began.elapsed() < Duration::from_secs(30), "{output:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A folder as the predecessor's users have it.
fn project(engine: &Engine, name: &str) -> PathBuf {
    let folder = engine.dockerd.folder.join(name);
    for part in ["config", "secrets", "deployment"] {
        std::fs::create_dir_all(folder.join(part)).expect("a folder");
    }
    std::fs::write(folder.join("config/config.yaml"), CONFIGURATION).expect("a file");
    std::fs::write(folder.join(".env"), "LOG_LEVEL=INFO\n").expect("a file");
    folder
}

#[tokio::test]
async fn the_predecessors_line_runs_it_and_its_memory_outlasts_a_restart() {
    let engine = engine().await;
    let folder = project(engine, "monitor");
    let mount = |part: &str| format!("{}/{part}:/app/{part}:ro", folder.display());
    let (config, secrets) = (mount("config"), mount("secrets"));
    let variables = folder.join(".env").display().to_string();
    let run = [
        "run",
        "-d",
        "--name",
        "monitor",
        "--network",
        "none",
        "--env-file",
        &variables,
        "-v",
        &config,
        "-v",
        &secrets,
        "roundsman",
    ];
    done(&mut engine.docker(&run));
    events(engine, "monitor", "report.made", 1).await;
    let before = history(engine, "monitor").await;
    let asked = Instant::now();
    done(&mut engine.docker(&["stop", "monitor"]));
    assert!(
        asked.elapsed() < Duration::from_secs(10),
        "{:?}",
        asked.elapsed()
    );
    let code = ["inspect", "--format", "{{.State.ExitCode}}", "monitor"];
    assert_eq!(done(&mut engine.docker(&code)).trim(), "0");
    done(&mut engine.docker(&["start", "monitor"]));
    events(engine, "monitor", "round.ended", 2).await;
    let remembered: Vec<Value> = log(engine, "monitor")
        .into_iter()
        .filter(|line| line["event"] == "daemon.started")
        .map(|line| line["remembered"].clone())
        .collect();
    assert_eq!(remembered, [0, 1]);
    let after = history(engine, "monitor").await;
    assert_eq!(after["state"]["since"], before["state"]["since"]);
    // One round and no more, in the same image.
    let once = [
        "run",
        "--rm",
        "--network",
        "none",
        "-v",
        &config,
        "-v",
        &secrets,
        "roundsman",
        "--run-once",
        "--format",
        "json",
    ];
    // How busy this machine is decides how it ends.
    let output = engine.docker(&once).output().expect("it starts");
    assert!(matches!(output.status.code(), Some(0..=3)), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
    assert_eq!(report["targets"][0]["name"], "here");
    done(&mut engine.docker(&["rm", "-f", "-v", "monitor"]));
}

// Docker's command waits on a thread of its own while the server answers.
#[tokio::test(flavor = "multi_thread")]
async fn https_is_checked_by_the_authorities_that_the_image_was_built_with() {
    let engine = engine().await;
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    let config = authority().good().server_config();
    let server = answering_tls(ipv4(), config, answer).await;
    let folder = project(engine, "certificates");
    let yaml = format!(
        "targets:\n  api_endpoints: [{{name: shop, url: \"https://127.0.0.1:{}/\"}}]\n",
        server.port
    );
    std::fs::write(folder.join("config/config.yaml"), yaml).expect("a file");
    let config = format!("{}:/app/config:ro", folder.join("config").display());
    let run = "run --rm --network host -v";
    let mut arguments: Vec<&str> = run.split(' ').collect();
    arguments.extend([&config, "roundsman", "--run-once", "--format", "json"]);
    // Without them it would end with 3, UNKNOWN.
    let report: Value = serde_json::from_str(&done(&mut engine.docker(&arguments))).expect("JSON");
    assert_eq!(report["targets"][0]["status"], "GREEN", "{report:#}");
}

#[tokio::test]
async fn a_build_in_the_checkout_sends_nothing_else_to_the_engine() {
    let engine = engine().await;
    let folder = project(engine, "checkout");
    let ignored = Path::new(env!("CARGO_MANIFEST_DIR")).join(".dockerignore");
    std::fs::copy(ignored, folder.join(".dockerignore")).expect("a copy");
    for name in ["roundsman", "ca-certificates.crt", "secrets/token"] {
        std::fs::write(folder.join(name), "").expect("a file");
    }
    let everything = folder.join("deployment/Dockerfile");
    std::fs::write(&everything, "FROM scratch\nCOPY . /sent/\n").expect("a file");
    let mut build = engine.docker(&["build", "--tag", "sent", "-f"]);
    done(build.arg(&everything).arg(&folder));
    done(&mut engine.docker(&[
        "create",
        "--name",
        "sent",
        "--network",
        "none",
        "sent",
        "none",
    ]));
    let archive = folder.join("sent.tar").display().to_string();
    done(&mut engine.docker(&["export", "--output", &archive, "sent"]));
    let listed = done(Command::new("tar").args(["-tf", &archive, "sent"]));
    // The folder of the Dockerfile is sent too, empty.
    let mut names: Vec<&str> = listed.lines().filter(|name| !name.ends_with('/')).collect();
    names.sort_unstable();
    assert_eq!(names, ["sent/ca-certificates.crt", "sent/roundsman"]);
}

#[tokio::test]
async fn compose_starts_and_stops_it() {
    require("docker-compose");
    let engine = engine().await;
    let folder = project(engine, "composed");
    std::fs::copy(file("compose.yaml"), folder.join("deployment/compose.yaml")).expect("a copy");
    // The engine of the tests has no bridge.
    std::fs::write(
        folder.join("deployment/network.yaml"),
        "services: {roundsman: {network_mode: none}}\n",
    )
    .expect("a file");
    let compose = |arguments: &[&str]| {
        let mut command = Command::new("docker-compose");
        command
            .args(["-p", "composed", "-f", "compose.yaml", "-f", "network.yaml"])
            .args(arguments)
            .current_dir(folder.join("deployment"))
            .env(
                "DOCKER_HOST",
                format!("unix://{}", engine.dockerd.socket.display()),
            );
        command
    };
    done(&mut compose(&["up", "-d", "--no-build"]));
    let name = done(&mut compose(&["ps", "-q"])).trim().to_owned();
    events(engine, &name, "round.ended", 1).await;
    done(&mut compose(&["stop"]));
    let code = ["inspect", "--format", "{{.State.ExitCode}}", &name];
    assert_eq!(done(&mut engine.docker(&code)).trim(), "0");
    // Made anew, with the same memory.
    done(&mut compose(&[
        "up",
        "-d",
        "--no-build",
        "--force-recreate",
    ]));
    let name = done(&mut compose(&["ps", "-q"])).trim().to_owned();
    events(engine, &name, "round.ended", 1).await;
    let host_name = [
        "inspect",
        "--format",
        "{{.Config.Hostname}} {{.Config.StopTimeout}}",
        &name,
    ];
    assert_eq!(done(&mut engine.docker(&host_name)).trim(), "roundsman 20");
    let remembered = log(engine, &name)
        .into_iter()
        .find(|line| line["event"] == "daemon.started");
    assert_eq!(remembered.expect("its start")["remembered"], 1);
    done(&mut compose(&["down", "-v"]));
}
