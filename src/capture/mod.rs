//! Captures print streams: opens them, and hands their bytes on.
//!
//! Today a stream is a file named on the command line or the body of an HTTP upload.
