//! A folder: each file under a temporary name, on the disk, renamed; its digest (`.sha256`, as `sha256sum -c` reads it) and
//! its manifest (`.manifest.json`) last. Who sees the manifest has the whole. Handing over again replaces a file by the same
//! bytes.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::{Channel, Keeps, Parcel};
use crate::distribute::DistributeError;
use crate::distribute::config::ChannelConfig;
use crate::distribute::piece::digest;

struct Folder {
    path: PathBuf,
}

/// Opens the channel. The folder must be there: one that is made by mistake is looked into by nobody.
pub fn open(config: &ChannelConfig) -> Result<Box<dyn Channel>, DistributeError> {
    if config.path.as_os_str().is_empty() {
        return Err(config.wrong("path", "it is missing"));
    }
    Ok(Box::new(Folder { path: config.path.clone() }))
}

impl Keeps for Folder {
    fn put(&self, parcel: &Parcel<'_>) -> Result<String, String> {
        put(&self.path, parcel).map_err(|error| format!("{}: {error}", self.path.display()))
    }
}

fn put(folder: &Path, parcel: &Parcel<'_>) -> io::Result<String> {
    let sum = digest(parcel.bytes);
    place(folder, parcel.name, parcel.bytes)?;
    let there = std::fs::read(folder.join(parcel.name))?;
    if digest(&there) != sum {
        return Err(io::Error::other("what was read back is not what was written"));
    }
    for (name, text) in parcel.beside() {
        place(folder, &name, text.as_bytes())?;
    }
    Ok(format!("{} sha256 {sum}", parcel.name))
}

fn place(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let part = folder.join(format!(".{name}.part"));
    let mut file = File::create(&part)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&part, folder.join(name))?;
    File::open(folder)?.sync_all()
}
