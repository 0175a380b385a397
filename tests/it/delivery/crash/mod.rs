//! The daemon is killed again and again on the way from a look to a message, while the channels fail half of the time: 50
//! times in `make test`, 500 times in `make crash`. Then all is well, and what people were told is compared with what
//! happened: nothing is lost, and nothing is told twice but where nobody could know whether it was taken.

mod axe;
mod chat;
mod doubts;
mod hook;
mod judge;
mod world;

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use roundsman::clock::{Clock, SystemClock};
use roundsman::model::Incident;
use roundsman::schedule::share;
use serde_json::Value;

use self::axe::{Axe, Point};
use self::chat::Chat;
use self::hook::Hook;
use self::judge::Case;
use crate::support::cannot_run;
use crate::support::daemon::Daemon;
use crate::support::program::{PROGRAM, Workplace};
use crate::support::telegram::{PERSON, TOKEN};

/// How often it is killed in `make test`; `ROUNDSMAN_CRASHES` says otherwise.
const USUAL_KILLS: u64 = 50;

/// Whoever is not killed where it was meant is killed after this.
const LONGEST_LIFE: Duration = Duration::from_secs(1);

/// One of so many lives is long enough for all that takes its time.
const LONG_LIVES: u64 = 12;
const LONG_LIFE: Duration = Duration::from_secs(3);

/// Afterwards all must be told within this.
const PATIENCE: Duration = Duration::from_mins(4);

/// Whoever does not want to wait asks for what waits to be tried now.
const BETWEEN_RETRIES: Duration = Duration::from_secs(3);

/// Starts the daemon where the hosts have names.
const WITH_HOSTS: &str = "mount --bind hosts /etc/hosts && exec \"$0\" \"$@\"";

/// These targets are told of on Telegram, which takes one message a second.
const LOUD: &str = "shop-1-";

fn configuration(targets: u16, hook: &Hook, chat: &Chat) -> String {
    format!(
        "monitoring: {{every: 1s, for: 2, confirm_after: 500ms, own_network: false}}\n\
         report: {{when: changes}}\n\
         incidents: {{group_window: 2s}}\n\
         reporters:\n\
         - {{kind: webhook, name: programs, url: \"http://127.0.0.1:{hook}/\"}}\n\
         - kind: telegram\n  \
           name: people\n  \
           bot_token: \"{TOKEN}\"\n  \
           chat_id: \"{PERSON}\"\n  \
           api_url: {chat}\n  \
           route: {{names: [\"{LOUD}*\"], digest: false}}\n\
         {targets}",
        hook = hook.port,
        chat = chat.service.url(),
        targets = world::configured(targets),
    )
}

/// A number that `make crash` or whoever repeats a run sets.
fn asked(name: &str) -> Option<u64> {
    #[expect(
        clippy::disallowed_methods,
        reason = "`make crash` says how often, and a test has no other ear"
    )]
    let text = std::env::var(name).ok()?;
    Some(text.parse().expect("a whole number"))
}

/// Where a life ends: at a point, after it was passed so often, and so long after that.
fn aim(seed: u64, kill: u64) -> (Point, u32, Duration) {
    let chance = |what: &str| share(&format!("{seed} {what}"), kill);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "from 0 to 45"
    )]
    let before = |most: f64| (chance("before") * most) as u32;
    let delay = |most_ms: f64| Duration::from_secs_f64(chance("delay") * most_ms / 1_000.0);
    // Half of them at once.
    let soon = |most_ms: f64| delay(most_ms).mul_f64(if chance("soon") < 0.5 { 0.0 } else { 1.0 });
    match chance("point") {
        ..0.1 => (Point::Time, 0, delay(1_000.0)),
        ..0.3 => (Point::Looked, before(45.0), soon(40.0)),
        ..0.5 => (Point::Read, before(2.0), soon(100.0)),
        ..0.75 => (Point::Accepted, before(1.5), soon(20.0)),
        _ => (Point::Answered, before(1.5), soon(10.0)),
    }
}

fn start(place: &Workplace) -> Daemon {
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "sh", "-c", WITH_HOSTS, PROGRAM])
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .current_dir(place.path());
    Daemon::from(command)
}

fn namespaces_are_missing() -> bool {
    let made = Command::new("unshare")
        .args(["--mount", "sh", "-c", "mount --bind /etc/hosts /etc/hosts"])
        .output();
    let missing = !made.is_ok_and(|made| made.status.success());
    if missing {
        cannot_run("names for hosts need root, `unshare` and `mount`");
    }
    missing
}

/// What the program prints as JSON.
async fn listed(place: &Workplace, arguments: &[&str]) -> Value {
    let ended = place
        .run(&[arguments, &["--format", "json"]].concat())
        .await;
    ended.assert_code(0);
    ended.json()
}

fn is_empty(list: &Value) -> bool {
    list.as_array().expect("a list").is_empty()
}

/// Waits until nothing is open, and nothing waits to be told.
async fn all_told(place: &Workplace) -> Result<(), String> {
    let began = Instant::now();
    let mut retried: Option<Instant> = None;
    loop {
        let incidents = listed(place, &["incidents"]).await;
        let outbox = listed(place, &["outbox"]).await;
        if is_empty(&incidents) && is_empty(&outbox) {
            return Ok(());
        }
        if began.elapsed() > PATIENCE {
            return Err(format!(
                "after {PATIENCE:?} with all well there is still\n{incidents:#}\n{outbox:#}"
            ));
        }
        // What failed often would come by itself, minutes later.
        if is_empty(&incidents) && retried.is_none_or(|at| at.elapsed() > BETWEEN_RETRIES) {
            place.run(&["outbox", "retry"]).await.assert_code(0);
            retried = Some(Instant::now());
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_any_point_it_loses_nothing_and_repeats_only_what_nobody_could_know() {
    if namespaces_are_missing() {
        return;
    }
    let kills = asked("ROUNDSMAN_CRASHES").unwrap_or(USUAL_KILLS);
    let by_time = || SystemClock.now().timestamp_millis().unsigned_abs();
    let seed = asked("ROUNDSMAN_CRASH_SEED").unwrap_or_else(by_time);
    println!("ROUNDSMAN_CRASH_SEED={seed} ROUNDSMAN_CRASHES={kills}");
    let began = Instant::now();
    let axe: Arc<Axe> = Arc::default();
    let (world, server) = world::start(seed, &axe).await;
    let hook = Hook::start(seed, &axe).await;
    let chat = Chat::start(seed, &axe).await;
    let yaml = configuration(server.port, &hook, &chat);
    let place = Workplace::with_configuration(&yaml).file("hosts", &world::hosts_file());
    let mut log = String::new();
    for kill in 0..kills {
        world.is_calm.store(kill * 2 > kills, Ordering::SeqCst);
        let is_long = kill % LONG_LIVES == LONG_LIVES / 2;
        let (point, before, delay) = aim(seed, kill);
        let daemon = start(&place);
        let by_time = point == Point::Time || is_long;
        axe.begin(daemon.pid(), (!by_time).then_some((point, before, delay)));
        let longest = match (is_long, point) {
            (true, _) => LONG_LIFE,
            (false, Point::Time) => delay,
            _ => LONGEST_LIFE,
        };
        axe.fallen_within(longest).await;
        let ended = daemon.ended().await;
        writeln!(log, "-- life {kill}, aimed at {point:?} {before} {delay:?}").expect("text");
        log.push_str(&ended.stdout);
        assert_eq!(ended.code, None, "it ended by itself: {ended}");
    }
    let killing = began.elapsed();
    world.is_well.store(true, Ordering::SeqCst);
    hook.is_failing.store(false, Ordering::SeqCst);
    chat.is_failing.store(false, Ordering::SeqCst);
    let daemon = start(&place);
    axe.begin(daemon.pid(), None);
    let told = all_told(&place).await;
    let incidents = listed(&place, &["incidents", "--all", "--since", "7d"]).await;
    let ended = daemon.stop().await;
    writeln!(log, "-- the last life").expect("text");
    log.push_str(&ended.stdout);
    let incidents: Vec<Incident> = serde_json::from_value(incidents).expect("incidents");
    let case = Case {
        incidents,
        posts: hook.accepted(),
        calls: chat.done(),
        answers: world.answers(),
        ends: axe.ends(),
    };
    let mut verdict = case.judge();
    verdict.faults.extend(told.err());
    let by_point = axe.kills();
    println!(
        "{kills} kills in {killing:?} ({by_point:?}), all told after {:?}; {} and {} requests\n{}",
        began.elapsed(),
        hook.requests(),
        chat.service.calls().len(),
        verdict.figures
    );
    if !verdict.faults.is_empty() {
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("crash-{seed}.log"));
        std::fs::write(&file, format!("{log}\n{case:#?}")).expect("a file");
        panic!(
            "ROUNDSMAN_CRASH_SEED={seed} ROUNDSMAN_CRASHES={kills}: {} faults; everything is in {}\n{}",
            verdict.faults.len(),
            file.display(),
            verdict.faults.join("\n")
        );
    }
    ended.assert_code(0);
}
