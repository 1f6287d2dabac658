//! Files as they come, good and bad.

use std::io::Cursor;

use super::*;
use crate::crm::contact::{ContactKind, Owner};
use crate::crm::tests::crm;

const MAPPING: &str = r#"
system = "core"
dates = "mdy"

[customer]
key = "Cust"
family = "Last"
given = "First"
locale = "Lang"

[account]
number = "Acct"
status = "State"
opened = "Since"

[[contact]]
kind = "phone"
value = ["Tel"]

[[contact]]
kind = "post"
value = ["Street", "City"]

[[contact]]
kind = "email"
value = ["Mail"]
verified = "MailOk"
"#;

const FILE: &str = "Cust;Last;First;Lang;Acct;State;Since;Tel;Street;City;Mail;MailOk;Unused\r\n\
    1;Barnes;Ava;en-US;41-1;open;01/31/2020;(614) 225-1170;10 Birch St;Dayton OH;ava@example.com;yes;x\r\n\
    1;Barnes;Ava;en-US;41-2;open;;;;;;;\r\n\
    2;周;明怡;zh-CN;88-1;closed;02/01/2021;138 0013 8000;\"长安街 1号\n2楼\";北京;;;\r\n";

fn import(crm: &Crm, file: &str, how: ImportHow) -> ImportReport {
    let mapping = Mapping::parse(MAPPING).expect("a mapping");
    crm.import("ops", &mut Cursor::new(file), &mapping, how, &mut |_| {}).expect("imported")
}

#[test]
fn a_file_brings_customers_accounts_and_contact_points_and_twice_changes_nothing() {
    let (crm, _) = crm();
    let dry = import(&crm, FILE, ImportHow { dry_run: true, ..ImportHow::default() });
    assert_eq!((dry.customers_added, dry.accounts_added, dry.contact_points_added), (2, 3, 5), "{dry:?}");
    assert_eq!(crm.customers(None, 10).expect("read").items.len(), 0);
    let first = import(&crm, FILE, ImportHow::default());
    assert_eq!((first.rows, first.failed, first.customers_added, first.customers_changed), (3, 0, 2, 0), "{first:?}");
    assert_eq!((first.accounts_added, first.contact_points_added), (3, 5));
    let ava = crm.customer_by_ref("core", "1").expect("read").expect("there");
    assert_eq!(ava.display_name(), "Ava Barnes");
    assert_eq!(crm.accounts_of(&ava.id, 9).expect("read").len(), 2);
    assert_eq!(crm.account("41-1").expect("there").opened.map(|day| day.to_string()).as_deref(), Some("2020-01-31"));
    let points = crm.contacts_of(&Owner::Customer(ava.id.clone())).expect("read");
    let mail = points.iter().find(|point| point.kind == ContactKind::Email).expect("a mail address");
    assert!(mail.verified_at.is_some() && mail.verified_by == "import");
    let zhou = crm.customer_by_ref("core", "2").expect("read").expect("there");
    assert_eq!(zhou.display_name(), "周明怡");
    assert_eq!(crm.contacts_with(ContactKind::Phone, "+8613800138000", 9).expect("read").len(), 1);
    assert_eq!(crm.contacts_of(&Owner::Customer(zhou.id)).expect("read")[1].value, "长安街 1号\n2楼\n北京");
    let again = import(&crm, FILE, ImportHow { delta: true, ..ImportHow::default() });
    assert_eq!((again.unchanged, again.failed), (3, 0), "{again:?}");
    assert_eq!(crm.customer_history(&ava.id).expect("read").len(), 1);
}

#[test]
fn a_delta_leaves_what_it_does_not_name_and_a_whole_import_takes_it_away() {
    let (crm, _) = crm();
    import(&crm, FILE, ImportHow::default());
    let change = "{\"Cust\": 1, \"Last\": \"Novak\", \"First\": \"\", \"Acct\": \"41-1\", \"Since\": \"\"}\n\n";
    let report = import(&crm, change, ImportHow { delta: true, ..ImportHow::default() });
    assert_eq!((report.customers_changed, report.accounts_changed, report.failed), (1, 0, 0), "{report:?}");
    let ava = crm.customer_by_ref("core", "1").expect("read").expect("there");
    assert_eq!(ava.display_name(), "Ava Novak");
    assert!(crm.account("41-1").expect("there").opened.is_some());
    import(&crm, change, ImportHow::default());
    let ava = crm.customer_by_ref("core", "1").expect("read").expect("there");
    assert_eq!(ava.display_name(), "Novak");
    assert_eq!(ava.locale, "en-US", "absent members stay");
    assert_eq!(crm.account("41-1").expect("there").opened, None);
    assert_eq!(crm.customer_history(&ava.id).expect("read").len(), 3);
}

#[test]
fn wrong_rows_are_told_with_line_and_column_and_the_others_are_taken() {
    let (crm, _) = crm();
    let file = "Cust,Last,First,Lang,Acct,State,Since,Tel,Street,City,Mail,MailOk\n\
        1,Barnes,Ava,en,1,open,01/31/2020,,,,,\n\
        2,Barnes,Leo,en,2,gone,,,,,,\n\
        3,Barnes,Mia,en,3,open,2020-01-31,,,,,\n\
        4,Barnes,Zoe,en,4,open,,call me,,,,\n\
        5,Barnes\n\
        ,Barnes,Max,en,6,open,,,,,,\n\
        7,,,en,7,open,,,,,,\n\
        8,\"Barn\"es,Bo,en,8,open,,,,,,\n\
        9,Barnes,Eve,en,9,open,,,,,eve@nowhere,\n\
        10,Barnes,Ivy,en,10,open,,,,,,\n";
    let report = import(&crm, file, ImportHow::default());
    let errors: Vec<_> = report.errors.iter().map(|error| (error.line, error.column.as_str())).collect();
    let expected =
        [(3, "State"), (4, "Since"), (5, "Tel"), (6, ""), (7, "Cust"), (8, "Last"), (9, "Last"), (10, "Mail")];
    assert_eq!(errors, expected, "{:?}", report.errors);
    assert_eq!((report.rows, report.failed, report.customers_added), (10, 8, 2));
    assert!(crm.account("4").is_err(), "a row is taken whole or not at all");
    let broken = import(&crm, "{\"Cust\": 1,\n[1]\n", ImportHow::default());
    assert_eq!(broken.errors.iter().map(|error| error.line).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn what_does_not_fit_at_all_ends_the_import() {
    let (crm, _) = crm();
    let mapping = Mapping::parse(MAPPING).expect("a mapping");
    let import = |file: &str| {
        crm.import("ops", &mut Cursor::new(file), &mapping, ImportHow::default(), &mut |_| {})
            .expect_err("refused")
            .to_string()
    };
    assert!(import("a,b\n1,2\n").contains("\"Cust\""), "{}", import("a,b\n1,2\n"));
    assert!(import("").contains("empty"));
    assert!(import("a,a\n").contains("two columns"));
    for (bad, told) in [
        ("colour = 1", "colour"),
        ("[customer]\nfull = \"n\"", "customer.key"),
        ("[account]\nnumber = \"n\"\n[[contact]]\nkind = \"pigeon\"\nvalue = [\"x\"]", "pigeon"),
        ("country = \"XX\"\n[account]\nnumber = \"n\"", "XX"),
    ] {
        let error = Mapping::parse(bad).expect_err("refused").to_string();
        assert!(error.contains(told), "{error}");
    }
}

/// The telephones and mail addresses of customer 1, verified ones with an exclamation mark.
fn reached(crm: &Crm) -> Vec<String> {
    let ava = crm.customer_by_ref("core", "1").expect("read").expect("there");
    let points = crm.contacts_of(&Owner::Customer(ava.id.clone())).expect("read");
    let mark = |point: &crate::crm::contact::ContactPoint| if point.verified_at.is_some() { "!" } else { "" };
    points.iter().map(|point| format!("{}{}", point.normalised, mark(point))).collect()
}

#[test]
fn what_import_brought_follows_the_source_and_what_people_added_stays() {
    let (crm, _) = crm();
    let head = "Cust;Last;Tel;Mail;MailOk\n";
    let whole = ImportHow::default();
    let first = import(&crm, &format!("{head}1;Barnes;614 225 1170;ava@example.com;yes\n"), whole);
    assert_eq!((first.failed, first.contact_points_added), (0, 2), "{first:?}");
    let ava = Owner::Customer(crm.customer_by_ref("core", "1").expect("read").expect("there").id.clone());
    let old = crm.contacts_of(&ava).expect("read").pop().expect("mail").id;
    let added = crate::crm::contact::NewContact {
        owner: ava,
        kind: ContactKind::Email,
        value: "home@example.com".into(),
        label: String::new(),
        valid_from: None,
        valid_to: None,
        source: "agent".into(),
    };
    crm.add_contact("ann", added).expect("added");
    let change = format!("{head}1;Barnes;614 225 1170;new@example.com;\n");
    let dry = import(&crm, &change, ImportHow { dry_run: true, ..whole });
    assert_eq!((dry.contact_points_added, dry.contact_points_removed), (1, 1));
    for (how, removed) in [(ImportHow { delta: true, ..whole }, 1), (whole, 0)] {
        assert_eq!(import(&crm, &change, how).contact_points_removed, removed, "also in a delta, and once");
        assert_eq!(reached(&crm), ["+16142251170", "home@example.com", "new@example.com"]);
    }
    assert!(crm.contact(&old).is_err());
    assert_eq!(crm.contact_history(&old).expect("read").len(), 2, "what was there can be proved");
    let empty = format!("{head}1;Barnes;;;\n");
    assert_eq!(import(&crm, &empty, ImportHow { delta: true, ..whole }).contact_points_removed, 0);
    assert_eq!(import(&crm, "{\"Cust\": 1, \"Last\": \"Barnes\"}\n", whole).contact_points_removed, 0, "absent");
    assert_eq!(import(&crm, &empty, whole).contact_points_removed, 2);
    assert_eq!(reached(&crm), ["home@example.com"]);
}

#[test]
fn several_rows_of_one_customer_tell_of_several_points() {
    let (crm, _) = crm();
    let file =
        "Cust;Last;Acct;Tel;Mail\n1;Barnes;41-1;614 225 1170;\n1;Barnes;41-2;614 225 1171;a@b.co\n1;Barnes;41-3;;\n";
    let whole = ImportHow::default();
    for (added, unchanged) in [(3, 0), (0, 3)] {
        let report = import(&crm, file, whole);
        let counts = (report.contact_points_added, report.contact_points_removed, report.unchanged);
        assert_eq!(counts, (added, 0, unchanged), "{report:?}");
        assert_eq!(reached(&crm), ["+16142251170", "+16142251171", "a@b.co"]);
    }
    let report = import(&crm, &file.replace("1171", "1172"), whole);
    assert_eq!((report.contact_points_added, report.contact_points_removed), (1, 1));
    let broken = file.replace("1170", "17").replace("a@b.co", "");
    assert_eq!(import(&crm, &broken, whole).contact_points_removed, 0, "a row is missing: who knows what it says");
}

#[test]
fn a_file_with_fewer_columns_leaves_what_it_does_not_tell() {
    let (crm, _) = crm();
    import(&crm, FILE, ImportHow::default());
    let report = import(&crm, "Cust,Last\n1,Novak\n", ImportHow::default());
    assert_eq!((report.customers_changed, report.failed, report.contact_points_removed), (1, 0, 0), "{report:?}");
    assert!(report.absent_columns.iter().any(|name| name == "Mail") && !report.absent_columns.contains(&"Last".into()));
    let ava = crm.customer_by_ref("core", "1").expect("read").expect("there");
    assert_eq!(ava.display_name(), "Ava Novak");
    assert_eq!(crm.contacts_of(&Owner::Customer(ava.id.clone())).expect("read").len(), 3);
}

#[test]
fn an_account_for_two_customers_goes_to_neither_and_both_rows_are_told() {
    let (crm, _) = crm();
    import(&crm, FILE, ImportHow::default());
    let holder = |number: &str| crm.account(number).expect("there").customer.clone();
    let before = holder("41-1");
    let file = "Cust,Last,Acct\n2,Zhou,41-1\n3,Lee,77-1\n4,Kim,41-1\n2,Zhou,88-1\n3,Lee,77-1\n";
    for unchanged in [1, 3] {
        let report = import(&crm, file, ImportHow::default());
        assert_eq!((report.failed, report.unchanged), (2, unchanged), "{report:?}");
        for (error, line) in report.errors.iter().zip([2, 4]) {
            assert_eq!((error.line, error.column.as_str()), (line, "Acct"));
            assert!(error.problem.contains("lines 2 and 4"), "{}", error.problem);
        }
        assert_eq!(holder("41-1"), before);
    }
    assert!(crm.customer_by_ref("core", "4").expect("read").is_none(), "a row is taken whole or not at all");
    assert!(holder("77-1").is_some());
}
