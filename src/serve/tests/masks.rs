//! What a reader sees masked on a document is masked wherever it is repeated: in rows beside it, in lists, in the audit, in what
//! can be searched. Over an archive that cuts and masks.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value as Json, json};

use super::support::{Reply, World, header};
use crate::archive::kv::memory::Memory;
use crate::archive::{Archive, LoadSource};
use crate::auth::role;
use crate::crm::account::AccountData;
use crate::crm::customer::CustomerData;
use crate::crm::name::Names;
use crate::crm::request::RequestData;
use crate::crm::{Crm, Kept};
use crate::index::definition::{Definition, MANIFEST};
use crate::search::Search;
use crate::serve::archived::ArchiveBackend;
use crate::serve::backend::Backend;

const STATEMENTS: &str = include_str!("../../../indexers/great-lakes-statement.toml");
const ADA: &str = "410000-1000-0";
const BOB: &str = "520000-2000-5";

/// Statements of Ada (March and April) and Bob (April) with the definition's masks replaced; roles `desk` and `senior` are
/// named by no mask, the second may unmask.
struct Bank {
    world: World,
    archive: Arc<Archive>,
    backend: Arc<dyn Backend>,
    crm: Crm,
    ada: String,
}

fn statement(account: &str, name: &str, day: &str, line: &str, amount: &str) -> String {
    format!("1GREAT LAKES MUTUAL BANK{:<40}STATEMENT OF ACCOUNT{:<16}PAGE   1 OF 1\n", "", "")
        + &format!(" ACCOUNT NO  {account:<20} STATEMENT DATE {day}\n")
        + &format!("-    {name}\n     9 Birch St\n     Dayton OH 45402\n")
        + &format!("0DATE   DESCRIPTION{:<60}AMOUNT\n", "")
        + &format!("  03/05  {line:<66}{:>10}\n", "25.00")
        + &format!("0{:<69}{amount:>16}\n", "CLOSING BALANCE")
}

impl Bank {
    fn new(masks: &str) -> Bank {
        Bank::of(|text| text.split("[mask]").next().unwrap_or_default().to_string() + masks)
    }

    /// The definition is changed first.
    fn of(change: impl FnOnce(&str) -> String) -> Bank {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = format!("greenbar-masks-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(name);
        let archive = Archive::on_new_engine(Arc::new(Memory::default()), Path::new("nowhere")).expect("an archive");
        let archive = Arc::new(archive);
        let definition = Definition::parse(&change(STATEMENTS), "bank.toml").expect("a sound definition");
        archive.add_definition(&definition).expect("added");
        let stream = [
            statement(ADA, "Ada Maerz", "03/28/2024", "WIRE IN REF 7019688333", "13776.50"),
            statement(ADA, "Ada Maerz", "04/28/2024", "CARD PURCHASE", "99.00"),
            statement(BOB, "Bob Lee", "04/28/2024", "CARD PURCHASE", "12.00"),
        ]
        .concat();
        let bytes = stream.as_bytes();
        let source = LoadSource { name: "s.txt".into(), reader: Box::new(bytes), total: Some(bytes.len() as u64) };
        archive.load(source, Some("great-lakes-statement"), &|_| {}).expect("loads");
        let search = Arc::new(Search::open(&folder).expect("an index"));
        let backend: Arc<dyn Backend> = Arc::new(ArchiveBackend::new(archive.clone(), search));
        backend.catch_up().expect("fed");
        let world = World::on(backend.clone());
        for (own, like) in [("desk", "agent"), ("senior", "senior-agent")] {
            let like = role::built_in().into_iter().find(|role| role.name == like).expect("built in");
            let own = role::Role { name: own.into(), second_factor: false, built_in: false, ..like };
            world.directory.set_role(&own).expect("set");
        }
        for (user, role) in [("dan", "desk"), ("sue", "senior"), ("sid", "supervisor"), ("aud", "auditor")] {
            world.add(user, role);
        }
        let customer = crate::auth::user::NewUser {
            name: "cora".into(),
            role: "customer".into(),
            accounts: vec![ADA.into()],
            display_name: String::new(),
            language: String::new(),
            password: None,
        };
        world.users.add(customer).expect("added");
        let crm = Crm::new(backend.engine(), crate::auth::clock::Clock::default());
        let names = Names { full: "Ada Maerz".into(), ..Names::default() };
        let ada = crm.add_customer("test", CustomerData { name: names, ..CustomerData::default() }).expect("added").id;
        let data = AccountData { number: ADA.into(), customer: Some(ada.clone()), ..AccountData::default() };
        crm.add_account("test", data).expect("added");
        Bank { world, archive, backend, crm, ada }
    }

    fn send(&self, user: &str, method: &str, path: &str, body: &Json) -> Reply {
        let headers = [self.world.key(user), header("Content-Type", "application/json")];
        let bytes = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        self.world.ask(method, path, &headers, &bytes)
    }

    /// An answer's text, which must be one of success.
    fn text(&self, user: &str, path: &str) -> String {
        let reply = self.send(user, "GET", path, &Json::Null);
        assert_eq!(reply.status, 200, "{user} {path}: {}", reply.text());
        reply.text()
    }

    /// The page as a browser gets it.
    fn page(&self, user: &str, path: &str) -> String {
        let reply = self.world.get(path, &[self.world.session(user).0]);
        assert_eq!(reply.status, 200, "{user} {path}: {}", reply.text());
        reply.text()
    }

    fn made(&self, user: &str, path: &str, body: Json) -> String {
        let made = self.send(user, "POST", path, &body);
        assert_eq!(made.status, 201, "{path}: {}", made.text());
        made.json()["id"].as_str().expect("an id").to_string()
    }

    fn total(&self, user: &str, query: &str) -> u64 {
        let query = query.replace(' ', "%20").replace('"', "%22").replace('<', "%3C").replace('>', "%3E");
        let reply = self.send(user, "GET", &format!("/api/v1/documents?q={query}"), &Json::Null);
        assert_eq!(reply.status, 200, "{user} {query}: {}", reply.text());
        reply.json()["total"].as_u64().expect("a total")
    }
}

const WIRE: &str =
    "[[mask_pattern]]\nregex = 'WIRE IN REF (\\d+)'\nkeep_last = 4\nclear = [\"customer\", \"supervisor\"]\n";
const ACCOUNT: &str =
    "[mask]\naccount = { keep_last = 4, clear = [\"customer\", \"supervisor\", \"administrator\"] }\n";

#[test]
fn a_quoted_line_of_a_question_is_what_its_reader_finds_on_the_page() {
    let bank = Bank::new(WIRE);
    let question = json!({ "document": "1-1", "subject": "WIRE IN REF 7019688333?", "text": "What is this?",
        "place": { "page": 1, "line": 7, "text": "03/05 · WIRE IN REF 7019688333 · 25.00" } });
    let id = bank.made("cora", "/api/v1/requests", question);
    // A part of the number alone says nothing of what stood before it.
    let part = json!({ "document": "1-1", "text": "x", "place": { "page": 1, "text": "7019688333" } });
    bank.made("cora", "/api/v1/requests", part);
    for path in [
        format!("/api/v1/requests/{id}"),
        format!("/api/v1/requests/{id}/history"),
        "/api/v1/requests?state=open".into(),
        format!("/api/v1/accounts/{ADA}/timeline?kind=request"),
        format!("/api/v1/customers/{}/timeline?kind=request", bank.ada),
        format!("/agent/customers/{}", bank.ada),
        "/agent/requests".into(),
        format!("/agent/requests/{id}"),
    ] {
        let seen = if path.starts_with("/api") { bank.text("dan", &path) } else { bank.page("dan", &path) };
        assert!(!seen.contains("701968"), "{path}: {seen}");
        let whole = if path.starts_with("/api") { bank.text("sid", &path) } else { bank.page("sid", &path) };
        assert!(whole.contains("7019688333") || path.ends_with("history"), "{path}: {whole}");
    }
    let quote = bank.send("dan", "GET", &format!("/api/v1/requests/{id}"), &Json::Null).json();
    assert_eq!(quote["place"]["text"], "03/05 · WIRE IN REF ••••••8333 · 25.00");
    assert!(bank.text("cora", &format!("/api/v1/requests/{id}")).contains("REF 7019688333"), "the customer's own");
    // What is gone cannot be looked at any more.
    bank.backend.unload(crate::archive::LoadId(1), "a test").expect("unloaded");
    let gone = bank.send("dan", "GET", &format!("/api/v1/requests/{id}"), &Json::Null);
    assert!(!gone.text().contains("8333") && gone.json()["place"]["text"] == "", "{}", gone.text());
    let whole = bank.send("sid", "GET", &format!("/api/v1/requests/{id}"), &Json::Null);
    assert!(whole.text().contains("7019688333"), "{}", whole.text());
    let kept: Kept<RequestData> = bank.crm.request(crate::crm::Viewer::Staff("sid"), &id).expect("there");
    assert!(kept.subject.contains("7019688333"), "what was asked stays as it was asked");
}

#[test]
fn the_quoted_text_of_a_note_is_masked_for_who_sees_the_document_masked() {
    let bank = Bank::new(ACCOUNT);
    for text in [format!("ACCOUNT NO {ADA}"), "410000-1000".into()] {
        let note = json!({ "document": "1-1", "text": "is this right?", "place": { "page": 1, "text": text } });
        bank.made("sid", "/api/v1/notes", note);
    }
    let listed = bank.text("dan", "/api/v1/notes?document=1-1");
    assert!(!listed.contains("410000") && listed.contains("••••••-••00-0"), "{listed}");
    let page = bank.page("dan", "/agent/documents/1-1");
    assert!(page.contains("is this right?") && !page.contains("410000"), "{page}");
    assert!(bank.text("sid", "/api/v1/notes?document=1-1").contains(ADA));
}

#[test]
fn an_account_that_is_masked_on_a_document_is_masked_around_it() {
    let bank = Bank::new(ACCOUNT);
    let imported = AccountData { number: "889900".into(), customer: Some(bank.ada.clone()), ..AccountData::default() };
    bank.crm.add_account("test", imported).expect("added");
    for (user, path) in
        [("cora", "/api/v1/documents/1-1/content?format=text"), ("sid", "/api/v1/documents/1-3/content?format=text")]
    {
        bank.text(user, path);
    }
    bank.made("sid", "/api/v1/notes", json!({ "account": ADA, "text": "calls at noon" }));
    bank.text("sid", &format!("/api/v1/accounts/{ADA}/timeline"));
    for path in [
        "/agent/documents/1-3".to_string(),
        format!("/agent/customers/{}", bank.ada),
        format!("/api/v1/customers/{}", bank.ada),
        format!("/api/v1/customers/{}/timeline", bank.ada),
        format!("/api/v1/accounts/{ADA}/timeline"),
        format!("/api/v1/accounts/{ADA}"),
        "/api/v1/accounts".into(),
        "/api/v1/accounts?limit=1".into(),
        "/api/v1/accounts?q=4100".into(),
        format!("/api/v1/accounts?q={ADA}"),
    ] {
        let seen = if path.starts_with("/api") { bank.text("dan", &path) } else { bank.page("dan", &path) };
        let hex: String = ADA.bytes().map(|byte| format!("{byte:02x}")).collect();
        for number in [ADA, BOB, &hex] {
            assert!(!seen.contains(number), "{path} has {number}: {seen}");
        }
    }
    let call = bank.send("dan", "POST", "/api/v1/interactions", &json!({ "account": ADA, "call_id": "c-9" }));
    assert!(call.status == 201 && !call.text().contains(ADA), "{}", call.text());
    assert!(!bank.text("dan", "/api/v1/interactions").contains(ADA));
    let row = |query: &str| bank.send("dan", "GET", &format!("/api/v1/accounts?q={query}"), &Json::Null).json();
    assert_eq!(row("4100")["items"], json!([]), "a beginning tells nothing");
    assert_eq!(row("4100001000 0".replace(' ', "").as_str())["items"][0]["number"], "••••••-••00-0");
    assert_eq!(row("8899")["items"][0]["number"], "889900", "what no document masks is as it was");
    let pages = bank.send("dan", "GET", "/api/v1/accounts?limit=1", &Json::Null).json();
    let next = format!("/api/v1/accounts?limit=1&cursor={}", pages["next_cursor"].as_str().expect("more"));
    assert_eq!(bank.send("dan", "GET", &next, &Json::Null).json()["items"][0]["number"], "889900");
    let found = bank.send("dan", "POST", "/api/v1/customers:resolve", &json!({ "account": ADA }));
    assert!(!found.text().contains(ADA) && found.text().contains("••••••-••00-0"), "{}", found.text());
    assert!(bank.text("sid", "/api/v1/accounts?q=4100").contains(ADA), "who sees it whole is as before");
    assert!(bank.text("cora", &format!("/api/v1/accounts/{ADA}")).contains(ADA), "who holds it knows it");
}

#[test]
fn a_contact_about_a_masked_account_is_named_by_a_document() {
    let bank = Bank::new(ACCOUNT);
    for number in [BOB, "520000-2000-6"] {
        bank.crm.add_account("test", AccountData { number: number.into(), ..AccountData::default() }).expect("added");
    }
    let session = bank.world.session("dan").0;
    let popped = bank.world.get(&format!("/agent/pop?account={BOB}&call=c-1"), std::slice::from_ref(&session));
    let place = popped.header("location").to_string();
    assert!(popped.status == 303 && place.starts_with("/agent/calls/"), "{} {place}", popped.status);
    for path in ["/agent", &place] {
        let page = bank.world.get(path, std::slice::from_ref(&session)).text();
        assert!(page.contains("••••••-••00-5") && !page.contains(BOB), "{path}: {page}");
    }
    let chosen = format!("{place}?among=d%3A1-3%3Aa%2Ca%3A520000-2000-6%3Aa");
    let chooser = bank.world.get(&chosen, std::slice::from_ref(&session)).text();
    assert!(
        !chooser.contains(BOB) && chooser.contains("value=\"d:1-3\"") && chooser.contains("520000-2000-6"),
        "{chooser}"
    );
    let people = bank.page("aud", "/admin/people");
    assert!(!people.contains(ADA) && people.contains("••••••-••00-0"), "{people}");
    assert!(bank.page("root", "/admin/people").contains(ADA));
}

#[test]
fn the_audit_has_no_number_that_its_reader_sees_masked() {
    let bank = Bank::new(ACCOUNT);
    bank.text("sid", "/api/v1/documents/1-1/content?format=text");
    bank.text("sid", &format!("/api/v1/accounts/{ADA}/timeline"));
    bank.text("sid", &format!("/api/v1/documents?q=account:{ADA}"));
    for path in [
        "/api/v1/audit".to_string(),
        "/api/v1/audit?text=timeline".into(),
        "/api/v1/audit/export".into(),
        "/api/v1/audit/export?format=jsonl".into(),
        "/admin/audit".into(),
    ] {
        let seen = if path.starts_with("/api") { bank.text("aud", &path) } else { bank.page("aud", &path) };
        assert!(!seen.contains(ADA) && seen.contains("••••••-••00-0"), "{path}: {seen}");
        let whole = if path.starts_with("/api") { bank.text("root", &path) } else { bank.page("root", &path) };
        assert!(whole.contains(ADA), "{path}");
    }
    let guessed = |digits: &str| bank.send("aud", "GET", &format!("/api/v1/audit?text={digits}"), &Json::Null).json();
    let found = guessed("41000")["records"].as_array().cloned().unwrap_or_default();
    assert!(found.iter().all(|record| record["kind"] == "audit-search"), "a beginning tells nothing: {found:?}");
    let page = bank.page("aud", "/admin/audit");
    assert!(!page.contains("account=%E2%80%A2"), "what is masked leads nowhere");
}

#[test]
fn a_masked_date_is_nowhere_told() {
    let bank = Bank::new("[mask]\ndate = { clear = [\"administrator\"] }\n");
    let told = ["2024-03-28", "2024-04-28", "03/28/2024", "04/28/2024", "28 Mar 2024", "28 Apr 2024", "20240328"];
    for path in [
        "/api/v1/documents".to_string(),
        "/api/v1/documents/1-1".into(),
        "/api/v1/documents/1-1/content?format=json".into(),
        "/api/v1/documents/1-1/content?format=pdf".into(),
        "/api/v1/documents/1-1/compare?with=1-2".into(),
        format!("/api/v1/accounts/{ADA}/series?definition=great-lakes-statement"),
        format!("/api/v1/accounts/{ADA}/timeline?kind=document"),
        "/agent?q=ada".into(),
        "/agent/documents/1-1".into(),
        format!("/agent/customers/{}", bank.ada),
    ] {
        let seen = if path.starts_with("/api") { bank.text("sid", &path) } else { bank.page("sid", &path) };
        for day in told {
            assert!(!seen.contains(day), "{path} tells {day}: {seen}");
        }
    }
    let compared = bank.send("sid", "GET", "/api/v1/documents/1-1/compare?with=1-2", &Json::Null).json();
    assert!(compared["before"]["date"].is_null() && compared["days"].is_null(), "{compared}");
    for query in ["year:2024", "date:2024", "date:2024-03-28", "date:>=2024-01-01"] {
        assert_eq!((bank.total("sid", query), bank.total("root", query) > 0), (0, true), "{query}");
    }
    let ranged = bank.send("sid", "GET", "/api/v1/documents?from=2024-01-01", &Json::Null).json();
    assert_eq!(ranged["total"], 0, "a range of days asks for dates too");
    let all = |user: &str| bank.send(user, "GET", "/api/v1/documents?sort=newest", &Json::Null).json();
    assert_eq!((all("sid")["facets"]["year"].clone(), all("sid")["total"].clone()), (json!([]), json!(3)));
    assert_eq!(all("root")["facets"]["year"], json!([{ "value": "2024", "count": 3 }]));
    let ids = |list: Json| {
        list["documents"].as_array().map(|all| all.iter().map(|one| one["id"].clone()).collect::<Vec<_>>())
    };
    assert_eq!(ids(all("sid")), Some(vec!["1-3".into(), "1-2".into(), "1-1".into()]), "as documents without a date");
    let timeline = bank.text("sid", &format!("/api/v1/accounts/{ADA}/timeline?kind=document&limit=1"));
    let next =
        serde_json::from_str::<Json>(&timeline).expect("JSON")["next_cursor"].as_str().expect("more").to_string();
    let rest = bank.text("sid", &format!("/api/v1/accounts/{ADA}/timeline?kind=document&limit=1&cursor={next}"));
    assert_ne!(timeline, rest, "pages follow one another also without dates");
    assert!(bank.text("root", "/api/v1/documents/1-1").contains("2024-03-28"));
}

#[test]
fn a_sensitive_field_is_in_no_list_no_file_and_no_search_without_the_right() {
    let bank = Bank::of(|text| {
        let text = text.replace("label = \"Closing balance\"", "label = \"Closing balance\"\nsensitive = true");
        let text = text.replace("{name} {account} {date}", "{name} {amount}");
        text.split("[mask]").next().unwrap_or_default().to_string()
    });
    for path in [
        "/api/v1/documents".to_string(),
        "/api/v1/documents/1-1/content?format=csv".into(),
        format!("/api/v1/accounts/{ADA}/series?definition=great-lakes-statement"),
        format!("/api/v1/accounts/{ADA}/timeline?kind=document"),
        "/agent".into(),
        "/agent?q=ada".into(),
        format!("/agent/customers/{}", bank.ada),
        "/agent/documents/1-2".into(),
    ] {
        let ask = |user: &str| if path.starts_with("/api") { bank.text(user, &path) } else { bank.page(user, &path) };
        for amount in ["13776.50", "13,776.50"] {
            assert!(!ask("ann").contains(amount), "{path}: {}", ask("ann"));
        }
        let whole = ask("sue");
        assert!(whole.contains("13776.50") || whole.contains("13,776.50"), "{path}: {whole}");
    }
    for query in ["amount:>13776", "amount:13776.5", "amount:>1"] {
        assert_eq!((bank.total("ann", query), bank.total("sue", query) > 0), (0, true), "{query}");
    }
    let json = |user: &str| bank.send(user, "GET", "/api/v1/documents/1-1/content?format=json", &Json::Null).json();
    assert!(json("ann")["fields"].get("amount").is_none() && json("ann")["fields"]["name"] == "Ada Maerz");
    assert_eq!(json("sue")["fields"]["amount"], "13776.50");
    assert!(bank.page("ann", "/agent/documents/1-1").contains("13,776.50"), "the document itself shows it");
}

#[test]
fn what_a_pattern_masks_in_a_field_is_not_found_letter_by_letter() {
    let bank = Bank::new("[[mask_pattern]]\nregex = 'Ada (\\w+)'\nclear = [\"supervisor\"]\n");
    assert_eq!(bank.send("ann", "GET", "/api/v1/documents/1-1", &Json::Null).json()["fields"]["name"], "Ada •••••");
    for query in
        ["name:ma*", "name:maerz", "name:\"ada maerz\"", "name:=\"ada maerz\"", "name:ada", "maer*", "name:a..z"]
    {
        let found = if query == "name:a..z" { 1 } else { 0 };
        assert_eq!((bank.total("ann", query), bank.total("sid", query) > 0), (found, true), "{query}");
    }
    assert_eq!(bank.total("ann", "name:bob"), 1, "values that the pattern does not find are searched as before");
    assert_eq!(bank.total("ann", "account:410000-1000-0"), 2, "and other fields of the same document");
    assert_eq!((bank.total("ann", "-name:maerz"), bank.total("ann", "kind:statement")), (3, 3));
    // A pattern that came after the index was made masks at once; which values it finds, the index learns when it is made anew.
    let text = STATEMENTS.split("[mask]").next().unwrap_or_default().to_string()
        + "[[mask_pattern]]\nregex = 'Bob (\\w+)'\nclear = [\"supervisor\"]\n";
    let newer = Definition::parse(&text, "bank.toml").expect("a sound definition");
    bank.archive.add_definition(&newer).expect("added");
    assert_eq!((bank.total("ann", "name:lee"), bank.total("ann", "name:maerz")), (0, 0));
    assert_eq!((bank.total("sid", "name:lee"), bank.total("ann", "kind:statement")), (1, 3));
    let index = bank.world.folder.join("anew");
    let search = Search::open(&index).expect("an index");
    let backend = ArchiveBackend::new(bank.archive.clone(), Arc::new(search));
    backend.catch_up().expect("fed");
    let scope = bank.world.gate.scope(&crate::auth::gate::Principal::new(
        "ann",
        "test",
        bank.world
            .directory
            .rights(&bank.world.users.get("ann").expect("read").expect("there"), &Vec::new())
            .expect("rights"),
    ));
    let total = |query: &str| {
        let asked = crate::serve::backend::HitsAsked { query: query.into(), limit: 1, ..Default::default() };
        backend.hits(&asked, &scope).expect("finds").total
    };
    assert_eq!((total("name:lee"), total("name:maerz")), (0, 2));
}

const REGISTER: &str = "name = \"register\"\ntitle = \"Register\"\nkind = \"report\"\nfull_text = \"none\"\nread = \"auto\"\n\
    visible_to = [\"auditor\"]\n[document]\nstart = \"stream\"\n\
    [[field]]\nname = \"region\"\nrow = 1\ncolumns = \"1-5\"\n";

#[test]
fn a_field_that_only_hidden_reports_have_is_one_that_nobody_has() {
    let bank = Bank::new("");
    let register = Definition::parse(REGISTER, "register.toml").expect("a sound definition");
    bank.archive.add_definition(&register).expect("added");
    let bytes: &[u8] = b"NORTH REGISTER\nsome line\n";
    let source = LoadSource { name: "r.txt".into(), reader: Box::new(bytes), total: Some(bytes.len() as u64) };
    bank.archive.load(source, Some("register"), &|_| {}).expect("loads");
    bank.backend.catch_up().expect("fed");
    assert_eq!(bank.total("aud", "region:north"), 1);
    for user in ["cora", "ann"] {
        let told = |name: &str| {
            let reply = bank.send(user, "GET", &format!("/api/v1/documents?q={name}:x"), &Json::Null);
            (reply.status, reply.text().replace(name, "NAME"))
        };
        assert_eq!(told("region"), told("nosuch"), "{user}");
        assert_eq!(told("region").0, 400);
        assert_eq!(bank.total(user, "amount:99"), 1, "the own reports' fields are there");
    }
    let page = |name: &str| {
        let reply = bank.world.get(&format!("/my?q={name}%3Ax"), &[bank.world.session("cora").0]);
        (reply.status, reply.text().contains("&#x60;NAME&#x60;"), reply.text().replace(name, "NAME").len())
    };
    assert_eq!(page("region"), page("nosuch"));
    for (user, there) in [("aud", true), ("root", true), ("ann", false)] {
        assert_eq!(bank.text(user, "/api/v1/definitions").contains("register"), there, "{user}");
    }
    assert_eq!(bank.total("cora", "register 99.00"), 0, "what is typed has no meaning by reports of others");
}

#[test]
fn a_manifest_is_in_no_search_and_opens_only_for_who_may_read_distributions() {
    let bank = Bank::new("");
    let bytes: &[u8] = b"piece,to\n0,ada@lakes.example\n";
    let source = LoadSource { name: "manifest-bills.csv".into(), reader: Box::new(bytes), total: None };
    bank.archive.load(source, Some(MANIFEST), &|_| {}).expect("loads");
    bank.backend.catch_up().expect("fed");
    for user in ["dan", "sid", "cora", "aud", "root"] {
        for query in ["manifest", "ada@lakes.example", "definition:distribution-manifest"] {
            assert_eq!(bank.total(user, query), 0, "{user} {query}");
        }
    }
    assert_eq!(bank.total("dan", ""), 3, "no count tells of it");
    let told = |user: &str, id: &str| {
        let reply = bank.send(user, "GET", &format!("/api/v1/documents/{id}"), &Json::Null);
        (reply.status, reply.text().replace(id, "ID"))
    };
    for user in ["dan", "sue", "sid", "cora"] {
        assert_eq!(told(user, "2-1"), told(user, "9-9"), "as if there was none: {user}");
        assert_eq!(told(user, "2-1").0, 404);
    }
    assert_eq!((told("aud", "2-1").0, told("root", "2-1").0), (200, 200));
}

#[test]
fn a_masked_number_that_somebody_typed_stays_in_no_address() {
    let bank = Bank::new(ACCOUNT);
    let opened =
        |user, number: &str| bank.world.get(&format!("/agent/accounts/{number}"), &[bank.world.session(user).0]);
    let moved = opened("dan", ADA);
    assert_eq!((moved.status, moved.header("location")), (303, format!("/agent/customers/{}", bank.ada).as_str()));
    assert_eq!(opened("sid", ADA).status, 200, "who sees it whole");
    assert_eq!(opened("dan", "no-such").status, 404);
}
