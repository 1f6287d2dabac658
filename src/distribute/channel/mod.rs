//! The ways out. Each is a file here and a line in [`KINDS`].
//!
//! A channel first makes the bytes that go out ([`Channel::compose`]); they are kept, and every attempt hands over the
//! same ([`Channel::deliver`]). It says what the next hop said, and which rung of the ladder that is.

pub mod breaker;
pub mod folder;
mod http;
pub mod ipp;
pub mod lpd;
pub mod portal;
pub mod s3;
pub mod sftp;
pub mod smtp;
pub mod webhook;

use serde::{Deserialize, Serialize};

use super::DistributeError;
use super::config::ChannelConfig;
use super::piece::digest;
use crate::crm::Time;

/// How far a piece came, as far as somebody said so.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rung {
    /// Nothing left the house.
    #[default]
    None,
    /// E0: the bytes were written.
    Handed,
    /// E1: the next hop took responsibility.
    Accepted,
    /// E2: the device or store says that it is done.
    Completed,
    /// E3: the recipient's side says that it is there.
    Reached,
    /// E4: a person opened it.
    Opened,
}

impl Rung {
    /// All of them, lowest first.
    pub const ALL: [Rung; 6] = [Rung::None, Rung::Handed, Rung::Accepted, Rung::Completed, Rung::Reached, Rung::Opened];

    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Rung::None => "none",
            Rung::Handed => "handed",
            Rung::Accepted => "accepted",
            Rung::Completed => "completed",
            Rung::Reached => "reached",
            Rung::Opened => "opened",
        }
    }
}

/// What came of handing over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The next hop took it, and this is how far it is.
    Taken {
        /// The rung.
        rung: Rung,
        /// Its words.
        said: String,
    },
    /// The next hop took it and works on it: what becomes of it is asked for with [`Channel::came_of`].
    Working {
        /// What to ask with.
        ticket: String,
        /// Its words.
        said: String,
    },
    /// It was not taken; later it may be.
    Later(String),
    /// The channel is out of order (a wrong password, a server that takes nothing from us): the piece is not to blame.
    OutOfOrder(String),
    /// It was not taken and will not be.
    Refused(String),
    /// All bytes were sent and the answer was lost: nobody here knows.
    InDoubt(String),
}

/// A file that goes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its name, without a folder.
    pub name: String,
    /// Media type.
    pub media_type: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// A document as notices and events name it: nothing of what is in it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Mention {
    /// Its id.
    pub document: String,
    /// What its report is called, in the recipient's language.
    pub report: String,
    /// Document kind.
    pub kind: String,
    /// Its pages that the piece is about.
    pub pages: u32,
    /// Which they are, first and last of each stretch from 1; none: all of the document.
    pub stretches: Vec<(u32, u32)>,
}

/// What a piece holds.
#[derive(Debug, Clone, Default)]
pub struct Content {
    /// The piece's id: the same for every attempt.
    pub id: String,
    /// Where it goes, in the words of the channel.
    pub to: String,
    /// Language of the recipient.
    pub language: String,
    /// Its documents.
    pub documents: Vec<Mention>,
    /// Their renditions, where the channel carries any.
    pub files: Vec<File>,
    /// The address that shows it.
    pub link: Option<String>,
    /// Last day on which the address shows it.
    pub link_until: String,
    /// When it was made.
    pub made_at: Time,
    /// It was sent before; this is a copy.
    pub copy: bool,
}

/// The bytes that every attempt hands over.
#[derive(Debug, Clone, Copy)]
pub struct Parcel<'a> {
    /// The piece's id.
    pub id: &'a str,
    /// Where it goes.
    pub to: &'a str,
    /// File name.
    pub name: &'a str,
    /// The bytes.
    pub bytes: &'a [u8],
    /// What the piece owes, for places that keep files: see [`Parcel::beside`].
    pub manifest: &'a str,
}

impl Parcel<'_> {
    /// What lies beside the file, after it and in this order: its digest (`.sha256`, as `sha256sum -c` reads it), and last
    /// its manifest (`.manifest.json`). Who sees the manifest has all of it.
    fn beside(&self) -> [(String, String); 2] {
        let sum = digest(self.bytes);
        [
            (format!("{}.sha256", self.name), format!("{sum}  {}\n", self.name)),
            (format!("{}.manifest.json", self.name), self.manifest.to_string()),
        ]
    }
}

/// What a channel made of a piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Composed {
    /// File name.
    pub name: String,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// What a channel needs of a piece before it can compose it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Only what the documents are called.
    Mention,
    /// An address that shows them.
    Link,
    /// Their renditions.
    Files,
}

/// A way out. The same `id` twice must reach the receiver once wherever the way allows that.
pub trait Channel: Send + Sync {
    /// What it needs.
    fn needs(&self) -> Needs;
    /// The rung that counts as done.
    fn target(&self) -> Rung;
    /// Handing over twice leaves one at the receiver.
    fn repeatable(&self) -> bool;
    /// Makes the bytes.
    fn compose(&self, content: &Content) -> Result<Composed, DistributeError>;
    /// Hands them over.
    fn deliver(&self, parcel: &Parcel<'_>) -> Outcome;

    /// What became of something that the next hop works on ([`Outcome::Working`]): that still, or its end. `Later`: it cannot be
    /// asked now. `InDoubt`: it does not know it any more.
    fn came_of(&self, ticket: &str) -> Outcome {
        Outcome::InDoubt(format!("nobody can be asked what became of {ticket}"))
    }
}

/// A place that keeps files and tells that it has them: what a folder, an SFTP server and an S3 store are alike in.
trait Keeps: Send + Sync {
    /// Puts a file, its digest and its manifest under their names, replacing older ones; says what is there now, or why it is not. What
    /// goes wrong here (keys, rights, full disks) is put right by operators; the piece is not to blame.
    fn put(&self, parcel: &Parcel<'_>) -> Result<String, String>;
}

impl<K: Keeps> Channel for K {
    fn needs(&self) -> Needs {
        Needs::Files
    }

    fn target(&self) -> Rung {
        Rung::Completed
    }

    fn repeatable(&self) -> bool {
        true
    }

    fn compose(&self, content: &Content) -> Result<Composed, DistributeError> {
        one_file(content)
    }

    fn deliver(&self, parcel: &Parcel<'_>) -> Outcome {
        match self.put(parcel) {
            Ok(said) => Outcome::Taken { rung: Rung::Completed, said },
            Err(why) => Outcome::Later(why),
        }
    }
}

/// Where a channel finds its recipients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Address {
    /// The customer's mail address.
    Email,
    /// The customer's postal address: it comes out on paper.
    Paper,
    /// The customer's box in the portal.
    Portal,
    /// One place for all.
    Fixed,
}

/// A kind of channel.
pub struct Kind {
    /// The word for it in the configuration.
    pub name: &'static str,
    /// Where it finds its recipients.
    pub address: Address,
    /// Opens one.
    pub open: fn(&ChannelConfig) -> Result<Box<dyn Channel>, DistributeError>,
}

/// Every kind.
pub static KINDS: &[Kind] = &[
    Kind { name: "smtp", address: Address::Email, open: smtp::open },
    Kind { name: "portal", address: Address::Portal, open: portal::open },
    Kind { name: "folder", address: Address::Fixed, open: folder::open },
    Kind { name: "sftp", address: Address::Fixed, open: sftp::open },
    Kind { name: "s3", address: Address::Fixed, open: s3::open },
    Kind { name: "ipp", address: Address::Fixed, open: ipp::open },
    Kind { name: "lpd", address: Address::Fixed, open: lpd::open },
    Kind { name: "webhook", address: Address::Fixed, open: webhook::open },
];

/// The one file of a piece, named for the piece and its document.
fn one_file(content: &Content) -> Result<Composed, DistributeError> {
    match content.files.as_slice() {
        [one] => Ok(Composed { name: format!("{}-{}", content.id, one.name), bytes: one.bytes.clone() }),
        _ => Err(DistributeError::Compose("files take pieces of one document; do not bundle".into())),
    }
}

/// The kind of this name.
pub fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name)
}
