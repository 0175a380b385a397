//! Every way of not getting an answer, or not the one that was asked for.

use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use roundsman::clients::Clients;
use roundsman::model::Status;
use tokio::io::AsyncWriteExt;
use tokio::net::UnixListener;

use super::{assert_findings, look, measured};
use crate::support::children::require;
use crate::support::look_at;
use crate::support::servers::{RawServer, answering, answering_as, raw, request};

fn socket(path: &Path) -> String {
    format!("socket: {}", path.display())
}

fn url(server: &RawServer) -> String {
    format!("url: http://127.0.0.1:{}", server.port)
}

/// An answer with a body that the connection's end does not end.
fn with_body(status: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nServer: Docker/1.12.6 (linux)\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// An engine that answers the list, and everything else with that.
async fn engine(list: &'static str, otherwise: &str) -> RawServer {
    let otherwise = otherwise.to_owned();
    answering_as(move |request| {
        let answer = if request.starts_with("GET /containers/json") {
            with_body("200 OK", list)
        } else {
            otherwise.clone()
        };
        answer.into_bytes()
    })
    .await
}

#[tokio::test]
async fn a_socket_that_is_not_there_or_is_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("docker.sock");
    let shown = path.display();
    let looked = look(&socket(&path)).await;
    looked.assert_failed(
        Status::Red,
        &format!("unreachable there is no socket `{shown}` | is Docker installed and running"),
    );
    let listener = UnixListener::bind(&path).expect("a socket");
    drop(listener);
    let looked = look(&socket(&path)).await;
    looked.assert_failed(
        Status::Red,
        &format!("unreachable nothing listens on the socket `{shown}`"),
    );
    std::fs::remove_file(&path).expect("removed");
    std::fs::create_dir(&path).expect("a folder");
    let looked = look(&socket(&path)).await;
    looked.assert_failed(
        Status::Unknown,
        &format!("ours `{shown}` is a folder, not a socket"),
    );
}

#[tokio::test]
async fn who_may_use_the_socket_is_said_where_we_may_not() {
    require("setpriv");
    let folder = tempfile::tempdir().expect("a folder");
    let mode = |path: &Path, mode| {
        let mode = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(path, mode).expect("its mode");
    };
    mode(folder.path(), 0o755);
    let path = folder.path().join("docker.sock");
    let _listener = UnixListener::bind(&path).expect("a socket");
    // A group that every Debian has, and that nobody of ours is in.
    chown(&path, None, Some(4)).expect("its group");
    mode(&path, 0o660);
    // Where the build lies, another user may not go.
    let program = folder.path().join("roundsman");
    // By another process: a file that is open for writing here when some other test starts a program cannot be run.
    let copied = Command::new("cp")
        .arg(env!("CARGO_BIN_EXE_roundsman"))
        .arg(&program)
        .status();
    assert!(copied.expect("`cp` starts").success());
    let configuration = folder.path().join("config.yaml");
    let text = format!(
        "targets: {{docker_hosts: [{{name: here, socket: {}}}]}}\n",
        path.display()
    );
    std::fs::write(&configuration, text).expect("a configuration");
    mode(&configuration, 0o644);

    let output = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(&program)
        .arg("--config")
        .arg(&configuration)
        .args(["probe", "here"])
        .current_dir(folder.path())
        .output()
        .expect("`setpriv` starts");
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    let expected = format!(
        "UNKNOWN: we (uid 65534) may not use `{}`: it belongs to uid 0 and group `adm`, gid 4, mode 660 (denied)",
        path.display()
    );
    assert!(said.contains(&expected), "{said}");
    assert!(
        said.contains(
            "add our user to the group `adm` and start us again; in a container: `--group-add 4`"
        ),
        "{said}"
    );
}

#[tokio::test]
async fn an_engine_that_hangs_is_timed_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("docker.sock");
    let listener = UnixListener::bind(&path).expect("a socket");
    let holding = tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            open.push(stream);
        }
    });
    let timeout = Duration::from_secs(2);
    let looked = look_at("docker_hosts", &Clients::new(), &socket(&path), timeout).await;
    holding.abort();
    let words = format!(
        "timed_out the engine at `{}` accepted the connection, but did not answer `GET /containers/json` within 2000 ms",
        path.display()
    );
    looked.assert_failed(Status::Red, &words);
}

#[tokio::test]
async fn an_answer_that_is_no_list_is_told_by_what_it_is() {
    for (answer, status, words) in [
        (
            with_body(
                "500 Internal Server Error",
                r#"{"message":"layer \u001b[31mstore\nis broken"}"#,
            ),
            Status::Red,
            "answered `GET /containers/json` with 500 Internal Server Error: layer store is broken | look at the engine's log",
        ),
        (
            with_body(
                "403 Forbidden",
                "<html>Request forbidden by administrative rules.</html>",
            ),
            Status::Unknown,
            "with 403 Forbidden: <html>Request forbidden by administrative rules.</html> | whoever stands before the \
             engine does not let us: a socket proxy must allow it (`CONTAINERS=1`)",
        ),
        (
            with_body("404 Not Found", ""),
            Status::Red,
            "with 404 Not Found | that may be no Docker engine",
        ),
        (
            with_body("200 OK", "<html>welcome</html>"),
            Status::Red,
            "with something that is no list of containers",
        ),
        (
            with_body("429 Too Many Requests", ""),
            Status::Unknown,
            "with 429 Too Many Requests | look less often",
        ),
        (
            String::new(),
            Status::Red,
            "closed the connection before it answered `GET /containers/json`",
        ),
    ] {
        let server = answering(answer.clone()).await;
        let looked = look(&url(&server)).await;
        let failure = looked.failure();
        assert!(
            failure.contains(words),
            "expected `{words}`, found `{failure}`"
        );
        assert_eq!(looked.status(), status, "{failure}");
    }
}

#[tokio::test]
async fn what_cannot_be_told_of_events_and_of_one_container_is_unknown_and_the_rest_is_judged() {
    const LIST: &str = r#"[
        {"Id": "a1", "Names": ["/web"], "State": "running", "Status": "Up 2 hours (unhealthy)", "Created": 1795271966},
        {"Id": "b2", "Names": ["/job"], "State": "exited", "Status": "Exited (3) 2 hours ago"}
    ]"#;
    let server = engine(LIST, &with_body("403 Forbidden", "")).await;
    let looked = look(&url(&server)).await;
    assert_findings(
        &looked,
        &[
            "RED exit_code of job: 3 (ended 2 h ago)",
            "RED container_health of web: unhealthy (the engine at",
            "UNKNOWN restart_count of job: unknown (the engine at",
            "UNKNOWN restart_count of web: unknown (the engine at",
            "UNKNOWN oom_killed: unknown (what happened since the last look is not known: the engine at",
        ],
    );
    let gaps = &looked.reading().gaps;
    assert!(gaps.iter().all(|gap| gap.hint.is_some()), "{gaps:?}");
    let of_events = gaps.last().and_then(|gap| gap.hint.as_deref());
    assert!(
        of_events.is_some_and(|hint| hint.contains("`EVENTS=1`")),
        "{of_events:?}"
    );
}

#[tokio::test]
async fn a_container_that_went_away_meanwhile_is_no_failure() {
    const LIST: &str = r#"[{"Id": "a1", "Names": ["/gone"], "State": "restarting", "Status": "Restarting (1) 2 seconds ago"}]"#;
    let server = answering_as(|request| {
        let answer = if request.starts_with("GET /containers/json") {
            with_body("200 OK", LIST)
        } else if request.starts_with("GET /events") {
            with_body("200 OK", "")
        } else {
            with_body("404 Not Found", r#"{"message":"No such container: a1"}"#)
        };
        answer.into_bytes()
    })
    .await;
    let looked = look(&url(&server)).await;
    assert_findings(
        &looked,
        &["YELLOW container_state of gone: restarting (exited with 1, 2 s ago)"],
    );
}

#[tokio::test]
async fn engines_of_all_ages_and_podman_are_understood() {
    // An engine of 2013 has no states, Podman has some of its own, and somebody will have more.
    const LIST: &str = r#"[
        {"Id": "0123456789abcdef", "Status": "Up 3 days"},
        {"Id": "b", "Names": ["/web/db", "/db"], "Status": "Exited (0) 5 weeks ago", "Ports": null},
        {"Id": "c", "Names": ["pod-made"], "State": "configured", "Created": "2026-11-21T14:39:27Z", "New": {"x": [1]}},
        {"Id": "d", "Names": ["/pod-ended"], "State": "stopped", "Status": "Exited (0) 5 weeks ago"},
        {"Id": "e", "Names": ["/later"], "State": "hibernating", "Status": "Hibernating"},
        {"Id": "f", "Names": ["/newest"], "State": "running", "Status": "Up 3 days", "Health": {"Status": "healthy"}},
        {"Id": "g", "Names": null, "State": null, "Status": "Removal In Progress", "Health": null},
        {"Names": ["/nobody"]}
    ]"#;
    let server = engine(LIST, &with_body("200 OK", "")).await;
    let looked = look(&url(&server)).await;
    let expected = "UNKNOWN container_state of later: unknown (the engine calls it `hibernating`, a state that we do not know)";
    assert_findings(&looked, &[expected]);
    assert_eq!(
        measured(&looked, "container_state"),
        [
            "0123456789ab running",
            "db exited",
            "g removing",
            "newest running",
            "pod-ended exited",
            "pod-made created"
        ]
    );
    assert_eq!(measured(&looked, "container_health"), ["newest healthy"]);
    assert_eq!(looked.fact("engine_version"), Some("Docker 1.12.6"));
    assert_eq!(looked.fact("not_understood"), Some("1 entries of the list"));
}

#[tokio::test]
async fn a_container_that_the_engine_hangs_on_does_not_cost_the_others() {
    const LIST: &str = r#"[
        {"Id": "a1", "Names": ["/hangs"], "State": "running", "Status": "Up 2 hours (unhealthy)"},
        {"Id": "b2", "Names": ["/job"], "State": "exited", "Status": "Exited (3) 2 hours ago"}
    ]"#;
    let server = raw(|mut stream| async move {
        loop {
            let request = request(&mut stream).await;
            let answer = match request.split(' ').nth(1) {
                None => return,
                Some(path) if path.starts_with("/containers/json") => with_body("200 OK", LIST),
                Some(path) if path.starts_with("/events") => with_body("200 OK", ""),
                Some("/containers/a1/json") => return std::future::pending().await,
                Some(_) => with_body("200 OK", r#"{"RestartCount": 5, "State": {"ExitCode": 3}}"#),
            };
            stream.write_all(answer.as_bytes()).await.ok();
        }
    })
    .await;
    let timeout = Duration::from_secs(6);
    let looked = look_at("docker_hosts", &Clients::new(), &url(&server), timeout).await;
    assert_findings(
        &looked,
        &[
            "RED container_health of hangs: unhealthy (the engine at",
            "RED exit_code of job: 3 (ended 2 h ago; restarted 5 times so far)",
            "UNKNOWN restart_count of hangs: unknown (the engine at `127.0.0.1:",
        ],
    );
    assert_eq!(measured(&looked, "restart_count"), ["job 5"]);
}
