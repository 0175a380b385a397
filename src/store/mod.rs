//! What must outlast a restart: looks, changes and states, in one SQLite database.
//!
//! One thread owns the database and writes; whoever has something to keep hands it over and goes on. So a slow disk, a
//! lock, cleaning and checkpoints delay no look. Readers open the database for themselves: its write-ahead log lets
//! them read while the thread writes.
//!
//! Trouble with the store is never a target's: what is seen waits in memory, up to a bound, and [`Health`] says so.

mod backup;
mod baselines;
mod commit;
mod database;
mod folder;
mod history;
mod hours;
mod keep;
mod ledger;
mod orders;
mod rows;
mod samples;
mod trouble;
mod uptime;
mod waiting;
mod words;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

pub use backup::{Verified, backup, verify};
pub use baselines::KeptBaselines;
pub use folder::{DATABASE, Lock, is_behind, is_held, network_file_system};
pub use history::{Bucket, History, HistoryChange, HistorySeries, Span, history, targets};
pub use keep::Keep;
pub use ledger::{FileLedger, LEDGER, Spending, spendings};
pub use orders::{Orders, Placed, answer, incidents, kept, place};
pub use rows::{Kept, Row};
pub use trouble::{Trouble, TroubleKind};
pub use uptime::uptimes;

use tokio::sync::watch;

use crate::clock::Clock;
use crate::model::{Measurement, ReportTarget, Status, TargetId, Timestamp};
use writer::Writer;

/// How many commands may wait for the thread. It takes them as they come, also while the database is in trouble.
const COMMANDS: usize = 65_536;

/// Where the store lies and how much it keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The folder.
    pub folder: PathBuf,
    /// How much is kept.
    pub keep: Keep,
}

/// A look to keep.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Who was looked at.
    pub target: TargetId,
    /// When.
    pub at: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// What it meant.
    pub status: Status,
    /// What was measured.
    pub measurements: Vec<Measurement>,
    /// The target's state, where it is to be kept anew.
    pub state: Option<Arc<ReportTarget>>,
    /// How the status changed, where it did.
    pub change: Option<Changed>,
}

/// A change of status to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// `None`: it was not watched before.
    pub from: Option<Status>,
    /// `None`: it is no longer watched.
    pub to: Option<Status>,
    /// How the target was then, in one line.
    pub summary: String,
}

/// Says when what was handed over is committed: tickets are committed in their order.
pub type Ticket = u64;

enum Command {
    Look(Box<Entry>),
    Left {
        target: TargetId,
        at: Timestamp,
        from: Status,
    },
    Note {
        name: &'static str,
        value: String,
    },
    /// What is usual for a target's metrics: it may wait, and be lost.
    Baselines {
        target: TargetId,
        bytes: Vec<u8>,
    },
    /// Rows that belong together: one commit.
    Keep {
        ticket: Ticket,
        rows: Vec<Row>,
    },
    /// To write what waits, for no longer than until then, and to end.
    Stop(Instant),
}

/// How the store is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Health {
    /// Why nothing is kept at the moment.
    pub trouble: Option<Trouble>,
    /// How many looks wait to be written.
    pub waiting: usize,
    /// How many were given up because too many waited.
    pub lost: u64,
    /// A database that was damaged, when that was found, and where it lies now.
    pub moved_aside: Option<(Timestamp, PathBuf)>,
}

/// What was kept before this start.
#[derive(Debug, Default)]
pub struct Remembered {
    /// The newest state of each target.
    pub states: Vec<ReportTarget>,
    /// Single values, by name.
    pub notes: std::collections::HashMap<String, String>,
    /// Incidents and messages.
    pub kept: Kept,
    /// What is usual for the metrics of targets.
    pub baselines: Vec<KeptBaselines>,
}

#[derive(Default)]
struct Shared {
    health: Mutex<Health>,
    remembered: Mutex<Option<Remembered>>,
    opened: Condvar,
    generation: AtomicU64,
    committed: watch::Sender<Ticket>,
    /// How many commands wait for the thread.
    queued: AtomicUsize,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Whoever panicked while holding it left a whole value behind: all are set in one go.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Why the store cannot be used by this process at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the store `{}` is in use by another daemon{}", folder.display(), pid.map_or_else(String::new, |pid| format!(" (process {pid})")))]
pub struct InUse {
    /// The folder.
    pub folder: PathBuf,
    /// The other's process number, where it is known.
    pub pid: Option<u32>,
}

/// The store of a running daemon.
pub struct Store {
    commands: Sender<Command>,
    shared: Arc<Shared>,
    next_ticket: AtomicU64,
    thread: Option<JoinHandle<()>>,
}

impl Store {
    /// Takes the store for this process and starts the thread that writes. Whatever else is wrong with the store is
    /// said by [`Store::health`], and tried again.
    ///
    /// # Errors
    /// Another daemon uses it, or no thread could be started.
    pub fn start(settings: Settings, clock: Arc<dyn Clock>) -> Result<Self, InUse> {
        let held = match folder::prepare(&settings.folder).map(|()| folder::lock(&settings.folder))
        {
            Ok(Ok(held)) => Some(held),
            Ok(Err(folder::NotLocked::Held { by })) => {
                return Err(InUse {
                    folder: settings.folder,
                    pid: by,
                });
            }
            // The thread meets the same trouble, and says it.
            Ok(Err(folder::NotLocked::Failed(_))) | Err(_) => None,
        };
        // Its bound is `queued`: a bounded channel takes the memory for all of them at once.
        let (commands, received): (Sender<Command>, Receiver<Command>) = channel();
        let shared = Arc::new(Shared::default());
        let writer = Writer::new(settings, clock, Arc::clone(&shared), held);
        let thread = std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || writer.run(&received));
        let thread = match thread {
            Ok(thread) => Some(thread),
            Err(error) => {
                let message = format!("no thread could be started for the store: {error}");
                lock(&shared.health).trouble = Some(Trouble::new(TroubleKind::Broken, message));
                None
            }
        };
        Ok(Self {
            commands,
            shared,
            next_ticket: AtomicU64::new(1),
            thread,
        })
    }

    /// What was kept before this start, once the database is open; waits for it no longer than that. `None`: it is not
    /// open yet, or somebody has asked already.
    #[must_use]
    pub fn remembered(&self, patience: Duration) -> Option<Remembered> {
        let until = Instant::now() + patience;
        let mut remembered = lock(&self.shared.remembered);
        while remembered.is_none() && lock(&self.shared.health).trouble.is_none() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let waited = self.shared.opened.wait_timeout(remembered, left);
            remembered = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        remembered.take()
    }

    /// Whether [`Self::remembered`] has something.
    #[must_use]
    pub fn has_remembered(&self) -> bool {
        lock(&self.shared.remembered).is_some()
    }

    /// Hands over a look. `false`: too many wait, and this one is not kept.
    #[must_use]
    pub fn record(&self, entry: Entry) -> bool {
        self.hand_over(Command::Look(Box::new(entry)))
    }

    /// Hands over that a target is no longer watched. `false`: too many wait.
    #[must_use]
    pub fn record_left(&self, target: TargetId, at: Timestamp, from: Status) -> bool {
        self.hand_over(Command::Left { target, at, from })
    }

    /// Hands over a single value. `false`: too many wait.
    #[must_use]
    pub fn note(&self, name: &'static str, value: String) -> bool {
        self.hand_over(Command::Note { name, value })
    }

    /// Hands over what is usual for a target's metrics. It is written with what comes next, and the first that is given up
    /// for want of memory: more is learnt every day. `false`: too many wait.
    #[must_use]
    pub fn keep_baselines(&self, target: TargetId, bytes: Vec<u8>) -> bool {
        // A refusal loses no look: it is not counted.
        self.queue(Command::Baselines { target, bytes })
    }

    /// Hands over rows that belong together, and says by which ticket their commit is known. They are written as soon as
    /// that can be, and are not given up, however many looks wait. `None`: the thread has ended.
    #[must_use]
    pub fn keep(&self, rows: Vec<Row>) -> Option<Ticket> {
        let ticket = self.next_ticket.fetch_add(1, Ordering::AcqRel);
        self.shared.queued.fetch_add(1, Ordering::AcqRel);
        let sent = self.commands.send(Command::Keep { ticket, rows });
        sent.is_ok().then_some(ticket)
    }

    /// The newest ticket that is committed.
    #[must_use]
    pub fn committed(&self) -> watch::Receiver<Ticket> {
        self.shared.committed.subscribe()
    }

    fn hand_over(&self, command: Command) -> bool {
        let is_taken = self.queue(command);
        if !is_taken {
            lock(&self.shared.health).lost += 1;
        }
        is_taken
    }

    fn queue(&self, command: Command) -> bool {
        let has_room = self.shared.queued.fetch_add(1, Ordering::AcqRel) < COMMANDS;
        let is_taken = has_room && self.commands.send(command).is_ok();
        if !is_taken {
            self.shared.queued.fetch_sub(1, Ordering::AcqRel);
        }
        is_taken
    }

    /// How the store is.
    #[must_use]
    pub fn health(&self) -> Health {
        lock(&self.shared.health).clone()
    }

    /// Grows whenever a database was opened that does not hold what was handed over before: all states must be handed
    /// over again.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.shared.generation.load(Ordering::Acquire)
    }

    /// Whether the thread that writes has ended, which it never should.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Writes what waits and closes the database; waits for that no longer than `patience`. Whether all was written.
    #[must_use]
    pub fn close(&self, patience: Duration) -> bool {
        let until = Instant::now() + patience;
        self.shared.queued.fetch_add(1, Ordering::AcqRel);
        if self.commands.send(Command::Stop(until)).is_err() {
            return false;
        }
        let mut health = lock(&self.shared.health);
        while !self.has_ended() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let short = left.min(Duration::from_millis(20));
            let waited = self.shared.opened.wait_timeout(health, short);
            health = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        health.waiting == 0 && health.trouble.is_none()
    }
}

/// What is kept in the folder, for a process that is no daemon. `Ok(None)`: there is no store yet.
///
/// # Errors
/// It cannot be read.
pub fn read(in_folder: &Path) -> Result<Option<Remembered>, Trouble> {
    let file = folder::database(in_folder);
    let connection = match database::open_to_read(in_folder) {
        Ok(connection) => connection,
        Err(trouble) if trouble.kind == TroubleKind::Gone => return Ok(None),
        Err(trouble) => return Err(trouble),
    };
    history::remembered(&connection)
        .map(Some)
        .map_err(|error| Trouble::of_sqlite(&error, &file))
}
