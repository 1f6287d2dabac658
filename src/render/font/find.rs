//! Where fonts are found: the binary, `GREENBAR_FONT_DIR`, the system's font folders.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::face::{FontData, FontFace, best_index};

/// Environment variable naming a folder that is searched before the system's.
pub const FONT_DIR: &str = "GREENBAR_FONT_DIR";

/// A font file larger than this is not read.
const FONT_SIZE_LIMIT: u64 = 64 << 20;
/// Folders below a font folder are searched this deep.
const DEPTH_LIMIT: usize = 4;

/// Where a font comes from.
#[derive(Debug)]
pub enum Source {
    /// Compiled in.
    BuiltIn(&'static [u8]),
    /// The first of these file names found in the font folders; for collections, the faces wanted most.
    System(&'static [&'static str], &'static [&'static str]),
}

impl Source {
    /// Reads the font; `None` when there is no such file or it is no font.
    pub fn read(&self, folders: &[PathBuf]) -> Option<FontFace> {
        match self {
            Source::BuiltIn(bytes) => FontFace::open(FontData::Static(bytes), 0, None),
            Source::System(names, wanted) => names.iter().find_map(|name| {
                let file = folders.iter().find_map(|folder| find(folder, name, DEPTH_LIMIT))?;
                read_file(file, wanted)
            }),
        }
    }
}

fn read_file(file: PathBuf, wanted: &[&str]) -> Option<FontFace> {
    if std::fs::metadata(&file).ok()?.len() > FONT_SIZE_LIMIT {
        return None;
    }
    let bytes = std::fs::read(&file).ok()?;
    let index = best_index(&bytes, wanted);
    let face = FontFace::open(FontData::Owned(Arc::new(bytes)), index, Some(file));
    if let Some(face) = &face {
        tracing::debug!(font.name = face.name(), font.file = ?face.file(), "read a font");
    }
    face
}

/// The folders of this machine in the order they are searched.
pub fn system_folders() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = std::env::var_os(FONT_DIR).map(PathBuf::from).into_iter().collect();
    folders.extend(["/usr/share/fonts", "/usr/local/share/fonts"].map(PathBuf::from));
    if let Some(home) = std::env::var_os("HOME") {
        folders.push(Path::new(&home).join(".local/share/fonts"));
    }
    folders
}

/// The file of this name in a folder or below it; folders in name order, so that the answer is always the same.
fn find(folder: &Path, name: &str, depth: usize) -> Option<PathBuf> {
    let here = folder.join(name);
    if here.is_file() {
        return Some(here);
    }
    if depth == 0 {
        return None;
    }
    let mut below: Vec<PathBuf> =
        std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    below.sort();
    below.iter().find_map(|folder| find(folder, name, depth - 1))
}
