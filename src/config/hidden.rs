use crate::problem::Problem;

/// Shorter values are no secrets, and would be found inside of ordinary words.
const SHORTEST: usize = 6;

/// The values of variables and files that a configuration uses: they are taken out of every problem, whoever wrote it.
/// The types that read values keep them out of their messages already; this is the net below.
#[derive(Default)]
pub(super) struct Hidden(Vec<String>);

impl Hidden {
    pub(super) fn add(&mut self, value: &str) {
        if value.len() >= SHORTEST && !self.0.iter().any(|known| known == value) {
            self.0.push(value.to_owned());
        }
    }

    /// Takes the values out of what is said. Places stay: they hold no values.
    pub(super) fn scrub(&self, problems: &mut [Problem]) {
        for problem in problems {
            for value in &self.0 {
                for text in [Some(&mut problem.message), problem.hint.as_mut()]
                    .into_iter()
                    .flatten()
                {
                    if text.contains(value) {
                        *text = text.replace(value, "[hidden]");
                    }
                }
            }
        }
    }
}
