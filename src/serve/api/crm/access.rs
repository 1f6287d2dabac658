//! Who may do what with customers and their activity: the only place here that asks.

use std::ops::ControlFlow;

use crate::archive::DocId;
use crate::auth::directory::Rights;
use crate::auth::gate::{Permit, Principal, Scope, Use};
use crate::auth::permission::Permission;
use crate::auth::predicate::Predicate;
use crate::crm::link::Link;
use crate::crm::time::Date;
use crate::crm::timeline::{DocumentEntry, DocumentField, Documents};
use crate::crm::{CrmError, Viewer};
use crate::index::value::{Day, FieldValue, Value};
use crate::serve::ask::SignedIn;
use crate::serve::backend::{DefinitionView, DocumentView, HitsAsked};
use crate::serve::problem::Problem;
use crate::serve::state::State;

/// What can be allowed here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// See customers, accounts, contact points, timelines.
    ReadCustomers,
    /// Change them.
    WriteCustomers,
    /// Send copies of documents.
    Send,
    /// Send to an address that was not verified.
    SendAnywhere,
    /// Write notes.
    WriteNotes,
    /// Log contacts.
    WriteInteractions,
    /// Answer and close requests.
    AnswerRequests,
    /// Set texts, codes and the like.
    Configure,
}

/// The caller as the customer module knows viewers. Staff without the right to see customers sees what a customer
/// without accounts would.
pub fn viewer(who: &SignedIn) -> Viewer<'_> {
    match &who.acts_for {
        Some(accounts) => Viewer::Customer { name: &who.user.name, accounts },
        None if who.may(Permission::CustomerRead) => Viewer::Staff(&who.user.name),
        None => Viewer::Customer { name: &who.user.name, accounts: &[] },
    }
}

/// The permission for a deed.
fn permission(deed: Deed) -> Permission {
    match deed {
        Deed::ReadCustomers => Permission::CustomerRead,
        Deed::WriteCustomers => Permission::CustomerWrite,
        Deed::Send => Permission::DocumentSend,
        Deed::SendAnywhere => Permission::AddressOverride,
        Deed::WriteNotes => Permission::NoteWrite,
        Deed::WriteInteractions => Permission::InteractionWrite,
        Deed::AnswerRequests => Permission::RequestAnswer,
        Deed::Configure => Permission::PolicyWrite,
    }
}

/// Whether the caller may do this.
pub fn may(who: &SignedIn, deed: Deed) -> bool {
    who.may(permission(deed))
}

/// Refuses what the caller may not do.
pub fn need(who: &SignedIn, deed: Deed) -> Result<(), Problem> {
    who.need(permission(deed))
}

/// Refuses accounts of others; they look like none.
pub fn need_account(who: &SignedIn, number: &str) -> Result<(), Problem> {
    if viewer(who).sees_account(number) { Ok(()) } else { Err(Problem::nothing()) }
}

/// Refuses customers of whom the caller holds no account.
pub fn need_customer(state: &State, who: &SignedIn, id: &str) -> Result<(), Problem> {
    if state.crm.shows(viewer(who), Some(id), None)? { Ok(()) } else { Err(Problem::nothing()) }
}

/// The gate's permit for a document, with what is known of it.
pub fn open(state: &State, who: &SignedIn, id: DocId, why: &str) -> Result<(Permit, DocumentView), Problem> {
    let subject = state.backend.subject(id)?;
    let permit = state.gate.open(&who.principal, Use::READ, &subject, why)?;
    let view = state.backend.document(&permit)?;
    Ok((permit, view))
}

/// The documents as the caller may see them.
pub fn documents<'s>(state: &'s State, who: &SignedIn) -> Result<Shelf<'s>, Problem> {
    let scope = state.gate.scope(&who.principal);
    Ok(Shelf { state, who: who.principal.clone(), scope, definitions: state.backend.definitions()? })
}

/// All documents, for what greenbar itself compares: nothing of them is shown.
pub fn all_documents(state: &State) -> Result<Shelf<'_>, Problem> {
    let system = Principal::operator("system:enrolment", "greenbar");
    let scope = state.gate.scope(&system);
    Ok(Shelf { state, who: system, scope, definitions: state.backend.definitions()? })
}

/// Somebody who did not sign in, for the audit.
pub fn nobody(from: &str) -> Principal {
    Principal::nobody("nobody", from)
}

/// Somebody with a link to a document of this account. Nobody knows who that is: masks apply.
fn by_link(id: &str, account: Option<&str>, from: &str) -> Principal {
    let id: String = id.chars().take(16).collect();
    let accounts = account.map(str::to_string).into_iter().collect();
    let rights = Rights {
        permissions: [Permission::DocumentRead].into_iter().collect(),
        grants: vec![("link".into(), Predicate::Account(accounts))],
        ..Rights::default()
    };
    Principal::new(format!("link:{id}"), from, rights)
}

/// The gate's permit for a document behind a link.
pub fn open_by_link(state: &State, link: &Link, id: DocId, from: &str) -> Result<Permit, Problem> {
    let who = by_link(&link.id, link.account.as_deref(), from);
    Ok(state.gate.open(&who, Use::READ, &state.backend.subject(id)?, "link")?)
}

/// Title of the report of a document, English and Chinese: all that is told of it before it is opened.
pub fn report_of(state: &State, id: DocId) -> Result<Option<(String, Option<String>)>, Problem> {
    if !state.backend.subject(id)?.there {
        return Ok(None);
    }
    let nobody = state.gate.scope(&nobody("greenbar"));
    let view = state.backend.document(&state.gate.listed(&nobody, id))?;
    Ok(Some((view.report, view.report_zh)))
}

/// The documents within a scope.
pub struct Shelf<'s> {
    state: &'s State,
    who: Principal,
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
            amount: value(definition.and_then(|definition| definition.amount.as_ref())),
            due: value(definition.and_then(|definition| definition.due.as_ref())),
            fields,
        }
    }

    /// Visits hits page by page.
    fn hits(&self, asked: &HitsAsked, each: &mut dyn FnMut(DocumentEntry) -> ControlFlow<()>) -> Result<(), CrmError> {
        let mut asked = HitsAsked { limit: AT_ONCE, ..asked.clone() };
        loop {
            let page =
                self.state.backend.hits(&asked, &self.scope).map_err(|error| CrmError::Documents(error.to_string()))?;
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
        self.hits(&asked, &mut |entry| {
            let flow = each(entry);
            stopped = flow.is_break();
            flow
        })?;
        if stopped || upto.is_none() {
            return Ok(());
        }
        // A range of days leaves documents without a date out; they come last.
        self.hits(&HitsAsked { to: None, ..asked }, &mut |entry| {
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
            self.hits(&asked, &mut |entry| {
                let same = |field: &DocumentField| is_number_field(&field.name) && plain(&field.value) == plain(number);
                if entry.fields.iter().any(same) {
                    found.push(entry);
                }
                if found.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            })?;
        }
        Ok(found)
    }

    fn may_see(&self, document: DocId) -> Result<bool, CrmError> {
        let failed = |error: crate::serve::backend::BackendError| CrmError::Documents(error.to_string());
        let subject = self.state.backend.subject(document).map_err(failed)?;
        Ok(subject.there && self.state.gate.sees(&self.who, &subject.facts))
    }
}

/// Whether a field holds the number of a document, by its name.
fn is_number_field(name: &str) -> bool {
    let named = ["invoice", "bill", "document", "reference", "receipt", "policy", "order"];
    (name.contains("number") || name.ends_with("_no") || named.contains(&name)) && !name.contains("account")
        || named.iter().any(|word| name.starts_with(word) && name.ends_with("_id"))
}

fn plain(text: &str) -> String {
    crate::search::squeeze(&crate::search::fold(text))
}
