//! Streams that are named on the command line: files as they are, pipes as copies on disk.
//!
//! Detection looks at a stream before it is read, and pages are read in any order: neither can be done with a pipe. A
//! pipe is copied into a file that goes away with the command, so that memory stays flat whatever comes.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::failure::Failure;

/// A stream that can be read as often as it takes.
pub struct Stream {
    path: PathBuf,
    /// The folder of the copy.
    copy: Option<PathBuf>,
}

impl Stream {
    /// The stream of this name, `-` for standard input; `to` is what cannot be done with it otherwise.
    pub fn named(to: &str, name: &Path) -> Result<Stream, Failure> {
        let cannot = |why: &dyn std::fmt::Display| Failure::new(format!("cannot {to} {}: {why}", name.display()));
        let path = if name == Path::new("-") { Path::new("/dev/stdin") } else { name };
        let meta = fs::metadata(path).map_err(|error| cannot(&error))?;
        if meta.is_dir() {
            return Err(cannot(&"it is a directory").advise("Name a file in it."));
        }
        if meta.is_file() && name == path {
            return Ok(Stream { path: path.into(), copy: None });
        }
        let folder = own_folder().map_err(|error| cannot(&error))?;
        // The name says nothing: names with numbers are hints at code pages.
        let stream = Stream { path: folder.join("stream"), copy: Some(folder) };
        let copied = File::open(path)
            .and_then(|mut from| io::copy(&mut from, &mut File::create_new(&stream.path)?))
            .map_err(|error| cannot(&error).advise("A pipe is kept in the folder TMPDIR names while it is read."));
        copied.map(|_| stream)
    }

    /// Where its bytes are.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Makes a folder that nobody else has.
fn own_folder() -> io::Result<PathBuf> {
    for number in 0_u32.. {
        let folder = std::env::temp_dir().join(format!("greenbar-{}-{number}", std::process::id()));
        match fs::DirBuilder::new().mode(0o700).create(&folder) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => return made.map(|()| folder),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

impl Drop for Stream {
    fn drop(&mut self) {
        if let Some(folder) = &self.copy {
            let _ = fs::remove_dir_all(folder);
        }
    }
}
