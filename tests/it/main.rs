//! The tests that use the whole program or real servers: one binary, so that it is linked once.

mod analyst;
mod api_endpoints;
mod cli;
mod collectors_contract;
mod config;
mod daemon;
mod databases;
mod delivery;
mod deployment;
mod docker_hosts;
mod ec2_instances;
mod evals;
mod house;
mod incidents;
mod llm_keys;
mod llm_models;
mod local_hosts;
mod redaction;
mod reports;
mod round;
mod s3_buckets;
mod ssh;
mod store;
mod support;
mod traces;
mod vps_servers;
