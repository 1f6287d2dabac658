//! The definitions of `indexers/` on the corpus: every field of every document equals the ground truth.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::Draft;
use super::definition::{Choice, Definition, choose};
use super::split::{Cut, Splitter};
use super::table::transactions;
use super::value::{FieldValue, Value};
use crate::decode::{Context, Decoder, FORMATS, ReadSpec, SAMPLE_BYTES, Sample, Start, Unit, UnitKind};
use crate::note::Notes;

/// A file of the corpus, or `None` (said on the terminal) where there is no corpus.
fn corpus(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("GREENBAR_CORPUS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus"), PathBuf::from);
    let path = root.join("linedata").join(name);
    if !path.exists() {
        println!("skipped: the corpus has no {name}");
        return None;
    }
    Some(path)
}

fn indexer(name: &str) -> Definition {
    let file = format!("{name}.toml");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("indexers").join(&file);
    let source = fs::read_to_string(path).expect("the definition is in the checkout");
    Definition::parse(&source, &file).unwrap_or_else(|errors| panic!("{errors}"))
}

fn open<'a>(bytes: &'a [u8], name: &'a str, hint: &ReadSpec) -> Box<dyn Decoder + 'a> {
    let head = &bytes[..bytes.len().min(SAMPLE_BYTES)];
    let sample = Sample { head, total: Some(bytes.len() as u64), name: Some(name) };
    let sniffed = FORMATS.iter().map(|format| (format, format.sniff(&sample, hint)));
    let (format, sniff) = sniffed.max_by(|a, b| a.1.confidence.total_cmp(&b.1.confidence)).expect("there are formats");
    let read = sniff.read;
    format
        .open(Box::new(bytes), Start::default(), &read, &Context::default())
        .unwrap_or_else(|error| panic!("{name}: {error}"))
}

struct Outcome {
    cuts: Vec<Cut>,
    pages: u64,
    notes: Notes,
}

impl Outcome {
    fn documents(&self) -> Vec<&Draft> {
        fn draft(cut: &Cut) -> Option<&Draft> {
            match cut {
                Cut::Document(draft) => Some(draft),
                Cut::SetAside(_) => None,
            }
        }
        self.cuts.iter().filter_map(draft).collect()
    }
}

fn split(definition: &Definition, bytes: &[u8], name: &str) -> Outcome {
    let mut decoder = open(bytes, name, &definition.read);
    let mut splitter = Splitter::new(definition, decoder.code_page()).named(name);
    let (mut unit, mut notes, mut cuts, mut pages) = (Unit::default(), Notes::default(), Vec::new(), 0);
    while decoder.next(&mut unit, &mut notes).expect("the corpus decodes") {
        pages += u64::from(unit.kind == UnitKind::Page);
        splitter.push(&unit, &mut notes, &mut cuts);
    }
    splitter.finish(&mut notes, &mut cuts);
    assert_covered(&cuts, bytes.len() as u64, pages);
    Outcome { cuts, pages, notes }
}

/// Pieces follow each other, hold every byte and every page.
fn assert_covered(cuts: &[Cut], bytes: u64, pages: u64) {
    let (mut at, mut page) = (0, 0);
    for cut in cuts {
        let (span, count) = match cut {
            Cut::Document(draft) => {
                assert_eq!(draft.first_page, page + 1);
                (&draft.span, u64::from(draft.pages))
            }
            Cut::SetAside(piece) => (&piece.span, piece.pages),
        };
        assert_eq!(span.start, at, "{cut:?}");
        at = span.end;
        page += count;
    }
    assert_eq!((at, page), (bytes, pages));
}

fn truth(path: &Path) -> Vec<BTreeMap<String, String>> {
    let table = fs::read_to_string(path).expect("the truth is UTF-8");
    let mut lines = table.lines();
    let names: Vec<&str> = lines.next().expect("a header").split('\t').collect();
    lines.map(|line| names.iter().zip(line.split('\t')).map(|(n, v)| ((*n).into(), v.into())).collect()).collect()
}

fn text_of(draft: &Draft, definition: &Definition, name: &str) -> String {
    let number = definition.fields.iter().position(|field| field.name == name).expect("a field of the definition");
    match draft.fields.iter().find(|(at, _)| usize::from(*at) == number) {
        Some((_, FieldValue::One(value))) => value.to_string(),
        other => format!("{other:?}"),
    }
}

/// Compares every row of the truth with the documents; of a file that was cut the last document is left out.
fn assert_truth(name: &str, file: &str, truth_file: &str, columns: &[&str], cut_short: bool) {
    let (Some(path), Some(table)) = (corpus(file), corpus(truth_file)) else { return };
    let definition = indexer(name);
    let bytes = fs::read(path).expect("readable");
    let outcome = split(&definition, &bytes, file);
    let rows = truth(&table);
    let documents = outcome.documents();
    let whole = if cut_short { documents.len() - 1 } else { documents.len() };
    assert!(cut_short || documents.len() == rows.len(), "{file}: {} documents of {}", documents.len(), rows.len());
    assert!(whole > 80, "{file}: {whole} documents");
    for (number, (draft, row)) in documents.iter().zip(&rows).take(whole).enumerate() {
        for column in columns {
            let got = text_of(draft, &definition, column);
            assert_eq!(got, row[*column], "{file}: {column} of document {}", number + 1);
        }
    }
    let pages: u64 = documents.iter().map(|draft| u64::from(draft.pages)).sum();
    assert_eq!(pages, outcome.pages, "{file}: every page is in a document");
    let faults: Vec<_> = outcome.notes.iter().filter(|note| note.code.starts_with("field-")).collect();
    assert!(cut_short || faults.is_empty(), "{file}: {faults:?}");
}

const STATEMENT: &[&str] =
    &["account_number", "customer_name", "statement_date", "closing_balance", "transactions", "address"];
const BILL: &[&str] = &["account_number", "customer_name", "date", "amount"];

#[test]
fn bank_statements_equal_the_truth_in_every_form() {
    assert_truth("bank-statement", "stmt-037.fba", "stmt-037.tsv", STATEMENT, false);
    for file in ["stmt-part-1047.vba", "stmt-part-037.vbm", "stmt-part-ascii.asa", "stmt-part-trc-037.fba"] {
        assert_truth("bank-statement", file, "stmt-037.tsv", STATEMENT, true);
    }
}

#[test]
fn telephone_bills_equal_the_truth_in_every_form() {
    for file in ["telecom-935.fba", "telecom-1388.vba", "telecom-gbk.asa"] {
        assert_truth("telecom-bill", file, "telecom.tsv", BILL, false);
    }
}

#[test]
fn overdraft_notices_equal_the_truth() {
    let columns = ["account_number", "customer_name", "statement_date", "closing_balance", "address"];
    assert_truth("overdraft-notice", "notice-overstrike.txt", "notice-overstrike.tsv", &columns, false);
    let (Some(path), Some(table)) = (corpus("notice-overstrike.txt"), corpus("notice-overstrike.tsv")) else { return };
    let definition = indexer("overdraft-notice");
    let bytes = fs::read(path).expect("readable");
    let outcome = split(&definition, &bytes, "notice");
    for (draft, row) in outcome.documents().iter().zip(truth(&table)) {
        // A notice lists at most 30 items.
        let listed = row["transactions"].parse::<u32>().expect("a number").min(30);
        assert_eq!(text_of(draft, &definition, "transactions"), listed.to_string(), "{}", row["account_number"]);
    }
}

#[test]
fn the_sales_register_is_cut_by_region_with_its_branches_and_customers() {
    for file in ["sales-register.lst", "sales-register-crlf.lst"] {
        let Some(path) = corpus(file) else { return };
        let definition = indexer("sales-register");
        let bytes = fs::read(path).expect("readable");
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let outcome = split(&definition, &bytes, file);
        let documents = outcome.documents();
        let regions: Vec<&str> = text
            .lines()
            .filter_map(|line| line.split_once("REGION TOTAL "))
            .map(|(_, rest)| rest.split_whitespace().next().expect("a region"))
            .collect();
        let got: Vec<String> = documents.iter().map(|draft| text_of(draft, &definition, "region")).collect();
        assert_eq!(got, regions, "{file}");
        let lines: usize =
            documents.iter().map(|d| text_of(d, &definition, "lines").parse::<usize>().expect("a count")).sum();
        let is_sale = |line: &str| line.get(24..30).is_some_and(|c| c.bytes().all(|b| b.is_ascii_digit()));
        let sales: Vec<&str> = text.lines().filter(|line| is_sale(line)).collect();
        assert_eq!(lines, sales.len(), "{file}");
        for (draft, region) in documents.iter().zip(&regions) {
            let total = text.lines().find(|line| line.contains(&format!("REGION TOTAL {region}"))).expect("a total");
            let total = total.split_whitespace().rev().nth(1).expect("an amount").replace(',', "");
            assert_eq!(text_of(draft, &definition, "region_total"), total);
            let branch = |n| Value::Text(format!("{}{n:03}", &region[..2]));
            assert!(draft.fields.contains(&(2, FieldValue::Span(branch(1), branch(8)))), "{:?}", draft.fields.get(2));
        }
        let mut customers: Vec<&str> = Vec::new();
        for line in &sales {
            if !customers.contains(&&line[24..30]) {
                customers.push(&line[24..30]);
            }
        }
        let found: usize = documents
            .iter()
            .flat_map(|d| &d.fields)
            .filter(|(n, _)| *n == 3)
            .map(|(_, v)| match v {
                FieldValue::Many(values) => values.len(),
                other => panic!("{other:?}"),
            })
            .sum();
        assert!(found >= customers.len(), "a customer of two regions counts in both");
    }
}

#[test]
fn transaction_lines_come_as_typed_rows() {
    let Some(path) = corpus("stmt-037.fba") else { return };
    let definition = indexer("bank-statement");
    let bytes = fs::read(path).expect("readable");
    let outcome = split(&definition, &bytes, "stmt-037.fba");
    let hint =
        FORMATS[0].sniff(&Sample { head: &bytes[..SAMPLE_BYTES], total: None, name: None }, &definition.read).read;
    for draft in outcome.documents().into_iter().take(50) {
        let span = usize::try_from(draft.span.start).expect("small")..usize::try_from(draft.span.end).expect("small");
        let start = Start {
            byte: draft.span.start,
            resume: draft.resume,
            pages: draft.first_page - 1,
            records: draft.records_before,
        };
        let mut decoder =
            FORMATS[0].open(Box::new(&bytes[span]), start, &hint, &Context::default()).expect("opens again");
        let table = transactions(&definition, decoder.as_mut(), &mut Notes::default()).expect("decodes");
        assert_eq!(table.columns, ["date", "description", "amount", "balance"]);
        assert_eq!(table.rows.len().to_string(), text_of(draft, &definition, "transactions"));
        let last = table.rows.last().expect("at least one line");
        assert_eq!(last[3], text_of(draft, &definition, "closing_balance"), "the last balance is the closing one");
        assert!(last[1].chars().any(char::is_alphabetic), "{last:?}");
    }
}

#[test]
fn orlen_invoices_give_their_fields() {
    let Some(path) = corpus("invoice2data-Orlen.txt") else { return };
    let definition = indexer("orlen-invoice");
    let outcome = split(&definition, &fs::read(path).expect("readable"), "orlen.txt");
    let documents = outcome.documents();
    assert_eq!(documents.len(), 1);
    let fields =
        ["invoice_number", "date", "buyer_tax_number", "amount"].map(|name| text_of(documents[0], &definition, name));
    assert_eq!(fields, ["F 1234K20/1234/12", "2021-01-01", "5261040828", "316.83"]);
}

#[test]
fn every_stream_is_recognised_by_its_definition_alone() {
    let names = [
        "bank-statement",
        "great-lakes-statement",
        "line-printer",
        "orlen-invoice",
        "overdraft-notice",
        "sales-register",
        "telecom-bill",
    ];
    let definitions: Vec<Definition> = names.iter().map(|name| indexer(name)).collect();
    let cases = [
        ("stmt-037.fba", "bank-statement"),
        ("stmt-part-037.vbm", "bank-statement"),
        ("stmt-part-1047.vba", "bank-statement"),
        ("stmt-part-ascii.asa", "bank-statement"),
        ("stmt-part-trc-037.fba", "bank-statement"),
        ("telecom-935.fba", "telecom-bill"),
        ("telecom-1388.vba", "telecom-bill"),
        ("telecom-gbk.asa", "telecom-bill"),
        ("notice-overstrike.txt", "overdraft-notice"),
        ("sales-register.lst", "sales-register"),
        ("sales-register-crlf.lst", "sales-register"),
        ("invoice2data-Orlen.txt", "orlen-invoice"),
        ("lp2pdf-test1.lp", ""),
    ];
    for (file, wanted) in cases {
        let Some(path) = corpus(file) else { return };
        let bytes = fs::read(path).expect("readable");
        let scores: Vec<f32> = definitions
            .iter()
            .map(|definition| {
                let mut decoder = open(&bytes, file, &definition.read);
                let (mut sample, mut unit) = (Vec::new(), Unit::default());
                while sample.len() < 6 && decoder.next(&mut unit, &mut Notes::default()).expect("decodes") {
                    sample.push(unit.clone());
                }
                definition.recognises(&sample, decoder.code_page(), Some(file), None)
            })
            .collect();
        let got = match choose(&scores) {
            Choice::One(which, _) => names[which],
            Choice::Nobody => "",
            Choice::Ambiguous(_) => "ambiguous",
        };
        assert_eq!(got, wanted, "{file}: {scores:?}");
    }
}

#[test]
fn every_sample_of_the_checkout_is_cut_whole_and_without_faults() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/samples");
    let definition_of = [
        ("great-lakes", "fba", "great-lakes-statement"),
        ("first-cascade", "fba", "bank-statement"),
        ("first-cascade", "afp", "bank-statement-afp"),
        ("meridian", "afp", "power-bill"),
        ("telecom", "fba", "telecom-bill"),
        ("telecom", "afp", "telecom-bill-afp"),
        ("overdraft", "txt", "overdraft-notice"),
        ("sales", "lst", "sales-register"),
    ];
    let mut seen = 0;
    for entry in fs::read_dir(folder).expect("fixtures/samples is there").flatten() {
        let name = entry.file_name().into_string().expect("UTF-8");
        let found = definition_of.iter().find(|(start, end, _)| name.starts_with(start) && name.ends_with(end));
        let Some((_, _, definition)) = found else { continue };
        let outcome = split(&indexer(definition), &fs::read(entry.path()).expect("readable"), &name);
        let documents = outcome.documents();
        let pages: u64 = documents.iter().map(|draft| u64::from(draft.pages)).sum();
        assert!(!documents.is_empty() && pages == outcome.pages, "{name}: {pages} of {} pages", outcome.pages);
        let faults: Vec<_> = outcome.notes.iter().filter(|note| note.code.starts_with("field-")).collect();
        assert!(faults.is_empty(), "{name}: {faults:?}");
        assert!(documents.iter().all(|draft| draft.date.is_some()), "{name}");
        seen += 1;
    }
    assert!(seen >= 8, "{seen} samples");
}

#[test]
fn a_dry_run_counts_documents_pages_and_what_is_set_aside() {
    let definition = indexer("great-lakes-statement");
    let page = |n: u32, of: u32, rest: &str| {
        let title = format!("1{:<40}STATEMENT OF ACCOUNT{:<16}PAGE {n:>3} OF {of}", "GREAT LAKES MUTUAL BANK", "");
        format!("{title}\n ACCOUNT NO  {:<20} STATEMENT DATE 03/28/2024\n{rest}", "100002-0002-2")
    };
    let lines =
        "-    Zoe A. Abbott\n     2 Birch St\n0DATE   DESCRIPTION\n 03/03  CARD PURCHASE                    7.00-\n";
    let closing = format!("0{:<69}{:>16}\n", "CLOSING BALANCE", "1,020.02-");
    let text = format!(
        "1BANNER PAGE\n{}{}{closing}",
        page(1, 2, lines),
        page(2, 2, "0DATE   DESCRIPTION\n 03/04  FEE          1.00-\n")
    );
    let mut decoder = open(
        text.as_bytes(),
        "s.txt",
        &ReadSpec {
            record_format: Some("textA".into()),
            carriage_control: Some("asa".into()),
            code_page: Some("iso-8859-1".into()),
            ..ReadSpec::default()
        },
    );
    let report = super::check::check(&definition, decoder.as_mut(), 10).expect("decodes");
    assert_eq!((report.pages, report.documents, report.document_pages, report.set_aside_pages), (3, 1, 2, 1));
    assert_eq!(report.set_aside[0].reason, "before-first-document");
    let fields: Vec<String> = report.first_documents[0].fields.iter().map(|(n, v)| format!("{n}={v}")).collect();
    let wanted =
        ["account=100002-0002-2", "name=Zoe A. Abbott", "date=2024-03-28", "amount=-1020.02", "transactions=2"];
    assert_eq!(fields, wanted);
    assert!(report.warnings.is_empty(), "{:?}", report.warnings);
}
