//! Resource library folders: one file for each resource, called by the resource's name.
//!
//! A name in a stream is data from outside: it is compared with the names of the files that are there, never made into a
//! path. A file is found by its whole name or without its extension, upper and lower case alike.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::Libraries;

/// Largest file that is taken for a resource.
const FILE_BYTES: u64 = 32 << 20;
/// Files of one folder that are looked at.
const FILES: usize = 100_000;
/// Longest name that is looked for.
const NAME_BYTES: usize = 250;

/// Extensions in the order in which they are tried where several files have the same name: first those that only a
/// resource of this kind has. Other extensions are taken too, after these.
const EXTENSIONS: &[(&str, &[&str])] = &[
    ("overlay", &["ovl", "ovly", "ovr", "overlay"]),
    ("page-segment", &["psg", "pseg", "pse", "seg"]),
    ("form-definition", &["fdf", "fde", "fdef", "formdef"]),
    ("coded-font", &["cf", "cdf", "cfnt"]),
    ("character-set", &["fnt", "cs", "fcs", "240", "300"]),
    ("code-page", &["cp", "cdp", "cpg"]),
    ("object", &["ttf", "otf", "ttc", "jpg", "jpeg", "tif", "tiff", "png", "gif", "pdf"]),
    ("font", &["ttf", "otf", "ttc", "fnt", "pfb"]),
    ("image", &["jpg", "jpeg", "tif", "tiff", "png", "gif", "ica", "ioca"]),
    ("", &["afp", "res", "bin"]),
];

/// Folders of resources, looked through in their order.
#[derive(Debug)]
pub struct Folders {
    folders: Vec<Folder>,
    roots: Vec<PathBuf>,
}

#[derive(Debug)]
struct Folder {
    path: PathBuf,
    list: Mutex<Option<(Option<SystemTime>, Arc<Listing>)>>,
}

/// The files of a folder by lower-case name, with and without extension.
#[derive(Debug, Default)]
struct Listing {
    whole: HashMap<String, PathBuf>,
    stems: HashMap<String, Vec<(String, PathBuf)>>,
}

impl Folders {
    /// Of these folders; one that is not there holds nothing.
    pub fn new(roots: Vec<PathBuf>) -> Folders {
        let folders = roots.iter().cloned().map(Folder::new).collect();
        Folders { folders, roots }
    }

    /// Of a list of folders as it stands in an environment variable, separated as the system separates such lists.
    pub fn from_list(list: &std::ffi::OsStr) -> Folders {
        Folders::new(std::env::split_paths(list).filter(|path| !path.as_os_str().is_empty()).collect())
    }
}

impl Libraries for Folders {
    fn find(&self, kind: &str, name: &str) -> Option<Arc<[u8]>> {
        let name = name.trim().to_lowercase();
        if name.is_empty() || name.len() > NAME_BYTES {
            return None;
        }
        self.folders.iter().find_map(|folder| folder.read(kind, &name))
    }

    fn section(&self, name: &str) -> Option<Arc<dyn Libraries>> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if name.is_empty() || !name.chars().all(plain) {
            return None;
        }
        let mut folders: Vec<Folder> = self.roots.iter().map(|root| Folder::new(root.join(name))).collect();
        folders.extend(self.roots.iter().cloned().map(Folder::new));
        Some(Arc::new(Folders { folders, roots: self.roots.clone() }))
    }
}

impl Folder {
    fn new(path: PathBuf) -> Folder {
        Folder { path, list: Mutex::default() }
    }

    fn read(&self, kind: &str, name: &str) -> Option<Arc<[u8]>> {
        let path = self.listing().find(kind, name)?.clone();
        let bytes = fs::metadata(&path).ok()?.len();
        if bytes == 0 || bytes > FILE_BYTES {
            return None;
        }
        fs::read(&path).ok().map(Into::into)
    }

    /// The files that are there; read again when the folder has changed.
    fn listing(&self) -> Arc<Listing> {
        let changed = fs::metadata(&self.path).and_then(|data| data.modified()).ok();
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((then, listing)) = &*list
            && *then == changed
        {
            return listing.clone();
        }
        let listing = Arc::new(Listing::of(&self.path));
        *list = Some((changed, listing.clone()));
        listing
    }
}

impl Listing {
    fn of(folder: &Path) -> Listing {
        let mut listing = Listing::default();
        let (Ok(entries), Ok(inside)) = (fs::read_dir(folder), folder.canonicalize()) else { return listing };
        let mut paths: Vec<PathBuf> = entries.flatten().take(FILES).map(|entry| entry.path()).collect();
        // The same file is found whatever the order in which the system lists them.
        paths.sort();
        for path in paths {
            // A link may lead anywhere; only what lies in the folder itself is its own.
            let own = path.canonicalize().is_ok_and(|real| real.is_file() && real.starts_with(&inside));
            let Some(name) = path.file_name().and_then(|name| name.to_str()).map(str::to_lowercase) else { continue };
            if !own {
                continue;
            }
            if let Some((stem, extension)) = name.rsplit_once('.') {
                listing.stems.entry(stem.into()).or_default().push((extension.into(), path.clone()));
            }
            listing.whole.entry(name).or_insert(path);
        }
        listing
    }

    fn find(&self, kind: &str, name: &str) -> Option<&PathBuf> {
        if let Some(path) = self.whole.get(name) {
            return Some(path);
        }
        let files = self.stems.get(name)?;
        let usual = EXTENSIONS.iter().filter(|(of, _)| *of == kind || of.is_empty()).flat_map(|(_, all)| all.iter());
        let first = usual.into_iter().find_map(|wanted| files.iter().find(|(extension, _)| extension == wanted));
        first.or(files.first()).map(|(_, path)| path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Scratch {
            let path = std::env::temp_dir().join(format!("greenbar-library-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&path);
            fs::create_dir_all(&path).expect("a folder");
            Scratch(path)
        }

        fn file(&self, name: &str, content: &str) {
            let path = self.0.join(name);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            fs::write(path, content).expect("a file");
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn text(found: Option<Arc<[u8]>>) -> Option<String> {
        found.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    #[test]
    fn a_resource_is_found_by_name_whatever_its_extension_and_case() {
        let scratch = Scratch::new("names");
        scratch.file("MLPFORM1.ovl", "an overlay");
        scratch.file("mlpform1.psg", "a page segment");
        scratch.file("C0H20000", "a font");
        scratch.file("Noto Sans.ttf", "a typeface");
        scratch.file("odd.xyz", "any extension");
        let folders = Folders::new(vec![scratch.0.join("none"), scratch.0.clone()]);
        let find = |kind, name| text(folders.find(kind, name));
        assert_eq!(find("overlay", "MLPFORM1"), Some("an overlay".into()));
        assert_eq!(find("page-segment", "MlpForm1"), Some("a page segment".into()));
        assert_eq!(find("character-set", "c0h20000 "), Some("a font".into()));
        assert_eq!(find("font", "Noto Sans"), Some("a typeface".into()));
        assert_eq!(find("font", "noto sans.TTF"), Some("a typeface".into()));
        assert_eq!(find("overlay", "odd"), Some("any extension".into()));
        assert_eq!(find("overlay", "missing"), None);
    }

    #[test]
    fn nothing_outside_of_the_folder_is_found() {
        let scratch = Scratch::new("outside");
        scratch.file("secret", "secret");
        scratch.file("lib/inside", "inside");
        #[cfg(unix)]
        std::os::unix::fs::symlink(scratch.0.join("secret"), scratch.0.join("lib/link")).expect("a link");
        let folders = Folders::new(vec![scratch.0.join("lib")]);
        let absolute = scratch.0.join("secret").display().to_string();
        for name in ["../secret", "..", ".", "", "/etc/passwd", &absolute, "link", "lib/inside", "a\0b"] {
            assert_eq!(text(folders.find("overlay", name)), None, "{name:?}");
        }
        assert_eq!(text(folders.find("overlay", "INSIDE")), Some("inside".into()));
        for name in ["..", "", "a/b", "."] {
            assert!(folders.section(name).is_none(), "{name:?}");
        }
    }

    #[test]
    fn a_section_is_looked_through_first_and_new_files_are_seen() {
        let scratch = Scratch::new("sections");
        scratch.file("LOGO", "common");
        scratch.file("bank/LOGO.psg", "the bank's");
        let folders = Folders::new(vec![scratch.0.clone()]);
        let bank = folders.section("bank").expect("a section");
        assert_eq!(text(bank.find("page-segment", "LOGO")), Some("the bank's".into()));
        assert_eq!(text(folders.find("page-segment", "LOGO")), Some("common".into()));
        assert_eq!(text(bank.find("overlay", "LATER")), None);
        std::thread::sleep(std::time::Duration::from_millis(20));
        scratch.file("bank/LATER", "later");
        assert_eq!(text(bank.find("overlay", "LATER")), Some("later".into()));
    }
}
