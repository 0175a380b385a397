//! The store in trouble: each fault is made for real, while a daemon runs. Rounds and reports go on, the report says that
//! the memory is gone, and what was seen meanwhile is written when it is back.

mod faults;
mod formats;
