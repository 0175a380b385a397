//! From what was seen to what people were told, whatever happens to the daemon on the way.

mod crash;
