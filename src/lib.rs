//! Roundsman makes its rounds: it looks at what a team runs, judges each thing by plain limits, and reports.
//!
//! Values flow one way, and nobody calls back up:
//!
//! ```text
//! config ─plan→ app ─targets→ rounds ─observation→ pipeline[judge → keep → compose] ─report→ render → terminal
//!                               └ collectors → clients        └→ store             └→ reporters
//! ```
//!
//! | layer | modules | what they may do |
//! |---|---|---|
//! | 0 | [`model`], [`clock`], [`problem`], [`secret`], [`document`], [`descriptors`], [`traces`] | hold values |
//! | 1 | [`rules`], [`incidents`], [`render`], [`schedule`], [`purse`], [`redaction`], [`analysis::baseline`], [`analysis::correlate`], [`analysis::prompt`], [`analysis::answer`] | turn values into values, purely |
//! | 2 | [`clients`], [`store`] | talk to the world |
//! | 3 | [`collectors`], [`reporters`] | one file per kind, one per channel |
//! | 4 | [`round`], [`rounds`], [`guard`], [`pipeline`], [`desk`] | run things at once, and keep them apart |
//! | 5 | [`config`] | compose the settings of their owners |
//! | 6 | [`app`], [`shutdown`], [`telemetry`] | wire it all |
//! | 7 | [`cli`] | answer people |
//!
//! An import points to a lower number; a test checks it. `docs/architecture.md` has the picture.

pub mod analysis;
pub mod app;
pub mod cli;
pub mod clients;
pub mod clock;
pub mod collectors;
pub mod config;
pub mod delivery;
pub mod descriptors;
pub mod desk;
pub mod document;
pub mod guard;
pub mod incidents;
pub mod model;
pub mod pipeline;
pub mod problem;
pub mod purse;
pub mod redaction;
pub mod render;
pub mod reporters;
pub mod round;
pub mod rounds;
pub mod rules;
pub mod schedule;
pub mod secret;
pub mod shutdown;
pub mod store;
pub mod telemetry;
pub mod traces;
