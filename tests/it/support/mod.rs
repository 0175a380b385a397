//! Fixtures: real servers on free ports, started as children that die with this process.
