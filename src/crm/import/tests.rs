//! Files as they come, good and bad.

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
    crm.import("ops", &mut file.as_bytes(), &mapping, how, &mut |_| {}).expect("imported")
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
        let mut bytes = file.as_bytes();
        crm.import("ops", &mut bytes, &mapping, ImportHow::default(), &mut |_| {}).expect_err("refused").to_string()
    };
    assert!(import("a,b\n1,2\n").contains("Cust, Last"), "{}", import("a,b\n1,2\n"));
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
