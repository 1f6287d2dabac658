//! Works through the open pieces of released runs.
//!
//! Channels work beside each other, each in its own time: a dead server holds up nobody else. A channel takes a few pieces
//! at a time: their bytes are made, and that they are handed over now is on the disk; then each is marked as begun, handed
//! over, and what became of it is written. A program that is killed leaves pieces that are `handing`: where the channel is
//! repeatable they are handed over again and nobody sees it twice; elsewhere the one that was begun is in doubt (after a
//! power cut, all of the few).

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::Instant;

use super::channel::breaker::Breaker;
use super::channel::{Channel, Content, File, Mention, Needs, Outcome, Parcel, Rung};
use super::config::{Config, Distribution, InDoubt};
use super::copies::Bounded;
use super::ledger::{Ledger, Run, RunState, id_key, key};
use super::piece::{Came, Obligation, Piece, State, digest};
use super::plan::Planner;
use super::wish::Reach;
use super::{DistributeError, Handed, Source, Wanted};
use crate::archive::DocId;
use crate::archive::kv::{Batch, Family};
use crate::crm::copy::{DeliveryState, How, Sent};
use crate::crm::{Crm, Time};

/// Pieces handed over between two syncs of the disk: so many of a channel are in doubt at most after a power cut.
const TOGETHER: usize = 16;
/// Open pieces looked at at a time.
const LOOKED_AT: usize = 512;
/// Largest file of a piece.
const MOST_BYTES: u64 = 64 << 20;
/// Bytes that pieces which are made ready together may have before no further one is made.
const BYTES_TOGETHER: usize = 8 << 20;
/// Seconds between two questions for what became of a piece: least and most.
const ASKED_S: (i64, i64) = (2, 300);
/// Documents in the ZIP file behind a link.
const MOST_BEHIND_A_LINK: usize = 1_000;
/// Attempts, unless the distribution says otherwise.
const ATTEMPTS: u32 = 8;

/// Who works.
pub struct Worker<'a> {
    /// The ledger.
    pub ledger: &'a Ledger,
    /// Links.
    pub crm: &'a Crm,
    /// The documents.
    pub source: &'a dyn Source,
    /// The configuration.
    pub config: &'a Config,
    /// Its channels, open.
    pub channels: &'a Channels,
}

/// The channels of a configuration, open. One that cannot be opened says why.
pub type Channels = BTreeMap<String, Result<Box<dyn Channel>, String>>;

/// Opens all channels.
pub fn open_channels(config: &Config) -> Channels {
    let open = |(name, channel): (&String, &super::config::ChannelConfig)| {
        (name.clone(), channel.open().map(Breaker::before).map_err(|error| error.to_string()))
    };
    config.channel.iter().map(open).collect()
}

/// Whether something becomes of its pieces: also of those that were being handed over when it was called off.
fn is_worked_on(run: &Run) -> bool {
    matches!(run.state, RunState::Released | RunState::Cancelled)
}

/// The bytes of a piece.
struct Made {
    bytes: Vec<u8>,
    /// They are not kept yet.
    is_new: bool,
}

/// The mark of a piece that is being handed over: whether that began, and in which boot of this machine.
fn begun(is_begun: bool) -> Vec<u8> {
    static BOOT: OnceLock<Vec<u8>> = OnceLock::new();
    // Where the boot has no name no mark is believed: it differs from process to process.
    let process = || std::process::id().to_be_bytes().to_vec();
    let boot = BOOT.get_or_init(|| std::fs::read("/proc/sys/kernel/random/boot_id").unwrap_or_else(|_| process()));
    [&[u8::from(is_begun)], boot.as_slice()].concat()
}

impl<'a> Worker<'a> {
    /// Who plans beside it.
    pub fn planner(&self) -> Planner<'a> {
        Planner { ledger: self.ledger, crm: self.crm, source: self.source, config: self.config }
    }

    /// Hands over what is due in all released runs, each channel in its own time; returns how many pieces were tried.
    pub fn round(&self, stop: &(dyn Fn() -> bool + Sync)) -> Result<usize, DistributeError> {
        std::thread::scope(|scope| {
            let lanes = self.lanes().into_iter().map(|lane| scope.spawn(move || self.lane(&lane, stop)));
            let lanes: Vec<_> = lanes.collect();
            let mut tried = 0;
            for lane in lanes {
                tried += lane.join().unwrap_or_else(|_| Err(DistributeError::State("a channel panicked".into())))?;
            }
            Ok(tried)
        })
    }

    /// What works beside each other: the channels, and (without a name) the pieces whose channel is not there any more.
    pub fn lanes(&self) -> Vec<String> {
        self.channels.keys().cloned().chain([String::new()]).collect()
    }

    /// Hands over what is due by one channel.
    pub fn lane(&self, lane: &str, stop: &(dyn Fn() -> bool + Sync)) -> Result<usize, DistributeError> {
        let mut tried = 0;
        for run in self.ledger.open_runs()?.iter().filter(|run| is_worked_on(run)) {
            tried += self.run(run, lane, stop)?;
        }
        Ok(tried)
    }

    /// Whether a channel has something to do now.
    pub fn is_due(&self, lane: &str) -> Result<bool, DistributeError> {
        if self.ledger.is_resting(lane) {
            return Ok(false);
        }
        let begun = Instant::now();
        for run in self.ledger.open_runs()?.iter().filter(|run| is_worked_on(run)) {
            if !self.due(run.number, 0, 1, lane)?.is_empty() {
                return Ok(true);
            }
        }
        self.ledger.rest(lane, begun.elapsed());
        Ok(false)
    }

    fn due(&self, run: u32, first: u32, limit: usize, lane: &str) -> Result<Vec<u32>, DistributeError> {
        let ours = |channel: &str| match lane {
            "" => !self.channels.contains_key(channel),
            lane => channel == lane,
        };
        self.ledger.due(run, first, limit, self.crm.now(), &ours)
    }

    fn run(&self, run: &Run, lane: &str, stop: &(dyn Fn() -> bool + Sync)) -> Result<usize, DistributeError> {
        let (mut first, mut tried) = (0, 0);
        loop {
            let due = self.due(run.number, first, LOOKED_AT, lane)?;
            let Some(last) = due.last() else { break };
            first = last.saturating_add(1);
            let mut left = due.as_slice();
            while !left.is_empty() && !stop() {
                let (taken, handed) = self.few(run, left.get(..TOGETHER).unwrap_or(left))?;
                left = left.get(taken..).unwrap_or_default();
                tried += handed;
            }
            if due.len() < LOOKED_AT || stop() {
                break;
            }
        }
        if tried > 0 {
            // What the pieces became survives the end of the program already; from here on a power cut too.
            self.ledger.engine.commit(Batch::default())?;
        }
        Ok(tried)
    }

    /// Makes a few pieces ready, writes down that they are handed over now, and hands them over; fewer when they are long. Returns
    /// how many of the numbers it took, and how many of those were handed over.
    fn few(&self, run: &Run, numbers: &[u32]) -> Result<(usize, usize), DistributeError> {
        let (mut made, mut bytes) = (Vec::new(), 0);
        for &number in numbers {
            let piece = self.ledger.piece(run.number, number)?;
            let ready = self.ready(run, number, piece.clone())?;
            bytes += ready.1.as_ref().map_or(0, |made| made.bytes.len());
            made.push((number, piece, ready));
            if bytes >= BYTES_TOGETHER {
                break;
            }
        }
        let taken = made.len();
        let pieces = self.begin(run, made)?;
        let tried = pieces.len();
        for (number, mut piece, bytes) in pieces {
            self.mark(run, number, true)?;
            let (channel, to) = (piece.channel.clone(), piece.to.clone());
            if let Some(came) = self.hand(run, &mut piece, &bytes) {
                self.record((run.number, number), &piece, (&channel, &to), came);
            }
            self.end(run, number, piece)?;
        }
        Ok((taken, tried))
    }

    /// On the disk when it returns: these pieces are being handed over, with these bytes.
    fn begin(
        &self,
        run: &Run,
        made: Vec<(u32, Piece, (Piece, Option<Made>))>,
    ) -> Result<Vec<(u32, Piece, Vec<u8>)>, DistributeError> {
        let _turn = self.ledger.turn();
        let (mut batch, mut tally) = (Batch::default(), self.ledger.tally(run.number)?);
        let mut run = self.ledger.run(run.number)?;
        let mut pieces = Vec::new();
        if !is_worked_on(&run) {
            return Ok(pieces);
        }
        for (number, old, (mut piece, made)) in made {
            // Somebody else moved it meanwhile: it has another turn.
            if self.ledger.piece(run.number, number)? != old {
                continue;
            }
            let Some(made) = made else {
                self.ledger.settle(&mut batch, &mut tally, &mut run, (number, &old, piece))?;
                continue;
            };
            if run.state == RunState::Cancelled {
                self.ledger.settle(&mut batch, &mut tally, &mut run, (number, &old, piece))?;
                continue;
            }
            piece.state = State::Handing;
            piece.handed_at = Some(self.crm.now());
            if made.is_new {
                batch.put(Family::Outbox, key(b'b', run.number, Some(number)), made.bytes.clone());
            }
            let (run_at, number_at) = (run.number.to_be_bytes(), number.to_be_bytes());
            let place = [run_at.as_slice(), number_at.as_slice(), piece.to.as_bytes()].concat();
            batch.put(Family::Outbox, id_key(&piece.id), place);
            batch.put(Family::Outbox, key(b'h', run.number, Some(number)), begun(false));
            self.ledger.put_piece(&mut batch, &mut tally, (run.number, number), &old, &piece)?;
            pieces.push((number, piece, made.bytes));
        }
        self.ledger.put_tally(&mut batch, run.number, &tally)?;
        self.ledger.engine.commit(batch)?;
        Ok(pieces)
    }

    /// Says that handing over a piece begins. This survives the end of the program, not a power cut: the mark names the boot
    /// in which it was made, and after another one every piece that was being handed over counts as begun.
    fn mark(&self, run: &Run, number: u32, is_begun: bool) -> Result<(), DistributeError> {
        let mut batch = Batch::default();
        batch.put(Family::Outbox, key(b'h', run.number, Some(number)), begun(is_begun));
        Ok(self.ledger.engine.commit_logged(batch)?)
    }

    fn was_begun(&self, run: &Run, number: u32) -> Result<bool, DistributeError> {
        let mark = self.ledger.engine.get(Family::Outbox, &key(b'h', run.number, Some(number)))?;
        Ok(mark.is_none_or(|mark| mark != begun(false)))
    }

    /// Writes what a piece became.
    fn end(&self, run: &Run, number: u32, mut piece: Piece) -> Result<(), DistributeError> {
        let _turn = self.ledger.turn();
        let (mut batch, mut tally) = (Batch::default(), self.ledger.tally(run.number)?);
        let (mut run, old) = (self.ledger.run(run.number)?, self.ledger.piece(run.number, number)?);
        // A proof may have come while the answer was waited for.
        piece.rung = piece.rung.max(old.rung);
        batch.delete(Family::Outbox, key(b'h', run.number, Some(number)));
        self.ledger.settle(&mut batch, &mut tally, &mut run, (number, &old, piece))?;
        self.ledger.put_tally(&mut batch, run.number, &tally)?;
        Ok(self.ledger.engine.commit_logged(batch)?)
    }

    /// Makes the bytes of a piece; without them it is not handed over, and its state says why.
    fn ready(&self, run: &Run, number: u32, mut piece: Piece) -> Result<(Piece, Option<Made>), DistributeError> {
        if run.state == RunState::Cancelled {
            let was_begun = piece.state == State::Handing && self.was_begun(run, number)?;
            piece.in_doubt |= was_begun;
            self.crm.revoke_link_of(&run.cancelled_by, &piece.id)?;
            piece.call_off(&run.cancelled);
            return Ok((piece, None));
        }
        let channel = match self.channels.get(&piece.channel) {
            Some(Ok(channel)) => channel,
            Some(Err(why)) => return Ok((self.waits(piece, why.clone()), None)),
            None => return Ok((self.waits(piece, "the channel is not configured any more".into()), None)),
        };
        if piece.state == State::Handing && !piece.ticket.is_empty() {
            return Ok((self.ask_for(run, piece, channel.as_ref()), None));
        }
        if piece.state == State::Handing && !channel.repeatable() && self.was_begun(run, number)? {
            piece.in_doubt = true;
            piece.said = "the program ended while it was handed over".into();
            piece.tried(Came::InDoubt);
            if self.asks(run) {
                piece.state = State::InDoubt;
                return Ok((piece, None));
            }
        }
        if channel.needs() == Needs::Link && self.config.public_url.is_empty() {
            return Ok((self.waits(piece, "distribution.toml has no public_url for the link".into()), None));
        }
        let planned_to = piece.to.clone();
        let Some(mut piece) = self.still_wanted(run, &mut piece)? else { return Ok((piece, None)) };
        let kept = if piece.to == planned_to { self.ledger.bytes(run.number, number)? } else { None };
        let made = match kept {
            Some(bytes) if digest(&bytes) == piece.sha256 => Made { bytes, is_new: false },
            Some(_) => return Err(DistributeError::State(format!("the bytes of piece {} changed", piece.id))),
            None => match self.make(run, &piece, channel.as_ref()) {
                Ok(composed) => {
                    (piece.sha256, piece.name) = (digest(&composed.bytes), composed.name);
                    Made { bytes: composed.bytes, is_new: true }
                }
                Err(DistributeError::Document(why) | DistributeError::Compose(why)) => {
                    (piece.state, piece.said) = (State::Dead, why);
                    return Ok((piece, None));
                }
                Err(error) => return Err(error),
            },
        };
        Ok((piece, Some(made)))
    }

    /// Asks the next hop what became of a piece that it works on. Nothing is sent.
    fn ask_for(&self, run: &Run, mut piece: Piece, channel: &dyn Channel) -> Piece {
        match channel.came_of(&piece.ticket) {
            Outcome::Working { said, .. } => {
                piece.said = said;
                self.ask_again(&mut piece);
            }
            Outcome::Later(said) | Outcome::OutOfOrder(said) => {
                piece.said = format!("it cannot be asked what became of it: {said}");
                self.ask_again(&mut piece);
            }
            Outcome::Taken { rung, said } => {
                (piece.state, piece.rung, piece.said) = (State::Done, rung, said);
                piece.ticket.clear();
                piece.tried(Came::Taken);
            }
            Outcome::Refused(said) => {
                (piece.state, piece.said) = (State::Dead, said);
                piece.ticket.clear();
                piece.tried(Came::Refused);
            }
            Outcome::InDoubt(said) => {
                (piece.in_doubt, piece.said) = (true, said);
                piece.ticket.clear();
                piece.tried(Came::InDoubt);
                piece.state = if self.asks(run) { State::InDoubt } else { State::Done };
            }
        }
        piece
    }

    /// When a piece is asked for again: soon at first, later less often.
    fn ask_again(&self, piece: &mut Piece) {
        let now = self.crm.now();
        let since = now.0 - piece.handed_at.unwrap_or(now).0;
        piece.next_at = now.plus((since / 4).clamp(ASKED_S.0, ASKED_S.1));
    }

    /// The rule as it was when the run was planned: what was released is what is sent.
    fn rule<'r>(&'r self, run: &'r Run) -> Option<&'r Distribution> {
        run.rule(self.config)
    }

    fn asks(&self, run: &Run) -> bool {
        self.rule(run).is_some_and(|rule| rule.in_doubt == InDoubt::Ask)
    }

    /// Asks consent, wish and address once more before an attempt: the piece as it goes out now, or `None` when it does not
    /// and was changed to say why.
    fn still_wanted(&self, run: &Run, piece: &mut Piece) -> Result<Option<Piece>, DistributeError> {
        match self.planner().reach(piece)? {
            Reach::Same => return Ok(Some(piece.clone())),
            Reach::Moved(to) => {
                self.crm.revoke_link_of("system:deliver", &piece.id)?;
                let moved = Piece { to, sha256: String::new(), name: String::new(), ..piece.clone() };
                return Ok(Some(moved.named(&run.key)));
            }
            Reach::Quiet(until) => {
                let was_tried = piece.attempts > 0 || piece.in_doubt;
                piece.state = if was_tried { State::Retrying } else { State::Planned };
                piece.next_at = until;
            }
            Reach::Not(why) => {
                if piece.copy_of.is_none() {
                    piece.fallback = self.planner().ways_left(run, piece)?;
                }
                (piece.state, piece.said) = (State::Dead, format!("not sent: {why}"));
            }
        }
        Ok(None)
    }

    /// A piece whose channel is out of order: it is not to blame, and no attempt is counted.
    fn waits(&self, mut piece: Piece, said: String) -> Piece {
        (piece.state, piece.said) = (State::Retrying, said);
        piece.next_at = self.crm.now().plus(self.config.wait_s(1));
        piece
    }

    fn later(&self, run: &Run, mut piece: Piece, said: String) -> Piece {
        piece.attempts += 1;
        piece.said = said;
        let most = self.rule(run).and_then(|rule| rule.attempts).unwrap_or(ATTEMPTS);
        piece.state = if piece.attempts >= most { State::Dead } else { State::Retrying };
        piece.next_at = self.crm.now().plus(self.config.wait_s(piece.attempts as usize));
        piece
    }

    /// Records an attempt at each document of a piece. It was made, whatever becomes of the record: that there is none is told
    /// in the log.
    fn record(&self, (run, number): (u32, u32), piece: &Piece, (channel, to): (&str, &str), came: Came) {
        let what = match to {
            "" => format!("{channel}: {}", came.name()),
            to => format!("{channel} to {to}: {}", came.name()),
        };
        let why = format!("run {run} piece {number} attempt {}: {}", piece.tries.len(), piece.said);
        for owed in &piece.owes {
            let Ok(document) = owed.document.parse() else { continue };
            let attempt = Handed { document, account: &piece.account, what: &what, why: &why };
            if let Err(error) = self.source.handed(&attempt) {
                tracing::error!(%error, run, piece = number, "an attempt could not be recorded");
            }
        }
        if let Err(error) = self.note(piece, channel, to) {
            tracing::error!(%error, run, piece = number, "what was sent could not be noted at its account");
        }
        match piece.state {
            State::Done => tracing::debug!(run, piece = number, channel, "handed over"),
            State::Dead => tracing::warn!(run, piece = number, channel, said = piece.said, "given up"),
            state => tracing::info!(run, piece = number, channel, state = state.name(), said = piece.said, "not yet"),
        }
    }

    /// Notes at the account of a piece what it got, or that it got nothing. What is tried again is noted when it is over.
    fn note(&self, piece: &Piece, channel: &str, to: &str) -> Result<(), DistributeError> {
        let state = match piece.state {
            State::Done | State::InDoubt => DeliveryState::Handed,
            State::Dead => DeliveryState::Failed,
            _ => return Ok(()),
        };
        if piece.account.is_empty() {
            return Ok(());
        }
        let kind = self.config.channel.get(channel);
        let how = match kind.map_or("", |channel| channel.kind.as_str()) {
            "smtp" if kind.is_some_and(|channel| channel.attach) => How::Pdf,
            "smtp" | "portal" | "webhook" => How::Link,
            _ => How::Print,
        };
        for owed in &piece.owes {
            let (in_doubt, said) = (piece.in_doubt, piece.said.as_str());
            let (account, document) = (piece.account.as_str(), owed.document.as_str());
            self.crm.note_sent(&Sent { piece: &piece.id, document, account, to, how, state, in_doubt, said })?;
        }
        Ok(())
    }

    /// Hands a piece over; returns what came of it.
    fn hand(&self, run: &Run, piece: &mut Piece, bytes: &[u8]) -> Option<Came> {
        let Some(Ok(channel)) = self.channels.get(&piece.channel) else { return None };
        let manifest = super::manifest::of_piece(run, piece, bytes.len());
        let parcel = Parcel { id: &piece.id, to: &piece.to, name: &piece.name, bytes, manifest: &manifest };
        let outcome = channel.deliver(&parcel);
        let came = match &outcome {
            Outcome::Taken { .. } | Outcome::Working { .. } => Came::Taken,
            Outcome::Later(_) => Came::Later,
            Outcome::OutOfOrder(_) => Came::OutOfOrder,
            Outcome::Refused(_) => Came::Refused,
            Outcome::InDoubt(_) => Came::InDoubt,
        };
        match outcome {
            Outcome::Taken { rung, said } => {
                piece.attempts += 1;
                (piece.state, piece.rung, piece.said) = (State::Done, rung, said);
            }
            Outcome::Working { ticket, said } => {
                piece.attempts += 1;
                (piece.ticket, piece.rung, piece.said) = (ticket, Rung::Accepted, said);
                self.ask_again(piece);
            }
            Outcome::Later(said) => *piece = self.later(run, piece.clone(), said),
            Outcome::OutOfOrder(said) => *piece = self.waits(piece.clone(), said),
            Outcome::Refused(said) => {
                piece.attempts += 1;
                (piece.state, piece.said) = (State::Dead, said);
            }
            Outcome::InDoubt(said) => {
                *piece = self.later(run, piece.clone(), said);
                (piece.in_doubt, piece.rung) = (true, Rung::Handed);
                if self.asks(run) {
                    piece.state = State::InDoubt;
                }
            }
        }
        piece.tried(came);
        Some(came)
    }

    fn make(
        &self,
        run: &Run,
        piece: &Piece,
        channel: &dyn Channel,
    ) -> Result<super::channel::Composed, DistributeError> {
        let mut content = Content {
            id: piece.id.clone(),
            to: piece.to.clone(),
            language: piece.language.clone(),
            made_at: run.planned_at,
            copy: piece.generation > 1,
            ..Content::default()
        };
        let rule = self.rule(run);
        let format = rule.map_or("", |rule| rule.format.as_str());
        let format = if format.is_empty() { "pdf" } else { format };
        let range = rule.and_then(Distribution::page_range);
        for owed in &piece.owes {
            let gone = || DistributeError::Document(format!("{} is not in the archive", owed.document));
            let id: DocId = owed.document.parse().map_err(|()| gone())?;
            let facts = self.source.facts(id)?.ok_or_else(gone)?;
            let report = self.source.report(&facts.definition)?.unwrap_or_default();
            if self.leads_to_it(&piece.channel, channel)
                && let Some(why) = self.source.kept_from(id, &piece.account)?
            {
                return Err(DistributeError::Document(format!("{} would be shown to nobody: {why}", owed.document)));
            }
            content.documents.push(Mention {
                document: owed.document.clone(),
                report: report.title_in(&piece.language).to_string(),
                kind: facts.kind,
                pages: owed.pages,
                stretches: owed.stretches.clone(),
            });
            if channel.needs() == Needs::Files {
                let mut only = owed.only();
                // Pieces of before stretches were kept: the rule says which pages, and a document may be shorter.
                if let Some((first, _)) = range.filter(|_| only.is_empty()) {
                    only.push((first - 1, first + owed.pages.max(1) - 2));
                }
                let mut bytes = Bounded { bytes: Vec::new(), most: MOST_BYTES };
                self.source.render(&Wanted { document: id, format, only: &only, why: &piece.id }, &mut bytes)?;
                let info = crate::view::View::formats().find(|known| known.name == format);
                let (media_type, extension) =
                    info.map_or(("application/octet-stream", "bin"), |info| (info.media_type, info.extension));
                let name = format!("{id}.{extension}");
                content.files.push(File { name, media_type: media_type.into(), bytes: bytes.bytes });
            }
        }
        // Several documents as one file need what keeps them apart.
        let is_one = content.files.len() > 1 && format == "pdf" && self.config.takes_one_file(&piece.channel);
        if channel.needs() == Needs::Files && (is_one || rule.is_some_and(|rule| rule.cover)) {
            content.files = vec![super::cover::bundle(run, piece, &content)?];
        }
        if channel.needs() == Needs::Link {
            self.link(piece, &mut content)?;
        }
        channel.compose(&content)
    }

    /// Whether a channel leads to the document instead of carrying it: then who follows must be let to it.
    fn leads_to_it(&self, name: &str, channel: &dyn Channel) -> bool {
        let is_portal = self.config.channel.get(name).is_some_and(|known| known.kind == "portal");
        is_portal || channel.needs() == Needs::Link
    }

    /// The address that shows the document of a piece; of several documents, as a ZIP file.
    fn link(&self, piece: &Piece, content: &mut Content) -> Result<(), DistributeError> {
        if self.config.public_url.is_empty() {
            return Err(DistributeError::Compose("distribution.toml has no public_url for the link".into()));
        }
        if piece.owes.len() > MOST_BEHIND_A_LINK {
            return Err(DistributeError::Compose(format!("a link leads to {MOST_BEHIND_A_LINK} documents at most")));
        }
        let id =
            |owed: &Obligation| owed.document.parse().map_err(|()| DistributeError::Document(owed.document.clone()));
        let documents = piece.owes.iter().map(id).collect::<Result<Vec<DocId>, _>>()?;
        let account = Some(piece.account.as_str()).filter(|account| !account.is_empty());
        let (token, link) = self.crm.link_for(&piece.id, &documents, account, self.config.link_life_s())?;
        content.link = Some(format!("{}/d/{token}", self.config.public_url));
        content.link_until = Time(link.expires_at.0 - 1).day().to_string();
        Ok(())
    }
}
