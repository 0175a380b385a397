//! What waits to be written, up to a bound.

use std::collections::VecDeque;

use super::{Command, Entry, rows};

/// How much may wait, in bytes of memory, about.
const MOST_BYTES: usize = 48 << 20;

/// What is taken for a command beside its parts.
const OVERHEAD_BYTES: usize = 200;

/// What is taken for a measurement.
const MEASUREMENT_BYTES: usize = 96;

/// What is taken for a state.
const STATE_BYTES: usize = 1_500;

/// Commands in their order. Where there are too many, the oldest looks go; a change of status stays longer than the
/// samples that go with it.
#[derive(Default)]
pub(super) struct Waiting {
    commands: VecDeque<Command>,
    bytes: usize,
}

/// What had to go.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Lost {
    pub looks: u64,
    /// Whether states were among it: they must be handed over again.
    pub states: bool,
}

impl Waiting {
    pub(super) fn len(&self) -> usize {
        self.commands.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }

    pub(super) fn push(&mut self, command: Command) -> Lost {
        self.bytes += bytes(&command);
        self.commands.push_back(command);
        self.shrink(MOST_BYTES)
    }

    /// The first, up to so many. Give back what could not be written.
    pub(super) fn take(&mut self, most: usize) -> Vec<Command> {
        let count = most.min(self.commands.len());
        let taken: Vec<Command> = self.commands.drain(..count).collect();
        self.bytes -= taken.iter().map(bytes).sum::<usize>();
        taken
    }

    pub(super) fn give_back(&mut self, commands: Vec<Command>) {
        for command in commands.into_iter().rev() {
            self.bytes += bytes(&command);
            self.commands.push_front(command);
        }
    }

    fn shrink(&mut self, most: usize) -> Lost {
        let mut lost = Lost::default();
        if self.bytes <= most {
            return lost;
        }
        // A tenth in one go, so that this is not done for every look.
        let enough = most / 10 * 9;
        self.commands
            .retain(|command| !matches!(command, Command::Baselines { .. }));
        self.bytes = self.commands.iter().map(bytes).sum();
        if self.bytes <= enough {
            return lost;
        }
        let mut over = self.bytes - enough;
        self.commands.retain(|command| {
            let Command::Look(entry) = command else {
                return true;
            };
            let plain = entry.change.is_none();
            if over == 0 || !plain {
                return true;
            }
            over = over.saturating_sub(bytes(command));
            lost.looks += 1;
            lost.states |= entry.state.is_some();
            false
        });
        self.bytes = self.commands.iter().map(bytes).sum();
        // No plain look is left: the oldest changes go. What people must hear never does.
        self.commands.retain(|command| {
            if self.bytes <= most || !matches!(command, Command::Look(_) | Command::Left { .. }) {
                return true;
            }
            self.bytes -= bytes(command);
            lost.looks += 1;
            lost.states = true;
            false
        });
        lost
    }
}

fn bytes(command: &Command) -> usize {
    OVERHEAD_BYTES
        + match command {
            Command::Look(entry) => entry_bytes(entry),
            Command::Note { value, .. } => value.len(),
            Command::Baselines { bytes, .. } => bytes.len(),
            Command::Keep { rows, .. } => rows.iter().map(rows::bytes).sum(),
            Command::Left { .. } | Command::Stop(_) => 0,
        }
}

fn entry_bytes(entry: &Entry) -> usize {
    let state = entry.state.as_ref().map_or(0, |_| STATE_BYTES);
    entry.measurements.len() * MEASUREMENT_BYTES + state
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::{Status, TargetId, Timestamp};
    use crate::store::Changed;

    fn look(changed: bool) -> Command {
        Command::Look(Box::new(Entry {
            target: TargetId {
                kind: "local_hosts",
                name: "here".into(),
            },
            at: Timestamp::UNIX_EPOCH,
            took: Duration::ZERO,
            status: Status::Green,
            measurements: Vec::new(),
            state: None,
            change: changed.then(|| Changed {
                from: Some(Status::Red),
                to: Some(Status::Green),
                summary: String::new(),
            }),
        }))
    }

    #[test]
    fn what_was_learnt_goes_before_what_was_seen() {
        let mut waiting = Waiting::default();
        for _ in 0..10 {
            waiting.push(look(false));
            waiting.push(Command::Baselines {
                target: TargetId {
                    kind: "local_hosts",
                    name: "here".into(),
                },
                bytes: vec![0; 1_000],
            });
        }
        let lost = waiting.shrink(20 * OVERHEAD_BYTES);
        assert_eq!((lost, waiting.len()), (Lost::default(), 10));
        assert_eq!(waiting.bytes, 10 * OVERHEAD_BYTES);
    }

    #[test]
    fn the_oldest_looks_go_and_changes_stay() {
        let mut waiting = Waiting::default();
        for index in 0..100 {
            waiting.push(look(index % 10 == 0));
        }
        let lost = waiting.shrink(50 * OVERHEAD_BYTES);
        assert_eq!(lost.looks, 55);
        assert!(!lost.states);
        let changes = |waiting: &Waiting| {
            let changed = |command: &&Command| match command {
                Command::Look(entry) => entry.change.is_some(),
                _ => false,
            };
            waiting.commands.iter().filter(changed).count()
        };
        assert_eq!((waiting.len(), changes(&waiting)), (45, 10));
        let lost = waiting.shrink(5 * OVERHEAD_BYTES);
        assert_eq!((waiting.len(), changes(&waiting)), (5, 5));
        assert!(lost.states);
        let taken = waiting.take(3);
        waiting.give_back(taken);
        assert_eq!((waiting.len(), waiting.bytes), (5, 5 * OVERHEAD_BYTES));
    }
}
