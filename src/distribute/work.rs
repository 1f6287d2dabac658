//! Works through the open pieces of released runs.
//!
//! A few pieces at a time: their bytes are made and kept, and that they are handed over now is on the disk; then they are
//! handed over; then what came of it is on the disk. A program that is killed in between leaves pieces that are `handing`:
//! where the channel is repeatable they are handed over again and nobody sees it twice, elsewhere they are in doubt.

use std::collections::BTreeMap;

use super::channel::{Channel, Content, File, Mention, Needs, Outcome, Parcel, Rung};
use super::config::{Config, InDoubt};
use super::copies::Bounded;
use super::ledger::{Ledger, Run, RunState, key};
use super::piece::{Piece, State, digest};
use super::plan::Planner;
use super::{DistributeError, Source, Wanted};
use crate::archive::DocId;
use crate::archive::kv::{Batch, Family};
use crate::crm::{Crm, Time};

/// Pieces handed over between two writes to the disk: so many are in doubt at most when the program is killed.
const TOGETHER: usize = 16;
/// Open pieces looked at at a time.
const LOOKED_AT: usize = 512;
/// Largest file of a piece.
const MOST_BYTES: u64 = 64 << 20;
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
        (name.clone(), channel.open().map_err(|error| error.to_string()))
    };
    config.channel.iter().map(open).collect()
}

impl Worker<'_> {
    /// Who plans beside it.
    pub fn planner(&self) -> Planner<'_> {
        Planner { ledger: self.ledger, crm: self.crm, source: self.source, config: self.config }
    }

    /// Hands over what is due in all released runs; returns how many pieces were tried.
    pub fn round(&self, stop: &dyn Fn() -> bool) -> Result<usize, DistributeError> {
        let mut tried = 0;
        for run in self.ledger.runs()?.iter().filter(|run| run.state == RunState::Released) {
            tried += self.run(run, stop)?;
        }
        Ok(tried)
    }

    /// Hands over what is due in one run.
    pub fn run(&self, run: &Run, stop: &dyn Fn() -> bool) -> Result<usize, DistributeError> {
        let (mut first, mut tried) = (0, 0);
        loop {
            let open = self.ledger.open(run.number, first, LOOKED_AT)?;
            let Some(last) = open.last() else { return Ok(tried) };
            first = last.saturating_add(1);
            for few in open.chunks(TOGETHER) {
                if stop() {
                    return Ok(tried);
                }
                tried += self.few(run, few)?;
            }
        }
    }

    fn few(&self, run: &Run, numbers: &[u32]) -> Result<usize, DistributeError> {
        let _turn = self.ledger.turn.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut pieces: Vec<(u32, Piece, Vec<u8>)> = Vec::new();
        let (mut before, mut added) = (Batch::default(), run.pieces);
        for &number in numbers {
            let piece = self.ledger.piece(run.number, number)?;
            if piece.state == State::InDoubt || piece.next_at > self.crm.now() {
                continue;
            }
            let (piece, bytes) = self.ready(run, number, piece, &mut before)?;
            match bytes {
                Some(bytes) => pieces.push((number, piece, bytes)),
                None => self.settle(run, number, piece, &mut before, &mut added)?,
            }
        }
        self.grown(run, &mut before, added)?;
        if !before.writes.is_empty() {
            self.ledger.engine.commit(before)?;
        }
        let (mut after, tried) = (Batch::default(), pieces.len());
        let mut added = self.ledger.run(run.number)?.pieces;
        for (number, mut piece, bytes) in pieces {
            self.hand(run, &mut piece, &bytes);
            self.settle(run, number, piece, &mut after, &mut added)?;
        }
        self.grown(run, &mut after, added)?;
        if !after.writes.is_empty() {
            self.ledger.engine.commit(after)?;
        }
        Ok(tried)
    }

    /// Pieces that stand for others make a run longer.
    fn grown(&self, run: &Run, batch: &mut Batch, pieces: u32) -> Result<(), DistributeError> {
        let mut run = self.ledger.run(run.number)?;
        if run.pieces < pieces {
            run.pieces = pieces;
            self.ledger.put_run(batch, &run)?;
        }
        Ok(())
    }

    /// Makes a piece ready to be handed over; without bytes it is not to be, and its state says why.
    fn ready(
        &self,
        run: &Run,
        number: u32,
        mut piece: Piece,
        batch: &mut Batch,
    ) -> Result<(Piece, Option<Vec<u8>>), DistributeError> {
        let channel = match self.channels.get(&piece.channel) {
            Some(Ok(channel)) => channel,
            Some(Err(why)) => return Ok((self.later(run, piece, why.clone()), None)),
            None => return Ok((self.later(run, piece, "the channel is not configured any more".into()), None)),
        };
        if piece.state == State::Handing && !channel.repeatable() {
            piece.in_doubt = true;
            piece.said = "the program ended while it was handed over".into();
            if self.asks(run) {
                piece.state = State::InDoubt;
                return Ok((piece, None));
            }
        }
        let bytes = match self.ledger.bytes(run.number, number)? {
            Some(bytes) if digest(&bytes) == piece.sha256 => bytes,
            Some(_) => return Err(DistributeError::State(format!("the bytes of piece {} changed", piece.id))),
            None => match self.make(run, &piece, channel.as_ref()) {
                Ok(composed) => {
                    (piece.sha256, piece.name) = (digest(&composed.bytes), composed.name);
                    batch.put(Family::Outbox, key(b'b', run.number, Some(number)), composed.bytes.clone());
                    composed.bytes
                }
                Err(DistributeError::Document(why) | DistributeError::Compose(why)) => {
                    (piece.state, piece.said) = (State::Dead, why);
                    return Ok((piece, None));
                }
                Err(error) => return Err(error),
            },
        };
        piece.state = State::Handing;
        self.ledger.put_piece(batch, run.number, number, &piece)?;
        Ok((piece, Some(bytes)))
    }

    fn asks(&self, run: &Run) -> bool {
        self.config.distribution(&run.distribution).is_some_and(|rule| rule.in_doubt == InDoubt::Ask)
    }

    fn later(&self, run: &Run, mut piece: Piece, said: String) -> Piece {
        piece.attempts += 1;
        piece.said = said;
        let most = self.config.distribution(&run.distribution).and_then(|rule| rule.attempts).unwrap_or(ATTEMPTS);
        piece.state = if piece.attempts >= most { State::Dead } else { State::Retrying };
        piece.next_at = self.crm.now().plus(self.config.wait_s(piece.attempts as usize));
        piece
    }

    fn hand(&self, run: &Run, piece: &mut Piece, bytes: &[u8]) {
        let Some(Ok(channel)) = self.channels.get(&piece.channel) else { return };
        let parcel = Parcel { id: &piece.id, to: &piece.to, name: &piece.name, bytes };
        match channel.deliver(&parcel) {
            Outcome::Taken { rung, said } => {
                piece.attempts += 1;
                (piece.state, piece.rung, piece.said) = (State::Done, rung, said);
            }
            Outcome::Later(said) => *piece = self.later(run, piece.clone(), said),
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
    }

    /// Writes what a piece became; a dead one with a way left is replaced by a piece for that way.
    fn settle(
        &self,
        run: &Run,
        number: u32,
        mut piece: Piece,
        batch: &mut Batch,
        added: &mut u32,
    ) -> Result<(), DistributeError> {
        if piece.state == State::Dead && !piece.fallback.is_empty() {
            let (channel, to) = piece.fallback.remove(0);
            let next = Piece {
                channel,
                to,
                account: piece.account.clone(),
                language: piece.language.clone(),
                owes: piece.owes.clone(),
                fallback: std::mem::take(&mut piece.fallback),
                generation: 1,
                ..Piece::default()
            };
            (piece.state, piece.replaced_by) = (State::Replaced, Some(*added));
            self.ledger.put_piece(batch, run.number, *added, &next.named(&run.key))?;
            *added += 1;
        }
        Ok(self.ledger.put_piece(batch, run.number, number, &piece)?)
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
        let rule = self.config.distribution(&run.distribution);
        let format = rule.map_or("", |rule| rule.format.as_str());
        let format = if format.is_empty() { "pdf" } else { format };
        for owed in &piece.owes {
            let gone = || DistributeError::Document(format!("{} is not in the archive", owed.document));
            let id: DocId = owed.document.parse().map_err(|()| gone())?;
            let facts = self.source.facts(id)?.ok_or_else(gone)?;
            let report = self.source.report(&facts.definition)?.unwrap_or_default();
            content.documents.push(Mention {
                document: owed.document.clone(),
                report: report.title_in(&piece.language).to_string(),
                kind: facts.kind,
                pages: owed.pages,
            });
            if channel.needs() == Needs::Files {
                let mut bytes = Bounded { bytes: Vec::new(), most: MOST_BYTES };
                self.source.render(&Wanted { document: id, format, pages: None, why: &piece.id }, &mut bytes)?;
                let info = crate::view::View::formats().find(|known| known.name == format);
                let (media_type, extension) =
                    info.map_or(("application/octet-stream", "bin"), |info| (info.media_type, info.extension));
                let name = format!("{id}.{extension}");
                content.files.push(File { name, media_type: media_type.into(), bytes: bytes.bytes });
            }
        }
        if channel.needs() == Needs::Link {
            self.link(piece, &mut content)?;
        }
        channel.compose(&content)
    }

    fn link(&self, piece: &Piece, content: &mut Content) -> Result<(), DistributeError> {
        let [owed] = piece.owes.as_slice() else {
            return Err(DistributeError::Compose("a link shows one document; attach bundles, or do not bundle".into()));
        };
        if self.config.public_url.is_empty() {
            return Err(DistributeError::Compose("distribution.toml has no public_url for the link".into()));
        }
        let id: DocId = owed.document.parse().map_err(|()| DistributeError::Document(owed.document.clone()))?;
        let account = Some(piece.account.as_str()).filter(|account| !account.is_empty());
        let (token, link) = self.crm.link_for(&piece.id, id, account, self.config.link_life_s())?;
        content.link = Some(format!("{}/d/{token}", self.config.public_url));
        content.link_until = Time(link.expires_at.0 - 1).day().to_string();
        Ok(())
    }
}
