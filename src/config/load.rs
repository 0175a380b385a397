//! From files to one document: found, parsed, merged, expanded.

use std::collections::BTreeSet;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Environment;
use super::expand::{Found, expand};
use crate::document::{self, LIMITS, Node, NodeValue};
use crate::problem::{Location, Problem};

/// Where a configuration file is looked for when none is named, in this order.
pub const SEARCHED: [&str; 2] = ["config/config.yaml", "/etc/roundsman/config.yaml"];

/// The variable that names the configuration file.
pub const FILE_VARIABLE: &str = "ROUNDSMAN_CONFIG";

/// The documents of a configuration, merged into one.
pub(super) struct Document {
    /// The files that were read, the main one first.
    pub files: Vec<PathBuf>,
    /// What they say together.
    pub root: Node,
}

/// The file to read: the named one, that of the variable, or the first of [`SEARCHED`] that is there.
///
/// A file that was named and is not there is an error; `Ok(None)`: none was named and none is there.
pub(super) fn find(
    named: Option<&Path>,
    environment: &Environment,
    directory: &Path,
) -> Result<Option<PathBuf>, Box<Problem>> {
    let by_variable = environment
        .get(FILE_VARIABLE)
        .filter(|name| !name.is_empty());
    let (path, by) = match (named, by_variable) {
        (Some(path), _) => (path.to_owned(), "by `--config`".to_owned()),
        (None, Some(path)) => (PathBuf::from(path), format!("by `{FILE_VARIABLE}`")),
        (None, None) => {
            let mut found = SEARCHED.iter().map(PathBuf::from);
            return Ok(found.find(|path| may_be_there(&directory.join(path))));
        }
    };
    if may_be_there(&directory.join(&path)) {
        return Ok(Some(path));
    }
    let message = format!("the file `{}`, named {by}, is not there", path.display());
    let hint = "name a file that is there, or write a first one with `roundsman init`";
    Err(Box::new(Problem::error(message).hint(hint)))
}

/// Whether something has that name, or we may not know. A file that we may not see and a link that leads nowhere are
/// found here and refused when they are read: taken for missing, they would be replaced by the built-in plan in silence.
fn may_be_there(path: &Path) -> bool {
    use std::io::ErrorKind::{NotADirectory, NotFound};
    path.symlink_metadata().map_or_else(
        |error| !matches!(error.kind(), NotFound | NotADirectory),
        |_| true,
    )
}

/// Reads the file and those of `conf.d/` beside it.
pub(super) fn read(
    main: &Path,
    environment: &Environment,
    directory: &Path,
    found: &mut Found,
) -> Option<Document> {
    let mut files = vec![main.to_owned()];
    files.extend(more_files(main, directory, &mut found.problems));
    let mut root: Option<Node> = None;
    let mut complete = true;
    for file in &files {
        let Some(mut node) = read_one(file, directory, &mut found.problems) else {
            complete = false;
            continue;
        };
        let path = document::Path::default();
        expand(&mut node, &path, environment, directory, found);
        match &mut root {
            None => root = Some(node),
            Some(root) => merge(root, node, &path, &mut found.problems),
        }
    }
    let root = root.filter(|_| complete)?;
    Some(Document { files, root })
}

/// The files of `conf.d/` beside the main file, in the order of their names.
fn more_files(main: &Path, directory: &Path, problems: &mut Vec<Problem>) -> Vec<PathBuf> {
    let folder = main.parent().unwrap_or(Path::new("")).join("conf.d");
    let entries = match std::fs::read_dir(directory.join(&folder)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Vec::new(),
        Err(error) => {
            let message = format!("the folder `{}` cannot be read: {error}", folder.display());
            problems.push(Problem::error(message).hint("let our user read it, or take it away"));
            return Vec::new();
        }
    };
    let names: BTreeSet<_> = entries.flatten().map(|entry| entry.file_name()).collect();
    let mut files = Vec::new();
    for name in names {
        let path = folder.join(&name);
        let hidden = name.to_string_lossy().starts_with('.');
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("yaml") if !hidden => files.push(path),
            Some("yml") if !hidden => problems.push(
                Problem::warning(format!("the file `{}` is not read", path.display()))
                    .hint("only names that end with `.yaml` are"),
            ),
            _ => {}
        }
    }
    files
}

fn read_one(file: &Path, directory: &Path, problems: &mut Vec<Problem>) -> Option<Node> {
    let name: Arc<str> = file.display().to_string().into();
    let bytes = match read_at_most(&directory.join(file), LIMITS.bytes) {
        Ok(bytes) => bytes,
        Err(error) => {
            let message = format!("the file `{name}` cannot be read: {error}");
            problems.push(Problem::error(message).hint(match error.kind() {
                ErrorKind::NotFound => "it may be a link that leads nowhere",
                ErrorKind::IsADirectory | ErrorKind::InvalidInput => "name a file",
                _ => "let our user read it",
            }));
            return None;
        }
    };
    match String::from_utf8(bytes) {
        Ok(text) => document::parse(&name, &text, LIMITS, problems),
        Err(error) => {
            let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = String::from_utf8_lossy(good).matches('\n').count() + 1;
            let location = Location {
                file: name,
                line: u32::try_from(line).unwrap_or(u32::MAX),
                column: 1,
            };
            let problem = Problem::error("this line is not UTF-8").at(&location, "");
            problems.push(problem.hint("save the file as UTF-8"));
            None
        }
    }
}

/// Reads a file, and one byte more than is allowed where there is more: what is too large is told from what is not
/// without reading all of it.
pub(super) fn read_at_most(path: &Path, bytes: usize) -> std::io::Result<Vec<u8>> {
    let most = u64::try_from(bytes).unwrap_or(u64::MAX).saturating_add(1);
    let mut content = Vec::new();
    refuse_pipe(path)?;
    std::fs::File::open(path)?
        .take(most)
        .read_to_end(&mut content)?;
    Ok(content)
}

/// Opening a named pipe waits for somebody who writes into it, without end. The pipes of a shell, such as that of
/// `<(command)`, lie under `/dev` and have somebody.
fn refuse_pipe(path: &Path) -> std::io::Result<()> {
    let is_of_a_shell = path.starts_with("/dev") || path.starts_with("/proc");
    if !is_of_a_shell && std::fs::metadata(path)?.file_type().is_fifo() {
        return Err(std::io::Error::new(
            ErrorKind::InvalidInput,
            "it is a named pipe",
        ));
    }
    Ok(())
}

/// Merges `more` into `root`: maps by key, lists by appending; a scalar given twice is a mistake.
fn merge(root: &mut Node, more: Node, path: &document::Path, problems: &mut Vec<Problem>) {
    match (&mut root.value, more.value) {
        (_, NodeValue::Null) => {}
        (value @ NodeValue::Null, more_value) => {
            *value = more_value;
            root.location = more.location;
            root.source = more.source;
        }
        (NodeValue::Sequence(items), NodeValue::Sequence(more_items)) => items.extend(more_items),
        (NodeValue::Mapping(entries), NodeValue::Mapping(more_entries)) => {
            for entry in more_entries {
                match entries.iter_mut().find(|known| known.key == entry.key) {
                    Some(known) => {
                        merge(
                            &mut known.value,
                            entry.value,
                            &path.key(&entry.key),
                            problems,
                        );
                    }
                    None => entries.push(entry),
                }
            }
        }
        _ => {
            let message = format!("given twice; the first is at {}", root.location);
            let problem = Problem::error(message).at(&more.location, path.to_string());
            problems.push(problem.hint("keep one of them; only lists add up"));
        }
    }
}
