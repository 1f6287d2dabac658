//! The folder receiver: files that somebody puts into a folder.
//!
//! A file is complete when a marker lies beside it, or when its size and time did not change for a while. It is copied into
//! the intake and, when it is durable there, moved to `done/`; a file that cannot be taken goes to `failed/` with a file beside it
//! that says why. What is no plain file, is hidden, or does not fit `files` is left alone. A name that is not UTF-8, or has control
//! characters in it, is taken like every other and shown with replacement characters.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::config::FolderConfig;
use super::door::{Door, Told};
use super::{Arrival, CaptureConfig, CaptureError, Intake, Receiver, Stop};

/// The receiver.
pub struct Folders;

/// A file without a byte is one that somebody just began: so many seconds at least it may stay so.
const EMPTY_S: u64 = 5;
/// Files looked at in one round.
const MOST_FILES: usize = 100_000;

impl Receiver for Folders {
    fn name(&self) -> &'static str {
        "folder"
    }

    fn start(&self, config: &CaptureConfig, intake: &Intake, stop: &Stop) -> Result<Vec<Door>, CaptureError> {
        let mut doors = Vec::new();
        for folder in &config.folder {
            let place = folder.path.display().to_string();
            for name in ["", "done", "failed"] {
                let made = fs::create_dir_all(folder.path.join(name));
                made.map_err(|source| CaptureError::Place { receiver: "folder", place: place.clone(), source })?;
            }
            let told = Told::new(self.name(), place, folder.queue.clone());
            let mut watch = Watch {
                config: folder.clone(),
                intake: intake.clone(),
                told: told.clone(),
                stop: stop.clone(),
                seen: HashMap::new(),
                taken: Vec::new(),
            };
            doors.push(Door::watch(told, move || watch.run())?);
        }
        Ok(doors)
    }
}

/// The file beside another whose name has this ending.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_os_string();
    name.push(ending);
    name.into()
}

/// The name of a file as it is shown and kept: what is not UTF-8 or a control character in it is replaced.
fn shown_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

struct Watch {
    config: FolderConfig,
    intake: Intake,
    told: Arc<Told>,
    stop: Stop,
    /// Size and time of files that are not complete yet, and since when they are so.
    seen: HashMap<PathBuf, (u64, SystemTime, Instant)>,
    /// Files that were put away, and are looked at again: who still had one open may write on in it.
    taken: Vec<Taken>,
}

/// A file that was taken and put away.
struct Taken {
    /// Where it is now.
    path: PathBuf,
    /// Its arrival, and how many bytes that has.
    item: u64,
    bytes: u64,
    /// When it was taken.
    at: Instant,
    /// It has grown: size and since when it is that.
    grown: Option<(u64, Instant)>,
}

/// How long a file is looked at after it was taken: many times `stable_s`, and this long at least.
const LOOKED_AFTER: Duration = Duration::from_secs(600);
/// Files looked after at a time; of more the oldest go.
const MOST_TAKEN: usize = 10_000;

impl Watch {
    fn run(&mut self) {
        while !self.stop.is_now() {
            match self.complete() {
                Ok(files) => files.into_iter().for_each(|file| self.take(&file)),
                Err(error) => self.told.refused(&self.told.place, &error.to_string()),
            }
            self.look_after();
            let until = Instant::now() + Duration::from_secs(self.config.every_s);
            while !self.stop.is_now() && Instant::now() < until {
                std::thread::sleep(Duration::from_millis(100));
            }
        }
    }

    /// The files that are complete, oldest first.
    fn complete(&mut self) -> io::Result<Vec<PathBuf>> {
        let (mut found, mut still) = (Vec::new(), HashMap::new());
        for entry in fs::read_dir(&self.config.path)?.take(MOST_FILES) {
            let entry = entry?;
            // A name that is not UTF-8 is as good as any other; it is only shown differently.
            let own_name = entry.file_name();
            let name = own_name.to_string_lossy().into_owned();
            // Not through a symbolic link.
            let Ok(meta) = entry.metadata() else { continue };
            if !meta.is_file() || !self.is_wanted(&name) {
                continue;
            }
            let changed = meta.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            let path = entry.path();
            let complete = match &self.config.done_marker {
                Some(ending) => beside(&path, ending).is_file(),
                None => {
                    let since = match self.seen.get(&path) {
                        Some((size, time, since)) if (*size, *time) == (meta.len(), changed) => *since,
                        _ => Instant::now(),
                    };
                    still.insert(path.clone(), (meta.len(), changed, since));
                    let still_s =
                        if meta.len() == 0 { self.config.stable_s.max(EMPTY_S) } else { self.config.stable_s };
                    since.elapsed() >= Duration::from_secs(still_s)
                }
            };
            if complete {
                found.push((changed, path));
            }
        }
        self.seen = still;
        found.sort();
        Ok(found.into_iter().map(|(_, path)| path).collect())
    }

    fn is_wanted(&self, name: &str) -> bool {
        let marker = self.config.done_marker.as_deref().is_some_and(|ending| name.ends_with(ending));
        if name.starts_with('.') || marker {
            return false;
        }
        if self.config.files.is_empty() {
            return !name.ends_with(".tmp") && !name.ends_with(".part");
        }
        self.config.files.iter().any(|glob| crate::index::definition::fits_glob(glob, name))
    }

    fn take(&mut self, path: &Path) {
        if self.stop.is_now() {
            return;
        }
        match self.receive(path) {
            // It grew while it was copied: it is not complete.
            Ok(None) => {}
            Ok(Some((item, bytes))) => {
                self.told.taken();
                if let Some(path) = self.put_away(path, "done", None) {
                    self.taken.push(Taken { path, item, bytes, at: Instant::now(), grown: None });
                    let surplus = self.taken.len().saturating_sub(MOST_TAKEN);
                    self.taken.drain(..surplus);
                }
            }
            // It stays and is tried again.
            Err(
                error @ (CaptureError::Full
                | CaptureError::Busy { .. }
                | CaptureError::Closed(_)
                | CaptureError::Store(_)),
            ) => {
                self.told.refused(&path.display(), &error.to_string());
            }
            Err(CaptureError::Write(error)) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                self.told.refused(&path.display(), &error.to_string());
                self.put_away(path, "failed", Some(&error.to_string()));
            }
        }
    }

    /// Looks whether files that were taken have grown since: their arrival is told, and, when nothing more comes, they go to
    /// `failed/`, where somebody finds all of their bytes.
    fn look_after(&mut self) {
        let still = Duration::from_secs(self.config.stable_s.max(1));
        let long = LOOKED_AFTER.max(still.saturating_mul(20));
        for mut taken in std::mem::take(&mut self.taken) {
            let Ok(meta) = fs::metadata(&taken.path) else { continue };
            let now = meta.len();
            match taken.grown {
                None if now == taken.bytes => {
                    if taken.at.elapsed() < long {
                        self.taken.push(taken);
                    }
                    continue;
                }
                None => {
                    let said = format!("its sender went on writing after {} bytes were taken", taken.bytes);
                    if let Err(error) = self.intake.more_came(taken.item, &said) {
                        tracing::error!(item = taken.item, %error, "that a file grew could not be noted");
                    }
                    self.told.refused(&taken.path.display(), &said);
                    taken.grown = Some((now, Instant::now()));
                }
                Some((size, _)) if size != now => taken.grown = Some((now, Instant::now())),
                Some((_, since)) if since.elapsed() >= still => {
                    let (item, bytes, path) = (taken.item, taken.bytes, taken.path);
                    let why = format!("it has {now} bytes; arrival {item} has the first {bytes} of them");
                    self.put_away(&path, "failed", Some(&why));
                    continue;
                }
                Some(_) => {}
            }
            self.taken.push(taken);
        }
    }

    /// Copies a file into the intake: its arrival and bytes, or nothing when it grew meanwhile.
    fn receive(&self, path: &Path) -> Result<Option<(u64, u64)>, CaptureError> {
        self.config.queue.as_deref().map_or(Ok(()), |queue| self.intake.admits(queue))?;
        let mut file = File::open(path)?;
        let meta = file.metadata()?;
        let mut spool = self.intake.begin()?.paced(0, &self.stop);
        let mut piece = vec![0; 256 << 10];
        loop {
            let read = file.read(&mut piece)?;
            if read == 0 {
                break;
            }
            spool.write(piece.get(..read).unwrap_or_default())?;
        }
        let bytes = spool.bytes();
        if fs::metadata(path).is_ok_and(|meta| meta.len() != bytes) {
            return Ok(None);
        }
        let name = shown_name(path);
        let changed = meta.modified().ok().and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
        let place = self.config.path.display().to_string();
        // Copied, and then the server died before the file was moved: the same file again.
        // As the folder has it: two names may be shown alike.
        let own_name = path.file_name().unwrap_or_default().as_encoded_bytes().escape_ascii();
        let transmission = format!("folder/{place}/{own_name}/{}", changed.unwrap_or_default().as_nanos());
        let (file, queue) = (super::item::file_name(&name, "file"), self.config.queue.clone());
        let transmission = Some(transmission);
        let arrival = Arrival { receiver: "folder", file, queue, peer: place, transmission, ..Arrival::default() };
        spool.accept(arrival).map(|item| Some((item.id, bytes)))
    }

    /// Moves a file out of the way; one of the same name there stays. Returns where it is now.
    fn put_away(&mut self, path: &Path, to: &str, why: Option<&str>) -> Option<PathBuf> {
        self.seen.remove(path);
        let name = shown_name(path);
        let mut target = self.config.path.join(to).join(&name);
        for number in 1.. {
            if !target.exists() {
                break;
            }
            target = self.config.path.join(to).join(format!("{name}.{number}"));
        }
        let moved = fs::rename(path, &target).and_then(|()| match why {
            Some(why) => fs::write(format!("{}.reason", target.display()), format!("{why}\n")),
            None => Ok(()),
        });
        if let Err(error) = &moved {
            self.told.refused(&path.display(), &format!("it cannot be moved to {to}: {error}"));
        }
        if let Some(ending) = &self.config.done_marker {
            let _ = fs::remove_file(beside(path, ending));
        }
        moved.is_ok().then_some(target)
    }
}
