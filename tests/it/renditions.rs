//! Renditions as their readers see them: other programs open, check and read them.

use std::path::Path;
use std::process::Command;

use crate::story::{Archive, checkout, corpus, run, small_statements, text};

fn s(path: &Path) -> &str {
    path.to_str().expect("UTF-8 path")
}

/// The output of another program, or `None` (after saying so) where it is not installed.
fn tool(name: &str, args: &[&str]) -> Option<(bool, String)> {
    match Command::new(name).args(args).output() {
        Ok(out) => Some((out.status.success(), text(&out.stdout) + &text(&out.stderr))),
        Err(_) => {
            eprintln!("skipped: {name} is not installed");
            None
        }
    }
}

fn statement_archive() -> Archive {
    let archive = Archive::new("renditions");
    archive.load(&archive.home.file("s.txt", small_statements(6)), None);
    archive
}

#[test]
fn a_single_pdf_is_sound_tagged_searchable_and_small() {
    let archive = statement_archive();
    let pdf = archive.home.path().join("one.pdf");
    archive.ok(&["get", "1-1", "--format", "pdf", "-o", s(&pdf)]);
    let size = std::fs::metadata(&pdf).expect("written").len();
    assert!(size < 20_000, "one page takes {size} bytes");
    if let Some((sound, said)) = tool("qpdf", &["--check", s(&pdf)]) {
        assert!(sound, "{said}");
    }
    if let Some((_, info)) = tool("pdfinfo", &[s(&pdf)]) {
        assert!(info.contains("Tagged:          yes") && info.contains("Title:"), "{info}");
    }
    if let Some((_, read)) = tool("pdftotext", &["-layout", s(&pdf), "-"]) {
        assert!(read.contains("GREAT LAKES MUTUAL BANK") && read.contains("CLOSING BALANCE"), "{read}");
        assert!(read.contains(&crate::story::account(1)), "{read}");
    }
    if let Some((_, fonts)) = tool("pdffonts", &[s(&pdf)]) {
        for line in fonts.lines().skip(2) {
            assert!(line.contains("yes yes yes"), "embedded, subset, with Unicode: {line}");
        }
    }
    if let Some((_, metadata)) = tool("pdfinfo", &["-meta", s(&pdf)]) {
        assert!(
            metadata.contains("pdfaid:part") && metadata.contains("pdfuaid:part"),
            "it says PDF/A and PDF/UA: {metadata}"
        );
    }
}

#[test]
fn every_rendition_is_the_same_bytes_each_time() {
    let archive = statement_archive();
    for format in ["pdf", "html", "text", "png", "csv", "json", "original"] {
        let first = archive.ok(&["get", "1-3", "--format", format]);
        let second = archive.ok(&["get", "1-3", "--format", format]);
        assert!(!first.is_empty() && first == second, "{format}");
    }
}

#[test]
fn the_original_of_a_document_is_cut_from_the_stream() {
    let archive = statement_archive();
    let whole = small_statements(6);
    let mut joined = Vec::new();
    for n in 1..=6 {
        joined.extend(archive.ok(&["get", &format!("1-{n}"), "--format", "original"]));
    }
    assert_eq!(text(&joined), text(&whole));
}

#[test]
fn pages_can_be_asked_for_one_by_one() {
    let archive = statement_archive();
    let second = text(&archive.ok(&["get", "1-3", "--format", "text", "--pages", "2-2"]));
    assert!(second.contains("PAGE   2 OF 2") && !second.contains("PAGE   1 OF 2"), "{second}");
    let message = archive.fails(&["get", "1-3", "--format", "text", "--pages", "3-4"]);
    assert!(message.contains('2'), "it says how many there are: {message}");
}

#[test]
fn csv_holds_the_fields_and_the_transaction_lines() {
    let archive = statement_archive();
    let csv = text(&archive.ok(&["get", "1-2", "--format", "csv"]));
    assert!(csv.contains(&crate::story::account(2)) && csv.contains("ORCHARD CAFE 2"), "{csv}");
}

#[test]
fn labels_are_in_the_language_of_the_document_and_names_stay_names() {
    let archive = Archive::new("labels");
    archive.load(&checkout().join("fixtures/samples/telecom-bills-935.fba"), None);
    let html = text(&archive.ok(&["get", "1-1", "--format", "html"]));
    assert!(html.contains(">合同号<") && html.contains(">金额<") && !html.contains("Contract number"), "{html}");
    let csv = text(&archive.ok(&["get", "1-1", "--format", "csv"]));
    assert!(csv.starts_with("account_number,"), "{csv}");
}

#[test]
fn html_is_self_contained_and_escapes_what_was_printed() {
    let archive = Archive::bare("html");
    let stream = "1<script>alert(1)</script> & \"quotes\"\n second line\n";
    archive.load(&archive.home.file("hostile.txt", stream), None);
    let html = text(&archive.ok(&["get", "1-1", "--format", "html"]));
    assert!(html.contains("&lt;script&gt;") && !html.contains("<script"), "{html}");
    assert!(!html.contains("http://") && !html.contains("src=\"http"), "nothing is fetched");
}

#[test]
fn chinese_bills_show_as_text_and_pdf_with_every_glyph() {
    let Some(file) = corpus("linedata/telecom-935.fba") else { return };
    let archive = Archive::new("chinese");
    let report = archive.load(&file, None);
    assert_eq!(report["documents"], 400);
    let hit = archive
        .search("周明怡")
        .into_iter()
        .find(|hit| hit["fields"]["customer_name"] == "周明怡")
        .expect("found by name");
    let id = hit["id"].as_str().expect("an id");
    let shown = text(&archive.ok(&["get", id, "--format", "text"]));
    assert!(shown.contains("华东通信有限公司") && shown.contains("334.58"), "{shown}");
    let pdf = archive.home.path().join("bill.pdf");
    archive.ok(&["get", id, "--format", "pdf", "-o", s(&pdf)]);
    if let Some((sound, said)) = tool("qpdf", &["--check", s(&pdf)]) {
        assert!(sound, "{said}");
    }
    if let Some((_, read)) = tool("pdftotext", &["-layout", s(&pdf), "-"]) {
        assert!(read.contains("华东通信有限公司") && read.contains("客户名称"), "{read}");
    }
    // Any two characters find it.
    assert!(archive.search("东通").len() >= 400);
}

#[test]
fn overstruck_text_reads_once_and_prints_bold() {
    let Some(file) = corpus("linedata/notice-overstrike.txt") else { return };
    let archive = Archive::new("overstrike");
    archive.load(&file, None);
    let shown = text(&archive.ok(&["get", "1-1", "--format", "text"]));
    assert!(shown.contains("First Cascade Bank") && shown.contains("$3,845.82"), "{shown}");
    let html = text(&archive.ok(&["get", "1-1", "--format", "html"]));
    assert!(
        html.contains("<b>First Cascade Bank</b>") || html.contains("<strong>First Cascade Bank</strong>"),
        "bold is kept"
    );
    assert!(html.contains("<u>"), "underline is kept");
}

#[test]
fn what_is_struck_over_is_drawn_and_cannot_be_copied() {
    let home = crate::story::TempDir::new("struck-over");
    let struck =
        ["1Password: SECRET77", "+          XXXXXXXX", "+          MMMMMMMM", "+          WWWWWWWW", " The end"];
    let file = home.file("pin.asa", struck.join("\n") + "\n");
    for format in ["pdf", "svg", "html", "text", "json"] {
        let made = home.path().join(format!("pin.{format}"));
        let out = run(&["convert", s(&file), "--format", format, "-o", s(&made)]);
        assert!(out.status.success(), "{}", text(&out.stderr));
        let read = match format {
            "pdf" => match tool("pdftotext", &["-raw", s(&made), "-"]) {
                Some((_, read)) => read,
                None => continue,
            },
            _ => std::fs::read_to_string(&made).expect("made"),
        };
        assert!(read.contains("Password:") && read.contains("The end"), "{format}: {read}");
        assert!(!read.contains("SECRET") && !read.contains("MMMM"), "{format}: {read}");
    }
}

#[test]
fn rows_and_words_stay_whole_however_many_stand_on_a_page() {
    let home = crate::story::TempDir::new("close-rows");
    let rows = |page: u32| (0..400).map(|row| format!("Line {page}-{row:04} of Mr SMITH\n")).collect::<String>();
    let file = home.file("close.txt", [rows(1), rows(2)].join("\u{C}"));
    let out = run(&["convert", s(&file), "--format", "text"]);
    assert!(
        text(&out.stdout).trim_end() == [rows(1), rows(2)].join("\u{C}").trim_end(),
        "rows are no longer as they came"
    );
    let file = home.file("eighty.txt", (0..90).map(|row| format!("Line {row:04} of Mr SMITH\n")).collect::<String>());
    let pdf = home.path().join("eighty.pdf");
    let out = run(&["convert", s(&file), "--format", "pdf", "-o", s(&pdf)]);
    assert!(out.status.success(), "{}", text(&out.stderr));
    if let Some((_, read)) = tool("pdftotext", &["-raw", s(&pdf), "-"]) {
        assert_eq!(read.matches("of Mr SMITH").count(), 90, "{read}");
    }
}

#[test]
fn streams_in_formats_that_nobody_here_draws_are_kept_whole_and_named() {
    let archive = Archive::new("foreign");
    let stream = b"%!PS-Adobe-3.0\n%%Pages: 2\n/Helvetica findfont 12 scalefont setfont\nshowpage\n".repeat(40);
    let file = archive.home.file("bills.ps", stream.clone());
    let report = archive.load(&file, None);
    assert_eq!((report["documents"].as_u64(), report["pages"].as_u64()), (Some(1), Some(1)), "{report}");
    assert_eq!(report["warnings"][0]["code"], "format-not-drawn", "{report}");
    let shown = text(&archive.ok(&["get", "1-1", "--format", "text"]));
    assert!(shown.contains("A PostScript stream, kept as it came"), "{shown}");
    assert_eq!(archive.ok(&["get", "1-1", "--format", "original"]), stream);
}

#[test]
fn convert_renders_a_whole_stream_without_an_archive() {
    let home = crate::story::TempDir::new("convert");
    let file = home.file("s.txt", small_statements(30));
    let pdf = home.path().join("all.pdf");
    let out = run(&["convert", s(&file), "--format", "pdf", "-o", s(&pdf)]);
    assert!(out.status.success(), "{}", text(&out.stderr));
    if let Some((sound, said)) = tool("qpdf", &["--check", s(&pdf)]) {
        assert!(sound, "{said}");
    }
    if let Some((_, info)) = tool("pdfinfo", &[s(&pdf)]) {
        assert!(info.lines().any(|line| line.starts_with("Pages:") && line.ends_with(" 40")), "{info}");
    }
}

#[test]
fn every_sample_of_the_checkout_renders() {
    let archive = Archive::new("samples");
    for definition in
        std::fs::read_dir(checkout().join("fixtures/samples")).expect("fixtures/samples is there").flatten()
    {
        let path = definition.path();
        if path.extension().is_some_and(|extension| extension == "md" || extension == "py") {
            continue;
        }
        let report = archive.load(&path, None);
        assert!(report["documents"].as_u64() > Some(0), "{report}");
        assert_ne!(report["definition"], "unidentified", "{report}");
        let id = format!("{}-1", report["load"]);
        for format in ["pdf", "html", "text", "png", "csv", "json", "original"] {
            assert!(!archive.ok(&["get", &id, "--format", format]).is_empty(), "{format} of {}", path.display());
        }
    }
    archive.is_sound();
}
