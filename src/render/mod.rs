//! What people and programs read, made from values: nothing here asks or changes anything.
