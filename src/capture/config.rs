//! The settings of capture: the table `[capture]` of `greenbar.toml` in the archive's folder.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer};

use super::CaptureError;
use crate::network::Network;

/// Name of the file.
pub const FILE: &str = "greenbar.toml";

/// The file, as far as capture knows it: other tables belong to other parts.
#[derive(Debug, Default, Deserialize)]
struct Settings {
    #[serde(default)]
    capture: CaptureConfig,
}

/// `[capture]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CaptureConfig {
    /// Streams loaded at the same time.
    pub workers: usize,
    /// What becomes of a stream that no definition fits.
    pub unknown: Unknown,
    /// Longest stream.
    #[serde(deserialize_with = "size")]
    pub max_bytes: u64,
    /// Free space on the disk below which nothing more is taken.
    #[serde(deserialize_with = "size")]
    pub keep_free: u64,
    /// Streams that may wait to be loaded before nothing more is taken.
    pub max_waiting: usize,
    /// `[capture.lpd]`.
    pub lpd: Option<LpdConfig>,
    /// `[[capture.raw]]`.
    pub raw: Vec<RawConfig>,
    /// `[capture.ipp]`.
    pub ipp: Option<IppConfig>,
    /// `[capture.http]`.
    pub http: HttpConfig,
    /// `[[capture.folder]]`.
    pub folder: Vec<FolderConfig>,
    /// `[[capture.queue]]`.
    pub queue: Vec<QueueConfig>,
}

impl Default for CaptureConfig {
    fn default() -> CaptureConfig {
        CaptureConfig {
            workers: std::thread::available_parallelism().map_or(2, std::num::NonZero::get).clamp(2, 4),
            unknown: Unknown::Wait,
            max_bytes: 16 << 30,
            keep_free: 256 << 20,
            max_waiting: 200_000,
            lpd: None,
            raw: Vec::new(),
            ipp: None,
            http: HttpConfig::default(),
            folder: Vec::new(),
            queue: Vec::new(),
        }
    }
}

/// What becomes of a stream that no definition fits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unknown {
    /// It waits until somebody says what it is, or a rule does.
    #[default]
    Wait,
    /// It is archived whole, as one document.
    Whole,
}

/// Who may connect, how often and how fast.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DoorConfig {
    /// Addresses and networks that may send; without it this machine only.
    #[serde(deserialize_with = "networks")]
    pub allow: Vec<Network>,
    /// Open connections.
    pub connections: usize,
    /// Open connections from one address.
    pub connections_per_peer: usize,
    /// Bytes a second for each connection; 0: no limit.
    #[serde(deserialize_with = "size")]
    pub max_bytes_per_s: u64,
    /// Seconds without a byte after which a sender is given up.
    pub idle_s: u64,
}

impl Default for DoorConfig {
    fn default() -> DoorConfig {
        let here = ["127.0.0.0/8", "::1"].map(|text| text.parse().expect("these are networks"));
        DoorConfig { allow: here.into(), connections: 200, connections_per_peer: 100, max_bytes_per_s: 0, idle_s: 300 }
    }
}

/// `[capture.lpd]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LpdConfig {
    /// Address and port, such as `0.0.0.0:515`.
    pub listen: SocketAddr,
    /// Take jobs only for queues of `[[capture.queue]]`.
    #[serde(default)]
    pub known_queues_only: bool,
    /// Whether `lprm` may give up streams that failed or that nobody knows. The user's name in it is not proven, so it is
    /// off unless somebody trusts everybody at the addresses that may print.
    #[serde(default)]
    pub remove: bool,
    /// Limits.
    #[serde(default)]
    pub limits: DoorConfig,
}

/// `[[capture.raw]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawConfig {
    /// Address and port, such as `0.0.0.0:9100`.
    pub listen: SocketAddr,
    /// The queue that its streams count for.
    pub queue: String,
    /// Seconds without a byte that end a stream.
    #[serde(default = "raw_idle")]
    pub end_s: u64,
    /// Limits.
    #[serde(default)]
    pub limits: DoorConfig,
}

fn raw_idle() -> u64 {
    90
}

/// `[capture.ipp]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IppConfig {
    /// Address and port, such as `0.0.0.0:631`.
    pub listen: SocketAddr,
    /// Be a printer only for queues of `[[capture.queue]]`.
    #[serde(default)]
    pub known_queues_only: bool,
    /// Jobs that may be open without a document.
    #[serde(default = "open_jobs")]
    pub open_jobs: usize,
    /// Seconds after which a job without a document is given up.
    #[serde(default = "job_timeout")]
    pub job_timeout_s: u64,
    /// Addresses and networks whose users may pause, close and describe the printers; empty: nobody may.
    #[serde(default, deserialize_with = "networks")]
    pub operators: Vec<Network>,
    /// Limits.
    #[serde(default)]
    pub limits: DoorConfig,
}

fn open_jobs() -> usize {
    1_000
}

fn job_timeout() -> u64 {
    300
}

/// `[capture.http]`: uploads that may break off and go on.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HttpConfig {
    /// Open uploads.
    pub uploads: usize,
    /// Open uploads of one user.
    pub uploads_per_user: usize,
    /// Bytes that the open uploads of one user may have in all.
    #[serde(deserialize_with = "size")]
    pub bytes_per_user: u64,
    /// Seconds after which an upload that nothing came for is forgotten.
    pub keep_s: u64,
}

impl Default for HttpConfig {
    fn default() -> HttpConfig {
        HttpConfig { uploads: 100, uploads_per_user: 20, bytes_per_user: 256 << 30, keep_s: 24 * 3600 }
    }
}

/// `[[capture.folder]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FolderConfig {
    /// The folder; a relative path is one below the archive's folder.
    pub path: PathBuf,
    /// The queue that its files count for.
    pub queue: Option<String>,
    /// Name patterns of files to take; empty: all but hidden ones, `*.tmp` and `*.part`.
    #[serde(default)]
    pub files: Vec<String>,
    /// A file is complete when one with this ending added lies beside it (`.done`); without it when its size and time
    /// did not change for `stable_s`.
    pub done_marker: Option<String>,
    /// Seconds without a change after which a file is complete.
    #[serde(default = "stable")]
    pub stable_s: u64,
    /// Seconds between two looks.
    #[serde(default = "look")]
    pub every_s: u64,
}

fn stable() -> u64 {
    5
}

fn look() -> u64 {
    2
}

/// `[[capture.queue]]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueueConfig {
    /// Its name, as senders say it; upper and lower case are the same.
    pub name: String,
    /// The report definition of its streams; without it they are recognised.
    pub definition: Option<String>,
    /// What becomes of its streams that no definition fits.
    pub unknown: Option<Unknown>,
}

impl CaptureConfig {
    /// The settings of an archive; the defaults without a file.
    pub fn read(data: &Path) -> Result<CaptureConfig, CaptureError> {
        let path = data.join(FILE);
        let place = path.display().to_string();
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(CaptureConfig::default()),
            Err(error) => return Err(CaptureError::Config { place, detail: error.to_string() }),
        };
        let mut config = CaptureConfig::parse(&text).map_err(|detail| CaptureError::Config { place, detail })?;
        config.folder.iter_mut().for_each(|folder| folder.path = data.join(&folder.path));
        Ok(config)
    }

    /// The settings in a text.
    pub fn parse(text: &str) -> Result<CaptureConfig, String> {
        let settings: Settings = toml::from_str(text).map_err(|error| error.to_string())?;
        let config = settings.capture;
        if config.workers == 0 || config.workers > 64 {
            return Err("capture.workers is from 1 to 64".into());
        }
        for (at, queue) in config.queue.iter().enumerate() {
            if queue.name.is_empty()
                || queue.name.contains(|ch: char| ch.is_whitespace() || ch.is_control() || ch == '/')
            {
                return Err(format!("capture.queue: {:?} is no name of a queue", queue.name));
            }
            if config.queue.iter().take(at).any(|other| other.name.eq_ignore_ascii_case(&queue.name)) {
                return Err(format!("capture.queue: there are two queues {:?}", queue.name));
            }
        }
        for folder in &config.folder {
            if folder.every_s == 0
                || folder.done_marker.as_deref().is_some_and(|ending| ending.is_empty() || ending.contains('/'))
            {
                return Err("capture.folder: every_s is at least 1, done_marker an ending such as \".done\"".into());
            }
        }
        Ok(config)
    }

    /// The settings of a queue.
    pub fn queue(&self, name: &str) -> Option<&QueueConfig> {
        self.queue.iter().find(|queue| queue.name.eq_ignore_ascii_case(name))
    }
}

fn networks<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Network>, D::Error> {
    let list = Vec::<String>::deserialize(from)?;
    list.iter().map(|text| text.parse().map_err(serde::de::Error::custom)).collect()
}

/// A number of bytes: `1048576`, `"500 MB"`, `"16 GiB"`.
fn size<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(u64),
        Text(String),
    }
    match Written::deserialize(from)? {
        Written::Number(bytes) => Ok(bytes),
        Written::Text(text) => {
            bytes_of(&text).ok_or_else(|| serde::de::Error::custom(format!("{text:?} is no size such as \"16 GiB\"")))
        }
    }
}

fn bytes_of(text: &str) -> Option<u64> {
    let text = text.trim();
    let end = text.find(|ch: char| !ch.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end)?;
    let factor: u64 = match unit.trim() {
        "" | "B" => 1,
        "kB" => 1_000,
        "KiB" => 1 << 10,
        "MB" => 1_000_000,
        "MiB" => 1 << 20,
        "GB" => 1_000_000_000,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_documentation_is_read() {
        let text = include_str!("../../docs/capture.md");
        let example = text.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("an example");
        let config = CaptureConfig::parse(example).expect("read");
        assert!(config.lpd.is_some() && config.ipp.is_some() && config.raw.len() == 1 && config.folder.len() == 1);
        assert_eq!(config.queue("inv_de").and_then(|queue| queue.definition.as_deref()), Some("kontoauszug"));
    }

    #[test]
    fn wrong_settings_say_where() {
        for (text, said) in [
            ("[capture]\nworker = 1", "line 2"),
            ("[capture]\nmax_bytes = \"much\"", "much"),
            ("[capture]\nworkers = 0", "workers"),
            ("[[capture.queue]]\nname = \"a b\"", "a b"),
            ("[[capture.queue]]\nname = \"a\"\n[[capture.queue]]\nname = \"A\"", "two queues"),
            ("[capture.lpd]\nlisten = \"x\"", "line 2"),
            ("[capture.lpd]\nlisten = \"127.0.0.1:1\"\n[capture.lpd.limits]\nallow = [\"x\"]", "network"),
        ] {
            let error = CaptureConfig::parse(text).expect_err(text);
            assert!(error.contains(said), "{text}: {error}");
        }
        assert_eq!(
            [bytes_of("16 GiB"), bytes_of("5kB"), bytes_of("-1"), bytes_of("99999999999 TiB")],
            [Some(16 << 30), Some(5_000), None, None]
        );
    }
}
