//! The corpus' line data: every field equal to the ground truth, every load back byte for byte.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::story::{Archive, corpus, run, text, truth};

/// A stream with its truth: file, truth table, definition, how many leading rows the file holds whole.
struct Case {
    file: &'static str,
    truth: &'static str,
    definition: &'static str,
    columns: &'static [&'static str],
}

const STATEMENT: &[&str] = &["account_number", "customer_name", "statement_date", "closing_balance", "address"];
const TELECOM: &[&str] = &["account_number", "customer_name", "date", "amount"];

const CASES: &[Case] = &[
    Case { file: "stmt-037.fba", truth: "stmt-037.tsv", definition: "bank-statement", columns: STATEMENT },
    Case { file: "stmt-part-1047.vba", truth: "stmt-037.tsv", definition: "bank-statement", columns: STATEMENT },
    Case { file: "stmt-part-037.vbm", truth: "stmt-037.tsv", definition: "bank-statement", columns: STATEMENT },
    Case { file: "stmt-part-ascii.asa", truth: "stmt-037.tsv", definition: "bank-statement", columns: STATEMENT },
    Case { file: "stmt-part-trc-037.fba", truth: "stmt-037.tsv", definition: "bank-statement", columns: STATEMENT },
    Case { file: "telecom-935.fba", truth: "telecom.tsv", definition: "telecom-bill", columns: TELECOM },
    Case { file: "telecom-1388.vba", truth: "telecom.tsv", definition: "telecom-bill", columns: TELECOM },
    Case { file: "telecom-gbk.asa", truth: "telecom.tsv", definition: "telecom-bill", columns: TELECOM },
    Case {
        file: "notice-overstrike.txt",
        truth: "notice-overstrike.tsv",
        definition: "overdraft-notice",
        columns: &["account_number", "customer_name", "statement_date", "closing_balance", "address"],
    },
];

#[test]
fn every_field_of_the_corpus_equals_the_ground_truth_and_every_load_exports_byte_for_byte() {
    let archive = Archive::new("corpus");
    for case in CASES {
        let Some(file) = corpus(&format!("linedata/{}", case.file)) else { return };
        let Some(table) = corpus(&format!("linedata/{}", case.truth)) else { return };
        let report = archive.load(&file, None);
        assert_eq!(report["definition"], case.definition, "{} is recognised: {report}", case.file);
        check_fields(&archive, case, &report, &table);
        let exported = archive.ok(&["export-load", &report["load"].to_string()]);
        assert!(exported == std::fs::read(&file).expect("readable"), "{} comes back byte for byte", case.file);
    }
    archive.is_sound();
}

fn check_fields(archive: &Archive, case: &Case, report: &Value, table: &Path) {
    let mut hits = archive.search(&format!("load:{}", report["load"]));
    hits.sort_by_key(|hit| ordinal(&hit["id"]));
    assert_eq!(hits.len() as u64, report["documents"].as_u64().expect("a count"), "{}", case.file);
    let truth = truth(table);
    let part = case.file.contains("part");
    assert!(hits.len() == truth.len() || part, "{}: {} of {} documents", case.file, hits.len(), truth.len());
    // The last statement of the "part" files is cut in the middle.
    let whole = if part { hits.len() - 1 } else { hits.len() };
    for (n, (hit, row)) in hits.iter().zip(&truth).take(whole).enumerate() {
        let got: BTreeMap<&str, &str> =
            case.columns.iter().map(|name| (*name, hit["fields"][*name].as_str().unwrap_or("(none)"))).collect();
        let want: BTreeMap<&str, &str> = case.columns.iter().map(|name| (*name, row[*name].as_str())).collect();
        assert_eq!(got, want, "{} document {}", case.file, n + 1);
    }
}

fn ordinal(id: &Value) -> u32 {
    id.as_str().and_then(|id| id.split_once('-')).and_then(|(_, n)| n.parse().ok()).expect("an id like 7-123")
}

/// AFP streams with their truth: file, definition.
const AFP: &[(&str, &str)] = &[
    ("bank-raster", "bank-statement-afp"),
    ("bank-outline", "bank-statement-afp"),
    ("power-goca", "power-bill"),
    ("power-bw", "power-bill"),
    ("telecom-zh", "telecom-bill-afp"),
];

#[test]
fn every_field_of_the_corpus_afp_equals_the_ground_truth_and_documents_stand_alone() {
    let archive = Archive::new("corpus-afp");
    for (name, definition) in AFP {
        let Some(file) = corpus(&format!("afp/{name}.afp")) else { return };
        let Some(table) = corpus(&format!("afp/{name}.tsv")) else { return };
        let Some(pages) = corpus(&format!("afp/{name}.pages.tsv")) else { return };
        let report = archive.load(&file, None);
        assert_eq!(report["definition"], *definition, "{name} is recognised: {report}");
        let mut hits = archive.search(&format!("load:{}", report["load"]));
        hits.sort_by_key(|hit| ordinal(&hit["id"]));
        let (rows, pages) = (truth(&table), truth(&pages));
        assert_eq!((hits.len(), hits.len()), (rows.len(), pages.len()), "{name}");
        for ((hit, row), pages) in hits.iter().zip(&rows).zip(&pages) {
            for (column, want) in row {
                let got = &hit["fields"][column];
                let got = got.as_str().map_or_else(|| got.to_string(), String::from);
                assert_eq!(got, *want, "{name} {column} of {}", hit["id"]);
            }
            assert_eq!(hit["pages"].to_string(), pages["pages"], "{name} pages of {}", hit["id"]);
        }
        let exported = archive.ok(&["export-load", &report["load"].to_string()]);
        assert!(exported == std::fs::read(&file).expect("readable"), "{name} comes back byte for byte");
        stands_alone(&archive, &hits[hits.len() / 2]);
    }
    archive.is_sound();
}

/// The original of a document is a stream of its own, with the document's pages and nothing missing that the load had.
fn stands_alone(archive: &Archive, hit: &Value) {
    let id = hit["id"].as_str().expect("an id");
    let original = archive.ok(&["get", id, "--format", "original"]);
    let file = archive.home.file("original.afp", original);
    let out = run(&["inspect", "--json", file.to_str().expect("UTF-8")]);
    assert!(out.status.success(), "{id}: {}", text(&out.stderr));
    let report: Value = serde_json::from_slice(&out.stdout).expect("one JSON object");
    assert_eq!((&report["format"], &report["pages"]), (&Value::from("afp"), &hit["pages"]), "{id}: {report}");
    assert_eq!(report["documents"], 1, "{id}: {report}");
    let name = hit["fields"]["customer_name"].as_str().expect("a name");
    let page = report["first_page"].as_str().expect("text");
    assert!(page.contains(name), "{id}: {name} is not in {page}");
}

#[test]
fn inspect_names_what_the_manifest_says_of_each_line_data_file() {
    // file, code page, record format, framing, record length (0: not stated), carriage control
    let cases = [
        ("stmt-037.fba", "ibm-037", "FBA", "fixed", 133, "asa"),
        ("stmt-part-037.vbm", "ibm-037", "VBM", "bdw-rdw", 0, "machine"),
        ("stmt-part-1047.vba", "ibm-1047", "VBA", "rdw", 0, "asa"),
        ("stmt-part-ascii.asa", "iso-8859-1", "textA", "crlf", 0, "asa"),
        ("stmt-part-trc-037.fba", "ibm-037", "FBA", "fixed", 134, "asa"),
        ("telecom-935.fba", "ibm-935", "FBA", "fixed", 133, "asa"),
        ("telecom-1388.vba", "ibm-1388", "VBA", "bdw-rdw", 0, "asa"),
        ("telecom-gbk.asa", "gbk", "textA", "nl", 0, "asa"),
        ("notice-overstrike.txt", "iso-8859-1", "text", "nl", 0, "none"),
        ("sales-register.lst", "", "text", "nl", 0, "none"),
        ("sales-register-crlf.lst", "", "text", "crlf", 0, "none"),
    ];
    for (name, code_page, record_format, framing, length, control) in cases {
        let Some(file) = corpus(&format!("linedata/{name}")) else { return };
        let out = run(&["inspect", "--json", file.to_str().expect("UTF-8")]);
        assert!(out.status.success(), "{name}: {}", text(&out.stderr));
        let report: Value = serde_json::from_slice(&out.stdout).expect("one JSON object");
        assert_eq!(report["format"], "line-data", "{name}: {report}");
        // 037 and 1047 share every byte these two streams use; see docs/formats/line-data.md.
        let same = |got: &str| {
            got == code_page
                || code_page.is_empty()
                || [got, code_page].iter().all(|n| matches!(*n, "ibm-037" | "ibm-1047"))
                || [got, code_page].iter().all(|n| matches!(*n, "gbk" | "gb18030"))
        };
        assert!(same(report["code_page"].as_str().unwrap_or("")), "{name}: {}", report["code_page"]);
        assert_eq!(report["record_format"], record_format, "{name}");
        assert_eq!(report["framing"], framing, "{name}");
        assert_eq!(report["carriage_control"], control, "{name}");
        if length > 0 {
            assert_eq!(report["record_length"], length, "{name}");
        }
    }
}

#[test]
fn inspect_names_the_format_of_every_other_stream() {
    let cases = [
        ("afp/bank-raster.afp", "afp"),
        ("afp/telecom-zh.afp", "afp"),
        ("pcl/bank-fop.pcl", "pcl"),
        ("pclxl/bank-gs-pxlmono.pxl", "pcl-xl"),
        ("ps/notice-groff.ps", "postscript"),
        ("pdf/bank.pdf", "pdf"),
        ("tiff/bank-g4.tif", "tiff"),
        ("scs/own-sales-5250.scs", "scs"),
        ("djde/own-stmt-djde-037.fba", "xerox"),
    ];
    for (name, format) in cases {
        let Some(file) = corpus(name) else { return };
        let out = run(&["inspect", "--json", file.to_str().expect("UTF-8")]);
        let report: Value = serde_json::from_slice(&out.stdout).expect("one JSON object");
        assert_eq!(report["format"], format, "{name}: {report}");
    }
}
