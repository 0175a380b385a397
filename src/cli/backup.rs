use std::path::{Path, PathBuf};

use super::Session;
use super::exit::Exit;
use crate::store::{self, Trouble};

/// Copies the memory into a file.
pub(super) fn backup(session: &Session, file: &Path) -> Exit {
    let folder = match folder(session) {
        Ok(folder) => folder,
        Err(exit) => return exit,
    };
    match store::backup(&folder, file) {
        Ok(bytes) => {
            let said = format!(
                "copied the memory of `{}` to `{}`: {bytes} bytes, checked\n",
                folder.display(),
                file.display()
            );
            session.terminal.print(&said, Exit::Well)
        }
        Err(trouble) => refused(session, &trouble),
    }
}

/// Checks that the memory is sound.
pub(super) fn verify(session: &Session) -> Exit {
    let folder = match folder(session) {
        Ok(folder) => folder,
        Err(exit) => return exit,
    };
    match store::verify(&folder) {
        Ok(found) => {
            let said = format!(
                "the memory of `{}` is sound: {} looks at {} targets, {} bytes\n",
                folder.display(),
                found.observations,
                found.targets,
                found.bytes
            );
            session.terminal.print(&said, Exit::Well)
        }
        Err(trouble) => refused(session, &trouble),
    }
}

/// Where the configuration says that the memory lies.
pub(super) fn folder(session: &Session) -> Result<PathBuf, Exit> {
    session.plan().map(|plan| plan.store.folder)
}

/// Says what is wrong with the memory.
pub(super) fn refused(session: &Session, trouble: &Trouble) -> Exit {
    let said = format!("{trouble}\n  hint: {}", trouble.hint);
    session.terminal.complain(&said);
    Exit::Software
}
