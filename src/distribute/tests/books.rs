//! The clock of the customer, the attempts that are kept, and the books: closed by themselves, or signed by other eyes.

use super::*;
use crate::crm::customer::CustomerData;
use crate::crm::name::Names;
use crate::distribute::piece::Came;

#[test]
fn quiet_hours_go_by_the_customers_own_clock() {
    let world = World::new("channels = [\"mail\", \"press\"]", &[("1", "bill"), ("2", "bill")]);
    for (account, zone) in [("1", "America/New_York"), ("2", "")] {
        let (point, _) = world.customer(account, &format!("a{account}@example.com"), &[]);
        let name = Names { full: format!("Customer {account}"), ..Names::default() };
        let data = CustomerData { name, zone: zone.into(), ..CustomerData::default() };
        let customer = world.crm.add_customer("ann", data).expect("added").id.clone();
        let known = world.crm.account(account).expect("there");
        let data = AccountData { customer: Some(customer), ..known.data.clone() };
        world.crm.set_account("ann", account, Some(known.version), data).expect("set");
        let (account, contact_point, quiet_hours) = (account.to_string(), Some(point), Some((6, 9)));
        world.wants_as(PreferenceData { account, way: Way::Email, contact_point, quiet_hours, ..Default::default() });
    }
    world.plan();
    // It is 08:00 in New York and 14:00 in Zurich, whose clock counts for who has no zone.
    assert_eq!(world.piece(0).next_at.0, NOON + 3_600);
    world.send();
    assert_eq!(world.mails(), [pair("a2@example.com", "1-2")]);
    world.clock.turn(3_600);
    world.send();
    assert_eq!(world.mails().len(), 2);
}

#[test]
fn every_attempt_is_kept_and_what_waits_for_nothing_has_no_time() {
    let world = World::new("channels = [\"mail\"]", &[("1", "bill"), ("2", "bill")]);
    for account in ["1", "2"] {
        let (point, _) = world.customer(account, &format!("a{account}@example.com"), &[]);
        world.wants(account, "", Way::Email, Some(&point));
    }
    world.plan();
    *world.answers.lock().expect("unbroken") =
        vec![Outcome::Refused("550 no".into()), Outcome::Later("451 later".into())];
    world.send();
    let first = world.piece(0);
    let tries: Vec<_> = first.tries.iter().map(|attempt| (attempt.came, attempt.said.as_str(), attempt.at.0)).collect();
    let again = tries.last().expect("two").2;
    assert_eq!(tries, [(Came::Later, "451 later", NOON), (Came::Taken, "250 taken", again)]);
    assert!(again >= NOON + 60 && first.tries.iter().all(|attempt| attempt.to == "a1@example.com"), "{first:?}");
    let second = world.piece(1);
    assert_eq!((second.tries.len(), second.tries[0].came, second.state), (1, Came::Refused, State::Dead));
    for piece in [first, second] {
        let row = serde_json::to_value(&piece).expect("JSON");
        assert!(row.get("next_at").is_none() && row["tries"][0]["at"].as_str().is_some(), "{row}");
    }
    // Many attempts do not make the row longer without end: the first and the last stay.
    let mut often = Piece::default();
    for n in 0..100 {
        often.said = format!("{n}{}", "x".repeat(9_000));
        often.tried(Came::OutOfOrder);
    }
    let said = |at: usize| often.tries[at].said.trim_end_matches('x').to_string();
    assert_eq!((often.tries.len(), said(0), said(19)), (20, "0".into(), "99".into()));
    assert!(serde_json::to_vec(&often).expect("JSON").len() < 30_000);
}

#[test]
fn a_run_that_balances_is_closed_by_itself_after_its_time_and_no_other() {
    let world = World::new("channels = [\"mail\"]\nclose_after_h = 2", &[("1", "bill")]);
    let (point, _) = world.customer("1", "ada@example.com", &[]);
    world.wants("1", "", Way::Email, Some(&point));
    world.plan();
    let books = || {
        let after = |run: &Run| world.config.closes_after_s(run);
        world.ledger.close_balanced(world.crm.now(), &after).expect("looked").len()
    };
    let run = || world.ledger.run(1).expect("there");
    assert_eq!((books(), run().balanced_at), (0, None), "a piece is open");
    world.send();
    assert_eq!(books(), 0);
    let since = run().balanced_at.expect("it balances");
    assert_eq!(run().closes_at(world.config.closes_after_s(&run())), Some(since.plus(7_200)));
    // A copy in between opens the books again.
    world.planner().replay(1, &[0]).expect("a copy");
    assert_eq!((books(), run().balanced_at), (0, None));
    world.send();
    assert_eq!(books(), 0);
    world.clock.turn(7_199);
    assert_eq!(books(), 0);
    world.clock.turn(1);
    assert_eq!((books(), run().state, run().closed_by.as_str()), (1, RunState::Closed, "greenbar"));
    assert!(!world.ledger.unkept().expect("read").is_empty(), "its manifest waits to be archived");
    // What was given up waits for a signature, however long.
    let other = World::new("channels = [\"mail\"]\nclose_after_h = 0", &[("1", "bill")]);
    other.plan();
    other.clock.turn(1_000_000);
    let after = |run: &Run| other.config.closes_after_s(run);
    assert!(other.ledger.close_balanced(other.crm.now(), &after).expect("looked").is_empty());
    // Where somebody is to close each run, none closes by itself.
    let by_hand = World::new("channels = [\"mail\"]\nclose_by_hand = true", &[]);
    by_hand.plan();
    let after = |run: &Run| by_hand.config.closes_after_s(run);
    by_hand.clock.turn(1_000_000);
    assert!(by_hand.ledger.close_balanced(by_hand.crm.now(), &after).expect("looked").is_empty());
}

#[test]
fn who_worked_on_a_run_signs_no_exception() {
    let world = World::new("channels = [\"mail\"]", &[("1", "bill")]);
    world.plan();
    world.ledger.worked_on(1, "otto").expect("noted");
    world.ledger.worked_on(1, "otto").expect("noted");
    assert_eq!(world.ledger.run(1).expect("there").worked_on_by, ["otto"]);
    let close = |by: &str| world.ledger.close(1, by, "they are called", world.crm.now());
    assert!(close("otto").expect_err("four eyes").to_string().contains("worked on"));
    assert_eq!(close("petra").expect("signed").closed_by, "petra");
}
