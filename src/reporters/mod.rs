//! Where reports go: one file per channel, and one list that names them all.
