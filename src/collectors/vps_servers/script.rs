//! The one command of a look. Its text is fixed: nothing of a configuration is ever part of it.

use std::time::Duration;

/// Runs [`SCRIPT`], which comes on its standard input. The words are the same in every login shell, those that are
/// not POSIX (fish, csh) included; a key that is tied to `deployment/ssh-monitor` runs that instead.
pub(super) const COMMAND: &str = "exec env LC_ALL=C /bin/sh -s";

/// What `/bin/sh` is told to do.
pub(super) const SCRIPT: &str = include_str!("../../../deployment/ssh-monitor");

/// How long mounts and systemd may take to answer: `limit` of the script.
pub(super) const ANSWER_LIMIT: Duration = Duration::from_secs(3);

/// How long the script waits between its two passes at least.
pub(super) const WINDOW: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::process::{Command, Output, Stdio};

    use super::super::sections::{Found, find};
    use super::*;
    use crate::collectors::host::mounts;

    fn run_by(shell: &[&str]) -> Output {
        let mut child = Command::new(shell[0])
            .args(&shell[1..])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("a shell");
        let mut input = child.stdin.take().expect("a pipe");
        input.write_all(SCRIPT.as_bytes()).expect("it reads");
        drop(input);
        child.wait_with_output().expect("it ends")
    }

    #[test]
    fn the_shell_of_this_machine_runs_it() {
        let output = run_by(&["/bin/sh", "-s"]);
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        assert!(output.status.success());
        let Found::Sections(sections) = find(&output.stdout) else {
            panic!("{}", String::from_utf8_lossy(&output.stdout));
        };
        assert!(sections.whole);
        for name in [
            "system",
            "mounts",
            "counters",
            "processes",
            "memory",
            "reboot",
            "answers",
        ] {
            assert!(sections.first(name).is_some(), "no `{name}`");
        }
        assert_eq!(sections.all("counters").count(), 2);
        assert_eq!(sections.all("processes").count(), 2);
    }

    #[test]
    fn half_of_it_does_nothing() {
        let half = &SCRIPT[..SCRIPT.rfind("main").expect("its last line")];
        let output = Command::new("/bin/sh")
            .args(["-c", half])
            .output()
            .expect("a shell");
        assert!(
            output.stdout.is_empty() && output.stderr.is_empty(),
            "{output:?}"
        );
    }

    #[test]
    fn its_limits_are_ours() {
        let limit = format!("\nlimit={}\n", ANSWER_LIMIT.as_secs());
        assert!(SCRIPT.contains(&limit));
        assert!(SCRIPT.contains(&format!("\n    sleep {}\n", WINDOW.as_secs())));
    }

    /// The types in the pattern before these words.
    fn types_before(words: &str) -> Vec<&'static str> {
        let end = SCRIPT.find(words).expect(words);
        let begin = SCRIPT[..end].rfind(" in\n").expect("a case") + 4;
        SCRIPT[begin..end]
            .split(|byte: char| byte.is_whitespace() || "|\\)".contains(byte))
            .filter(|word| !word.is_empty())
            .collect()
    }

    #[test]
    fn what_it_does_not_ask_is_left_out_here_too() {
        let skipped = types_before("return 0 ;;\n    overlay)");
        assert!(
            skipped.contains(&"tmpfs") && skipped.len() > 20,
            "{skipped:?}"
        );
        for fs_type in skipped.into_iter().chain(["overlay"]) {
            let line = format!("20 1 8:1 / /mnt rw - {fs_type} x rw\n");
            let (parsed, _) = mounts::parse(line.as_bytes());
            assert!(mounts::reason_to_skip(&parsed[0]).is_some(), "{fs_type}");
        }
    }

    #[test]
    fn network_mounts_are_asked_one_by_one() {
        let local =
            types_before("return 0 ;;\n    *) return 1 ;;\n    esac\n}\n\n# Runs a program");
        assert!(local.contains(&"ext4"), "{local:?}");
        for remote in [
            "nfs",
            "nfs4",
            "cifs",
            "smb3",
            "9p",
            "ceph",
            "fuse",
            "fuse.sshfs",
            "glusterfs",
            "virtiofs",
        ] {
            assert!(!local.contains(&remote), "{remote}");
        }
    }
}
