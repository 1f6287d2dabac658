//! Customers from files, and their documents, whichever came first.

use serde_json::{Value, json};

use crate::server::{Server, key};
use crate::story::{Archive, account, checkout, small_statements, text};

/// A customer file for the accounts of [`small_statements`].
fn customers(count: usize) -> String {
    let mut file = String::from("key,full,locale,account,phone,email,address\n");
    for n in 1..=count {
        let (phone, number) = (format!("(614) 555-{:04}", n % 5), account(n));
        file.push_str(&format!("C{n},Person Number {n},en-US,{number},{phone},p{n}@example.com,{n} Birch St\n"));
    }
    file
}

fn timeline(server: &Server, key: &str, name: &str) -> Vec<Value> {
    let found = server.json(&format!("/api/v1/customers?q={}", name.replace(' ', "%20")), key);
    let id = found["items"][0]["id"].as_str().expect("a customer").to_string();
    let timeline = server.json(&format!("/api/v1/customers/{id}/timeline?kind=document"), key);
    timeline["items"].as_array().expect("entries").clone()
}

#[test]
fn documents_join_whether_they_or_their_customer_came_first() {
    for documents_first in [true, false] {
        let archive = Archive::new("join");
        let stream = archive.home.file("statements.txt", small_statements(20));
        let file = archive.home.file("customers.csv", customers(20));
        let import = || archive.json(&["customer", "import", file.to_str().expect("UTF-8")]).remove(0);
        if documents_first {
            archive.load(&stream, None);
            assert_eq!(import()["customers_added"], 20);
        } else {
            assert_eq!(import()["accounts_added"], 20);
            archive.load(&stream, None);
        }
        let ann = key(&archive, "ann", "agent", &[]);
        let server = Server::start(&archive);
        let entries = timeline(&server, &ann, "Person Number 7");
        assert_eq!(entries.len(), 1, "documents first: {documents_first}");
        assert_eq!(entries[0]["account"], account(7).as_str());
        assert_eq!(entries[0]["entry"]["amount"], "70.07");
    }
}

#[test]
fn the_same_file_twice_changes_nothing_and_wrong_rows_are_told() {
    let archive = Archive::new("import");
    let path = |name: &str| checkout().join("fixtures").join(name).to_str().expect("UTF-8").to_string();
    let (file, mapping) = (path("customers.csv"), path("customers.toml"));
    let import = |more: &[&str]| {
        let mut args = vec!["customer", "import", &file, "--mapping", &mapping];
        args.extend(more);
        archive.json(&args).remove(0)
    };
    let dry = import(&["--dry-run"]);
    let first = import(&[]);
    assert_eq!(dry["customers_added"], first["customers_added"]);
    assert_eq!(
        (first["customers_added"].clone(), first["accounts_added"].clone(), first["failed"].clone()),
        (json!(28), json!(28), json!(0)),
        "{first}"
    );
    let again = import(&["--delta"]);
    assert_eq!((again["unchanged"].clone(), again["customers_changed"].clone()), (first["rows"].clone(), json!(0)));
    let bad = archive.home.file("bad.csv", "key,full,account,email\n1,Ada,1,nonsense\n2,Bob,2,bob@example.com\n");
    let out = archive.command(&["customer", "import", bad.to_str().expect("UTF-8")]).output().expect("runs");
    assert_eq!(out.status.code(), Some(1));
    let said = text(&out.stdout);
    assert!(said.contains("line 2, column email") && said.contains("1 customers were added"), "{said}");
    let shown = archive.json(&["customer", "show", "4100001000 0"]).remove(0);
    assert_eq!(shown["customer"]["name"]["family"], "Barnes");
}

#[test]
fn a_pin_letter_opens_the_portal_once() {
    let archive = Archive::new("pin");
    let stream = archive.home.file("statements.txt", small_statements(3));
    archive.load(&stream, None);
    let file = archive.home.file("customers.csv", customers(3));
    archive.ok(&["customer", "import", file.to_str().expect("UTF-8")]);
    let letter = archive.home.path().join("letter.pdf");
    archive.ok(&["customer", "pin-letter", &account(2), "--output", letter.to_str().expect("UTF-8")]);
    let bytes = std::fs::read(&letter).expect("a letter");
    let pdf = lopdf::Document::load_mem(&bytes).expect("a readable PDF");
    let words = pdf.extract_text(&[1]).expect("text");
    let pin = words.lines().find(|line| is_pin(line)).unwrap_or_else(|| panic!("no PIN in {words}")).to_string();
    assert!(words.contains("2 Birch St") && words.contains(&account(2)), "{words}");
    let server = Server::start(&archive);
    let enrol = |name: &str| {
        let body = json!({ "account": account(2), "pin": pin, "name": name, "password": "correct horse" });
        let body = body.to_string();
        server.ask("POST", "/api/v1/enrolment", &[("Content-Type", "application/json")], body.as_bytes()).0
    };
    assert_eq!((enrol("pat"), enrol("eve")), (201, 403));
    let facts = |account: &str, amount: &str| {
        let facts = [("date", "2024-02-28"), ("amount", amount)];
        let facts: Vec<_> = facts.iter().map(|(field, value)| json!({ "field": field, "value": value })).collect();
        let body = json!({
            "account": account, "definition": "great-lakes-statement", "facts": facts,
            "name": format!("u{}", &account[..6]), "password": "correct horse",
        });
        let body = body.to_string();
        server.ask("POST", "/api/v1/enrolment", &[("Content-Type", "application/json")], body.as_bytes()).0
    };
    assert_eq!((facts(&account(1), "10.02"), facts(&account(1), "10.01")), (403, 201));
}

/// Two groups of five letters and digits.
fn is_pin(line: &str) -> bool {
    let groups: Vec<&str> = line.split_whitespace().collect();
    let group = |group: &&str| group.len() == 5 && group.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    groups.len() == 2 && groups.iter().all(group)
}
