//! Configuration files as people write them, and every way to get them wrong.

mod documents;
mod mistakes;
pub(crate) mod predecessor;
mod secrets;

use std::collections::BTreeMap;
use std::path::Path;

use roundsman::config::{Environment, Found, Loaded, load};
use tempfile::TempDir;

/// A working directory with files in it, and the variables of a process.
pub(crate) struct Folder {
    directory: TempDir,
    variables: BTreeMap<String, String>,
}

impl Folder {
    /// A folder whose `config/config.yaml` has this content.
    pub(crate) fn with_config(yaml: &str) -> Self {
        let folder = Self {
            directory: tempfile::tempdir().expect("a temporary folder"),
            variables: BTreeMap::new(),
        };
        folder.file("config/config.yaml", yaml)
    }

    pub(crate) fn file(self, name: &str, content: &str) -> Self {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, content).expect("a file");
        self
    }

    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Loads it; `None`: no file was found.
    pub(crate) fn load(&self) -> Option<Loaded> {
        let mut problems = Vec::new();
        let environment =
            Environment::from_parts(self.variables.clone(), self.path(), &mut problems);
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
