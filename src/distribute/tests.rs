//! Runs from planning to closing, with customers whose wishes change on the way and channels that answer as told.

use std::collections::BTreeMap;
use std::io::Write;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use super::channel::{Channel, Composed, Content, Needs, Outcome, Parcel, Rung};
use super::config::Config;
use super::evidence::{Proof, What};
use super::ledger::{Ledger, Run, RunState};
use super::piece::{Piece, State};
use super::plan::Planner;
use super::work::{Channels, Worker};
use super::{DistributeError, Listed, Report, Source, Wanted};
use crate::archive::kv::memory::Memory;
use crate::archive::{DocId, LoadId, LoadRow};
use crate::auth::clock::Clock;
use crate::auth::predicate::Facts;
use crate::crm::Crm;
use crate::crm::account::AccountData;
use crate::crm::consent::{NewConsent, Purpose};
use crate::crm::contact::{ContactKind, NewContact, Owner};
use crate::crm::preference::{PreferenceData, Way};
use crate::index::stretch::Stretch;

mod books;
mod runs;

/// 2024-06-01 12:00 UTC.
const NOON: i64 = 1_717_243_200;

/// A load with documents: account and kind of each.
#[derive(Default)]
struct Docs {
    list: Mutex<Vec<(String, String)>>,
    /// Kinds that customers may not see.
    kept: Mutex<Vec<String>>,
}

impl Docs {
    fn facts_of(&self, id: DocId) -> Option<Facts> {
        let list = self.list.lock().expect("unbroken");
        let (account, kind) = list.get(id.ordinal.checked_sub(1)? as usize)?;
        let definition = format!("{kind}-report");
        Some(Facts { account: Some(account.clone()), kind: kind.clone(), definition, ..Facts::none(id) })
    }
}

impl Source for Docs {
    fn facts(&self, id: DocId) -> Result<Option<Facts>, DistributeError> {
        Ok(self.facts_of(id))
    }
    fn report(&self, _: &str) -> Result<Option<Report>, DistributeError> {
        Ok(None)
    }
    fn render(&self, _: &Wanted<'_>, out: &mut dyn Write) -> Result<(), DistributeError> {
        Ok(out.write_all(b"a document")?)
    }
    fn stretches(&self, _: DocId, _: &str) -> Result<Vec<Stretch>, DistributeError> {
        Ok(Vec::new())
    }
    fn kept_from(&self, document: DocId, _: &str) -> Result<Option<String>, DistributeError> {
        let kind = self.facts_of(document).map(|facts| facts.kind).unwrap_or_default();
        let kept = self.kept.lock().expect("unbroken").contains(&kind);
        Ok(kept.then(|| "customers may not see documents of this report".into()))
    }
    fn reports(&self) -> Result<Option<Vec<(String, Vec<String>)>>, DistributeError> {
        let fields = vec!["account".to_string()];
        Ok(Some(vec![("bill-report".into(), fields.clone()), ("notice-report".into(), fields)]))
    }
    fn loads(&self) -> Result<Vec<LoadRow>, DistributeError> {
        Ok(vec![LoadRow {
            id: LoadId(1),
            file: String::new(),
            definition: "bill-report".into(),
            definition_version: 1,
            field_names: Vec::new(),
            read: crate::decode::ReadSpec::default(),
            sha256: "1".into(),
            bytes: 0,
            pages: 0,
            documents: 0,
            set_aside_pages: 0,
            set_aside: Vec::new(),
            stored_bytes: 0,
            warnings: Vec::new(),
            loaded_at: NOON,
            seconds: 0.0,
        }])
    }
    fn documents(&self, load: LoadId, each: &mut dyn FnMut(Listed) -> ControlFlow<()>) -> Result<(), DistributeError> {
        let count = self.list.lock().expect("unbroken").len() as u32;
        for ordinal in 1..=count {
            let Some(facts) = self.facts_of(DocId { load, ordinal }) else { break };
            if each(Listed { facts, pages: 1 }).is_break() {
                break;
            }
        }
        Ok(())
    }
}

/// What a channel took: the address and the documents named in it.
type Taken = Arc<Mutex<Vec<(String, String)>>>;

struct Post {
    needs: Needs,
    taken: Taken,
    answers: Arc<Mutex<Vec<Outcome>>>,
}

/// What the press that works slowly says of the job when it is asked.
const PRINTING: &str = "job 7 is with the printer";

impl Channel for Post {
    fn needs(&self) -> Needs {
        self.needs
    }
    fn target(&self) -> Rung {
        Rung::Accepted
    }
    fn repeatable(&self) -> bool {
        false
    }
    fn compose(&self, content: &Content) -> Result<Composed, DistributeError> {
        let named: Vec<&str> = content.documents.iter().map(|mention| mention.document.as_str()).collect();
        Ok(Composed { name: content.id.clone(), bytes: named.join(" ").into_bytes() })
    }
    fn deliver(&self, parcel: &Parcel<'_>) -> Outcome {
        if let Some(outcome) = self.answers.lock().expect("unbroken").pop() {
            return outcome;
        }
        let named = String::from_utf8_lossy(parcel.bytes).into_owned();
        self.taken.lock().expect("unbroken").push((parcel.to.to_string(), named));
        Outcome::Taken { rung: Rung::Accepted, said: "250 taken".into() }
    }
    fn came_of(&self, ticket: &str) -> Outcome {
        assert_eq!(ticket, "7");
        let working = || Outcome::Working { ticket: "7".into(), said: PRINTING.into() };
        self.answers.lock().expect("unbroken").pop().unwrap_or_else(working)
    }
}

struct World {
    docs: Docs,
    crm: Crm,
    clock: Clock,
    ledger: Ledger,
    config: Config,
    channels: Channels,
    mail: Taken,
    paper: Taken,
    /// Answers of the mail channel, the last first; then it takes all.
    answers: Arc<Mutex<Vec<Outcome>>>,
}

impl World {
    /// A rule that is triggered, and these documents.
    fn new(rule: &str, documents: &[(&str, &str)]) -> World {
        let (engine, clock) = (Arc::new(Memory::default()), Clock::standing(NOON));
        let text = format!(
            "public_url = \"https://x.example\"\nretry_s = [60]\nzone = \"Europe/Zurich\"\n[[distribution]]\nname = \"r\"\n\
             when = \"trigger\"\nattempts = 2\n{rule}\n[channel.mail]\nkind = \"smtp\"\nhost = \"h\"\n\
             sender = \"a@lakes.example\"\n[channel.box]\nkind = \"portal\"\nhost = \"h\"\nsender = \"a@lakes.example\"\n\
             [channel.press]\nkind = \"webhook\"\nurl = \"https://press.example\"\npaper = true\n"
        );
        let (mail, paper, answers) = (Taken::default(), Taken::default(), Arc::default());
        let post = |needs, taken: &Taken, answers| -> Result<Box<dyn Channel>, String> {
            Ok(Box::new(Post { needs, taken: taken.clone(), answers }))
        };
        let channels: Channels = BTreeMap::from([
            ("mail".to_string(), post(Needs::Link, &mail, Arc::clone(&answers))),
            ("box".to_string(), post(Needs::Mention, &mail, Arc::default())),
            ("press".to_string(), post(Needs::Files, &paper, Arc::default())),
        ]);
        let docs = Docs::default();
        *docs.list.lock().expect("unbroken") =
            documents.iter().map(|(account, kind)| (account.to_string(), kind.to_string())).collect();
        let world = World {
            docs,
            crm: Crm::new(engine.clone(), clock.clone()),
            clock,
            ledger: Ledger::new(engine),
            config: Config::parse(&text).expect("right"),
            channels,
            mail,
            paper,
            answers,
        };
        world.crm.publish_disclosure(Purpose::EDelivery, "en", "You may have paper.").expect("published");
        world
    }

    fn worker(&self) -> Worker<'_> {
        let (ledger, crm, config) = (&self.ledger, &self.crm, &self.config);
        Worker { ledger, crm, source: &self.docs, config, channels: &self.channels }
    }

    fn planner(&self) -> Planner<'_> {
        self.worker().planner()
    }

    /// An account whose holder consented for these kinds (none: all) and has a verified address; returns the contact point
    /// and the consent.
    fn customer(&self, account: &str, address: &str, kinds: &[&str]) -> (String, String) {
        self.crm.add_account("ann", AccountData { number: account.into(), ..AccountData::default() }).expect("added");
        let point = self.address(account, address);
        let shown = self.crm.disclosure(Purpose::EDelivery, "en").expect("there");
        let new = NewConsent {
            customer: None,
            account: Some(account.into()),
            purpose: Purpose::EDelivery,
            classes: kinds.iter().map(ToString::to_string).collect(),
            locale: "en".into(),
            disclosure_sha256: shown.sha256,
            method: "portal".into(),
            demonstrated_with: "pdf".into(),
        };
        let (consent, code) = self.crm.begin_consent("carl", "10.0.0.1", new).expect("begun");
        self.crm.confirm_consent("carl", &consent.id, &code.expect("a code")).expect("given");
        (point, consent.id)
    }

    fn address(&self, account: &str, address: &str) -> String {
        let new = NewContact {
            owner: Owner::Account(account.into()),
            kind: ContactKind::Email,
            value: address.into(),
            label: String::new(),
            valid_from: None,
            valid_to: None,
            source: "test".into(),
        };
        let point = self.crm.add_contact("ann", new).expect("added");
        self.crm.verify_contact("ann", &point.id, "code").expect("verified");
        point.id.clone()
    }

    fn wants(&self, account: &str, class: &str, way: Way, point: Option<&str>) {
        self.wants_as(PreferenceData {
            account: account.into(),
            class: class.into(),
            way,
            contact_point: point.map(str::to_string),
            ..PreferenceData::default()
        });
    }

    fn wants_as(&self, data: PreferenceData) {
        let known = self.crm.preferences(&data.account).expect("read");
        let kept = known.iter().find(|kept| kept.class == data.class).map(|kept| kept.version);
        self.crm.set_preference("carl", kept, data).expect("set");
    }

    fn plan(&self) -> Run {
        let rule = self.config.distribution("r").expect("there");
        self.planner().plan(rule, "x", &[LoadId(1)]).expect("planned").0
    }

    fn send(&self) {
        for _ in 0..6 {
            self.worker().round(&|| false).expect("worked");
            self.clock.turn(61);
        }
    }

    fn piece(&self, number: u32) -> Piece {
        self.ledger.piece(1, number).expect("there")
    }

    fn mails(&self) -> Vec<(String, String)> {
        self.mail.lock().expect("unbroken").clone()
    }

    fn papers(&self) -> Vec<String> {
        self.paper.lock().expect("unbroken").iter().map(|(_, named)| named.clone()).collect()
    }

    fn balances(&self) -> bool {
        self.ledger.reconcile(1).expect("counted").balances
    }
}

fn pair(to: &str, named: &str) -> (String, String) {
    (to.into(), named.into())
}

const ALL_WAYS: &str = "channels = [\"box\", \"mail\", \"press\"]";

#[test]
fn a_bundle_follows_consent_and_paper_of_each_of_its_kinds() {
    let rule = "channels = [\"mail\", \"press\"]\nbundle = true\nalways_paper = [\"notice\"]";
    let world = World::new(rule, &[("1", "bill"), ("1", "notice"), ("1", "letter"), ("1", "bill")]);
    let (point, _) = world.customer("1", "ada@example.com", &["bill", "notice"]);
    world.wants("1", "", Way::Email, Some(&point));
    world.plan();
    world.send();
    let mut mails = world.mails();
    mails.sort();
    assert_eq!(mails, [pair("ada@example.com", "1-1 1-4"), pair("ada@example.com", "1-2")], "no letter: no consent");
    let mut papers = world.papers();
    papers.sort();
    assert_eq!(papers, ["1-2 1-3"], "the notice goes on paper too, beside the letter");
    assert!(world.balances());
}

#[test]
fn a_consent_that_is_withdrawn_after_planning_holds_back_the_mail_and_paper_says_why() {
    let world = World::new(ALL_WAYS, &[("1", "bill")]);
    let (point, consent) = world.customer("1", "ada@example.com", &[]);
    world.wants("1", "", Way::Email, Some(&point));
    world.plan();
    world.crm.withdraw_consent("carl", &consent).expect("withdrawn");
    world.send();
    assert_eq!((world.mails(), world.papers()), (vec![], vec!["1-1".to_string()]));
    let first = world.piece(0);
    assert_eq!((first.state, first.replaced_by, first.rung), (State::Replaced, Some(1), Rung::None));
    assert_eq!(first.said, "not sent: there is no consent to electronic delivery of these documents");
    assert!(world.balances());
}

#[test]
fn a_wish_that_changed_or_an_address_that_fails_takes_the_next_way_and_a_new_address_is_used() {
    let world = World::new(ALL_WAYS, &[("1", "bill"), ("2", "bill"), ("3", "bill"), ("4", "bill")]);
    for account in ["1", "2", "3", "4"] {
        let (point, _) = world.customer(account, &format!("old{account}@example.com"), &[]);
        world.wants(account, "", Way::Email, Some(&point));
    }
    world.plan();
    world.wants("1", "", Way::Paper, None);
    let other = world.address("2", "new2@example.com");
    world.wants("2", "", Way::Email, Some(&other));
    world.crm.contact_fails("system:bounces", "old3@example.com").expect("noted");
    let portal = world.address("4", "new4@example.com");
    let data = PreferenceData {
        account: "4".into(),
        way: Way::Portal,
        contact_point: Some(portal),
        notices: true,
        ..PreferenceData::default()
    };
    world.wants_as(data);
    world.send();
    let mut mails = world.mails();
    mails.sort();
    assert_eq!(mails, [pair("new2@example.com", "1-2"), pair("new4@example.com", "1-4")]);
    let mut papers = world.papers();
    papers.sort();
    assert_eq!(papers, ["1-1", "1-3"]);
    assert!(world.piece(0).said.contains("on paper") && world.piece(2).said.contains("came back"));
    assert_eq!(world.ledger.piece(1, world.piece(3).replaced_by.expect("replaced")).expect("there").channel, "box");
    assert!(world.balances());
}

#[test]
fn a_late_bounce_of_the_old_address_moves_nothing_of_the_mail_to_the_new_one() {
    let world = World::new("channels = [\"mail\"]", &[("1", "bill")]);
    let (point, _) = world.customer("1", "old@example.com", &[]);
    world.wants("1", "", Way::Email, Some(&point));
    world.plan();
    *world.answers.lock().expect("unbroken") = vec![Outcome::Refused("550 no".into())];
    world.send();
    let old = world.piece(0);
    assert_eq!(old.state, State::Dead);
    world.ledger.readdress(1, 0, "new@example.com", "boss").expect("moved");
    world.send();
    assert_eq!(world.mails(), [pair("new@example.com", "1-1")]);
    let bounce = Proof::new(world.crm.now(), What::Bounced, "5.1.1 no such user");
    let noted = world.ledger.prove(&old.id, &bounce).expect("noted").expect("known");
    assert_eq!(noted.to, "old@example.com", "the address that fails is the one that the mail went to");
    assert_eq!(world.piece(0).state, State::Done, "the mail to the new address is not given up");
    let kept = world.ledger.proofs(1, 0).expect("read");
    let kept: Vec<&str> = kept.iter().map(|proof| proof.before.as_str()).collect();
    assert_eq!(kept, ["old@example.com"], "and what came is kept beside it, with the address that it is about");
    let now = world.piece(0).id;
    assert_eq!(world.ledger.prove(&now, &bounce).expect("noted").expect("known").to, "new@example.com");
    assert_eq!(world.piece(0).state, State::Dead);
}

#[test]
fn who_wants_to_be_told_of_the_portal_and_cannot_be_gets_paper() {
    let world = World::new("channels = [\"box\", \"press\"]", &[("1", "bill"), ("2", "bill")]);
    for account in ["1", "2"] {
        let (point, _) = world.customer(account, &format!("a{account}@example.com"), &[]);
        let data = PreferenceData {
            account: account.into(),
            way: Way::Portal,
            notices: account == "1",
            contact_point: (account == "1").then_some(point),
            ..PreferenceData::default()
        };
        world.wants_as(data);
    }
    world.crm.contact_fails("system:bounces", "a1@example.com").expect("noted");
    world.plan();
    world.send();
    assert_eq!((world.papers(), world.mails()), (vec!["1-1".to_string()], vec![pair("", "1-2")]));
    assert_eq!(world.ledger.reconcile(1).expect("counted").paper_suppressed, 1, "of the one who wants no notice");
}

#[test]
fn nobody_is_written_to_in_quiet_hours() {
    let world = World::new("channels = [\"mail\", \"press\"]", &[("1", "bill"), ("2", "bill")]);
    for (account, quiet_hours) in [("1", Some((13, 16))), ("2", None)] {
        let (point, _) = world.customer(account, &format!("a{account}@example.com"), &[]);
        let (account, contact_point) = (account.to_string(), Some(point));
        world.wants_as(PreferenceData { account, way: Way::Email, contact_point, quiet_hours, ..Default::default() });
    }
    world.plan();
    // It is 14:00 in Zurich; the hours end at 16:00.
    assert_eq!(world.piece(0).next_at.0, NOON + 2 * 3_600);
    world.send();
    assert_eq!(world.mails(), [pair("a2@example.com", "1-2")]);
    world.clock.turn(2 * 3_600);
    world.send();
    assert_eq!(world.mails().len(), 2);
    assert_eq!(world.piece(0).attempts, 1);
}
