//! The customer portal over HTTP.

use super::support::{Reply, World, header};
use crate::crm::account::AccountData;
use crate::crm::consent::Purpose;
use crate::crm::{Crm, Viewer};
use crate::serve::backend::Backend;

/// Somebody in a browser.
struct Visit<'w> {
    world: &'w World,
    cookie: (String, String),
    csrf: String,
}

impl Visit<'_> {
    fn of<'w>(world: &'w World, user: &str) -> Visit<'w> {
        let (cookie, csrf) = world.session(user);
        Visit { world, cookie, csrf }
    }

    fn get(&self, path: &str) -> Reply {
        self.world.get(path, std::slice::from_ref(&self.cookie))
    }

    fn post(&self, path: &str, form: &str) -> Reply {
        let body = format!("csrf={}&{form}", self.csrf);
        self.world.ask("POST", path, std::slice::from_ref(&self.cookie), body.as_bytes())
    }
}

fn crm(world: &World) -> Crm {
    let crm = Crm::new(world.fake.engine(), crate::auth::clock::Clock::default());
    for number in ["4711", "4712"] {
        let data = AccountData { number: number.into(), ..AccountData::default() };
        crm.add_account("test", data).expect("added");
    }
    crm
}

#[test]
fn the_list_tells_amounts_and_is_grouped_by_account() {
    let world = World::new();
    let page = Visit::of(&world, "carl").get("/my");
    let text = page.text();
    assert_eq!(page.status, 200, "{text}");
    assert!(text.contains("4711") && text.contains("1,234,567.00") && text.contains("AMOUNT_DUE"), "{text}");
    assert!(!text.contains("4712") && !text.contains("Bob"), "{text}");
    let broken = Visit::of(&world, "carl").get("/my?q=((");
    assert_eq!(broken.status, 400);
    assert!(broken.text().contains("search cannot be understood"), "{}", broken.text());
    assert_eq!(Visit::of(&world, "carl").get("/my?year=x").status, 400);
}

#[test]
fn a_bill_is_for_its_customer_and_absent_for_others() {
    let world = World::new();
    crm(&world);
    let (carl, dora) = (Visit::of(&world, "carl"), Visit::of(&world, "dora"));
    for path in ["/my/documents/ID", "/my/documents/ID/ask", "/my/documents/ID/compare"] {
        let own = carl.get(&path.replace("ID", "1-1"));
        assert_eq!(own.status, 200, "{path}: {}", own.text());
        assert!(!own.text().contains(" style="), "{path}");
        let (mut other, mut absent) = (dora.get(&path.replace("ID", "1-1")), dora.get(&path.replace("ID", "1-9")));
        for reply in [&mut other, &mut absent] {
            reply.headers.remove("date");
            let text = reply.text().replace("1-9", "1-1");
            reply.body = text.into_bytes();
        }
        assert_eq!((other.status, other), (404, absent), "{path}");
    }
    assert!(carl.get("/my/documents/1-1/compare").text().contains("nothing to compare"));
    assert_eq!(carl.get("/my/documents/1-3/compare").status, 200);
}

#[test]
fn a_question_is_asked_once_answered_in_its_thread_and_nobody_elses() {
    let world = World::new();
    let crm = crm(&world);
    let (carl, dora) = (Visit::of(&world, "carl"), Visit::of(&world, "dora"));
    let form = "once=a1&kind=question&line=0&text=What+is+this%3F";
    let first = carl.post("/my/documents/1-1/ask", form);
    assert_eq!(first.status, 303, "{}", first.text());
    let again = carl.post("/my/documents/1-1/ask", form);
    assert_eq!((again.status, again.header("location")), (303, first.header("location")), "a double click asks once");
    let path = first.header("location").split('?').next().expect("a path").to_string();
    let id = path.rsplit('/').next().expect("an id").to_string();
    crm.reply("ann", crate::crm::Side::Agent, &id, None, "A late fee.", false).expect("answered");
    crm.reply("ann", crate::crm::Side::Agent, &id, None, "odd customer", true).expect("noted");
    let page = carl.get(&path).text();
    assert!(page.contains("A late fee.") && page.contains("answered"), "{page}");
    assert!(!page.contains("odd customer") && !page.contains("ann ·"), "{page}");
    assert_eq!(carl.get("/my/questions").text().matches("What is this?").count(), 1);
    assert_eq!((dora.get(&path).status, dora.get("/my/questions/none").status), (404, 404));
    assert_eq!(dora.post(&format!("{path}/reply"), "once=b&text=mine").status, 404);
    assert_eq!(dora.post("/my/documents/1-1/ask", "once=c&text=mine").status, 404);
    let forged = world.ask("POST", &format!("{path}/reply"), std::slice::from_ref(&carl.cookie), b"once=d&text=x");
    assert_eq!(forged.status, 403, "without the session's token");
    assert_eq!(carl.post(&format!("{path}/reply"), "once=e&text=Thanks").status, 303);
    let request = crm.request(Viewer::Staff("ann"), &id).expect("there");
    assert_eq!((request.state.name(), request.messages.len()), ("open", 4), "the agent sees it as a request");
}

#[test]
fn a_search_that_is_too_long_is_kept_in_the_box_and_said_in_words() {
    let world = World::new();
    let carl = Visit::of(&world, "carl");
    let long = "q".repeat(2001);
    for (path, asker) in [("/my", "carl"), ("/agent", "ann")] {
        let page = Visit::of(&world, asker).get(&format!("{path}?q={long}"));
        let text = page.text();
        assert_eq!(page.status, 400, "{path}");
        assert!(
            text.contains("2001 characters, at most 2000") && text.contains(&format!("value=\"{long}\"")),
            "{path}"
        );
    }
    assert_eq!(carl.get(&format!("/my?q={}", "q".repeat(2000))).status, 200, "the pages take what the API takes");
    let api = world.get(&format!("/api/v1/documents?q={long}"), &[world.key("ann")]);
    assert_eq!((api.status, api.json()["code"].as_str()), (400, Some("bad-query")));
}

#[test]
fn what_was_typed_is_not_lost_with_the_session_or_the_token_of_the_form() {
    let world = World::new();
    let carl = Visit::of(&world, "carl");
    let form = b"csrf=old&once=1&text=Why+so+%3Cmuch%3E%3F&password=geheim";
    let referer = header("Referer", &format!("http://{}/my/documents/1-1/ask", world.server.address));
    let over = world.ask("POST", "/my/documents/1-1/ask", std::slice::from_ref(&referer), form);
    assert_eq!(over.status, 401);
    let stale = world.ask("POST", "/my/documents/1-1/ask", &[carl.cookie.clone(), referer], form);
    let foreign = [carl.cookie.clone(), header("Origin", "https://evil.example")];
    let foreign = world.ask("POST", "/my/documents/1-1/ask", &foreign, form);
    assert!(!foreign.text().contains("Why so"), "what another site sends is not put on a page of ours");
    assert_eq!(stale.status, 403);
    for page in [&over, &stale] {
        assert!(page.text().contains("Why so &lt;much&gt;?") && !page.text().contains("geheim"), "{}", page.text());
    }
    assert!(over.text().contains("?next=%2Fmy%2Fdocuments%2F1-1%2Fask"), "{}", over.text());
    let nothing = world.ask("POST", "/my/documents/1-1/ask", &[], b"csrf=old&once=1");
    assert_eq!((nothing.status, nothing.header("location")), (303, "/"), "nothing was typed");
}

#[test]
fn six_sendings_of_one_form_at_once_lead_to_one_place() {
    let world = World::new();
    crm(&world);
    let carl = Visit::of(&world, "carl");
    let form = "once=six&kind=question&line=0&text=What+is+this%3F";
    let places: Vec<String> = std::thread::scope(|scope| {
        let sent: Vec<_> = (0..6).map(|_| scope.spawn(|| carl.post("/my/documents/1-1/ask", form))).collect();
        sent.into_iter().map(|one| one.join().expect("answered").header("location").to_string()).collect()
    });
    assert!(places[0].starts_with("/my/questions/") && places.iter().all(|place| *place == places[0]), "{places:?}");
    assert_eq!(carl.get("/my/questions").text().matches("What is this?").count(), 1);
}

#[test]
fn consent_needs_the_code_of_the_sample_and_ends_with_its_withdrawal() {
    let world = World::new();
    let crm = crm(&world);
    crm.publish_disclosure(Purpose::EDelivery, "en", "You may have paper.").expect("published");
    let shown = crm.disclosure(Purpose::EDelivery, "en").expect("there");
    let (carl, dora) = (Visit::of(&world, "carl"), Visit::of(&world, "dora"));
    let refused = carl.post("/my/settings/delivery", "once=1&account=4711&way=portal&language=en");
    assert!(refused.header("location").starts_with("/my/consent?"), "not before consent: {refused:?}");
    assert!(carl.get("/my/consent").text().contains("You may have paper."));
    let form = format!("account=4711&locale=en&sha256={}", shown.sha256);
    assert_eq!(dora.post("/my/consent/sample", &form).status, 404);
    let sample = carl.post("/my/consent/sample", &form);
    assert_eq!((sample.status, sample.header("content-type")), (200, "application/pdf"), "{}", sample.text());
    let sample = lopdf::Document::load_mem(&sample.body).expect("a readable PDF");
    let text = sample.extract_text(&[1]).expect("text");
    let is_code = |word: &&str| word.len() == 6 && word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
    let code = text.split_whitespace().find(is_code).expect("a code").to_string();
    let wrong = carl.post("/my/consent/confirm", "once=2&account=4711&code=NOPE");
    assert!(wrong.header("location").ends_with("wrong=1"), "{wrong:?}");
    let right = carl.post("/my/consent/confirm", &format!("once=3&account=4711&code={}", code.to_lowercase()));
    assert!(right.header("location").ends_with("said=consent_given"), "{right:?}");
    let set = carl.post("/my/settings/delivery", "once=4&account=4711&way=portal&language=en");
    assert!(set.header("location").ends_with("said=settings_saved"), "{set:?}");
    assert_eq!(carl.post("/my/consent/withdraw", "once=5&account=4711").status, 303);
    let kept = crm.preference_for("4711", "").expect("read").expect("there");
    assert_eq!(kept.way, crate::crm::preference::Way::Paper, "without consent documents come on paper");
    assert!(carl.get("/my/settings").text().contains("not agreed"));
    assert_eq!(dora.get("/my/settings?account=4711").status, 404);
}

#[test]
fn a_newer_text_of_the_consent_is_offered_beside_the_one_that_was_agreed_to() {
    let world = World::new();
    let crm = crm(&world);
    let publish = |text: &str| crm.publish_disclosure(Purpose::EDelivery, "en", text).expect("published").sha256;
    let carl = Visit::of(&world, "carl");
    let agree = |sha: &str, once: &str| {
        let sample = carl.post("/my/consent/sample", &format!("account=4711&locale=en&sha256={sha}"));
        assert_eq!(sample.header("content-type"), "application/pdf", "{}", sample.text());
        let text = lopdf::Document::load_mem(&sample.body).expect("a readable PDF").extract_text(&[1]).expect("text");
        let is_code =
            |word: &&str| word.len() == 6 && word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
        let code = text.split_whitespace().find(is_code).expect("a code").to_string();
        let given = carl.post("/my/consent/confirm", &format!("once={once}&account=4711&code={code}"));
        assert!(given.header("location").ends_with("said=consent_given"), "{given:?}");
    };
    let first = publish("You may have paper.");
    agree(&first, "1");
    let page = carl.get("/my/consent").text();
    assert!(page.contains("You may have paper.") && !page.contains("/my/consent/sample"), "{page}");
    let second = publish("You may have paper, or none.");
    let page = carl.get("/my/consent").text();
    assert!(page.contains("What you agreed to") && page.contains("You may have paper.</p>"), "{page}");
    assert!(page.contains("or none.") && page.contains("newer text, version 2"), "{page}");
    let stale = carl.post("/my/consent/sample", &format!("account=4711&locale=en&sha256={first}"));
    assert_eq!((stale.status, stale.header("location")), (303, "/my/consent?account=4711&changed=1"));
    let led = carl.get("/my/consent?account=4711&changed=1").text();
    assert!(led.contains("changed in the meantime"), "{led}");
    agree(&second, "2");
    let page = carl.get("/my/consent").text();
    assert!(page.contains("or none.") && !page.contains("/my/consent/sample"), "{page}");
}

#[test]
fn the_activity_log_tells_who_saw_what_without_names_of_agents() {
    let world = World::new();
    crm(&world);
    let carl = Visit::of(&world, "carl");
    carl.get("/api/v1/documents/1-1/content?format=text");
    world.get("/api/v1/documents/1-1/content?format=text", &[world.key("ann")]);
    let page = carl.get("/my/activity");
    assert_eq!(page.status, 200, "{}", page.text());
    assert_eq!(page.text().matches("A document was seen").count(), 2, "{}", page.text());
    assert!(page.text().contains("our staff ·") && !page.text().contains("ann ·"), "{}", page.text());
    assert_eq!(carl.get("/my/activity?account=4712").status, 404);
}

#[test]
fn a_period_comes_as_one_archive_of_own_documents() {
    let world = World::new();
    let carl = Visit::of(&world, "carl");
    let zip = carl.get("/my/period/zip?account=4711&from=2024-01-01&to=2024-12-31");
    assert_eq!((zip.status, zip.header("content-type")), (200, "application/zip"), "{}", zip.text());
    let text = String::from_utf8_lossy(&zip.body).into_owned();
    assert!(text.contains("1-1.pdf") && text.contains("1-3.pdf") && text.contains("contents.csv"));
    assert!(!text.contains("1-2.pdf"), "another customer's");
    let downloads = world.audit().iter().filter(|r| r.kind == "download" && r.who == "carl").count();
    assert_eq!(downloads, 2, "each is in the audit");
    let form = carl.get("/my/period").text();
    assert!(
        form.contains("name=\"from\" value=\"2023-03-01\""),
        "a year before the newest, though that is long ago: {form}"
    );
    let none = carl.get("/my/period/zip?account=4711&to=2020-12-31");
    assert!(none.status == 303 && none.header("location").contains("none=1"), "{none:?}");
    assert_eq!(carl.get("/my/period/zip?account=4712").status, 404);
}

#[test]
fn enrolment_pages_tell_nothing_of_what_is_there() {
    let world = World::new();
    world.users.set_disabled("carl", true).expect("locked out");
    let page = world.get("/enrol", &[]);
    assert!(page.status == 200 && page.text().contains("Amount due"), "{}", page.text());
    let chinese = world.get("/enrol?report=pin", &[header("Accept-Language", "zh-CN")]);
    assert!(chinese.text().contains("密码函"), "{}", chinese.text());
    let enrol = |account: &str, rest: &str| {
        let form = format!("account={account}&name=eve&password=correct+horse&again=correct+horse&{rest}");
        world.ask("POST", "/enrol", &[], form.as_bytes())
    };
    let told = |reply: &Reply, account: &str| (reply.status, reply.text().replace(account, "ACCOUNT"));
    let facts = "report=great-lakes-statement&fact0=5";
    let (wrong, unknown) = (enrol("4711", facts), enrol("0815", facts));
    assert_eq!(told(&wrong, "4711"), told(&unknown, "0815"));
    assert!(wrong.status == 403 && wrong.text().contains("could not be confirmed"), "{}", wrong.text());
    let pin = enrol("0815", "report=pin&pin=ABCDE23456");
    assert!(pin.status == 403 && !pin.text().contains("ABCDE23456"), "what was typed as a PIN is not shown again");
    let right = enrol("4711", "report=great-lakes-statement&fact0=1%2C234%2C567.00");
    assert_eq!((right.status, right.header("location")), (303, "/?next=%2Fmy&said=enrolled"), "{}", right.text());
    assert!(world.get("/?next=%2Fmy&said=enrolled", &[]).text().contains("Your access is open"));
    assert!(Visit::of(&world, "eve").get("/my").text().contains("1,234,567.00"));
    for _ in 0..6 {
        enrol("4712", facts);
    }
    assert_eq!(enrol("4712", facts).status, 429, "guessing has to wait");
}
