//! The only way to a document's bytes and to a hit list.
//!
//! [`Permit`]s and [`Scope`]s have private parts and can be made only here. A permit is given after the audit
//! record was written.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use super::directory::Rights;
use super::permission::Permission;
use super::predicate::{Facts, Predicate, Subject};
use crate::archive::DocId;
use crate::archive::kv::Engine;
use crate::audit::chain::{Chain, Wait};
use crate::audit::daily::Counts;
use crate::audit::{AuditError, Entry, Filter, Found, REFUSED, Record};

/// Somebody (or something) that acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// User name; `operator:<os user>` on the command line, `system:<task>` for greenbar itself.
    pub name: String,
    /// Where from: an address, or `cli`.
    pub from: String,
    /// What may be done.
    pub rights: Arc<Rights>,
}

impl Principal {
    /// Somebody with these rights.
    pub fn new(name: impl Into<String>, from: impl Into<String>, rights: Rights) -> Principal {
        Principal { name: name.into(), from: from.into(), rights: Arc::new(rights) }
    }

    /// The command line and greenbar's own work: everything, and nothing masked.
    pub fn operator(name: impl Into<String>, from: impl Into<String>) -> Principal {
        Principal::new(name, from, Rights::everything("operator"))
    }

    /// Somebody who may do nothing; for the audit.
    pub fn nobody(name: impl Into<String>, from: impl Into<String>) -> Principal {
        Principal::new(name, from, Rights::default())
    }

    /// Whether something is allowed, as far as it does not depend on a document.
    pub fn may(&self, permission: Permission) -> bool {
        self.rights.permissions.has(permission)
    }

    fn sight(&self) -> Sight {
        let rights = &self.rights;
        let whole = rights.unmasked;
        let sensitive = self.may(Permission::DocumentSensitive);
        Sight { whole, unmask: self.may(Permission::DocumentUnmask), sensitive, roles: rights.roles.clone() }
    }
}

/// What of masked values somebody sees.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Sight {
    whole: bool,
    unmask: bool,
    sensitive: bool,
    roles: Vec<String>,
}

impl Sight {
    /// Whether a mask leaves the value as it is; `clear` are the roles that the mask names.
    pub fn sees(&self, clear: &[String]) -> bool {
        let named = clear.iter().any(|role| self.roles.contains(role));
        self.whole || named || (clear.is_empty() && self.unmask)
    }

    /// Whether fields that a definition calls sensitive are in lists and in files for programs.
    pub fn sees_sensitive(&self) -> bool {
        self.whole || self.sensitive
    }
}

/// What a principal's hit lists may contain, and how it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    predicate: Predicate,
    sight: Sight,
    /// What is asked for may name masked values.
    asks_whole: bool,
}

impl Scope {
    /// Only documents for which this holds.
    pub fn predicate(&self) -> &Predicate {
        &self.predicate
    }

    /// Which masks apply to what is shown.
    pub fn sight(&self) -> &Sight {
        &self.sight
    }

    /// Which masks apply to what is asked for.
    pub fn asks_with(&self) -> Sight {
        if self.asks_whole { Sight { whole: true, ..Sight::default() } } else { self.sight.clone() }
    }

    /// The same documents, shown as before, for questions that name nothing but an account that the caller was let to:
    /// its number is compared as it is, also where the reader sees it masked.
    pub fn of_account(&self) -> Scope {
        Scope { asks_whole: true, ..self.clone() }
    }

    /// A scope for tests of what stands behind the gate: somebody for whom every mask applies.
    #[cfg(test)]
    pub(crate) fn for_tests(predicate: Predicate) -> Scope {
        Scope { predicate, sight: Sight::default(), asks_whole: false }
    }
}

/// The right to read one document once, already in the audit.
#[derive(Debug)]
pub struct Permit {
    document: DocId,
    sight: Sight,
}

impl Permit {
    /// A permit without an audit record, for tests of what stands behind the gate.
    #[cfg(test)]
    pub(crate) fn for_tests(document: DocId) -> Permit {
        Permit { document, sight: Sight { whole: true, ..Sight::default() } }
    }

    /// The document it is for.
    pub fn document(&self) -> DocId {
        self.document
    }

    /// Which masks apply.
    pub fn sight(&self) -> &Sight {
        &self.sight
    }
}

/// What a document is opened for: the kind of its audit record, and the permission it needs besides `document.read`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Use {
    kind: &'static str,
    permission: Permission,
}

impl Use {
    /// To look at it.
    pub const READ: Use = Use { kind: "read", permission: Permission::DocumentRead };
    /// To keep a rendition.
    pub const DOWNLOAD: Use = Use { kind: "download", permission: Permission::DocumentRead };
    /// To have its captured bytes.
    pub const ORIGINAL: Use = Use { kind: "download", permission: Permission::DocumentOriginal };
    /// To print it.
    pub const PRINT: Use = Use { kind: "print", permission: Permission::DocumentPrint };
    /// To send it to somebody.
    pub const SEND: Use = Use { kind: "send", permission: Permission::DocumentSend };
}

/// Why there is no permit.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Denied {
    /// The principal may not see the document. Outside, this must look as if there were none.
    #[error("no such document")]
    NotYours,
    /// The principal may do this with no document at all.
    #[error("this needs the permission {0}")]
    Missing(Permission),
    /// The audit record could not be written, so there is no permit.
    #[error(transparent)]
    Audit(#[from] AuditError),
}

/// Decides, records, and only then permits.
pub struct Gate {
    chain: Arc<Chain>,
    tasks: Mutex<HashSet<String>>,
}

impl Gate {
    /// The gate of the archive in this store. All gates of a store in a process share one audit chain.
    pub fn new(engine: Arc<dyn Engine>) -> Gate {
        Gate { chain: Chain::of(&engine), tasks: Mutex::default() }
    }

    /// A permit for one document. `why` says what is done with it: `pdf`, `metadata` ...
    ///
    /// The record is in the operating system's hands when this returns (it survives the end of the process), and on
    /// disk soon after: see [`Wait`]. It names the right by which the document is seen.
    pub fn open(&self, who: &Principal, wanted: Use, subject: &Subject, why: &str) -> Result<Permit, Denied> {
        let document = subject.facts.id;
        let needed = [Permission::DocumentRead, wanted.permission];
        if let Some(missing) = needed.into_iter().find(|permission| !who.may(*permission)) {
            self.refuse(who, document, why)?;
            return Err(Denied::Missing(missing));
        }
        let by = who.rights.by(&subject.facts).filter(|_| subject.there);
        let Some(by) = by else {
            self.refuse(who, document, why)?;
            return Err(Denied::NotYours);
        };
        let right = format!("{} by {by}", wanted.permission);
        let customer = who.may(Permission::PortalUse) && !who.may(Permission::ConsoleUse);
        let account = subject.facts.account.as_deref();
        let entry = Entry { document: Some(document), why, right: &right, account, customer, ..Entry::default() };
        // What is sent has a record of its own; it is no view.
        let entry = Entry { kind: wanted.kind, view: wanted != Use::SEND, ..entry };
        self.append(who, entry, Wait::Process)?;
        Ok(Permit { document, sight: who.sight() })
    }

    /// Records that a document was asked for and not given, be it forbidden or not there.
    fn refuse(&self, who: &Principal, document: DocId, why: &str) -> Result<(), AuditError> {
        self.append(who, Entry { kind: "refused", document: Some(document), why, ..Entry::default() }, Wait::Process)
    }

    /// Whether somebody sees a document, without reading it and without a record: for lists whose making is recorded
    /// itself, such as timelines.
    pub fn sees(&self, who: &Principal, facts: &Facts) -> bool {
        who.may(Permission::DocumentRead) && who.rights.by(facts).is_some()
    }

    /// What the hit lists of a principal may contain.
    pub fn scope(&self, who: &Principal) -> Scope {
        let may = who.may(Permission::DocumentRead);
        let predicate = if may { who.rights.predicate() } else { Predicate::Nothing };
        Scope { predicate, sight: who.sight(), asks_whole: false }
    }

    /// A permit to look for lines to show of a document in a hit list: the list was narrowed to its scope, and the
    /// search is in the audit. Masks apply as in the list.
    pub fn listed(&self, scope: &Scope, document: DocId) -> Permit {
        Permit { document, sight: scope.sight.clone() }
    }

    /// A permit for greenbar's own work (`verify`, `re-cut`): recorded once for each task of this gate.
    pub fn system(&self, task: &str, document: DocId) -> Result<Permit, Denied> {
        let who = Principal::operator(format!("system:{task}"), "greenbar");
        self.task(&who, task)?;
        Ok(Permit { document, sight: who.sight() })
    }

    /// A permit to read what goes into the search index: every mask applies, because everybody searches in it.
    pub fn indexed(&self, document: DocId) -> Result<Permit, Denied> {
        self.task(&Principal::operator("system:index", "greenbar"), "index")?;
        Ok(Permit { document, sight: Sight::default() })
    }

    fn task(&self, who: &Principal, task: &str) -> Result<(), AuditError> {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        if !tasks.contains(task) {
            self.append(who, Entry { kind: "task", what: task, ..Entry::default() }, Wait::Process)?;
            tasks.insert(task.to_string());
        }
        Ok(())
    }

    /// Records anything else that somebody did: sign-ins, searches, loads, administration. On disk when this returns,
    /// except for searches, which are as frequent as reads.
    pub fn record(&self, who: &Principal, kind: &str, what: &str, why: &str) -> Result<(), AuditError> {
        self.note(who, Entry { kind, what, why, ..Entry::default() })
    }

    /// The same with the permission that allowed it.
    pub fn record_by(
        &self,
        who: &Principal,
        permission: Permission,
        kind: &str,
        what: &str,
        why: &str,
    ) -> Result<(), AuditError> {
        self.note(who, Entry { kind, what, why, right: permission.name(), ..Entry::default() })
    }

    /// Records what was done to a document without reading it: the record is found by the document and by its account.
    pub fn record_about(
        &self,
        who: &Principal,
        permission: Permission,
        (kind, what, why): (&str, &str, &str),
        (document, account): (Option<DocId>, Option<&str>),
    ) -> Result<(), AuditError> {
        self.note(who, Entry { kind, what, why, right: permission.name(), document, account, ..Entry::default() })
    }

    /// Records that something was asked for and not done.
    pub fn record_refused(
        &self,
        who: &Principal,
        permission: Permission,
        kind: &str,
        what: &str,
        why: &str,
    ) -> Result<(), AuditError> {
        self.note(who, Entry { kind, what, why, right: permission.name(), outcome: REFUSED, ..Entry::default() })
    }

    fn note(&self, who: &Principal, entry: Entry<'_>) -> Result<(), AuditError> {
        // A send is in the ledger besides, on the disk before it began.
        let wait = if matches!(entry.kind, "search" | "distribution handed") { Wait::Process } else { Wait::Disk };
        self.append(who, entry, wait)
    }

    /// Walks the audit chain and its checkpoints; returns the number of records.
    pub fn verify_audit(&self) -> Result<u64, AuditError> {
        self.chain.verify()
    }

    /// One page of audit records, newest first: at a bounded cost, see [`Chain::search`].
    pub fn search_audit(&self, filter: &Filter) -> Result<Found, AuditError> {
        self.chain.search(filter)
    }

    /// Audit records, newest first: all that are wanted.
    pub fn audit(&self, filter: &Filter) -> Result<Vec<Record>, AuditError> {
        self.chain.list(filter)
    }

    /// How much was done each day (since 1970, UTC) from one to another, both included.
    pub fn daily(&self, from: i32, to: i32) -> Result<Vec<(i32, Counts)>, AuditError> {
        self.chain.daily(from, to)
    }

    /// Brings every audit record to the disk and signs where the chain stands.
    pub fn seal_audit(&self) -> Result<(), AuditError> {
        self.chain.seal()
    }

    fn append(&self, who: &Principal, entry: Entry<'_>, wait: Wait) -> Result<(), AuditError> {
        self.chain.append(Entry { who: &who.name, from: &who.from, ..entry }, wait).map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::LoadId;
    use crate::archive::kv::memory::Memory;

    fn facts(account: Option<&str>) -> Facts {
        let id = DocId { load: LoadId(7), ordinal: 3 };
        Facts { account: account.map(str::to_string), ..Facts::none(id) }
    }

    fn subject(account: Option<&str>) -> Subject {
        Subject::found(facts(account))
    }

    fn customer(account: &str) -> Principal {
        let rights = Rights {
            roles: vec!["customer".into()],
            permissions: [Permission::DocumentRead].into_iter().collect(),
            grants: vec![("role customer".into(), Predicate::Account(vec![account.into()]))],
            ..Rights::default()
        };
        Principal::new("carl", "10.0.0.1", rights)
    }

    #[test]
    fn a_permit_comes_after_its_record_and_a_refusal_is_recorded_too() {
        let gate = Gate::new(Arc::new(Memory::default()));
        let open = |account, wanted| gate.open(&customer("1"), wanted, &subject(account), "pdf");
        let permit = open(Some("1"), Use::READ).expect("allowed");
        assert_eq!(permit.document(), facts(None).id);
        assert!(matches!(open(Some("2"), Use::READ), Err(Denied::NotYours)));
        assert!(matches!(open(None, Use::DOWNLOAD), Err(Denied::NotYours)));
        let missing = open(Some("1"), Use::ORIGINAL);
        assert!(matches!(missing, Err(Denied::Missing(Permission::DocumentOriginal))));
        let absent = Subject::absent(facts(None).id, Some(facts(Some("1"))));
        let absent = gate.open(&customer("1"), Use::READ, &absent, "pdf");
        assert!(matches!(absent, Err(Denied::NotYours)), "whatever another document is");
        let records = gate.audit(&Filter::default()).expect("listed");
        let kinds: Vec<_> = records.iter().map(|record| record.kind.as_str()).collect();
        assert_eq!(kinds, ["refused", "refused", "refused", "refused", "read"]);
        assert_eq!(records[4].right, "document.read by role customer");
        assert_eq!(gate.verify_audit().expect("whole"), 5);
    }

    #[test]
    fn scopes_hold_a_customer_to_the_accounts() {
        let gate = Gate::new(Arc::new(Memory::default()));
        let scope = gate.scope(&customer("1"));
        assert!(scope.predicate().holds(&facts(Some("1"))) && !scope.predicate().holds(&facts(Some("2"))));
        assert_eq!(gate.scope(&Principal::operator("root", "cli")).predicate(), &Predicate::Everything);
        assert_eq!(gate.scope(&Principal::nobody("x", "y")).predicate(), &Predicate::Nothing);
    }

    #[test]
    fn a_mask_is_lifted_for_the_roles_it_names_or_by_permission() {
        let clear = ["auditor".to_string()];
        let somebody = customer("1").sight();
        assert!(!somebody.sees(&clear) && !somebody.sees(&[]) && somebody.sees(&["customer".into()]));
        let unmasked = Sight { unmask: true, ..Sight::default() };
        assert!(unmasked.sees(&[]) && !unmasked.sees(&clear));
        assert!(Principal::operator("root", "cli").sight().sees(&clear));
    }

    #[test]
    fn a_task_is_recorded_once_however_many_documents_it_reads() {
        let gate = Gate::new(Arc::new(Memory::default()));
        for ordinal in 1..=5 {
            gate.system("reindex", DocId { load: LoadId(1), ordinal }).expect("permitted");
        }
        assert_eq!(gate.audit(&Filter::default()).expect("listed").len(), 1);
    }
}
