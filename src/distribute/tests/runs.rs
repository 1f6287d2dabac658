//! What becomes of pieces and runs: attempts, what is open and what adds up, calling off, copies.

use super::*;
use crate::crm::copy::DeliveryState;

#[test]
fn a_piece_without_an_address_is_sent_when_it_is_tried_again_and_the_customer_has_one() {
    let world = World::new("channels = [\"mail\"]", &[("1", "bill")]);
    world.plan();
    let why = world.piece(0).said;
    assert!(world.planner().replay(1, &[0]).is_err(), "there is no way still");
    assert_eq!((world.piece(0).state, world.piece(0).said), (State::Dead, why), "and its reason stays");
    let (point, _) = world.customer("1", "ada@example.com", &[]);
    world.wants("1", "", Way::Email, Some(&point));
    assert_eq!(world.planner().replay(1, &[0]).expect("again"), 1);
    world.send();
    assert_eq!(world.mails(), [pair("ada@example.com", "1-1")]);
    assert!(world.balances());
}

#[test]
fn a_channel_that_is_missing_or_out_of_order_uses_up_no_attempt_and_falls_back_for_nobody() {
    let mut world = World::new("channels = [\"mail\", \"press\"]", &[("1", "bill")]);
    let (point, _) = world.customer("1", "ada@example.com", &[]);
    world.wants("1", "", Way::Email, Some(&point));
    world.plan();
    let mail = world.channels.insert("mail".into(), Err("password_file: not there".into())).expect("there");
    world.send();
    assert_eq!((world.piece(0).state, world.piece(0).attempts), (State::Retrying, 0));
    assert_eq!(world.piece(0).said, "password_file: not there");
    world.channels.insert("mail".into(), mail);
    *world.answers.lock().expect("unbroken") = vec![Outcome::OutOfOrder("530 sign in first".into()); 4];
    world.send();
    assert_eq!((world.mails().len(), world.papers().len()), (1, 0));
    assert_eq!((world.piece(0).state, world.piece(0).attempts), (State::Done, 1));
}

#[test]
fn a_rule_that_names_what_there_is_not_plans_nothing_and_says_so() {
    for (rule, told) in [
        (
            "channels = [\"press\"]\ndefinitions = [\"bil-report\"]",
            "definitions: there is no report definition \"bil-report\"",
        ),
        ("channels = [\"press\"]\nwhere = \"amont > 0\"", "where: none of its reports has a field \"amont\""),
        ("channels = [\"press\"]\nburst = \"branch\"", "burst: none of its reports has a field \"branch\""),
    ] {
        let world = World::new(rule, &[("1", "bill")]);
        let rule = world.config.distribution("r").expect("there");
        let said = world.planner().plan(rule, "x", &[LoadId(1)]).expect_err("refused").to_string();
        assert!(said.contains(told), "{said}");
        assert_eq!(world.ledger.runs().expect("read").len(), 0);
    }
}

#[test]
fn a_link_that_would_show_nothing_is_not_sent() {
    let world = World::new("channels = [\"mail\", \"press\"]", &[("1", "bill")]);
    let (point, _) = world.customer("1", "ada@example.com", &[]);
    world.wants("1", "", Way::Email, Some(&point));
    world.docs.kept.lock().expect("unbroken").push("bill".into());
    world.plan();
    world.send();
    assert_eq!((world.mails().len(), world.papers()), (0, vec!["1-1".to_string()]));
    assert_eq!(world.piece(0).said, "1-1 would be shown to nobody: customers may not see documents of this report");
}

#[test]
fn a_run_is_called_off_and_what_was_not_sent_counts_in_its_balance() {
    let world = World::new("channels = [\"press\"]\nhold = true", &[("1", "bill"), ("2", "bill")]);
    world.plan();
    assert!(world.ledger.cancel(1, "eve", "  ").is_err(), "a reason is needed");
    let (run, count) = world.ledger.cancel(1, "eve", "wrong prices").expect("cancelled");
    assert_eq!((run.state, count), (RunState::Cancelled, 2));
    assert!(world.ledger.release(1, "otto").is_err() && world.planner().replay(1, &[0]).is_err());
    world.send();
    assert_eq!(world.papers().len(), 0);
    let sum = world.ledger.reconcile(1).expect("counted");
    assert_eq!((sum.cancelled.pieces, sum.open.pieces, sum.balances), (2, 0, true));
    assert_eq!(world.piece(1).said, "cancelled: wrong prices");
    let closed = world.ledger.close(1, "eve", "", world.crm.now()).expect("closed");
    assert_eq!((closed.state, closed.cancelled.as_str()), (RunState::Closed, "wrong prices"));
}

#[test]
fn what_may_have_come_is_given_up_when_its_run_is_called_off_and_an_unloaded_load_is_told() {
    let rule = "channels = [\"mail\"]\nin_doubt = \"ask\"";
    let world = World::new(rule, &[("1", "bill"), ("2", "bill")]);
    for account in ["1", "2"] {
        let (point, _) = world.customer(account, &format!("a{account}@example.com"), &[]);
        world.wants(account, "", Way::Email, Some(&point));
    }
    world.plan();
    *world.answers.lock().expect("unbroken") = vec![Outcome::Later("451".into()), Outcome::InDoubt("no answer".into())];
    world.worker().round(&|| false).expect("worked");
    assert_eq!(world.ledger.unloaded(1, "loaded by mistake").expect("noted"), 2);
    assert_eq!((world.piece(0).state, world.piece(1).state), (State::Dead, State::Cancelled));
    assert!(world.piece(0).said.contains("may have come"), "{}", world.piece(0).said);
    assert!(world.piece(1).said.contains("load 1 was taken out of the archive: loaded by mistake"));
}

#[test]
fn a_copy_leaves_the_evidence_of_the_first_alone() {
    let world = World::new("channels = [\"mail\"]", &[("1", "bill")]);
    let (point, _) = world.customer("1", "ada@example.com", &[]);
    world.wants("1", "", Way::Email, Some(&point));
    world.plan();
    world.send();
    let first = world.piece(0);
    world.ledger.prove(&first.id, &Proof::new(world.crm.now(), What::Opened, "")).expect("noted");
    let first = world.piece(0);
    assert_eq!(first.rung, Rung::Opened);
    assert_eq!(world.planner().replay(1, &[0]).expect("again"), 1);
    assert!(world.ledger.close(1, "eve", "", world.crm.now()).is_err(), "the copy is open");
    *world.answers.lock().expect("unbroken") = vec![Outcome::Refused("550 no".into())];
    world.send();
    assert_eq!(world.piece(0), first, "id, digest, rung and state are those of the first");
    let copy = world.piece(1);
    assert_eq!((copy.copy_of, copy.generation, copy.state), (Some(0), 2, State::Dead));
    assert_ne!(copy.id, first.id);
    let sum = world.ledger.reconcile(1).expect("counted");
    assert_eq!((sum.done.pieces, sum.dead.pieces, sum.copies, sum.balances), (1, 0, 1, true));
    world.ledger.close(1, "eve", "", world.crm.now()).expect("closed");
}

#[test]
fn who_looks_for_work_reads_open_runs_alone() {
    let world = World::new("channels = [\"press\"]", &[("1", "bill")]);
    let rule = world.config.distribution("r").expect("there");
    for name in ["a", "b", "c"] {
        world.planner().plan(rule, name, &[LoadId(1)]).expect("planned");
    }
    world.send();
    world.ledger.close(2, "eve", "", world.crm.now()).expect("closed");
    let open = |ledger: &Ledger| ledger.open_runs().expect("read").iter().map(|run| run.number).collect::<Vec<_>>();
    assert_eq!(open(&world.ledger), [1, 3]);
    let newest = world.ledger.runs_before(None, 2).expect("read");
    assert_eq!(newest.iter().map(|run| run.number).collect::<Vec<_>>(), [3, 2]);
    assert_eq!(world.ledger.runs_before(Some(2), 5).expect("read").len(), 1);
}

#[test]
fn what_lies_with_a_printer_is_open_until_the_printer_says_what_became_of_it() {
    let printing = || Outcome::Working { ticket: "7".into(), said: PRINTING.into() };
    let ends = [
        (Outcome::Taken { rung: Rung::Completed, said: "job 7 is completed".into() }, State::Done, Rung::Completed),
        (Outcome::Refused("job 7 was canceled at the printer".into()), State::Dead, Rung::Accepted),
        (Outcome::InDoubt("the printer does not know job 7 any more".into()), State::InDoubt, Rung::Accepted),
    ];
    for (end, state, rung) in ends {
        let world = World::new("channels = [\"mail\"]\nin_doubt = \"ask\"", &[("1", "bill")]);
        let (point, _) = world.customer("1", "a@example.com", &[]);
        world.wants("1", "", Way::Email, Some(&point));
        world.plan();
        *world.answers.lock().expect("unbroken") = vec![printing()];
        world.send();
        let piece = world.piece(0);
        assert_eq!((piece.state, piece.rung, piece.said.as_str()), (State::Handing, Rung::Accepted, PRINTING));
        assert!(!world.ledger.reconcile(1).expect("summed up").balances, "paper at a printer is not done");
        world.clock.turn(3_600);
        world.send();
        assert_eq!(world.piece(0).state, State::Handing, "nor an hour later");
        *world.answers.lock().expect("unbroken") = vec![Outcome::Later("no connection".into())];
        world.clock.turn(3_600);
        world.worker().round(&|| false).expect("asked once");
        assert!(world.piece(0).said.contains("cannot be asked"), "{}", world.piece(0).said);
        *world.answers.lock().expect("unbroken") = vec![end];
        world.clock.turn(3_600);
        world.send();
        let piece = world.piece(0);
        assert_eq!((piece.state, piece.rung, piece.ticket.as_str(), piece.attempts), (state, rung, "", 1));
        assert!(world.mails().is_empty(), "nothing was handed over again");
    }
}

#[test]
fn a_manifest_has_a_name_of_bounded_length_and_one_that_waits_is_told() {
    let world = World::new("channels = [\"mail\"]", &[("1", "bill")]);
    let rule = world.config.distribution("r").expect("there");
    let name = format!("账单{}", "长".repeat(300));
    world.planner().plan(rule, &name, &[LoadId(1)]).expect("planned");
    world.ledger.close(1, "petra", "they are called", world.crm.now()).expect("closed");
    let waiting = world.ledger.unkept().expect("read");
    let forms = waiting.iter().map(|at| world.ledger.form(at).expect("read").expect("there"));
    let names: Vec<String> = forms.map(|form| form.name).collect();
    assert_eq!(names.len(), 3);
    assert!(
        names.iter().all(|name| name.len() < 130 && name.contains("-run-1.") && name.starts_with("manifest-r-账单")),
        "{names:?}"
    );
    let late = || world.ledger.manifests_late(world.crm.now()).expect("read");
    assert_eq!(late(), [0; 0]);
    world.clock.turn(61);
    assert_eq!(late(), [1]);
    waiting.iter().for_each(|at| world.ledger.kept(at).expect("noted"));
    assert_eq!(late(), [0; 0]);
}

#[test]
fn what_was_sent_and_what_could_not_be_stands_at_its_account() {
    let world = World::new("channels = [\"mail\"]", &[("1", "bill"), ("2", "bill")]);
    for account in ["1", "2"] {
        let (point, _) = world.customer(account, &format!("a{account}@example.com"), &[]);
        world.wants(account, "", Way::Email, Some(&point));
    }
    world.plan();
    *world.answers.lock().expect("unbroken") = vec![Outcome::Refused("550 no such user".into())];
    world.send();
    let of = |document: &str| {
        let id = document.parse().expect("an id");
        let found = world.crm.deliveries_of(crate::crm::Viewer::Staff("ann"), id).expect("read");
        let told = |row: &crate::crm::copy::Delivery| (row.state, row.to.clone(), row.account.clone());
        found.iter().map(told).collect::<Vec<_>>()
    };
    assert_eq!(of("1-1"), [(DeliveryState::Failed, "a1@example.com".into(), Some("1".into()))]);
    assert_eq!(of("1-2"), [(DeliveryState::Handed, "a2@example.com".into(), Some("2".into()))]);
    assert!(world.crm.deliveries_to_hand(10).expect("read").is_empty(), "nobody sends them as copies");
}

#[test]
fn a_run_keeps_the_rule_that_it_was_planned_by() {
    let mut world = World::new("channels = [\"mail\"]\nin_doubt = \"ask\"\nhold = true", &[("1", "bill")]);
    let (point, _) = world.customer("1", "a@example.com", &[]);
    world.wants("1", "", Way::Email, Some(&point));
    world.plan();
    world.config.distributions.clear();
    world.ledger.release(1, "boss").expect("released");
    *world.answers.lock().expect("unbroken") = vec![Outcome::InDoubt("no answer".into())];
    world.send();
    assert_eq!(world.piece(0).state, State::InDoubt, "it asks, as it was planned");
}
