//! Configuration files as people write them, and every way to get them wrong.

mod canaries;
mod documents;
mod incidents;
mod mistakes;
pub(crate) mod predecessor;
mod secrets;

use roundsman::config::{Environment, Found, Loaded, load};

use crate::support::program::Workplace;

impl Workplace {
    /// Loads its configuration; `None`: no file was found.
    pub(crate) fn load(&self) -> Option<Loaded> {
        let mut problems = Vec::new();
        let variables = self.variables().clone();
        let environment = Environment::from_parts(variables, self.path(), &mut problems);
        match load(None, &environment, self.path()) {
            Found::Nothing => None,
            Found::File(mut loaded) => {
                loaded.problems.splice(0..0, problems);
                Some(*loaded)
            }
        }
    }

    /// All that is said about it.
    pub(crate) fn problems(&self) -> String {
        let loaded = self.load().expect("a file");
        let said: Vec<String> = loaded.problems.iter().map(ToString::to_string).collect();
        said.join("\n")
    }
}
