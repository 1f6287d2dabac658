//! A received stream: what is known of it and how far it is.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::archive::LoadId;

/// How far a stream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// On disk; its report definition will be recognised.
    #[serde(alias = "queued")]
    Received,
    /// On disk; its report definition is known from its sender or its queue.
    Identified,
    /// Kept from being loaded by somebody, until it is let go.
    Held,
    /// Being loaded.
    #[serde(alias = "running")]
    Loading,
    /// Loaded; `load` names the load.
    #[serde(alias = "done")]
    Loaded,
    /// No report definition fits; somebody must say what it is. `error` says more.
    Unidentified,
    /// Cannot be loaded; `error` tells why.
    Failed,
    /// Given up by somebody; `error` tells why. Its bytes are gone.
    Discarded,
}

impl State {
    /// All of them.
    pub const ALL: [State; 8] = [
        State::Received,
        State::Identified,
        State::Held,
        State::Loading,
        State::Loaded,
        State::Unidentified,
        State::Failed,
        State::Discarded,
    ];

    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            State::Received => "received",
            State::Identified => "identified",
            State::Held => "held",
            State::Loading => "loading",
            State::Loaded => "loaded",
            State::Unidentified => "unidentified",
            State::Failed => "failed",
            State::Discarded => "discarded",
        }
    }

    /// The state of this name.
    pub fn parse(name: &str) -> Option<State> {
        State::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether it goes on by itself.
    pub fn moves(self) -> bool {
        matches!(self, State::Received | State::Identified | State::Loading)
    }

    /// Whether its bytes are still in the intake folder.
    pub fn keeps_bytes(self) -> bool {
        !matches!(self, State::Loaded | State::Discarded)
    }
}

/// A received stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Item {
    /// Its number, from 1.
    pub id: u64,
    /// How far it is.
    pub state: State,
    /// The name it came with.
    pub file: String,
    /// The report definition, where sender, queue or somebody named one.
    pub definition: Option<String>,
    /// Its length.
    pub bytes: u64,
    /// SHA-256 of what was received, lower-case hex.
    pub sha256: String,
    /// Who sent it: a user, or the user that a print job names.
    pub sent_by: String,
    /// Seconds since 1970 UTC.
    pub received_at: i64,
    /// The load it became.
    pub load: Option<u32>,
    /// The same stream had been loaded before.
    pub duplicate: bool,
    /// Why it failed, waits or was given up.
    pub error: Option<String>,
    /// `lpd`, `raw`, `ipp`, `folder`, `http`.
    #[serde(default = "http")]
    pub receiver: String,
    /// The print queue.
    #[serde(default)]
    pub queue: Option<String>,
    /// The address or folder it came from.
    #[serde(default)]
    pub peer: String,
    /// What is known of the job; fields of a definition may ask for it.
    #[serde(default)]
    pub attributes: BTreeMap<String, String>,
    /// It waits when no definition fits; otherwise it is then kept whole.
    #[serde(default)]
    pub only_known: bool,
    /// Times that it was sent again and recognised as the same transmission.
    #[serde(default)]
    pub repeats: u32,
    /// Times that loading it was begun.
    #[serde(default)]
    pub attempts: u32,
    /// Loading it was cut off by the end of the process and begun again.
    #[serde(default)]
    pub resumed: bool,
    /// When its state changed last, seconds since 1970 UTC.
    #[serde(default)]
    pub changed_at: i64,
    /// The job that it is a further document of, by the number of its first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of_job: Option<u64>,
    /// Where it stands among those that wait for their queue; `None`: in the order of the numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<i64>,
    /// What went wrong and what somebody did, oldest first; what every stream goes through is not in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<Step>,
}

/// Something that happened to a stream.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Step {
    /// When, seconds since 1970 UTC.
    pub at: i64,
    /// `more-came`, `broke-off`, `failed`, `unidentified`, `disk-full`, `assigned`, `by-rule`, `retried`, `held`, `released`, `paused`, `resumed`,
    /// `renamed`, `discarded`, `unloaded`.
    pub what: String,
    /// Who did it; empty: greenbar.
    #[serde(default)]
    pub by: String,
    /// Why, or what as.
    #[serde(default)]
    pub detail: String,
}

/// Who holds a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// Its queue is paused.
    Paused,
    /// Its queue holds what is new.
    New,
    /// An operator suspended its job while it came.
    Suspended,
    /// Its sender wants it so.
    Sender,
    /// An operator.
    Operator,
}

/// What the history says of a stream that its sender holds.
pub const BY_SENDER: &str = "job-hold-until=indefinite";

/// What the history says of one whose queue holds what is new.
pub const HOLD_NEW: &str = "hold-new-jobs";
/// What the history says of one whose job an operator suspended.
pub const SUSPENDED: &str = "job-suspended";
/// What the history says of a stream whose sender went on after it was acknowledged.
pub const MORE_CAME: &str = "more-came";
/// The same of one whose sender broke the connection off.
pub const BROKE_OFF: &str = "broke-off";
/// Steps that are kept of one stream; of more the first and the last.
const MOST_STEPS: usize = 50;
/// Places between two numbers.
const BETWEEN: i64 = 1 << 20;

fn http() -> String {
    "http".into()
}

impl Item {
    /// How the audit names it.
    pub fn named(&self) -> String {
        format!("arrival {} ({})", self.id, self.file)
    }

    /// Notes that something happened to it.
    pub fn step(&mut self, at: i64, what: &str, by: &str, detail: &str) {
        if self.history.len() >= MOST_STEPS {
            self.history.remove(1);
        }
        self.history.push(Step { at, what: what.into(), by: by.into(), detail: detail.into() });
    }

    /// Its queue is paused: it is held.
    pub fn pause(&mut self, at: i64, by: &str) {
        self.state = State::Held;
        self.step(at, "paused", by, "");
    }

    /// Where it stands among those that wait for their queue.
    pub fn place(&self) -> i64 {
        self.place.unwrap_or_else(|| i64::try_from(self.id).unwrap_or(i64::MAX).saturating_mul(BETWEEN))
    }

    /// Who holds it.
    pub fn hold(&self) -> Option<Hold> {
        if self.state != State::Held {
            return None;
        }
        let last = self.history.iter().rev().find(|step| step.what == "held" || step.what == "paused");
        Some(match last {
            Some(step) if step.what == "paused" && step.detail == HOLD_NEW => Hold::New,
            Some(step) if step.what == "paused" => Hold::Paused,
            Some(step) if step.detail == BY_SENDER => Hold::Sender,
            Some(step) if step.detail == SUSPENDED => Hold::Suspended,
            _ => Hold::Operator,
        })
    }

    /// Whether it came for a queue.
    pub fn is_of_queue(&self, queue: &str) -> bool {
        self.queue.as_deref().is_some_and(|own| own.to_lowercase() == queue.to_lowercase())
    }

    /// The load it became, when it did.
    pub fn load_id(&self) -> Option<LoadId> {
        self.load.map(LoadId)
    }
}

/// What a receiver knows of a stream that it took.
#[derive(Debug, Clone, Default)]
pub struct Arrival {
    /// Name of the receiver.
    pub receiver: &'static str,
    /// The name of the stream.
    pub file: String,
    /// The report definition that the sender named.
    pub definition: Option<String>,
    /// The print queue.
    pub queue: Option<String>,
    /// The address or folder it came from.
    pub peer: String,
    /// Who sent it.
    pub sent_by: String,
    /// What is known of the job.
    pub attributes: BTreeMap<String, String>,
    /// It waits when no definition fits; `None`: as the queue or the configuration says.
    pub only_known: Option<bool>,
    /// What makes a second transmission of the same bytes the same transmission (host and job number); `None`: each is
    /// one of its own.
    pub transmission: Option<String>,
    /// More will be known soon: it is not loaded before [`super::Intake::release`].
    pub held: bool,
    /// It is held from the beginning: who wants that, and what the history says of it.
    pub kept_by: Option<(String, &'static str)>,
    /// The job that it is a further document of.
    pub of_job: Option<u64>,
    /// SHA-256 that the sender announced, lower-case hex.
    pub sha256: Option<String>,
    /// The number that the item gets, from [`super::Intake::reserve`]; `None`: the next one.
    pub number: Option<u64>,
}

impl Arrival {
    /// Notes an attribute of the job unless it is empty. Control characters are left out, and it is cut to 255 characters.
    pub fn attribute(&mut self, name: &str, value: &str) {
        let value = plain(value);
        if !value.is_empty() && self.attributes.len() < MOST_ATTRIBUTES {
            self.attributes.insert(name.to_string(), value);
        }
    }
}

/// Attributes kept of one job.
const MOST_ATTRIBUTES: usize = 64;
/// Characters kept of a name or an attribute.
const MOST_CHARACTERS: usize = 255;

/// A text from outside, fit to be kept and shown.
pub fn plain(text: &str) -> String {
    let kept: String = text.chars().filter(|ch| !ch.is_control()).take(MOST_CHARACTERS).collect();
    kept.trim().to_string()
}

/// A name from outside as the name of a stream: the part behind the last `/` or `\`, or `otherwise`.
pub fn file_name(name: &str, otherwise: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let last = plain(last);
    if last.is_empty() || last == "." || last == ".." { otherwise.to_string() } else { last }
}
