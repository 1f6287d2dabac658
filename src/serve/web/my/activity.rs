//! What happened with the reader's accounts: who saw which document when, copies, calls, questions, consents.

use actix_web::http::StatusCode;
use minijinja::{Value, context};

use super::{Language, choices, language, locale, own_account, show, shown, viewer};
use crate::auth::gate::Scope;
use crate::auth::permission::Permission;
use crate::crm::Side;
use crate::crm::consent::Consent;
use crate::crm::timeline::{Detail, EntryKind, TimelineAsk, TimelineEntry};
use crate::serve::api::crm::access;
use crate::serve::ask::{Answer, Ask, SignedIn};
use crate::serve::state::State;

/// What is told. Documents themselves stand in their own list; notes that are shared with the customer belong here.
const KINDS: [EntryKind; 6] = [
    EntryKind::View,
    EntryKind::Delivery,
    EntryKind::Interaction,
    EntryKind::Note,
    EntryKind::Request,
    EntryKind::Consent,
];
/// Entries on a page.
const MOST: usize = 40;

/// The log, newest first.
pub async fn page(ask: Ask) -> Answer {
    let params = ask.params(&["account", "cursor", "said"])?;
    let account = params.get("account").map(str::to_string);
    let cursor = params.get("cursor").map(str::to_string);
    let who = ask.who()?.clone();
    if let Some(number) = &account {
        own_account(&who, number)?;
    }
    let language = language(&ask.request, Some(&who));
    let own = ask
        .block(move |state| {
            let accounts = account.clone().map_or_else(|| who.accounts.clone(), |number| vec![number]);
            let wanted = TimelineAsk { kinds: KINDS.to_vec(), cursor, limit: MOST };
            let shelf = access::documents(state, &who)?;
            let found = state.crm.account_timeline(viewer(&who), &accounts, &shelf, &wanted)?;
            state.gate.record_by(
                &who.principal,
                Permission::PortalUse,
                "search",
                "activity",
                account.as_deref().unwrap_or_default(),
            )?;
            let reading = Reading { state, who: &who, scope: state.gate.scope(&who.principal), language };
            let mut pairs: Vec<(&str, &str)> =
                account.as_deref().map(|number| ("account", number)).into_iter().collect();
            pairs.extend(found.next_cursor.as_deref().map(|cursor| ("cursor", cursor)));
            Ok(context! {
                entries => found.items.iter().map(|entry| reading.shown(entry)).collect::<Vec<_>>(),
                next => found.next_cursor.as_ref().map(|_| super::address("/my/activity", &pairs)).unwrap_or_default(),
                account => account.as_deref().unwrap_or_default(),
                accounts => choices(&who, account.as_deref().unwrap_or_default()),
            })
        })
        .await?;
    show(&ask, "activity.html", "activity", StatusCode::OK, own).await
}

struct Reading<'r> {
    state: &'r State,
    who: &'r SignedIn,
    scope: Scope,
    language: Language,
}

impl Reading<'_> {
    fn shown(&self, entry: &TimelineEntry) -> Value {
        let (icon, what, link) = self.what(entry);
        let by = match entry.side {
            Some(Side::Customer) if entry.who == self.who.user.name => "my_you",
            Some(Side::Customer) => "my_other_user",
            Some(Side::Agent) => "my_us",
            None => "my_us",
        };
        let document = entry.document.as_deref().or((entry.kind == EntryKind::View).then_some(entry.id.as_str()));
        let named = |id| Some((id, shown::named(self.state, self.who, &self.scope, id, self.language)?));
        let document = document.and_then(|id| id.parse().ok()).and_then(named);
        context! {
            icon,
            what,
            link,
            by => self.language.word(by),
            when => entry.at.map(|at| locale::moment(at.0, self.language)).unwrap_or_default(),
            account => entry.account.as_deref().unwrap_or_default(),
            document => document.as_ref().map(|(id, _)| id.to_string()).unwrap_or_default(),
            title => document.map(|(_, title)| title).unwrap_or_default(),
        }
    }

    /// Icon, words and where they lead.
    fn what(&self, entry: &TimelineEntry) -> (&'static str, String, String) {
        let word = |key: &str| self.language.word(key);
        match &entry.detail {
            Detail::View { .. } => ("file", word("my_did_view"), String::new()),
            Detail::Delivery(_) => ("mail", word("my_did_delivery"), String::new()),
            Detail::Interaction(_) => ("phone", word("my_did_contact"), String::new()),
            Detail::Note(note) => ("note", format!("{}: {}", word("note"), note.text), String::new()),
            Detail::Request(request) => ("help", request.subject.clone(), format!("/my/questions/{}", entry.id)),
            Detail::Consent(consent) => ("shield", self.consent(consent), String::new()),
            Detail::Document(document) => ("file", document.title.clone(), String::new()),
        }
    }

    /// How far a consent came: a sample that was opened is none yet.
    fn consent(&self, consent: &Consent) -> String {
        let text = self.language.word(&format!("my_did_consent_{}", consent.state.name()));
        let until = consent.withdrawn_at.map(|at| locale::moment(at.0, self.language)).unwrap_or_default();
        text.replace("{n}", &consent.disclosure_version.to_string()).replace("{until}", &until)
    }
}
