//! Judging: pure functions from observations and limits to verdicts.
