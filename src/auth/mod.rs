//! Who may see what.

pub mod gate;
