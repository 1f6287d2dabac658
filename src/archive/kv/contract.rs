//! What every store promises; run against each implementation.
