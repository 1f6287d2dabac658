//! The `greenbar` program.
fn main() {}
