//! One stream from all sources, on pages of every size.

use std::ops::ControlFlow;

use super::*;
use crate::archive::LoadId;
use crate::auth::clock::Clock;
use crate::auth::directory::Rights;
use crate::auth::gate::{Gate, Principal, Use};
use crate::auth::permission::Permission;
use crate::auth::predicate::{Facts, Predicate, Subject};
use crate::crm::account::AccountData;
use crate::crm::customer::CustomerData;
use crate::crm::interaction::NewInteraction;
use crate::crm::name::Names;
use crate::crm::note::{NewNote, Visibility};
use crate::crm::request::NewRequest;
use crate::crm::tests::crm;

/// Documents by account and day.
pub struct Shelf(pub Vec<(&'static str, &'static str, Option<&'static str>)>);

impl Documents for Shelf {
    fn of_account(
        &self,
        account: &str,
        _: Option<&str>,
        upto: Option<Day>,
        each: &mut dyn FnMut(DocumentEntry) -> ControlFlow<()>,
    ) -> Result<(), CrmError> {
        let mut own: Vec<_> = self.0.iter().filter(|(_, of, _)| *of == account).collect();
        own.sort_by_key(|(_, _, date)| std::cmp::Reverse(*date));
        for (id, account, date) in own {
            let date = date.and_then(Date::parse);
            if upto.is_some_and(|upto| date.is_some_and(|date| date.0 > upto)) {
                continue;
            }
            let entry =
                DocumentEntry { id: (*id).into(), account: Some((*account).into()), date, ..Default::default() };
            if each(entry).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn with_number(&self, _: &str, _: usize) -> Result<Vec<DocumentEntry>, CrmError> {
        Ok(Vec::new())
    }

    fn may_see(&self, document: DocId) -> Result<bool, CrmError> {
        Ok(document.load != LoadId(66))
    }
}

fn account(crm: &Crm, number: &str, customer: Option<&str>) {
    let data = AccountData { number: number.into(), customer: customer.map(str::to_string), ..AccountData::default() };
    if crm.account(number).is_ok() {
        crm.set_account("x", number, None, data).expect("changed");
    } else {
        crm.add_account("x", data).expect("added");
    }
}

fn customer(crm: &Crm) -> String {
    let name = Names { full: "Ava Barnes".into(), ..Names::default() };
    crm.add_customer("x", CustomerData { name, ..CustomerData::default() }).expect("added").id
}

fn view(crm: &Crm, who: &str, document: &str, account: &str) {
    let gate = Gate::new(crm.engine.clone());
    let pages = if who == "ava" { Permission::PortalUse } else { Permission::ConsoleUse };
    let rights = Rights {
        permissions: [Permission::DocumentRead, pages].into_iter().collect(),
        grants: vec![("test".into(), Predicate::Everything)],
        ..Rights::default()
    };
    let principal = Principal::new(who, "10.0.0.1", rights);
    let facts = Facts { account: Some(account.into()), ..Facts::none(document.parse().expect("an id")) };
    gate.open(&principal, Use::READ, &Subject::found(facts), "pdf").expect("allowed");
}

fn busy(crm: &Crm, clock: &Clock) {
    for n in 0..6 {
        clock.turn(700);
        let text = format!("note {n}");
        let visibility = if n % 2 == 0 { Visibility::Shared } else { Visibility::Staff };
        let note = NewNote { account: Some("1".into()), text: text.clone(), visibility, ..NewNote::default() };
        crm.add_note("ann", note).expect("written");
        let new = NewInteraction { account: Some("2".into()), ..NewInteraction::default() };
        crm.begin_interaction("ann", new).expect("begun");
        let new = NewRequest { account: Some("1".into()), text, ..NewRequest::default() };
        crm.open_request("ava", Side::Customer, new).expect("opened");
    }
    let hidden = NewNote {
        account: Some("1".into()),
        document: Some("66-1".into()),
        text: "on a hidden document".into(),
        visibility: Visibility::Shared,
        ..NewNote::default()
    };
    crm.add_note("ann", hidden).expect("written");
    view(crm, "ann", "7-1", "1");
    view(crm, "ann", "7-1", "1");
    view(crm, "ava", "7-2", "1");
    view(crm, "ann", "66-1", "1");
}

const SHELF: &[(&str, &str, Option<&str>)] = &[
    ("7-1", "1", Some("2024-05-31")),
    ("7-2", "1", Some("2024-05-31")),
    ("7-3", "1", Some("2024-05-31")),
    ("8-1", "2", Some("2024-06-01")),
    ("8-2", "2", None),
    ("9-1", "3", Some("2024-06-01")),
];

fn read(crm: &Crm, viewer: Viewer<'_>, customer: &str, limit: usize, kinds: &[EntryKind]) -> Vec<TimelineEntry> {
    let shelf = Shelf(SHELF.to_vec());
    let (mut all, mut cursor) = (Vec::new(), None);
    loop {
        let ask = TimelineAsk { kinds: kinds.to_vec(), cursor, limit };
        let page = crm.customer_timeline(viewer, customer, &shelf, &ask).expect("a page");
        assert!(page.items.len() <= limit);
        all.extend(page.items);
        cursor = page.next_cursor;
        if cursor.is_none() {
            return all;
        }
    }
}

#[test]
fn pages_of_every_size_give_the_same_stream_newest_first() {
    let (crm, clock) = crm();
    account(&crm, "1", None);
    account(&crm, "2", None);
    busy(&crm, &clock);
    // The customer comes after everything else.
    let ava = customer(&crm);
    account(&crm, "1", Some(&ava));
    account(&crm, "2", Some(&ava));
    let staff = Viewer::Staff("ann");
    let whole = read(&crm, staff, &ava, 1000, &[]);
    assert_eq!(whole.len(), 6 * 3 + 2 + 5, "views of one quarter of an hour are one, hidden ones are none");
    assert!(whole.windows(2).all(|pair| pair[0].place < pair[1].place));
    assert_eq!(whole.last().map(|entry| (entry.at, entry.id.as_str())), Some((None, "8-2")), "without a date: last");
    let ids = |entries: &[TimelineEntry]| entries.iter().map(|e| (e.kind, e.id.clone())).collect::<Vec<_>>();
    for limit in [1, 2, 3, 7] {
        assert_eq!(ids(&read(&crm, staff, &ava, limit, &[])), ids(&whole), "{limit} on a page");
    }
    let notes = read(&crm, staff, &ava, 4, &[EntryKind::Note]);
    assert_eq!(notes.len(), 6);
    let views = read(&crm, staff, &ava, 4, &[EntryKind::View]);
    let mut who: Vec<_> = views.iter().map(|view| (view.who.as_str(), view.id.as_str())).collect();
    who.sort_unstable();
    assert_eq!(who, [("ann", "7-1"), ("ava", "7-2")]);
}

#[test]
fn a_customer_sees_their_accounts_and_no_names_of_agents() {
    let (crm, clock) = crm();
    let ava = customer(&crm);
    account(&crm, "1", Some(&ava));
    account(&crm, "2", Some(&ava));
    busy(&crm, &clock);
    let accounts = ["1".to_string()];
    let viewer = Viewer::Customer { name: "ava", accounts: &accounts };
    let seen = read(&crm, viewer, &ava, 5, &[]);
    assert!(seen.iter().all(|entry| entry.account.as_deref() == Some("1")), "{seen:?}");
    let count = |kind| seen.iter().filter(|entry| entry.kind == kind).count();
    assert_eq!(count(EntryKind::Note), 3, "shared ones");
    assert_eq!((count(EntryKind::View), count(EntryKind::Document), count(EntryKind::Interaction)), (2, 3, 0));
    let text = serde_json::to_string(&seen).expect("written");
    assert!(!text.contains("\"ann\"") && text.contains("\"ava\""), "{text}");
}

#[test]
fn what_belongs_to_a_customer_without_an_account_is_there_once() {
    let (crm, _) = crm();
    let ava = customer(&crm);
    account(&crm, "1", Some(&ava));
    let both = NewInteraction { customer: Some(ava.clone()), account: Some("1".into()), ..NewInteraction::default() };
    crm.begin_interaction("ann", both).expect("begun");
    let alone = NewInteraction { customer: Some(ava.clone()), ..NewInteraction::default() };
    crm.begin_interaction("ann", alone).expect("begun");
    assert_eq!(read(&crm, Viewer::Staff("ann"), &ava, 10, &[EntryKind::Interaction]).len(), 2);
    let bad = TimelineAsk { cursor: Some("zz".into()), limit: 5, ..TimelineAsk::default() };
    let shelf = Shelf(Vec::new());
    assert!(crm.customer_timeline(Viewer::Staff("ann"), &ava, &shelf, &bad).is_err());
}
