//! SFTP, through the system's `sftp` (OpenSSH): each file under a temporary name, synced where the server can
//! (`fsync@openssh.com`), renamed over (`posix-rename@openssh.com`), read back; its digest (`.sha256`) and
//! its manifest (`.manifest.json`) last.
//!
//! The host key is pinned: only those of `known_hosts` count, and nobody is asked. Documents reach the program through
//! memory (`memfd`), never through a temporary folder. One connection is kept for half a minute and used by all pieces.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::{Channel, Keeps, Parcel};
use crate::auth::secret;
use crate::distribute::DistributeError;
use crate::distribute::config::ChannelConfig;
use crate::distribute::piece::digest;

/// Longest that the transfer of one piece may take, unless the configuration says otherwise.
const TIMEOUT_S: u64 = 120;
/// Bytes of what the program said that are kept.
const MOST_SAID: u64 = 2_000;

struct Sftp {
    host: String,
    options: Vec<String>,
    folder: String,
    /// Folder of the socket of the shared connection; gone with the channel.
    control: PathBuf,
    timeout: Duration,
}

/// Opens the channel; no connection is made yet.
pub fn open(config: &ChannelConfig) -> Result<Box<dyn Channel>, DistributeError> {
    let plain = |text: &str| !text.is_empty() && !text.starts_with('-') && !text.contains(char::is_whitespace);
    if !plain(&config.host) || !plain(&config.user) {
        return Err(config.wrong("host", "host and user are needed, without blanks"));
    }
    let file = |key: &str, path: &Option<PathBuf>| match path {
        Some(path) if path.is_file() => Ok(path.display().to_string()),
        Some(path) => Err(config.wrong(key, format!("there is no file {}", path.display()))),
        None => Err(config.wrong(key, "it is missing")),
    };
    let folder = config.path.display().to_string();
    if folder.is_empty() || folder.contains(['"', '\\', '\n', '*', '?', '[']) {
        return Err(config.wrong("path", "the folder on the server, without \" \\ * ? ["));
    }
    let control =
        std::env::temp_dir().join(format!("greenbar-sftp-{}", secret::token()?.get(..16).unwrap_or_default()));
    std::os::unix::fs::DirBuilderExt::mode(&mut std::fs::DirBuilder::new(), 0o700).create(&control)?;
    let timeout = config.timeout_s.unwrap_or(TIMEOUT_S).clamp(1, 3600);
    let settings = [
        "BatchMode=yes".to_string(),
        "StrictHostKeyChecking=yes".into(),
        format!("UserKnownHostsFile={}", file("known_hosts", &config.known_hosts)?),
        "GlobalKnownHostsFile=/dev/null".into(),
        "UpdateHostKeys=no".into(),
        "IdentitiesOnly=yes".into(),
        format!("IdentityFile={}", file("key_file", &config.key_file)?),
        format!("User={}", config.user),
        format!("Port={}", if config.port == 0 { 22 } else { config.port }),
        format!("ConnectTimeout={}", timeout.min(30)),
        "ServerAliveInterval=15".into(),
        "ControlMaster=auto".into(),
        format!("ControlPath={}/s", control.display()),
        "ControlPersist=30".into(),
    ];
    let options = settings.into_iter().flat_map(|setting| ["-o".to_string(), setting]).collect();
    Ok(Box::new(Sftp { host: config.host.clone(), options, folder, control, timeout: Duration::from_secs(timeout) }))
}

impl Drop for Sftp {
    fn drop(&mut self) {
        let mut end = Command::new("ssh");
        end.args(["-F", "none"]).args(&self.options).args(["-O", "exit", &self.host]);
        let _ = end.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        let _ = std::fs::remove_dir_all(&self.control);
    }
}

impl Keeps for Sftp {
    fn put(&self, parcel: &Parcel<'_>) -> Result<String, String> {
        self.bring(parcel).map_err(|error| format!("{}: {error}", self.host))
    }
}

impl Sftp {
    fn bring(&self, parcel: &Parcel<'_>) -> std::io::Result<String> {
        let (name, sum) = (parcel.name, digest(parcel.bytes));
        let (sent, mut back) = (memory(parcel.bytes)?, memory(b"")?);
        self.batch(&format!("{}get \"{}/{name}\" {}\n", self.placing(name, &sent), self.folder, place(&back)))?;
        let mut bytes = Vec::new();
        back.rewind()?;
        back.read_to_end(&mut bytes)?;
        if digest(&bytes) != sum {
            return Err(std::io::Error::other("what was read back is not what was written"));
        }
        let beside = parcel.beside().map(|(name, text)| memory(text.as_bytes()).map(|file| (name, file)));
        let [list, manifest] = beside;
        let (list, manifest) = (list?, manifest?);
        self.batch(&[self.placing(&list.0, &list.1), self.placing(&manifest.0, &manifest.1)].concat())?;
        Ok(format!("{name} sha256 {sum}"))
    }

    /// The commands that bring a file to its name.
    fn placing(&self, name: &str, from: &File) -> String {
        let part = format!(".{name}.part");
        let (folder, from) = (&self.folder, place(from));
        format!("put -f {from} \"{folder}/{part}\"\nrename \"{folder}/{part}\" \"{folder}/{name}\"\n")
    }

    /// Runs commands; stops at the first that fails.
    fn batch(&self, commands: &str) -> std::io::Result<()> {
        // The kept connection holds the outputs open: pipes would never end.
        let (mut said, script) = (memory(b"")?, memory(commands.as_bytes())?);
        let mut command = Command::new("sftp");
        command.args(["-F", "none"]).args(&self.options).args(["-b", &place(&script), "--", &self.host]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(said.try_clone()?);
        let mut child = command.spawn()?;
        let ended = wait(&mut child, self.timeout)?;
        if ended == Some(true) {
            return Ok(());
        }
        let mut text = String::new();
        said.rewind()?;
        said.take(MOST_SAID).read_to_string(&mut text)?;
        let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let slow = if ended.is_none() { "it took too long; " } else { "" };
        Err(std::io::Error::other(format!("{slow}{}", lines.join("; "))))
    }
}

/// A file in memory that other programs of this user can open.
fn memory(bytes: &[u8]) -> std::io::Result<File> {
    let mut file = File::from(rustix::fs::memfd_create("greenbar", rustix::fs::MemfdFlags::CLOEXEC)?);
    file.write_all(bytes)?;
    file.rewind()?;
    Ok(file)
}

fn place(file: &File) -> String {
    format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd())
}

/// Waits for the end; `None`: it took too long and was ended.
fn wait(child: &mut Child, most: Duration) -> std::io::Result<Option<bool>> {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status.success()));
        }
        if begun.elapsed() > most {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}
