//! What the table of causes answers, looked up once: it is asked a million times of a big picture.

use std::sync::LazyLock;

use super::class::{Class, Relation, causes};

/// They are the same for every picture, and small pictures are asked for often.
pub(super) static CHANCES: LazyLock<Chances> = LazyLock::new(Chances::new);

/// Every answer of [`causes`].
pub(super) struct Chances {
    answers: Vec<f64>,
}

const CLASSES: [Class; 22] = [
    Class::Disk,
    Class::Memory,
    Class::Cpu,
    Class::Steal,
    Class::DiskWait,
    Class::Load,
    Class::Service,
    Class::Change,
    Class::Certificate,
    Class::Name,
    Class::Gone,
    Class::Answer,
    Class::Slow,
    Class::Reach,
    Class::Connections,
    Class::Locks,
    Class::Replication,
    Class::Cloud,
    Class::Access,
    Class::Limits,
    Class::Monitor,
    Class::Other,
];

/// All but that of dependencies, of which there is one for each number of steps, and the one by way of another.
const RELATIONS: [Relation; 10] = [
    Relation::Same,
    Relation::OnIt,
    Relation::UnderIt,
    Relation::Beside,
    Relation::Named,
    Relation::Shares,
    Relation::Line,
    Relation::Alike,
    Relation::Loads,
    Relation::Watches,
];

/// Over more steps no effect is believable: each takes a tenth of what is likely.
pub(super) const MOST_STEPS: u32 = 12;

impl Chances {
    fn new() -> Self {
        let needs = (1..=MOST_STEPS).map(Relation::Needs);
        let mut answers = Vec::new();
        for relation in RELATIONS.into_iter().chain(needs) {
            for cause in CLASSES {
                answers.extend(CLASSES.map(|effect| causes(cause, effect, relation)));
            }
        }
        Self { answers }
    }

    /// How likely it is that one sort of trouble causes another, from 0 to 1.
    pub(super) fn of(&self, cause: Class, effect: Class, relation: Relation) -> f64 {
        let row = match relation {
            Relation::Same => 0,
            Relation::OnIt => 1,
            Relation::UnderIt => 2,
            Relation::Beside => 3,
            Relation::Named => 4,
            Relation::Shares => 5,
            Relation::Line => 6,
            Relation::Alike => 7,
            Relation::Loads => 8,
            Relation::Watches => 9,
            Relation::Needs(steps @ 1..=MOST_STEPS) => RELATIONS.len() + steps as usize - 1,
            Relation::Needs(_) | Relation::Through => return 0.0,
        };
        let place = (row * CLASSES.len() + cause as usize) * CLASSES.len() + effect as usize;
        self.answers.get(place).copied().unwrap_or(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answers_are_those_of_the_table() {
        let chances = Chances::new();
        let needs = (1..=MOST_STEPS).map(Relation::Needs);
        for relation in RELATIONS.into_iter().chain(needs) {
            for cause in CLASSES {
                for effect in CLASSES {
                    let (known, asked) = (
                        causes(cause, effect, relation),
                        chances.of(cause, effect, relation),
                    );
                    assert!(
                        (known - asked).abs() < f64::EPSILON,
                        "{cause:?} {effect:?} {relation:?}: {known}, not {asked}"
                    );
                }
            }
        }
    }

    #[test]
    fn over_more_steps_nothing_is_believable() {
        let chances = Chances::new();
        for cause in CLASSES {
            for effect in CLASSES {
                let likely = chances.of(cause, effect, Relation::Needs(MOST_STEPS));
                assert!(likely < 0.3, "{cause:?} {effect:?}: {likely}");
            }
        }
    }
}
