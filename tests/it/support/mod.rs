//! Fixtures: real servers on free ports, started as children that die with this process.

pub(crate) mod aimock;
pub(crate) mod aws;
pub(crate) mod certificates;
pub(crate) mod children;
pub(crate) mod daemon;
pub(crate) mod dns;
pub(crate) mod dockerd;
mod look;
mod machine;
pub(crate) mod nginx;
pub(crate) mod otlp;
pub(crate) mod packages;
pub(crate) mod postgres;
pub(crate) mod program;
pub(crate) mod proxy;
pub(crate) mod servers;
pub(crate) mod smtp;
pub(crate) mod sshd;
pub(crate) mod telegram;

pub(crate) use look::{
    Looked, kind_of, look, look_again, look_at, look_together, look_with, target, target_with,
};
pub(crate) use machine::{cannot_run, processor_time};
