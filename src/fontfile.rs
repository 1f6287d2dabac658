//! Font files: the ones compiled in, and where those of this machine are found.
//!
//! Both who draws pages (`render`) and who finds substitutes for fonts that a print stream only names (`decode`) ask
//! here. Which font suits what is theirs to know; this only finds and reads files, the same ones every time.

use std::path::{Path, PathBuf};

/// Environment variable naming a folder that is searched before the system's.
pub const FONT_DIR: &str = "GREENBAR_FONT_DIR";

/// A font file larger than this is not read.
const FONT_SIZE_LIMIT: u64 = 64 << 20;
/// Folders below a font folder are searched this deep.
const DEPTH_LIMIT: usize = 4;

/// DejaVu Sans Mono: regular, bold, oblique, bold oblique.
pub static MONO: [&[u8]; 4] = [
    include_bytes!("../templates/fonts/DejaVuSansMono.ttf"),
    include_bytes!("../templates/fonts/DejaVuSansMono-Bold.ttf"),
    include_bytes!("../templates/fonts/DejaVuSansMono-Oblique.ttf"),
    include_bytes!("../templates/fonts/DejaVuSansMono-BoldOblique.ttf"),
];

/// DejaVu Sans, Latin only: regular, bold.
pub static SANS: [&[u8]; 2] = [
    include_bytes!("../templates/fonts/DejaVuSans-Latin.ttf"),
    include_bytes!("../templates/fonts/DejaVuSans-Bold-Latin.ttf"),
];

/// The folders of this machine in the order they are searched.
pub fn system_folders() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = std::env::var_os(FONT_DIR).map(PathBuf::from).into_iter().collect();
    folders.extend(["/usr/share/fonts", "/usr/local/share/fonts"].map(PathBuf::from));
    if let Some(home) = std::env::var_os("HOME") {
        folders.push(Path::new(&home).join(".local/share/fonts"));
    }
    folders
}

/// The first file of this name in the folders or below them.
pub fn find(folders: &[PathBuf], name: &str) -> Option<PathBuf> {
    folders.iter().find_map(|folder| below(folder, name, DEPTH_LIMIT))
}

/// The bytes of a font file; `None` when it cannot be read or is too large to be a font.
pub fn read(file: &Path) -> Option<Vec<u8>> {
    if std::fs::metadata(file).ok()?.len() > FONT_SIZE_LIMIT {
        return None;
    }
    std::fs::read(file).ok()
}

/// The file of this name in a folder or below it; folders in name order, so that the answer is always the same.
fn below(folder: &Path, name: &str, depth: usize) -> Option<PathBuf> {
    let here = folder.join(name);
    if here.is_file() {
        return Some(here);
    }
    if depth == 0 {
        return None;
    }
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders.iter().find_map(|folder| below(folder, name, depth - 1))
}
