//! A customer's page, and that of an account whose customer is not known: one timeline of all that passed.

use actix_web::HttpResponse;
use actix_web::http::header;
use minijinja::{Value, context};

use super::{Language, call, moment, once, path, show};
use crate::auth::gate::Scope;
use crate::auth::permission::Permission;
use crate::crm::account::{Account, AccountStatus};
use crate::crm::consent::ConsentState;
use crate::crm::contact::{ContactKind, ContactPoint, Owner};
use crate::crm::customer::{Customer, CustomerKind};
use crate::crm::interaction::WrapUp;
use crate::crm::request::RequestState;
use crate::crm::timeline::{Detail, DocumentEntry, EntryKind, TimelineAsk, TimelineEntry};
use crate::crm::{Page, Side};
use crate::distribute::config::Config;
use crate::index::value::Day;
use crate::serve::api::crm::{access, enrolment};
use crate::serve::ask::{Answer, Ask, SignedIn};
use crate::serve::problem::Problem;
use crate::serve::state::State;
use crate::serve::web::links::Links;
use crate::serve::web::{language, locale, shown};

/// Entries on a page of the timeline.
const ENTRIES: usize = 60;
/// Accounts and contact points shown.
const MOST: usize = 50;
/// Tabs of the timeline and what they show.
const TABS: [(&str, &[EntryKind]); 6] = [
    ("all", &[]),
    ("documents", &[EntryKind::Document]),
    ("contacts", &[EntryKind::Interaction, EntryKind::Delivery]),
    ("requests", &[EntryKind::Request]),
    ("notes", &[EntryKind::Note]),
    ("views", &[EntryKind::View]),
];

/// A customer.
pub async fn customer(ask: Ask) -> Answer {
    let id = ask.part("id").to_string();
    page(ask, Subject::Customer(id)).await
}

/// An account, whoever holds it.
pub async fn account(ask: Ask) -> Answer {
    let number = ask.part("number").to_string();
    let (who, asked) = (ask.who()?.clone(), number.clone());
    let elsewhere = ask.block(move |state| masked_holder(state, &who, &asked)).await?;
    match elsewhere {
        Some(place) => Ok(HttpResponse::SeeOther().insert_header((header::LOCATION, place)).finish()),
        None => page(ask, Subject::Account(number)).await,
    }
}

/// The page of the customer who holds an account, for those who see its number masked: it shall not stay in an address that
/// somebody typed.
fn masked_holder(state: &State, who: &SignedIn, number: &str) -> Result<Option<String>, Problem> {
    access::need_account(state, who, number)?;
    if access::eyes(state, who)?.number(number)? == number {
        return Ok(None);
    }
    let holder = state.crm.account(number).ok().and_then(|account| account.customer.clone());
    Ok(holder.map(|id| path("/agent/customers", &id)))
}

/// A letter with a new PIN for an account, to be printed and posted.
pub async fn pin_letter(ask: Ask) -> Answer {
    let form = ask.form(&["csrf", "once"])?;
    let (number, who) = (ask.part("number").to_string(), ask.who()?.clone());
    // Where the settings say no address of the portal, it is where the agent has the console.
    let here = {
        let connection = ask.request.connection_info();
        format!("{}://{}", connection.scheme(), connection.host())
    };
    let pdf = ask
        .block(move |state| {
            once(state, &who, &form, || {
                let known =
                    !Config::read(&state.config.data).map(|config| config.public_url).unwrap_or_default().is_empty();
                let portal = if known { String::new() } else { format!("{here}/enrol") };
                enrolment::pin_letter(state, &who, &number, enrolment::LetterAsk { portal, ..Default::default() })
            })
        })
        .await?;
    Ok(enrolment::letter_answer(pdf))
}

#[derive(Debug, Clone)]
enum Subject {
    Customer(String),
    Account(String),
}

async fn page(ask: Ask, subject: Subject) -> Answer {
    let params = ask.params(&["show", "cursor", "said"])?;
    let tab = params.word("show", &TABS.map(|(name, kinds)| (name, (name, kinds))), ("all", &[]))?;
    let timeline =
        TimelineAsk { kinds: tab.1.to_vec(), cursor: params.get("cursor").map(str::to_string), limit: ENTRIES };
    let who = ask.who()?.clone();
    let language = language(&ask.request, Some(&who));
    let own = ask.block(move |state| read(state, &who, &subject, &timeline, tab.0, language)).await?;
    show(&ask, "customer.html", own).await
}

fn read(
    state: &State,
    who: &SignedIn,
    subject: &Subject,
    asked: &TimelineAsk,
    tab: &str,
    language: Language,
) -> Result<Value, Problem> {
    let (crm, viewer) = (&state.crm, access::viewer(who));
    let documents = access::documents(state, who)?;
    let (customer, accounts, owner) = match subject {
        Subject::Customer(id) => {
            access::need_customer(state, who, id)?;
            let accounts = crm.accounts_of(id, MOST)?;
            let accounts =
                access::only_seen(accounts, |account| access::hidden(state, who, std::slice::from_ref(&account.id)))?;
            (Some(crm.customer(id)?), accounts, Owner::Customer(id.clone()))
        }
        Subject::Account(number) => {
            access::need_account(state, who, number)?;
            let account = crm.account(number).ok();
            let holder = account.as_ref().and_then(|account| account.customer.clone());
            let holder = holder.and_then(|id| crm.customer(&id).ok());
            (holder, account.into_iter().collect(), Owner::Account(number.clone()))
        }
    };
    let mut found = match subject {
        Subject::Customer(id) => crm.customer_timeline(viewer, id, &documents, asked)?,
        Subject::Account(number) => crm.account_timeline(viewer, std::slice::from_ref(number), &documents, asked)?,
    };
    let number = match subject {
        Subject::Account(number) => Some(number.as_str()),
        Subject::Customer(_) => None,
    };
    if customer.is_none() && accounts.is_empty() && found.items.is_empty() && asked.cursor.is_none() {
        // Nobody ever heard of this account.
        return Err(Problem::nothing());
    }
    let about = match subject {
        Subject::Customer(id) => id,
        Subject::Account(number) => number,
    };
    state.gate.record_by(&who.principal, Permission::CustomerRead, "customer", about, tab)?;
    let whole = access::sees_contacts(state, who, customer.as_ref().map(|c| c.id.as_str()), number)?;
    access::mask_timeline(&mut found.items, whole);
    let eyes = access::eyes(state, who)?;
    eyes.timeline(&mut found.items)?;
    let lines = accounts.iter().map(|account| account_line(account, eyes.number(&account.id)?, language));
    let lines = lines.collect::<Result<Vec<_>, Problem>>()?;
    let shown = number.map(|number| eyes.number(number)).transpose()?;
    let mut points = crm.contacts_of(&owner)?;
    if let (Owner::Account(_), Some(holder)) = (&owner, &customer) {
        points.extend(crm.contacts_of(&Owner::Customer(holder.id.clone()))?);
    }
    points.truncate(MOST);
    access::mask_points(&mut points, whole);
    let here = match subject {
        Subject::Customer(id) => path("/agent/customers", id),
        Subject::Account(number) => path("/agent/accounts", number),
    };
    let links = Links { base: &here, asked: vec![("show", if tab == "all" { "" } else { tab })] };
    let name = customer.as_ref().map(|customer| customer.display_name());
    Ok(context! {
        name => name.or(shown).unwrap_or_default(),
        customer => customer.as_ref().map(|customer| head(customer, language)),
        account => number,
        flags => customer.as_ref().map(|customer| flags(customer, language)).unwrap_or_default(),
        keys => customer.as_ref().map(keys).unwrap_or_default(),
        accounts => lines,
        contacts => points.iter().map(|point| contact(point, language)).collect::<Vec<_>>(),
        masked => !whole,
        post => points.iter().any(|point| point.kind == ContactKind::Post),
        channels => call::CHANNELS.iter().map(|(code, _)| context! { code => *code, label => language.word(&format!("channel_{code}")) }).collect::<Vec<_>>(),
        tabs => TABS.iter().map(|(code, _)| tab_link(code, tab, &links, language)).collect::<Vec<_>>(),
        months => Entries { state, who, scope: state.gate.scope(&who.principal), codes: crm.wrap_up_codes()?, language }.months(&found),
        next => found.next_cursor.as_deref().map(|cursor| links.with(&[("show", tab), ("cursor", cursor)])).unwrap_or_default(),
    })
}

fn tab_link(code: &str, current: &str, links: &Links<'_>, language: Language) -> Value {
    let link = links.with(&[("show", if code == "all" { "" } else { code })]);
    context! { label => language.word(&format!("timeline_{code}")), link, current => code == current }
}

fn head(customer: &Customer, language: Language) -> Value {
    let kind = match customer.kind {
        CustomerKind::Person => "customer_person",
        CustomerKind::Org => "customer_org",
    };
    context! { id => customer.id.as_str(), kind => language.word(kind), locale => customer.locale.as_str(),
    zone => customer.zone.as_str() }
}

fn flags(customer: &Customer, language: Language) -> Vec<String> {
    let flags = [
        (customer.marketing_objection, "customer_no_marketing"),
        (customer.profiling_objection, "customer_no_profiling"),
        (customer.merged_into.is_some(), "customer_merged"),
    ];
    flags.into_iter().filter(|(set, _)| *set).map(|(_, key)| language.word(key)).collect()
}

fn keys(customer: &Customer) -> Vec<String> {
    customer.external_refs.iter().map(|key| format!("{} {}", key.system, key.key)).collect()
}

/// An account with its number as the reader sees it: one that is masked leads nowhere.
fn account_line(account: &Account, shown: String, language: Language) -> Result<Value, Problem> {
    let status = match account.status {
        AccountStatus::Open => "account_open",
        AccountStatus::Suspended => "account_suspended",
        AccountStatus::Closed => "account_closed",
    };
    let since = account.opened.map(|day| locale::day(day.0, language));
    let parts = [account.class.clone(), account.billing_cycle.clone(), since.unwrap_or_default()];
    let sub = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ");
    Ok(context! {
        whole => shown == account.id,
        number => shown,
        status => language.word(status),
        open => account.status == AccountStatus::Open,
        sub,
    })
}

/// A contact point.
fn contact(point: &ContactPoint, language: Language) -> Value {
    context! {
        kind => language.word(&format!("contact_{}", point.kind.name())),
        label => point.label.as_str(),
        value => point.value.as_str(),
        verified => point.verified_at.is_some(),
        failing => point.failing_since.is_some(),
    }
}

/// What entries are shown with.
struct Entries<'r> {
    state: &'r State,
    who: &'r SignedIn,
    scope: Scope,
    codes: Vec<WrapUp>,
    language: Language,
}

impl Entries<'_> {
    /// The entries under the months that they belong to; the same done again on the same day is one entry.
    fn months(&self, found: &Page<TimelineEntry>) -> Vec<Value> {
        let mut months: Vec<(String, Vec<Value>)> = Vec::new();
        for again in found.items.chunk_by(is_repeat) {
            let Some(entry) = again.first() else { continue };
            let label =
                entry.at.map(|at| month(at.day(), self.language)).unwrap_or_else(|| self.language.word("no_date"));
            if months.last().is_none_or(|(last, _)| *last != label) {
                months.push((label, Vec::new()));
            }
            if let Some((_, entries)) = months.last_mut() {
                entries.push(self.shown(entry, again.len()));
            }
        }
        months.into_iter().map(|(label, entries)| context! { label, entries }).collect()
    }

    fn shown(&self, entry: &TimelineEntry, times: usize) -> Value {
        let language = self.language;
        let day_only = entry.kind == EntryKind::Document;
        let when = entry.at.map(|at| if day_only { locale::day(at.day(), language) } else { moment(at, language) });
        let mut parts: Vec<String> = Vec::new();
        parts.extend(entry.account.clone());
        if !entry.who.is_empty() {
            let side = if entry.side == Some(Side::Customer) { "side_customer" } else { "side_agent" };
            parts.push(format!("{} ({})", entry.who, language.word(side)));
        }
        let own = detail(entry, &self.codes, language);
        context! {
            kind => entry.kind.name(),
            at => entry.at.map(|at| at.to_string()).unwrap_or_default(),
            when => when.unwrap_or_default(),
            document => entry.document.as_deref().unwrap_or_default(),
            about => self.about(entry).unwrap_or_default(),
            times => if times > 1 { language.word("entry_times").replace("{n}", &times.to_string()) } else { String::new() },
            sub => parts.join(" · "),
            ..own
        }
    }

    /// What the document is called that something happened to.
    fn about(&self, entry: &TimelineEntry) -> Option<String> {
        let other = entry.kind != EntryKind::Document;
        let id = entry.document.as_deref().filter(|_| other)?.parse().ok()?;
        shown::named(self.state, self.who, &self.scope, id, self.language)
    }
}

/// Whether the second entry is the first one once more: the same person looked at the same document in the same way that day.
fn is_repeat(first: &TimelineEntry, second: &TimelineEntry) -> bool {
    let (Detail::View { rendition: one }, Detail::View { rendition: other }) = (&first.detail, &second.detail) else {
        return false;
    };
    one.split(' ').next() == other.split(' ').next()
        && (&first.document, &first.account, &first.who, first.side)
            == (&second.document, &second.account, &second.who, second.side)
        && first.at.map(|at| at.day()) == second.at.map(|at| at.day())
}

fn month(day: Day, language: Language) -> String {
    let (year, month, _) = day.ymd();
    let first = Day::from_ymd(year, month, 1).unwrap_or(day);
    let last = (28..=31).rev().find_map(|date| Day::from_ymd(year, month, date)).unwrap_or(day);
    locale::span(first, last, language)
}

/// A rendition in the reader's words; `why` of a view begins with its name.
fn rendition(why: &str, language: Language) -> String {
    let name = why.split([' ', '/']).next().unwrap_or_default().replace('-', "_");
    let words = ["format", "view"].map(|kind| language.word(&format!("{kind}_{name}")));
    words.into_iter().find(|word| !word.is_empty()).unwrap_or_else(|| why.to_string())
}

/// A wrap-up code in the reader's words; a code that is no longer in use as it is.
fn wrap_up(code: &str, codes: &[WrapUp], language: Language) -> String {
    let known = codes.iter().find(|known| known.code == code);
    known.map_or(code, |known| known.named(language == Language::Chinese)).to_string()
}

fn detail(entry: &TimelineEntry, codes: &[WrapUp], language: Language) -> Value {
    let document = entry.document.as_deref().map(|id| format!("/agent/documents/{id}")).unwrap_or_default();
    let plain = |icon: &str, title: String, text: &str, link: String| {
        context! { icon, title, text, link, amount => "", tags => Vec::<Value>::new() }
    };
    match &entry.detail {
        Detail::Document(view) => {
            context! { amount => shown::owed(view, language), ..plain("file", title(view, language), "", document) }
        }
        Detail::View { rendition: why } => {
            plain("side", language.word("entry_view"), &rendition(why, language), document)
        }
        Detail::Note(note) => plain("note", language.word("note"), &note.text, document),
        Detail::Consent(consent) => {
            let tone = if consent.state == ConsentState::Given { "ok" } else { "" };
            let tag = context! { label => language.word(&format!("consent_{}", consent.state.name())), tone };
            context! { tags => vec![tag], ..plain("shield", language.word("entry_consent"), "", String::new()) }
        }
        Detail::Delivery(delivery) => plain("mail", language.word("entry_delivery"), &delivery.to, document),
        Detail::Interaction(contact) => {
            let channel = language.word(&format!("channel_{}", call::channel_name(contact.channel)));
            let tags = (!contact.wrap_up.is_empty())
                .then(|| context! { label => wrap_up(&contact.wrap_up, codes, language), tone => "info" });
            context! { tags => tags.into_iter().collect::<Vec<_>>(), ..plain("phone", channel, &contact.summary, String::new()) }
        }
        Detail::Request(request) => {
            let tag = context! { label => language.word(&format!("request_{}", request.state.name())), tone => tone(request.state) };
            let link = path("/agent/requests", &entry.id);
            context! { tags => vec![tag], ..plain("help", request.subject.clone(), "", link) }
        }
    }
}

fn title(view: &DocumentEntry, language: Language) -> String {
    let report = view.report_zh.as_ref().filter(|_| language == Language::Chinese).unwrap_or(&view.report);
    if view.title.is_empty() { report.clone() } else { view.title.clone() }
}

/// The colour of a state.
pub fn tone(state: RequestState) -> &'static str {
    match state {
        RequestState::Open | RequestState::Reopened => "warn",
        RequestState::Answered | RequestState::Resolved => "ok",
        RequestState::Waiting => "info",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_formats_are_said_in_words() {
        let code = |code: &str, label: &str, label_zh: &str| WrapUp {
            code: code.into(),
            label: label.into(),
            label_zh: label_zh.into(),
        };
        let codes = [code("answered", "Question answered", "已解答"), code("other", "Something else", "")];
        let said = |name| [Language::English, Language::Chinese].map(|language| wrap_up(name, &codes, language));
        assert_eq!(said("answered"), ["Question answered", "已解答"]);
        assert_eq!(said("other"), ["Something else", "Something else"]);
        assert_eq!(said("gone"), ["gone", "gone"]);
        assert_eq!(rendition("text", Language::English), "Plain text");
        assert_eq!(rendition("svg page 2", Language::English), "Pages");
        for why in ["view", "question", "compare", "find", "note", "period", "bill", "link", "metadata"] {
            assert_ne!(rendition(why, Language::Chinese), why, "what views are recorded for has words");
        }
        assert_eq!(rendition("something-new", Language::Chinese), "something-new");
    }
}
