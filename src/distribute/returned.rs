//! Reads the mail that comes back, from a Maildir that the mail server delivers `bounces+*@` to.
//!
//! A file of `new` is read, what it proves is noted in the ledger, and it goes to `cur`: seen (`S`), or flagged (`F`) where
//! it is no notice or about nothing of ours. A program that is killed in between reads it again; the same proof twice is one.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use super::DistributeError;
use super::evidence::{Proof, What};
use super::ledger::Ledger;
use super::notice::{self, Notice};
use crate::crm::{Crm, CrmError};

/// Bytes read of a mail: a notice stands at its beginning.
const MOST_BYTES: u64 = 1 << 20;
/// Mails read in one round.
const AT_ONCE: usize = 1_000;
/// Who noted it, in histories.
const READER: &str = "system:bounces";

/// What to read and where to note it.
pub struct Returned<'a> {
    /// Pieces.
    pub ledger: &'a Ledger,
    /// Copies and addresses.
    pub crm: &'a Crm,
    /// The Maildir.
    pub maildir: &'a Path,
}

impl Returned<'_> {
    /// Reads what is new; returns how many notices were about something of ours.
    pub fn round(&self, stop: &dyn Fn() -> bool) -> Result<usize, DistributeError> {
        let (new, cur) = (self.maildir.join("new"), self.maildir.join("cur"));
        let mut names = Vec::new();
        let found = fs::read_dir(&new)
            .map_err(|error| super::config::wrong(format!("returned_mail: {}: {error}", new.display())))?;
        for entry in found.take(AT_ONCE) {
            let entry = entry?;
            // Links lead elsewhere; a Maildir has files.
            if entry.file_type()?.is_file() {
                names.push(entry.file_name());
            }
        }
        names.sort();
        let (mut ours, mut failed) = (0, None);
        for name in names {
            if stop() {
                break;
            }
            match self.one(&new.join(&name), &cur, &name) {
                Ok(known) => ours += usize::from(known),
                // One that cannot be read keeps none behind it waiting; it is looked at again in a later round.
                Err(error) => failed = failed.or(Some((name, error))),
            }
        }
        match failed {
            Some((name, error)) => Err(super::config::wrong(format!("returned_mail: {}: {error}", name.display()))),
            None => Ok(ours),
        }
    }

    /// Reads one and puts it away; whether it is about something of ours.
    fn one(&self, file: &Path, cur: &Path, name: &OsStr) -> Result<bool, DistributeError> {
        let mut bytes = Vec::new();
        File::open(file)?.take(MOST_BYTES).read_to_end(&mut bytes)?;
        let known = match notice::read(&bytes) {
            Some(notice) => self.note(&notice)?,
            None => false,
        };
        if !known {
            tracing::warn!(file = ?name, "a mail that came back is no notice about anything of ours");
        }
        let mut seen = name.to_os_string();
        seen.push(if known { ":2,S" } else { ":2,F" });
        fs::rename(file, cur.join(seen))?;
        Ok(known)
    }

    /// What keeps mail that comes back from being read; `None`: nothing.
    pub fn obstacle(maildir: &Path) -> Option<DistributeError> {
        ["new", "cur"].iter().map(|part| maildir.join(part)).find_map(|folder| {
            let error = fs::read_dir(&folder).err()?;
            Some(super::config::wrong(format!("returned_mail: {}: {error}", folder.display())))
        })
    }

    /// Notes that mail to an address comes back. One that is not known any more, or is no mail address, says nothing.
    fn address_fails(&self, to: &str) -> Result<(), DistributeError> {
        match self.crm.contact_fails(READER, to) {
            Ok(_) | Err(CrmError::Invalid { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Notes what a notice proves; `false`: it is about nothing of ours.
    fn note(&self, notice: &Notice) -> Result<bool, DistributeError> {
        let proof = Proof::new(self.crm.now(), notice.what, notice.said.clone());
        for id in &notice.ids {
            if let Some(noted) = self.ledger.prove(id, &proof)? {
                if notice.is_gone {
                    self.address_fails(&noted.to)?;
                }
                if notice.what == What::Bounced {
                    // Whoever the address belongs to by now finds nothing behind the link.
                    self.crm.revoke_link_of(READER, id)?;
                }
                return Ok(true);
            }
            match self.crm.returned_delivery(READER, id, notice.what == What::Bounced, &notice.said) {
                Ok(delivery) => {
                    if notice.is_gone {
                        self.crm.contact_fails(READER, &delivery.to)?;
                    }
                    return Ok(true);
                }
                Err(CrmError::NotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(false)
    }
}
