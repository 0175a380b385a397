//! What people wrote, read into what we work with.
