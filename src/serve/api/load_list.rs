//! Lists of loads, filtered and page by page; for programs and pages alike.

use std::ops::{ControlFlow, RangeInclusive};

use crate::archive::{LoadId, LoadRow, Tombstone};
use crate::index::value::Day;
use crate::serve::ask::Params;
use crate::serve::problem::Problem;
use crate::serve::state::State;

/// Loads on one page of a list.
const LIMITS: RangeInclusive<u32> = 1..=500;
const USUAL: u32 = 50;
/// Loads looked through for one page.
const LOOKED_THROUGH: usize = 20_000;

/// Which loads are asked for by how they went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Kind {
    /// All that are in the archive.
    #[default]
    All,
    /// Without warnings and with every page in a document.
    Clean,
    /// With warnings.
    Warnings,
    /// With pages set aside.
    Aside,
    /// Taken out of the archive.
    Unloaded,
}

impl Kind {
    /// Their names.
    pub const WORDS: &[(&str, Kind)] = &[
        ("all", Kind::All),
        ("clean", Kind::Clean),
        ("warnings", Kind::Warnings),
        ("aside", Kind::Aside),
        ("unloaded", Kind::Unloaded),
    ];

    fn has(self, row: &LoadRow) -> bool {
        match self {
            Kind::All => true,
            Kind::Clean => row.warnings.is_empty() && row.set_aside_pages == 0,
            Kind::Warnings => !row.warnings.is_empty(),
            Kind::Aside => row.set_aside_pages > 0,
            Kind::Unloaded => false,
        }
    }
}

/// What a list of loads is asked for.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// Of this definition.
    pub definition: String,
    /// How they went.
    pub kind: Kind,
    /// Part of the name or the definition, the beginning of a digest, or a number.
    pub text: String,
    /// Loaded at this moment or later, seconds since 1970.
    pub from: Option<i64>,
    /// Loaded before this moment.
    pub until: Option<i64>,
    /// With numbers below this.
    pub before: Option<LoadId>,
    /// At most so many.
    pub limit: usize,
}

/// A page of a list of loads.
#[derive(Debug, Default)]
pub struct Page {
    /// The loads, newest first.
    pub rows: Vec<LoadRow>,
    /// Or what is left of those that were taken out.
    pub stones: Vec<Tombstone>,
    /// Where the next page starts, when there may be one.
    pub next: Option<u32>,
}

impl Asked {
    /// Names of the parameters.
    pub const PARAMS: &[&str] = &["definition", "state", "q", "from", "to", "limit", "cursor"];

    /// What the parameters ask for. Days begin (seconds since 1970) where `begins` says.
    pub fn read(params: &Params, begins: fn(Day) -> i64) -> Result<Asked, Problem> {
        Ok(Asked {
            definition: params.get("definition").unwrap_or_default().to_string(),
            kind: params.word("state", Kind::WORDS, Kind::All)?,
            text: params.get("q").unwrap_or_default().to_lowercase(),
            from: params.day("from")?.map(begins),
            until: params.day("to")?.map(|day| begins(Day(day.0.saturating_add(1)))),
            before: params.number("cursor", 1..=u32::MAX)?.map(LoadId),
            limit: params.number("limit", LIMITS)?.unwrap_or(USUAL) as usize,
        })
    }

    /// The page.
    pub fn find(&self, state: &State) -> Result<Page, Problem> {
        if self.kind == Kind::Unloaded {
            return self.stones(state.backend.unloaded()?);
        }
        let (mut page, mut looked) = (Page::default(), 0);
        state.backend.loads_before(self.before, &mut |row| {
            if page.rows.len() >= self.limit || looked >= LOOKED_THROUGH {
                page.next = Some(row.id.0 + 1);
                return ControlFlow::Break(());
            }
            looked += 1;
            let fits = self.fits(row.id, (&row.file, &row.definition, &row.sha256), row.loaded_at);
            if fits && self.kind.has(&row) {
                page.rows.push(row);
            }
            ControlFlow::Continue(())
        })?;
        Ok(page)
    }

    fn stones(&self, all: Vec<Tombstone>) -> Result<Page, Problem> {
        let mut page = Page::default();
        for stone in all.into_iter().rev().filter(|stone| self.before.is_none_or(|before| stone.load < before)) {
            if page.stones.len() >= self.limit {
                page.next = Some(stone.load.0 + 1);
                break;
            }
            if self.fits(stone.load, (&stone.file, &stone.definition, &stone.sha256), stone.at) {
                page.stones.push(stone);
            }
        }
        Ok(page)
    }

    fn fits(&self, id: LoadId, (file, definition, sha256): (&str, &str, &str), at: i64) -> bool {
        let has = |text: &str| text.to_lowercase().contains(&self.text);
        let text = self.text.is_empty()
            || has(file)
            || has(definition)
            || sha256.starts_with(&self.text)
            || id.to_string() == self.text;
        let day = self.from.is_none_or(|from| at >= from) && self.until.is_none_or(|until| at < until);
        text && day && (self.definition.is_empty() || self.definition == definition)
    }
}
