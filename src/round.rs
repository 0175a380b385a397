//! One run over all targets that are due: permits, deadlines, panics.
