//! The documents as the caller may see them, for timelines, comparisons and the search for callers.

use std::ops::ControlFlow;

use super::hidden::{kept_from, narrowed};
use crate::archive::DocId;
use crate::auth::gate::{Principal, Scope};
use crate::crm::CrmError;
use crate::crm::time::Date;
use crate::crm::timeline::{DocumentEntry, DocumentField, Documents};
use crate::index::value::{Day, FieldValue, Value};
use crate::serve::ask::SignedIn;
use crate::serve::backend::{BackendError, DefinitionView, DocumentView, HitsAsked};
use crate::serve::problem::Problem;
use crate::serve::state::State;

/// The documents as the caller may see them.
pub fn documents<'s>(state: &'s State, who: &SignedIn) -> Result<Shelf<'s>, Problem> {
    shelf(state, who.principal.clone(), narrowed(who))
}

/// All documents, for what greenbar itself compares: nothing of them is shown.
pub fn all_documents(state: &State) -> Result<Shelf<'_>, Problem> {
    shelf(state, Principal::operator("system:enrolment", "greenbar"), false)
}

fn shelf(state: &State, principal: Principal, narrowed: bool) -> Result<Shelf<'_>, Problem> {
    let (scope, definitions) = (state.gate.scope(&principal), state.backend.definitions()?);
    Ok(Shelf { state, principal, narrowed, scope, definitions })
}

/// The documents within a scope.
pub struct Shelf<'s> {
    state: &'s State,
    principal: Principal,
    /// Accounts may be kept from who asks, who stands for the organisation.
    narrowed: bool,
    scope: Scope,
    definitions: Vec<DefinitionView>,
}

/// Documents asked of the search at a time.
const AT_ONCE: usize = 100;

impl Shelf<'_> {
    /// A document as timelines and comparisons show it.
    pub fn entry(&self, view: &DocumentView) -> DocumentEntry {
        let definition = self.definitions.iter().find(|definition| definition.name == view.definition);
        let fields: Vec<DocumentField> = view.fields.iter().map(field).collect();
        let value = |name: Option<&String>| {
            let name = name?;
            fields.iter().find(|field| field.name == *name).map(|field| field.value.clone())
        };
        let amount = definition.and_then(|definition| definition.amount.as_ref());
        let currency = amount.and_then(|name| view.fields.iter().find(|field| field.name == *name)?.currency.clone());
        DocumentEntry {
            id: view.id.to_string(),
            definition: view.definition.clone(),
            report: view.report.clone(),
            report_zh: view.report_zh.clone(),
            kind: view.kind.clone(),
            title: view.title.clone(),
            date: view.date.map(Date),
            account: view.account.clone(),
            pages: view.pages,
            amount: value(amount),
            currency,
            due: value(definition.and_then(|definition| definition.due.as_ref())),
            fields,
        }
    }

    /// Visits hits page by page.
    fn hits(
        &self,
        asked: &HitsAsked,
        scope: &Scope,
        each: &mut dyn FnMut(DocumentEntry) -> ControlFlow<()>,
    ) -> Result<(), CrmError> {
        let mut asked = HitsAsked { limit: AT_ONCE, ..asked.clone() };
        loop {
            let page =
                self.state.backend.hits(&asked, scope).map_err(|error| CrmError::Documents(error.to_string()))?;
            for hit in &page.hits {
                if each(self.entry(&hit.document)).is_break() {
                    return Ok(());
                }
            }
            asked.cursor = page.next_cursor;
            if asked.cursor.is_none() {
                return Ok(());
            }
        }
    }
}

fn field(view: &crate::serve::backend::FieldView) -> DocumentField {
    let number = matches!(view.value, FieldValue::One(Value::Decimal(_) | Value::Integer(_)));
    let value = match &view.value {
        FieldValue::One(value) => value.to_string(),
        FieldValue::Many(values) => values.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        FieldValue::Span(first, last) => format!("{first} \u{2013} {last}"),
    };
    DocumentField { name: view.name.clone(), label: view.label.clone(), label_zh: view.label_zh.clone(), value, number }
}

impl Documents for Shelf<'_> {
    fn of_account(
        &self,
        account: &str,
        definition: Option<&str>,
        upto: Option<Day>,
        each: &mut dyn FnMut(DocumentEntry) -> ControlFlow<()>,
    ) -> Result<(), CrmError> {
        let asked = HitsAsked {
            account: Some(account.to_string()),
            definition: definition.map(str::to_string),
            to: upto,
            ..HitsAsked::default()
        };
        let mut stopped = false;
        // Whoever asks was let to the account.
        let scope = self.scope.of_account();
        self.hits(&asked, &scope, &mut |entry| {
            let flow = each(entry);
            stopped = flow.is_break();
            flow
        })?;
        if stopped || upto.is_none() {
            return Ok(());
        }
        // A range of days leaves documents without a date out; they come last.
        self.hits(&HitsAsked { to: None, ..asked }, &scope, &mut |entry| {
            if entry.date.is_some() { ControlFlow::Continue(()) } else { each(entry) }
        })
    }

    fn with_number(&self, number: &str, limit: usize) -> Result<Vec<DocumentEntry>, CrmError> {
        let names = self.definitions.iter().flat_map(|definition| &definition.fields);
        let mut names: Vec<&str> = names.map(String::as_str).filter(|name| is_number_field(name)).collect();
        names.sort_unstable();
        names.dedup();
        let mut found = Vec::new();
        let quoted = number.replace(['"', '\\'], " ");
        for names in names.chunks(50) {
            let tests: Vec<String> = names.iter().map(|name| format!("{name}:\"{quoted}\"")).collect();
            let asked = HitsAsked { query: tests.join(" OR "), ..HitsAsked::default() };
            self.hits(&asked, &self.scope, &mut |entry| {
                let same = |field: &DocumentField| is_number_field(&field.name) && plain(&field.value) == plain(number);
                if entry.fields.iter().any(same) {
                    // Whose it is, also where the account is masked for the reader.
                    let id = entry.id.parse().ok();
                    let subject = id.and_then(|id| self.state.backend.subject(id).ok());
                    found.push(DocumentEntry { account: subject.and_then(|subject| subject.facts.account), ..entry });
                }
                if found.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            })?;
        }
        Ok(found)
    }

    fn may_see(&self, document: DocId) -> Result<bool, CrmError> {
        let failed = |error: BackendError| CrmError::Documents(error.to_string());
        let subject = self.state.backend.subject(document).map_err(failed)?;
        Ok(subject.there && self.state.gate.sees(&self.principal, &subject.facts))
    }

    fn hides(&self, document: DocId) -> Result<bool, CrmError> {
        let failed = |error: BackendError| CrmError::Documents(error.to_string());
        let subject = self.state.backend.subject(document).map_err(failed)?;
        Ok(subject.there && !self.state.gate.sees(&self.principal, &subject.facts))
    }

    fn hides_account(&self, account: &str) -> Result<bool, CrmError> {
        let failed = |error: BackendError| CrmError::Documents(error.to_string());
        Ok(self.narrowed && kept_from(self.state, &self.principal, &[account.to_string()]).map_err(failed)?)
    }
}

/// Whether a field holds the number of a document, by its name.
fn is_number_field(name: &str) -> bool {
    let named = ["invoice", "bill", "document", "reference", "receipt", "policy", "order"];
    (name.contains("number") || name.ends_with("_no") || named.contains(&name)) && !name.contains("account")
        || named.iter().any(|word| name.starts_with(word) && name.ends_with("_id"))
}

fn plain(text: &str) -> String {
    crate::index::fold::squeeze(&crate::index::fold::fold(text))
}
