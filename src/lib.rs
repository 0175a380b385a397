//! Roundsman makes its rounds.

pub mod app;
pub mod cli;
pub mod clients;
pub mod clock;
pub mod collectors;
pub mod config;
pub mod descriptors;
pub mod document;
pub mod model;
pub mod pipeline;
pub mod problem;
pub mod render;
pub mod reporters;
pub mod round;
pub mod rules;
pub mod schedule;
pub mod secret;
pub mod telemetry;
