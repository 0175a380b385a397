//! The thread that owns the database: gathers what comes, commits it, cleans, and deals with trouble.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::commit::commit;
use super::folder::{self, Lock};
use super::hours::HourMaker;
use super::trouble::{Trouble, TroubleKind};
use super::waiting::Waiting;
use super::words::Numbers;
use super::{Command, Settings, Shared, baselines, database, history, lock, rows};
use crate::clock::Clock;

/// How long commands are gathered before they are written together.
const GATHERING: Duration = Duration::from_millis(100);

/// How many are written in one transaction.
const BATCH: usize = 4_000;

/// How long after trouble the next try is.
const NEXT_TRY: Duration = Duration::from_secs(1);

/// Incidents that ended within this may still be told of.
const ENDED_LATELY_MS: i64 = 48 * 3_600_000;

/// How long between two cleanings.
const CLEANING: Duration = Duration::from_mins(1);

/// An open database.
struct Open {
    connection: Connection,
    numbers: Numbers,
    hours: HourMaker,
    /// The file as it was opened.
    identity: Option<(u64, u64)>,
}

/// The thread's own.
pub(super) struct Writer {
    settings: Settings,
    file: PathBuf,
    clock: Arc<dyn Clock>,
    shared: Arc<Shared>,
    held: Option<Lock>,
    open: Option<Open>,
    /// Whether a database was open before.
    opened: bool,
    waiting: Waiting,
    next_try: Instant,
    next_cleaning: Instant,
}

impl Writer {
    pub(super) fn new(
        settings: Settings,
        clock: Arc<dyn Clock>,
        shared: Arc<Shared>,
        held: Option<Lock>,
    ) -> Self {
        Self {
            file: folder::database(&settings.folder),
            settings,
            clock,
            shared,
            held,
            open: None,
            opened: false,
            waiting: Waiting::default(),
            next_try: Instant::now(),
            next_cleaning: Instant::now() + GATHERING,
        }
    }

    pub(super) fn run(mut self, commands: &Receiver<Command>) {
        self.try_to_open();
        let until = loop {
            let stop = self.gather(commands);
            self.write();
            if let Some(until) = stop {
                break until;
            }
            if Instant::now() >= self.next_cleaning {
                self.clean();
            }
        };
        // A lock may be given back, room be made: what waits is tried until the time is over.
        while !self.waiting.is_empty() && Instant::now() < until {
            std::thread::park_timeout(GATHERING);
            self.write();
        }
        // Closing moves the log into the database; one that cannot be closed is as after a kill: nothing is lost.
        self.open = None;
        self.tell_how_many_wait();
    }

    /// Waits for commands, and for more after the first. Gives until when to write what waits, once it is to stop.
    fn gather(&mut self, commands: &Receiver<Command>) -> Option<Instant> {
        let next = if self.waiting.is_empty() && self.open.is_some() {
            self.next_cleaning
        } else {
            self.next_try
        };
        let mut until = next.max(Instant::now());
        let mut first = true;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let received = commands.recv_timeout(left);
            if received.is_ok() {
                self.shared.queued.fetch_sub(1, Ordering::AcqRel);
            }
            match received {
                Ok(Command::Stop(until)) => return Some(until),
                Err(RecvTimeoutError::Disconnected) => return Some(Instant::now()),
                Ok(command) => {
                    let urgent = matches!(command, Command::Keep { .. });
                    let lost = self.waiting.push(command);
                    if lost.looks > 0 {
                        lock(&self.shared.health).lost += lost.looks;
                    }
                    if lost.states {
                        self.shared.generation.fetch_add(1, Ordering::AcqRel);
                    }
                    if first && self.in_trouble().is_none() {
                        until = Instant::now() + GATHERING;
                    }
                    first = false;
                    let enough = urgent || self.waiting.len() >= BATCH;
                    if enough && self.in_trouble().is_none() {
                        return None;
                    }
                }
                Err(RecvTimeoutError::Timeout) => return None,
            }
        }
    }

    fn in_trouble(&self) -> Option<TroubleKind> {
        let health = lock(&self.shared.health);
        health.trouble.as_ref().map(|trouble| trouble.kind)
    }

    fn try_to_open(&mut self) {
        self.next_try = Instant::now() + NEXT_TRY;
        if self.held.is_none() {
            match folder::prepare(&self.settings.folder)
                .map(|()| folder::lock(&self.settings.folder))
            {
                Ok(Ok(held)) => self.held = Some(held),
                Ok(Err(folder::NotLocked::Failed(trouble))) | Err(trouble) => {
                    return self.fail(trouble);
                }
                Ok(Err(folder::NotLocked::Held { by })) => {
                    let by = by.map_or_else(String::new, |pid| format!(" (process {pid})"));
                    let folder = self.settings.folder.display();
                    let message = format!("the store `{folder}` is in use by another daemon{by}");
                    return self.fail(Trouble::new(TroubleKind::Locked, message));
                }
            }
        }
        let opened = database::open(&self.settings.folder).and_then(|connection| {
            let failed = |error| Trouble::of_sqlite(&error, &self.file);
            let mut remembered = history::remembered(&connection).map_err(failed)?;
            let lately = self.clock.now().timestamp_millis() - ENDED_LATELY_MS;
            remembered.kept = rows::read(&connection, lately).map_err(failed)?;
            remembered.baselines = baselines::read(&connection).map_err(failed)?;
            Ok((connection, remembered))
        });
        match opened {
            Ok((connection, remembered)) => {
                self.open = Some(Open {
                    connection,
                    numbers: Numbers::default(),
                    hours: HourMaker::default(),
                    identity: folder::identity(&self.file),
                });
                *lock(&self.shared.remembered) = Some(remembered);
                if self.opened {
                    self.shared.generation.fetch_add(1, Ordering::AcqRel);
                }
                self.opened = true;
                self.say_well();
                self.shared.opened.notify_all();
            }
            Err(trouble) => self.fail(trouble),
        }
    }

    fn write(&mut self) {
        while !self.waiting.is_empty() {
            if self.open.is_none() {
                if Instant::now() < self.next_try {
                    break;
                }
                self.try_to_open();
            }
            let Some(open) = &mut self.open else {
                break;
            };
            let batch = self.waiting.take(BATCH);
            match commit(&mut open.connection, &mut open.numbers, &batch) {
                Ok(()) if folder::identity(&self.file) == open.identity => {
                    self.tell_committed(&batch);
                    self.recover();
                }
                // It went into a file that has no name any more.
                Ok(()) => {
                    self.waiting.give_back(batch);
                    let message = format!("the store `{}` was taken away", self.file.display());
                    self.fail(Trouble::new(TroubleKind::Gone, message));
                    self.next_try = Instant::now();
                }
                Err(error) => {
                    self.waiting.give_back(batch);
                    self.fail(Trouble::of_sqlite(&error, &self.file));
                    break;
                }
            }
        }
        if self.waiting.is_empty() && self.open.is_none() && Instant::now() >= self.next_try {
            self.try_to_open();
            if self.open.is_some() {
                self.recover();
            }
        }
        self.tell_how_many_wait();
    }

    fn tell_committed(&self, batch: &[Command]) {
        let tickets = batch.iter().filter_map(|command| match command {
            Command::Keep { ticket, .. } => Some(*ticket),
            _ => None,
        });
        if let Some(newest) = tickets.max() {
            self.shared.committed.send_replace(newest);
        }
    }

    fn tell_how_many_wait(&self) {
        lock(&self.shared.health).waiting = self.waiting.len();
    }

    fn recover(&mut self) {
        let ended = lock(&self.shared.health).trouble.take();
        if let Some(trouble) = ended {
            self.say_well();
            tracing::info!(
                event = "store.recovered",
                trouble = trouble.kind.word(),
                "the store is well again"
            );
        }
    }

    fn fail(&mut self, trouble: Trouble) {
        self.next_try = Instant::now() + NEXT_TRY;
        match trouble.kind {
            TroubleKind::Damaged => {
                self.open = None;
                self.put_aside();
            }
            // The connection is well, and holds what it may.
            TroubleKind::Locked | TroubleKind::Full => {
                if let Some(open) = &mut self.open {
                    open.numbers = Numbers::default();
                    open.hours = HourMaker::default();
                }
            }
            // No file is kept open: whoever mends the disk may have to unmount it.
            _ => {
                self.open = None;
                self.held = None;
            }
        }
        if let Some(held) = &self.held {
            held.is_ill();
        }
        let mut health = lock(&self.shared.health);
        let known = health.trouble.as_ref().map(|known| known.kind);
        if known != Some(trouble.kind) {
            tracing::error!(
                event = "store.trouble",
                trouble = trouble.kind.word(),
                hint = trouble.hint,
                "{trouble}; rounds and reports go on, what is seen waits in memory"
            );
        }
        health.trouble = Some(trouble);
        drop(health);
        self.shared.opened.notify_all();
    }

    /// Leaves a sign for whoever reads the store that all stands in it.
    fn say_well(&self) {
        if let Some(held) = &self.held
            && self.in_trouble().is_none()
        {
            held.is_well(self.clock.now());
        }
    }

    fn put_aside(&mut self) {
        let now = self.clock.now();
        match database::move_aside(&self.settings.folder, now) {
            Ok(moved) => {
                tracing::error!(
                    event = "store.moved_aside",
                    file = %moved.display(),
                    "the store was damaged: it was moved aside, and a new one is begun"
                );
                lock(&self.shared.health).moved_aside = Some((now, moved));
                // States that were handed over before are in the old one.
                self.opened = true;
                self.next_try = Instant::now();
            }
            Err(error) => tracing::error!(
                event = "store.trouble",
                %error,
                "the damaged store could not be moved aside"
            ),
        }
    }

    fn clean(&mut self) {
        self.next_cleaning = Instant::now() + CLEANING;
        let Some(open) = &mut self.open else {
            return;
        };
        let now_ms = self.clock.now().timestamp_millis();
        let cleaned = self
            .settings
            .keep
            .step(&open.connection, now_ms)
            .and_then(|more| Ok(open.hours.step(&mut open.connection, now_ms)? || more));
        match cleaned {
            // What came meanwhile is written first.
            Ok(true) => self.next_cleaning = Instant::now(),
            Ok(false) => self.say_well(),
            Err(error) => self.fail(Trouble::of_sqlite(&error, &self.file)),
        }
    }
}
