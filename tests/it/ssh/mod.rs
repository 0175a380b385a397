//! SSH against real servers: sessions, host keys, identities, and each way in which they fail.

mod fixture;
