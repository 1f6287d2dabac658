//! Saved searches: a name and what the address of a hit list says, for each user.

use serde::{Deserialize, Serialize};

use super::store::{decode, encode, key};
use super::{Crm, CrmError, Time, required};
use crate::archive::kv::{Batch, Family};

/// A saved search.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedSearch {
    /// Its name, unique for the user.
    pub name: String,
    /// The parameters of the hit list as in its address: `q=late+fee&kind=bill`.
    pub query: String,
    /// When it was last saved.
    pub saved_at: Time,
}

/// Searches of one user at most.
const MOST: usize = 200;
/// Longest parameters.
const MOST_QUERY: usize = 4_000;

fn prefix(user: &str) -> Vec<u8> {
    key(b's', &[user.as_bytes(), b""])
}

impl Crm {
    /// The saved searches of a user, by name.
    pub fn saved_searches(&self, user: &str) -> Result<Vec<SavedSearch>, CrmError> {
        let mut rows = Vec::new();
        self.visit(Family::Activity, &prefix(user), &mut |_, value| {
            rows.push(decode(value));
            std::ops::ControlFlow::Continue(())
        })?;
        Ok(rows.into_iter().collect::<Result<_, _>>()?)
    }

    /// Saves a search; one of the same name is replaced.
    pub fn save_search(&self, user: &str, name: &str, query: &str) -> Result<SavedSearch, CrmError> {
        let name = required("name", name)?;
        if query.len() > MOST_QUERY || query.chars().any(char::is_control) {
            return Err(CrmError::invalid("query", format!("at most {MOST_QUERY} bytes, as in an address")));
        }
        let known = self.saved_searches(user)?;
        if known.len() >= MOST && known.iter().all(|search| search.name != name) {
            return Err(CrmError::invalid("name", format!("at most {MOST} searches")));
        }
        let search = SavedSearch { name, query: query.trim_start_matches('?').into(), saved_at: self.now() };
        let mut batch = Batch::default();
        let key = [prefix(user).as_slice(), search.name.as_bytes()].concat();
        batch.put(Family::Activity, key, encode(&search)?);
        self.engine.commit(batch)?;
        Ok(search)
    }

    /// Forgets a search.
    pub fn forget_search(&self, user: &str, name: &str) -> Result<(), CrmError> {
        let key = [prefix(user).as_slice(), name.as_bytes()].concat();
        if self.engine.get(Family::Activity, &key)?.is_none() {
            return Err(CrmError::NotFound { what: "saved search" });
        }
        let mut batch = Batch::default();
        batch.delete(Family::Activity, key);
        Ok(self.engine.commit(batch)?)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::crm;
    use super::*;

    #[test]
    fn searches_are_each_users_own() {
        let (crm, _) = crm();
        crm.save_search("ann", "late", "?q=late+fee").expect("saved");
        crm.save_search("ann", "late", "q=%22late+fee%22").expect("saved again");
        crm.save_search("anna", "other", "q=x").expect("saved");
        let saved = crm.saved_searches("ann").expect("read");
        assert_eq!(saved.iter().map(|s| s.query.as_str()).collect::<Vec<_>>(), ["q=%22late+fee%22"]);
        assert!(matches!(crm.forget_search("ann", "other"), Err(CrmError::NotFound { .. })));
        crm.forget_search("ann", "late").expect("forgotten");
        assert_eq!(crm.saved_searches("ann").expect("read"), []);
    }
}
