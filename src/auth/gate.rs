//! The only way to a document's bytes and to a hit list.
//!
//! [`Permit`]s and [`Scope`]s have private parts and can be made only here. A permit is given after the audit
//! record was written.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use crate::archive::DocId;
use crate::archive::kv::Engine;
use crate::audit::chain::{Chain, Wait};
use crate::audit::{AuditError, Entry, Filter, Record};

/// Somebody (or something) that acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// User name; `operator:<os user>` on the command line, `system:<task>` for greenbar itself.
    pub name: String,
    /// What kind.
    pub kind: PrincipalKind,
    /// Where from: an address, or `cli`.
    pub from: String,
}

/// Kinds of principals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrincipalKind {
    /// Command line and administrators: everything.
    Administrator,
    /// Agents: every document, no administration.
    Agent,
    /// A customer: the documents of these accounts.
    Customer {
        /// Account numbers as printed on documents.
        accounts: Vec<String>,
    },
}

/// What a principal's hit lists may contain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    accounts: Option<Vec<String>>,
}

impl Scope {
    /// `None`: all documents. `Some`: only documents of these accounts (none at all when empty).
    pub fn accounts(&self) -> Option<&[String]> {
        self.accounts.as_deref()
    }
}

/// The right to read one document once, already in the audit.
#[derive(Debug)]
pub struct Permit {
    document: DocId,
}

impl Permit {
    /// A permit without an audit record, for tests of what stands behind the gate.
    #[cfg(test)]
    pub(crate) fn for_tests(document: DocId) -> Permit {
        Permit { document }
    }

    /// The document it is for.
    pub fn document(&self) -> DocId {
        self.document
    }
}

/// Why there is no permit.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Denied {
    /// The principal may not see the document. Outside, this must look as if there were none.
    #[error("no such document")]
    NotYours,
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

    /// A permit to read one document, whose account is `account`. `why` says what is done with it: `pdf`, `metadata` ...
    ///
    /// The record is in the operating system's hands when this returns (it survives the end of the process), and on
    /// disk soon after: see [`Wait`].
    pub fn open(&self, who: &Principal, document: DocId, account: Option<&str>, why: &str) -> Result<Permit, Denied> {
        let allowed = match &who.kind {
            PrincipalKind::Administrator | PrincipalKind::Agent => true,
            PrincipalKind::Customer { accounts } => {
                account.is_some_and(|account| accounts.iter().any(|a| a == account))
            }
        };
        if !allowed {
            self.refuse(who, document, why)?;
            return Err(Denied::NotYours);
        }
        let customer = matches!(who.kind, PrincipalKind::Customer { .. });
        let entry = Entry { kind: "read", document: Some(document), why, account, customer, ..Entry::default() };
        self.append(who, entry, Wait::Process)?;
        Ok(Permit { document })
    }

    /// Records that a document was asked for and not given, be it forbidden or not there.
    pub fn refuse(&self, who: &Principal, document: DocId, why: &str) -> Result<(), AuditError> {
        self.append(who, Entry { kind: "refused", document: Some(document), why, ..Entry::default() }, Wait::Process)
    }

    /// What the hit lists of a principal may contain.
    pub fn scope(&self, who: &Principal) -> Scope {
        match &who.kind {
            PrincipalKind::Administrator | PrincipalKind::Agent => Scope { accounts: None },
            PrincipalKind::Customer { accounts } => Scope { accounts: Some(accounts.clone()) },
        }
    }

    /// A permit for greenbar's own work (`reindex`, `verify`): recorded once for each task of this gate.
    pub fn system(&self, task: &str, document: DocId) -> Result<Permit, Denied> {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        if !tasks.contains(task) {
            let who = Principal {
                name: format!("system:{task}"),
                kind: PrincipalKind::Administrator,
                from: "greenbar".into(),
            };
            self.append(&who, Entry { kind: "task", what: task, ..Entry::default() }, Wait::Process)?;
            tasks.insert(task.to_string());
        }
        Ok(Permit { document })
    }

    /// Records anything else that somebody did: sign-ins, searches, loads, administration. On disk when this returns,
    /// except for searches, which are as frequent as reads.
    pub fn record(&self, who: &Principal, kind: &str, what: &str, why: &str) -> Result<(), AuditError> {
        let wait = if kind == "search" { Wait::Process } else { Wait::Disk };
        self.append(who, Entry { kind, what, why, ..Entry::default() }, wait)
    }

    /// Walks the audit chain and its checkpoints; returns the number of records.
    pub fn verify_audit(&self) -> Result<u64, AuditError> {
        self.chain.verify()
    }

    /// Audit records, newest first.
    pub fn audit(&self, filter: &Filter) -> Result<Vec<Record>, AuditError> {
        self.chain.list(filter)
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

    fn document() -> DocId {
        DocId { load: LoadId(7), ordinal: 3 }
    }

    fn customer(account: &str) -> Principal {
        Principal {
            name: "carl".into(),
            kind: PrincipalKind::Customer { accounts: vec![account.into()] },
            from: "10.0.0.1".into(),
        }
    }

    #[test]
    fn a_permit_comes_after_its_record_and_a_refusal_is_recorded_too() {
        let gate = Gate::new(Arc::new(Memory::default()));
        assert_eq!(gate.open(&customer("1"), document(), Some("1"), "pdf").expect("allowed").document(), document());
        assert!(matches!(gate.open(&customer("1"), document(), Some("2"), "pdf"), Err(Denied::NotYours)));
        assert!(matches!(gate.open(&customer("1"), document(), None, "pdf"), Err(Denied::NotYours)));
        let kinds: Vec<_> = gate.audit(&Filter::default()).expect("listed").into_iter().map(|r| r.kind).collect();
        assert_eq!(kinds, ["refused", "refused", "read"]);
        assert_eq!(gate.verify_audit().expect("whole"), 3);
    }

    #[test]
    fn scopes_hold_a_customer_to_the_accounts() {
        let gate = Gate::new(Arc::new(Memory::default()));
        assert_eq!(gate.scope(&customer("1")).accounts(), Some(["1".to_string()].as_slice()));
        let agent = Principal { kind: PrincipalKind::Agent, ..customer("1") };
        assert_eq!(gate.scope(&agent).accounts(), None);
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
