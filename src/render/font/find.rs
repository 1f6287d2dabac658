//! Where the fonts of the renditions come from: the binary, or a font file of this machine ([`crate::fontfile`]).

use std::path::PathBuf;
use std::sync::Arc;

use super::face::{FontData, FontFace, best_index};
use crate::fontfile;

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
            Source::System(names, wanted) => {
                names.iter().find_map(|name| read_file(fontfile::find(folders, name)?, wanted))
            }
        }
    }
}

fn read_file(file: PathBuf, wanted: &[&str]) -> Option<FontFace> {
    let bytes = fontfile::read(&file)?;
    let index = best_index(&bytes, wanted);
    let face = FontFace::open(FontData::Owned(Arc::new(bytes)), index, Some(file));
    if let Some(face) = &face {
        tracing::debug!(font.name = face.name(), font.file = ?face.file(), "read a font");
    }
    face
}
