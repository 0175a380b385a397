use std::fs::{DirBuilder, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::exit::Exit;
use super::{Session, folder_of};
use crate::config::{self, SEARCHED};

/// What `init` writes.
const EXAMPLE: &str = include_str!("../../config/config.example.yaml");

/// What the first line of the example calls the schema that editors use, beside it.
const SCHEMA: &str = "config.schema.json";

/// Writes a commented configuration to start from; never touches a file that is there.
pub(super) fn run(session: &Session, file: Option<&Path>) -> Exit {
    let file = file
        .or(session.named.as_deref())
        .unwrap_or(Path::new(SEARCHED[0]));
    match write(file, EXAMPLE) {
        Ok(()) => {
            write_schema(session, file);
            let said = format!(
                "wrote {0}\nnext: edit it, then `roundsman --config {0} check-config` and `roundsman --config {0} \
                 --run-once`\n",
                file.display()
            );
            session.terminal.print(&said, Exit::Well)
        }
        Err(error)
            if error.kind() == ErrorKind::AlreadyExists && file.symlink_metadata().is_ok() =>
        {
            session.terminal.complain(&format!(
                "`{}` is there already and was not touched\n  hint: name another file: `roundsman init FILE`",
                file.display()
            ));
            Exit::Usage
        }
        Err(error) => {
            session.terminal.complain(&format!(
                "`{}` cannot be written: {error}\n  hint: name another file: `roundsman init FILE`",
                file.display()
            ));
            Exit::Software
        }
    }
}

/// Writes the schema that the first line of the example names. One that is there is left alone: it may be of another
/// version, but it is somebody's.
fn write_schema(session: &Session, file: &Path) {
    let schema = folder_of(file).join(SCHEMA);
    let text = format!("{:#}\n", config::json_schema());
    match write(&schema, &text) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            let shown = schema.display();
            let said = format!("`{shown}`, which helps editors, cannot be written: {error}");
            session.terminal.complain(&said);
        }
        _ => {}
    }
}

/// Readable by its owner alone: people write secrets into such files against all advice.
fn write(file: &Path, text: &str) -> std::io::Result<()> {
    DirBuilder::new().recursive(true).create(folder_of(file))?;
    let mut out = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)?;
    out.write_all(text.as_bytes())?;
    out.sync_all()
}
