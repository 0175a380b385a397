use std::path::Path;

use super::Session;
use super::exit::Exit;
use super::orders::{Place, none_where_gone};
use crate::store::{self, Trouble};

/// Copies the memory into a file.
pub(super) fn backup(session: &Session, file: &Path) -> Exit {
    let place = match Place::find(session) {
        Ok(place) => place,
        Err(exit) => return exit,
    };
    if file.symlink_metadata().is_ok() {
        let said = format!(
            "`{}` is there already\n  hint: name a file that is not there yet",
            file.display()
        );
        session.terminal.complain(&said);
        return Exit::Usage;
    }
    let folder = place.folder();
    match none_where_gone(store::backup(folder, file)) {
        Ok(None) => place.not_without_store(session),
        Ok(Some(bytes)) => {
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
    let place = match Place::find(session) {
        Ok(place) => place,
        Err(exit) => return exit,
    };
    let folder = place.folder();
    match none_where_gone(store::verify(folder)) {
        Ok(None) => place.not_without_store(session),
        Ok(Some(found)) => {
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

/// Says what is wrong with the memory.
pub(super) fn refused(session: &Session, trouble: &Trouble) -> Exit {
    let said = format!("{trouble}\n  hint: {}", trouble.hint);
    session.terminal.complain(&said);
    Exit::Software
}
