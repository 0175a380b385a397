//! Secrets that nobody configured do not get out, and ordinary text stays as it is. The table of what is found stands beside
//! the code (`src/redaction/canaries.rs`).

mod linear;
mod ordinary;
mod program;
