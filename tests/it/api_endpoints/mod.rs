//! `api_endpoints` against real servers: nginx, and servers that break off, lie and stay silent.

mod answers;
mod bodies;
mod certificates;
mod failures;
mod names;
mod redirects;
mod secrets;
