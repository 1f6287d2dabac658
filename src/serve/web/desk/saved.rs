//! Searches that an agent keeps under a name.

use minijinja::{Value, context};

use super::done;
use crate::crm::saved::SavedSearch;
use crate::serve::ask::{Answer, Ask};
use crate::serve::web::coded;

/// Searches as a page shows them; `here` is the address of the list that it shows.
pub fn list(searches: &[SavedSearch], here: &str) -> Vec<Value> {
    let shown = searches.iter().map(|search| {
        let link = address(&search.query);
        context! { name => search.name.as_str(), current => link == here, link }
    });
    shown.collect()
}

fn address(query: &str) -> String {
    if query.is_empty() { "/agent".into() } else { format!("/agent?{query}") }
}

/// Keeps the search that the page shows.
pub async fn save(ask: Ask) -> Answer {
    let form = ask.form(&["csrf", "once", "name", "query"])?;
    done(&ask, form, |state, who, form| {
        let (name, query) = (form.get("name").unwrap_or_default(), form.get("query").unwrap_or_default());
        let kept = state.crm.save_search(&who.user.name, name, query)?;
        Ok(said(&kept.query, "search_saved"))
    })
    .await
}

/// Forgets a search.
pub async fn forget(ask: Ask) -> Answer {
    let form = ask.form(&["csrf", "once", "name"])?;
    done(&ask, form, |state, who, form| {
        state.crm.forget_search(&who.user.name, form.get("name").unwrap_or_default())?;
        Ok("/agent?said=search_forgotten".into())
    })
    .await
}

fn said(query: &str, what: &str) -> String {
    let address = address(query);
    let separator = if address.contains('?') { '&' } else { '?' };
    format!("{address}{separator}said={}", coded(what))
}
