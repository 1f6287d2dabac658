//! The index on disk: generations in a folder, one of them current.
//!
//! ```text
//! search/
//!   lock         held by the one process that writes
//!   current      "g3 layout 1": the generation that is searched
//!   g3/          an index
//!   g4/          the next one while it is being rebuilt
//! ```

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tantivy::{Index, IndexSettings};

use super::SearchError;
use super::schema::{LAYOUT, Layout};

/// The index's folder.
#[derive(Debug)]
pub(super) struct Folder {
    dir: PathBuf,
    /// Held as long as this process may write.
    lock: Option<File>,
}

impl Folder {
    /// Opens or makes the folder, and takes the right to write if nobody has it.
    pub(super) fn open(dir: &Path) -> Result<Folder, SearchError> {
        let failed = |source| SearchError::Folder { path: dir.display().to_string(), source };
        fs::create_dir_all(dir).map_err(failed)?;
        let lock = File::options().create(true).truncate(false).write(true).open(dir.join("lock"));
        let lock = match lock {
            Ok(file) => match file.try_lock() {
                Ok(()) => Some(file),
                Err(TryLockError::WouldBlock) => None,
                Err(TryLockError::Error(source)) => return Err(failed(source)),
            },
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => None,
            Err(error) => return Err(failed(error)),
        };
        Ok(Folder { dir: dir.to_owned(), lock })
    }

    /// Whether this process may write.
    pub(super) fn may_write(&self) -> bool {
        self.lock.is_some()
    }

    fn path_of(&self, generation: u32) -> PathBuf {
        self.dir.join(format!("g{generation}"))
    }

    /// Wraps an error with the folder's path.
    pub(super) fn failed(&self, source: io::Error) -> SearchError {
        SearchError::Folder { path: self.dir.display().to_string(), source }
    }

    /// The current generation, if one of this layout is named.
    pub(super) fn current(&self) -> Result<Option<u32>, String> {
        let text = match fs::read_to_string(self.dir.join("current")) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(format!("`current` is unreadable: {error}")),
        };
        let mut words = text.split_whitespace();
        let generation = words.next().and_then(|word| word.strip_prefix('g')).and_then(|digits| digits.parse().ok());
        let layout = words.nth(1).and_then(|word| word.parse::<u32>().ok());
        match (generation, layout) {
            (Some(generation), Some(LAYOUT)) => Ok(Some(generation)),
            (Some(_), Some(other)) => Err(format!("the index has layout {other}, this program uses {LAYOUT}")),
            _ => Err("`current` names no index".into()),
        }
    }

    /// The newest generation that has a folder, current or not.
    pub(super) fn newest(&self) -> u32 {
        let names = fs::read_dir(&self.dir).into_iter().flatten().flatten().map(|entry| entry.file_name());
        names.filter_map(|name| name.to_str()?.strip_prefix('g')?.parse().ok()).max().unwrap_or(0)
    }

    /// Opens a generation that exists.
    pub(super) fn open_index(&self, generation: u32) -> Result<Index, SearchError> {
        let index = Index::open_in_dir(self.path_of(generation))?;
        if index.schema() != Layout::new().0 {
            return Err(SearchError::Layout);
        }
        Layout::register(&index);
        Ok(index)
    }

    /// Makes an empty generation; what was there goes.
    pub(super) fn make_index(&self, generation: u32) -> Result<Index, SearchError> {
        self.remove(generation)?;
        let path = self.path_of(generation);
        fs::create_dir_all(&path).map_err(|source| self.failed(source))?;
        let settings = IndexSettings { docstore_compress_dedicated_thread: false, ..IndexSettings::default() };
        let index = Index::builder().schema(Layout::new().0).settings(settings).create_in_dir(&path)?;
        Layout::register(&index);
        Ok(index)
    }

    /// Makes a generation the current one and removes the others. Survives a power cut at any moment.
    pub(super) fn switch(&self, generation: u32) -> Result<(), SearchError> {
        let replace = || -> io::Result<()> {
            let fresh = self.dir.join("current.new");
            let mut file = File::create(&fresh)?;
            file.write_all(format!("g{generation} layout {LAYOUT}\n").as_bytes())?;
            file.sync_all()?;
            fs::rename(&fresh, self.dir.join("current"))?;
            File::open(&self.dir)?.sync_all()
        };
        replace().map_err(|source| self.failed(source))?;
        for other in (1..=self.newest()).filter(|other| *other != generation) {
            self.remove(other)?;
        }
        Ok(())
    }

    fn remove(&self, generation: u32) -> Result<(), SearchError> {
        match fs::remove_dir_all(self.path_of(generation)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(self.failed(error)),
            _ => Ok(()),
        }
    }

    /// Bytes on disk of everything in the folder.
    pub(super) fn bytes(&self) -> u64 {
        fn of(dir: &Path) -> u64 {
            let entries = fs::read_dir(dir).into_iter().flatten().flatten();
            entries
                .map(|entry| match entry.metadata() {
                    Ok(data) if data.is_dir() => of(&entry.path()),
                    Ok(data) => data.len(),
                    Err(_) => 0,
                })
                .sum()
        }
        of(&self.dir)
    }
}
