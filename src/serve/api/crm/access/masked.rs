//! What masks leave of account numbers and of quoted lines in rows beside documents.
//!
//! One rule for both: what the reader sees masked on a document is masked in every row that repeats it. A number is masked
//! where the definition of any document of that account masks it for the reader; a quote says only what the reader finds on
//! the page that it was taken from, and nothing when the page is gone and its definition masks anything.

use std::cell::RefCell;
use std::collections::HashMap;

use serde_json::Value as Json;

use crate::archive::DocId;
use crate::auth::gate::{Principal, Scope};
use crate::crm::Change;
use crate::crm::account::Account;
use crate::crm::contact::{ContactPoint, Owner};
use crate::crm::note::{Note, Place};
use crate::crm::request::Request;
use crate::crm::timeline::{Detail, TimelineEntry};
use crate::serve::ask::SignedIn;
use crate::serve::backend::{HitPage, HitsAsked, covered};
use crate::serve::problem::Problem;
use crate::serve::state::State;

/// Numbers that are remembered while a long answer is written.
const REMEMBERED: usize = 10_000;
/// Letters and digits that an account number has at least, in texts that are searched for them.
const LEAST: usize = 4;

/// The eyes of one reader: each account number is looked up once.
pub struct Eyes<'s> {
    state: &'s State,
    scope: Scope,
    everybody: Scope,
    own: Vec<String>,
    /// Whether any definition masks anything for the reader; if not, nothing is looked up.
    masked: bool,
    /// By number: how it is shown, and where it is masked, the document that says so.
    known: RefCell<HashMap<String, (String, Option<DocId>)>>,
}

/// How the caller sees numbers and quotes.
pub fn eyes<'s>(state: &'s State, who: &SignedIn) -> Result<Eyes<'s>, Problem> {
    let scope = state.gate.scope(&who.principal);
    Ok(Eyes {
        state,
        masked: !state.backend.masking(scope.sight(), None)?.is_empty(),
        everybody: state.gate.scope(&Principal::operator("system:rights", "greenbar")),
        scope,
        own: who.accounts.to_vec(),
        known: RefCell::default(),
    })
}

/// A request as the caller sees it: the number of its account, and the line that it is about.
pub fn shown_request(state: &State, who: &SignedIn, mut request: Request) -> Result<Request, Problem> {
    eyes(state, who)?.request(&mut request)?;
    Ok(request)
}

/// Whether a word is a name that greenbar gave: a document's id, a row's, a digest.
fn is_own(word: &str) -> bool {
    let given =
        matches!(word.len(), 26 | 64) && word.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase());
    given || word.parse::<DocId>().is_ok()
}

impl Eyes<'_> {
    /// Whether anything may be masked for the reader.
    pub fn any_masks(&self) -> bool {
        self.masked
    }

    /// An account's number. Who holds the account knows it.
    pub fn number(&self, number: &str) -> Result<String, Problem> {
        Ok(self.seen(number)?.0)
    }

    /// A document of an account whose number is masked, to name the account by.
    pub fn masked_by(&self, number: &str) -> Result<Option<DocId>, Problem> {
        Ok(self.seen(number)?.1)
    }

    fn seen(&self, number: &str) -> Result<(String, Option<DocId>), Problem> {
        if !self.masked || number.is_empty() || self.own.iter().any(|own| own == number) {
            return Ok((number.to_string(), None));
        }
        if let Some(shown) = self.known.borrow().get(number) {
            return Ok(shown.clone());
        }
        let shown = self.looked_up(number)?;
        let mut known = self.known.borrow_mut();
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(number.to_string(), shown.clone());
        Ok(shown)
    }

    /// The number as the documents of the account show it: where reports differ, the one that shows least.
    fn looked_up(&self, number: &str) -> Result<(String, Option<DocId>), Problem> {
        let mut shown = (number.to_string(), None);
        // The sign that stands for a digit may be a letter.
        let said = |text: &str| text.chars().zip(number.chars()).filter(|(seen, whole)| seen == whole).count();
        let masking = self.state.backend.masking(self.scope.sight(), Some(number))?;
        if masking.is_empty() {
            return Ok(shown);
        }
        let asked = HitsAsked { account: Some(number.to_string()), limit: 1, ..HitsAsked::default() };
        let newest = self.state.backend.hits(&asked, &self.everybody)?;
        let counts = newest.facets.iter().filter(|facet| facet.name == "definition").flat_map(|facet| &facet.counts);
        for (definition, _) in counts.filter(|(name, _)| masking.contains(name)) {
            let of_this = |page: &HitPage| {
                let mut hits = page.hits.iter().filter(|hit| hit.document.definition == *definition);
                hits.next().map(|hit| hit.document.id)
            };
            let asked = HitsAsked { definition: Some(definition.clone()), ..asked.clone() };
            let id = match of_this(&newest) {
                Some(id) => Some(id),
                None => of_this(&self.state.backend.hits(&asked, &self.everybody)?),
            };
            let Some(id) = id else { continue };
            let permit = self.state.gate.listed(&self.scope, id);
            let masked = self.state.backend.document(&permit)?.account.unwrap_or_default();
            if said(&masked) < said(&shown.0) {
                shown = (masked, Some(id));
            }
        }
        Ok(shown)
    }

    /// Whether this is how a number was shown that is masked.
    pub fn is_masked(&self, shown: &str) -> bool {
        self.known.borrow().values().any(|(known, masked)| known == shown && masked.is_some())
    }

    /// A number that may be none.
    pub fn of(&self, number: Option<String>) -> Result<Option<String>, Problem> {
        number.map(|number| self.number(&number)).transpose()
    }

    /// The account that a row is about.
    pub fn row(&self, number: &mut Option<String>) -> Result<(), Problem> {
        *number = self.of(number.take())?;
        Ok(())
    }

    /// The row of an account.
    pub fn account(&self, account: &mut Account) -> Result<(), Problem> {
        let shown = self.number(&account.id)?;
        if shown != account.id {
            account.data.number.clone_from(&shown);
            account.id = shown;
        }
        Ok(())
    }

    /// A text that may name accounts, such as a record of the audit.
    pub fn text(&self, text: &str) -> Result<String, Problem> {
        if !self.masked {
            return Ok(text.to_string());
        }
        let whole = self.number(text)?;
        if whole != text {
            return Ok(whole);
        }
        let mut shown = text.to_string();
        let parts = |ch: char| ch.is_whitespace() || ch.is_control() || "\"'()[]{}<>=:,;".contains(ch);
        for word in text.split(parts).map(|word| word.trim_matches(['.', '*', '!'])) {
            let letters = word.chars().filter(|ch| ch.is_alphanumeric()).count();
            let number = letters >= LEAST && word.contains(|ch: char| ch.is_ascii_digit());
            if !number || is_own(word) {
                continue;
            }
            let masked = self.number(word)?;
            if masked != word {
                shown = shown.replace(word, &masked);
            }
        }
        Ok(shown)
    }

    /// What was quoted from a document, and what somebody wrote above it: words of the line are there as the reader sees them
    /// on the page.
    pub fn quote(&self, document: Option<&str>, place: Option<&mut Place>, above: &mut String) -> Result<(), Problem> {
        let Some(document) = document.filter(|_| self.masked) else { return Ok(()) };
        let (page, text) = place.as_ref().map_or((1, String::new()), |place| (place.page, place.text.clone()));
        let there = match document.parse::<DocId>() {
            Ok(id) => Some(id).filter(|_| self.state.backend.subject(id).is_ok_and(|subject| subject.there)),
            Err(()) => None,
        };
        let shown = match there {
            Some(id) => {
                let permit = self.state.gate.listed(&self.scope, id);
                if !above.is_empty() {
                    *above = self.state.backend.masked_text(&permit, above)?;
                }
                self.state.backend.quoted(&permit, page, &text)?
            }
            None if self.masks_what_is_gone(document)? => {
                text.split_whitespace().map(covered).collect::<Vec<_>>().join(" ")
            }
            None => text.clone(),
        };
        for (was, is) in text.split_whitespace().zip(shown.split_whitespace()).filter(|(was, is)| was != is) {
            *above = above.replace(was, is);
        }
        if let Some(place) = place {
            place.text = if there.is_none() && shown != text { String::new() } else { shown };
        }
        Ok(())
    }

    /// Whether the definition that cut a document that is gone masks anything; one that nobody knows may.
    fn masks_what_is_gone(&self, document: &str) -> Result<bool, Problem> {
        let masking = self.state.backend.masking(self.scope.sight(), None)?;
        let load = document.split('-').next().and_then(|load| load.parse::<u32>().ok());
        let gone = self.state.backend.unloaded()?.into_iter().rfind(|gone| Some(gone.load.0) == load);
        Ok(gone.map_or(!masking.is_empty(), |gone| masking.contains(&gone.definition)))
    }

    /// A request.
    pub fn request(&self, request: &mut Request) -> Result<(), Problem> {
        let data = &mut request.data;
        self.row(&mut data.account)?;
        self.quote(data.document.as_deref(), data.place.as_mut(), &mut data.subject)
    }

    /// A note: what its author wrote is left, what was quoted is not.
    pub fn note(&self, note: &mut Note) -> Result<(), Problem> {
        let data = &mut note.data;
        self.row(&mut data.account)?;
        self.quote(data.document.as_deref(), data.place.as_mut(), &mut String::new())
    }

    /// The changes of a row that is about a document.
    pub fn changes(&self, changes: &mut [Change], document: Option<&str>) -> Result<(), Problem> {
        // The subject repeats the line as it stood when the request was opened.
        let fields = changes.iter().flat_map(|change| &change.fields).filter(|field| field.field == "place");
        let place = fields.filter_map(|field| serde_json::from_value::<Place>(field.after.clone()).ok()).next_back();
        for field in changes.iter_mut().flat_map(|change| &mut change.fields) {
            let name = field.field.clone();
            for value in [&mut field.before, &mut field.after] {
                match (name.as_str(), value.as_str()) {
                    ("account", Some(number)) => *value = self.number(number)?.into(),
                    ("subject", Some(subject)) => {
                        let mut subject = subject.to_string();
                        self.quote(document, place.clone().as_mut(), &mut subject)?;
                        *value = subject.into();
                    }
                    ("place", _) => {
                        let Ok(mut kept) = serde_json::from_value::<Place>(value.clone()) else { continue };
                        self.quote(document, Some(&mut kept), &mut String::new())?;
                        *value = serde_json::to_value(kept).unwrap_or(Json::Null);
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// Whose contact points they are.
    pub fn owners(&self, points: &mut [ContactPoint]) -> Result<(), Problem> {
        for point in points {
            if let Owner::Account(number) = &point.owner {
                point.data.owner = Owner::Account(self.number(number)?);
            }
        }
        Ok(())
    }

    /// A page of a timeline.
    pub fn timeline(&self, entries: &mut [TimelineEntry]) -> Result<(), Problem> {
        for entry in entries.iter_mut().filter(|_| self.masked) {
            self.row(&mut entry.account)?;
            match &mut entry.detail {
                Detail::Consent(row) => self.row(&mut row.data.account)?,
                Detail::Delivery(row) => self.row(&mut row.data.account)?,
                Detail::Interaction(row) => self.row(&mut row.data.account)?,
                Detail::Note(row) => self.note(row)?,
                Detail::Request(row) => self.request(row)?,
                Detail::Document(row) if row.account.is_some() => row.account.clone_from(&entry.account),
                Detail::Document(_) => {}
                Detail::View { .. } => {}
            }
        }
        Ok(())
    }
}
