//! A store with incidents, silences and messages in it, and a daemon that does nothing but answer orders.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::{TimeDelta, Timelike};
use roundsman::clock::{Clock, SystemClock};
use roundsman::desk::{self, Answer, Order};
use roundsman::incidents::{Record, Silence};
use roundsman::model::{
    Condition, Event, EventKind, Incident, IncidentId, Member, Parcel, ParcelContent, Severity,
    Sort, Status, Timestamp,
};
use roundsman::store::{Keep, Orders, Row, Settings, Store};

use crate::support::program::Workplace;

/// What is watched wherever incidents are kept.
const YAML: &str = "monitoring: {timezone: Europe/Berlin}
targets:
  api_endpoints:
    - {name: shop, url: \"http://127.0.0.1:1/\", labels: {team: ops}, auth: {bearer: \"${TOKEN}\"}}
    - {name: web-1, url: \"http://127.0.0.1:1/1\", labels: {team: ops}}
    - {name: web-2, url: \"http://127.0.0.1:1/2\", labels: {team: dev}}
";

/// How often it is asked whether something has come.
const ASKING: Duration = Duration::from_millis(5);

/// The value of the only secret.
pub(super) const CANARY: &str = "canary-7f3a91";

/// A time so many seconds ago; less than none is to come. Half a minute away from where words change.
pub(super) fn ago(seconds: i64) -> Timestamp {
    let now = SystemClock.now().with_nanosecond(0).expect("a second");
    now - TimeDelta::seconds(seconds)
}

/// As the program writes a time.
pub(super) fn told(time: Timestamp) -> String {
    let local = time.with_timezone(&chrono_tz::Europe::Berlin);
    let format = if local.second() == 0 {
        "%a %F %R %:z"
    } else {
        "%a %F %T %:z"
    };
    local.format(format).to_string()
}

/// The cells of tables, and other lines as they are: what is between two cells becomes one `|`.
pub(super) fn cells(text: &str) -> Vec<String> {
    let line = |line: &str| {
        let cells = line.split("  ").map(str::trim);
        let cells: Vec<&str> = cells.filter(|cell| !cell.is_empty()).collect();
        cells.join(" | ")
    };
    text.lines().map(line).collect()
}

/// A window for the operators' targets that opened a minute ago, for an hour; and when it closes.
pub(super) fn open_window() -> (String, Timestamp) {
    let minute = ago(60).with_second(0).expect("a minute");
    let yaml = format!(
        "windows: [{{name: racks, match: {{labels: {{team: ops}}}}, schedule: '{} {} * * *', duration: 1h, \
         timezone: UTC, comment: nightly}}]\n",
        minute.minute(),
        minute.hour()
    );
    (yaml, minute + TimeDelta::hours(1))
}

/// A working directory whose configuration says where the store lies.
pub(super) fn place() -> Workplace {
    place_with("")
}

/// The same with further sections.
pub(super) fn place_with(more: &str) -> Workplace {
    Workplace::with_configuration(&format!("{YAML}store: {{path: kept}}\n{more}"))
        .variable("TOKEN", CANARY)
        .variable("USER", "anna")
}

/// The store of a place, held as a daemon holds it.
pub(super) struct Held {
    store: Arc<Store>,
    folder: PathBuf,
}

impl Held {
    /// Takes the store and keeps these rows.
    pub(super) fn with(place: &Workplace, rows: Vec<Row>) -> Self {
        let folder = place.path().join("kept");
        let settings = Settings {
            folder: folder.clone(),
            keep: Keep::USUAL,
        };
        let store = Store::start(settings, Arc::new(SystemClock)).expect("nobody has it");
        let held = Self {
            store: Arc::new(store),
            folder,
        };
        held.keep(rows);
        held
    }

    /// Keeps rows, and comes back when they are committed.
    pub(super) fn keep(&self, rows: Vec<Row>) {
        let ticket = self.store.keep(rows).expect("there is room");
        let committed = self.store.committed();
        let until = std::time::Instant::now() + Duration::from_secs(20);
        while *committed.borrow() < ticket {
            assert!(
                std::time::Instant::now() < until,
                "{:?}",
                self.store.health()
            );
            std::thread::park_timeout(ASKING);
        }
    }

    /// Lets go of it, as a daemon that ended.
    pub(super) fn close(self) {
        assert!(self.store.close(Duration::from_secs(20)), "all is written");
    }

    /// What was ordered and not answered.
    pub(super) fn ordered(&self) -> Vec<Order> {
        ordered(&self.folder)
    }

    /// Answers the next order as it comes; gives that order.
    pub(super) fn answering(&self, answer: Answer) -> Answering {
        let (store, folder) = (Arc::clone(&self.store), self.folder.clone());
        let stop = Arc::new(AtomicBool::new(false));
        let is_over = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut orders = Orders::new(folder);
            while !is_over.load(Ordering::SeqCst) {
                if let Some(placed) = orders.waiting().first() {
                    let answer = serde_json::to_string(&answer).expect("JSON");
                    let order = placed.id;
                    store
                        .keep(vec![Row::Answer { order, answer }])
                        .expect("room");
                    return Some(desk::read(&placed.wanted).expect("an order"));
                }
                std::thread::park_timeout(ASKING);
            }
            None
        });
        Answering { thread, stop }
    }
}

/// What was ordered in a folder and not answered.
pub(super) fn ordered(folder: &std::path::Path) -> Vec<Order> {
    let placed = Orders::new(folder.to_owned()).waiting();
    let read = |wanted: &str| desk::read(wanted).expect("an order");
    placed.iter().map(|one| read(&one.wanted)).collect()
}

/// Somebody who answers an order.
pub(super) struct Answering {
    thread: std::thread::JoinHandle<Option<Order>>,
    stop: Arc<AtomicBool>,
}

impl Answering {
    /// The order; `None`: none came.
    pub(super) fn end(self) -> Option<Order> {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.join().expect("no panic")
    }
}

/// What happened.
pub(super) fn event(kind: EventKind, name: &str, status: Option<Status>, at: Timestamp) -> Event {
    Event {
        at,
        kind,
        name: name.to_owned(),
        status,
        text: None,
        rings: true,
    }
}

/// A problem of an endpoint.
pub(super) fn member(name: &str, status: Status, since: Timestamp, summary: &str) -> Member {
    let team = if name == "web-2" { "dev" } else { "ops" };
    Member {
        target: format!("api_endpoints/{name}"),
        name: name.to_owned(),
        sort: Sort::Problem,
        status,
        worst: status,
        worst_summary: None,
        since,
        status_since: None,
        resolved_at: None,
        under: None,
        explained_by: None,
        released_until: None,
        flapping: false,
        unsaid: Vec::new(),
        silenced_by: None,
        condition: Condition {
            status,
            at: since,
            summary: summary.to_owned(),
            problems: Vec::new(),
            more_problems: 0,
            advice: Vec::new(),
            cause: None,
        },
        critical: true,
        kind: "api_endpoints".to_owned(),
        labels: BTreeMap::from([("team".to_owned(), team.to_owned())]),
        runbook: None,
    }
}

/// An incident of these members.
pub(super) fn incident(id: IncidentId, opened_at: Timestamp, members: Vec<Member>) -> Incident {
    Incident {
        id,
        opened_at,
        resolved_at: None,
        merged_into: None,
        severity: Severity::Critical,
        members,
        acknowledged: None,
        title: None,
        told_at: None,
        notice: None,
        remind_at: None,
        reminders: 0,
        escalates_from: None,
        escalated: Vec::new(),
        events: Vec::new(),
        analysis: None,
    }
}

/// The row that keeps it.
pub(super) fn row(incident: &Incident) -> Row {
    Row::Record(Record::Incident(Arc::new(incident.clone())))
}

/// A silence for these names.
pub(super) fn silence(id: &str, names: &str, from: Timestamp, until: Option<Timestamp>) -> Silence {
    let matcher = format!("{{\"names\": \"{names}\"}}");
    Silence {
        id: id.to_owned(),
        matcher: serde_json::from_str(&matcher).expect("a matcher"),
        from: Some(from),
        until,
        author: Some("ben".to_owned()),
        comment: None,
    }
}

/// A message that waits.
pub(super) fn parcel(
    id: &str,
    reporter: &str,
    created_at: Timestamp,
    content: ParcelContent,
) -> Parcel {
    Parcel {
        id: id.to_owned(),
        reporter: reporter.to_owned(),
        content,
        revision: 0,
        created_at,
        due_at: created_at,
        tries: 0,
        last_error: None,
        in_doubt: false,
        dead_at: None,
    }
}
