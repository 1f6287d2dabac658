//! Behaviour of search over a catalogue in memory.
