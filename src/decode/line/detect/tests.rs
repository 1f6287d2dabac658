mod pages;

use super::*;

fn corpus(name: &str) -> Option<Vec<u8>> {
    let root =
        std::env::var("GREENBAR_CORPUS").unwrap_or(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/corpus").into());
    let bytes = std::fs::read(format!("{root}/{name}")).ok();
    if bytes.is_none() {
        println!("skipped: no corpus at {root}");
    }
    bytes
}

fn look(bytes: &[u8], name: Option<&str>) -> Sniff {
    let head = bytes.get(..super::super::super::SAMPLE_BYTES).unwrap_or(bytes);
    sniff(&Sample { head, total: u64::try_from(bytes.len()).ok(), name }, &ReadSpec::default())
}

/// Code page, record format, framing, record length, carriage control.
fn answer(found: &Sniff) -> (String, String, String, u32, String) {
    let read = found.read.clone();
    (
        read.code_page.unwrap_or_default(),
        read.record_format.unwrap_or_default(),
        read.framing.unwrap_or_default(),
        read.record_length.unwrap_or_default(),
        read.carriage_control.unwrap_or_default(),
    )
}

#[test]
fn every_line_data_file_of_the_corpus_is_read_as_the_manifest_says() {
    for (file, page, format, framing, length, control, trc, lines) in [
        ("stmt-037.fba", "ibm-037", "FBA", "fixed", 133, "asa", false, None),
        ("stmt-part-037.vbm", "ibm-037", "VBM", "bdw-rdw", 0, "machine", false, None),
        ("stmt-part-1047.vba", "ibm-1047", "VBA", "rdw", 0, "asa", false, None),
        ("stmt-part-ascii.asa", "iso-8859-1", "textA", "crlf", 0, "asa", false, None),
        ("stmt-part-trc-037.fba", "ibm-037", "FBA", "fixed", 134, "asa", true, None),
        ("telecom-935.fba", "ibm-935", "FBA", "fixed", 133, "asa", false, None),
        ("telecom-1388.vba", "ibm-1388", "VBA", "bdw-rdw", 0, "asa", false, None),
        ("telecom-gbk.asa", "gbk", "textA", "nl", 0, "asa", false, None),
        ("notice-overstrike.txt", "iso-8859-1", "text", "nl", 0, "none", false, Some(66)),
        // The manifest says 60 (PAGE LIMIT of the program); the headers really come back every 59 lines.
        ("sales-register.lst", "utf-8", "text", "nl", 0, "none", false, Some(59)),
        ("sales-register-crlf.lst", "utf-8", "text", "crlf", 0, "none", false, Some(59)),
        ("lp2pdf-test1.lp", "utf-8", "textA", "nl", 0, "asa", false, None),
        ("lp2pdf-test2.lp", "utf-8", "textA", "nl", 0, "asa", false, None),
        ("lp2pdf-test3.lp", "utf-8", "textA", "nl", 0, "asa", false, None),
        ("invoice2data-Orlen.txt", "utf-8", "text", "nl", 0, "none", false, None),
    ] {
        let Some(bytes) = corpus(&format!("linedata/{file}")) else { return };
        let found = look(&bytes, Some(file));
        println!("{file}: {:.2} {:?}\n    {}", found.confidence, answer(&found), found.evidence.join("\n    "));
        let got = answer(&found);
        let length = if length == 0 { got.3 } else { length };
        assert_eq!(got, (page.into(), format.into(), framing.into(), length, control.into()), "{file}");
        assert_eq!(found.read.trc, Some(trc), "{file}");
        assert_eq!(found.read.lines_per_page, lines, "{file}");
        assert!(found.confidence > 0.8, "{file}: {} {:?}", found.confidence, found.evidence);
    }
}

#[test]
fn without_its_name_the_corpus_is_read_the_same_but_for_ties() {
    for (file, pages) in [
        ("stmt-037.fba", &["ibm-037", "ibm-1047"][..]),
        ("stmt-part-037.vbm", &["ibm-037", "ibm-1047"]),
        ("stmt-part-1047.vba", &["ibm-037", "ibm-1047"]),
        ("stmt-part-trc-037.fba", &["ibm-037", "ibm-1047"]),
        ("telecom-935.fba", &["ibm-935", "ibm-1388"]),
        ("telecom-1388.vba", &["ibm-935", "ibm-1388"]),
        ("telecom-gbk.asa", &["gbk"]),
    ] {
        let Some(bytes) = corpus(&format!("linedata/{file}")) else { return };
        let found = look(&bytes, None);
        assert!(pages.contains(&found.read.code_page.clone().unwrap().as_str()), "{file}: {:?}", found.evidence);
        assert!(found.confidence > 0.8, "{file}: {} {:?}", found.confidence, found.evidence);
    }
}

/// A report of `pages` pages as lines with ASA control; `names` are its customers, `money` stands before amounts.
fn report(pages: usize, names: &[&str], money: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut seed = 4711_u64;
    let mut number = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    for page in 1..=pages {
        lines.push(format!("1ACME BANK                STATEMENT OF ACCOUNT                     PAGE {page:4}"));
        lines.push(format!("0Customer: {:<30} Account: {:010}", names[page % names.len()], number(9_999_999_999)));
        lines.push(" ".into());
        lines.push("-Date        Description                              Amount        Balance".into());
        lines.push("+____________________________________________________________________________".into());
        for _ in 0..12 + number(14) {
            let (day, amount, balance) = (number(28) + 1, number(99_999), number(999_999));
            let what = ["Card payment", "Transfer to savings", "Direct debit ELECTRIC CO", "Cash withdrawal"]
                [usize::try_from(day).unwrap() % 4];
            lines.push(format!(
                " 2024-03-{day:02}  {what:<36} {money}{:>9}.{:02} {:>12}.{:02}",
                amount / 100,
                amount % 100,
                balance / 100,
                balance % 100
            ));
        }
        lines.push("0Thank you for banking with us. Questions? Call 0800 123 456.".into());
    }
    lines
}

const NAMES: &[&str] = &["John Smith", "José Muñoz", "Jürgen Müller", "François Lefèvre", "Zoë Brontë", "Ana García"];

fn encode(page: &str, lines: &[String]) -> Vec<Vec<u8>> {
    let page = CodePage::find(page).unwrap();
    lines.iter().map(|line| page.encode(line).unwrap_or_else(|| panic!("{} lacks {line}", page.name()))).collect()
}

fn fixed(records: &[Vec<u8>], length: usize, blank: u8) -> Vec<u8> {
    let mut out = Vec::new();
    for record in records {
        let mut record = record.clone();
        record.resize(length, blank);
        out.extend(record);
    }
    out
}

fn rdw(records: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    for record in records {
        out.extend(u16::try_from(record.len() + 4).unwrap().to_be_bytes());
        out.extend([0, 0]);
        out.extend(record);
    }
    out
}

fn bdw(records: &[Vec<u8>], size: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let mut from = 0;
    while from < records.len() {
        let mut to = from;
        let mut length = 4;
        while to < records.len() && length + records[to].len() + 4 <= size {
            length += records[to].len() + 4;
            to += 1;
        }
        out.extend(u16::try_from(length).unwrap().to_be_bytes());
        out.extend([0, 0]);
        out.extend(rdw(&records[from..to]));
        from = to;
    }
    out
}

fn joined(records: &[Vec<u8>], end: &[u8]) -> Vec<u8> {
    records.iter().flat_map(|record| record.iter().chain(end).copied()).collect()
}

/// ASA control (before printing) as machine code (after printing).
fn machine(records: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut out = vec![vec![0x8B]];
    for (n, record) in records.iter().enumerate() {
        let next = records.get(n + 1).map_or(0x40, |next| next[0]);
        let code = match next {
            0xF1 => 0x89,
            0xF0 => 0x11,
            0x60 => 0x19,
            0x4E => 0x01,
            _ => 0x09,
        };
        out.push([&[code], &record[1..]].concat());
    }
    out
}

fn without_control(records: &[Vec<u8>]) -> Vec<Vec<u8>> {
    records.iter().map(|record| record[1..].to_vec()).collect()
}

fn expect(what: &str, found: &Sniff, page: &[&str], format: &str, framing: &str, length: Option<u32>, control: &str) {
    let got = answer(found);
    let why = format!("{what}: {got:?} {} {:#?}", found.confidence, found.evidence);
    assert!(page.contains(&got.0.as_str()), "{why}");
    assert_eq!((got.1.as_str(), got.2.as_str(), got.4.as_str()), (format, framing, control), "{why}");
    if let Some(length) = length {
        assert_eq!(got.3, length, "{why}");
    }
}

#[test]
fn fixed_records_of_any_usual_length_are_measured() {
    let records = encode("ibm-037", &report(60, NAMES, "$"));
    for length in [80, 100, 121, 132, 133, 134, 137, 151, 166, 205, 256, 300, 512] {
        let controlled = fixed(&records, length, 0x40);
        let found = look(&controlled, None);
        expect(
            &format!("FBA {length}"),
            &found,
            &["ibm-037", "ibm-1047"],
            "FBA",
            "fixed",
            u32::try_from(length).ok(),
            "asa",
        );
        assert!(found.confidence > 0.8, "{length}: {:?}", found.evidence);
        let found = look(&fixed(&machine(&records), length, 0x40), None);
        expect(
            &format!("FBM {length}"),
            &found,
            &["ibm-037", "ibm-1047"],
            "FBM",
            "fixed",
            u32::try_from(length).ok(),
            "machine",
        );
        let found = look(&fixed(&without_control(&records), length, 0x40), None);
        expect(
            &format!("FB {length}"),
            &found,
            &["ibm-037", "ibm-1047"],
            "FB",
            "fixed",
            u32::try_from(length).ok(),
            "none",
        );
        let cut = look(&controlled[..controlled.len() - length / 3], None);
        expect(
            &format!("FBA {length} cut"),
            &cut,
            &["ibm-037", "ibm-1047"],
            "FBA",
            "fixed",
            u32::try_from(length).ok(),
            "asa",
        );
    }
}

#[test]
fn small_streams_of_some_hundred_bytes_are_read_too() {
    let records = encode("ibm-037", &report(1, NAMES, "$"));
    for count in [3, 5, 8, 12] {
        for length in [80, 121, 133] {
            let found = look(&fixed(&records[..count], length, 0x40), None);
            expect(
                &format!("{count} of {length}"),
                &found,
                &["ibm-037", "ibm-1047"],
                "FBA",
                "fixed",
                u32::try_from(length).ok(),
                "asa",
            );
        }
        let found = look(&rdw(&records[..count]), None);
        expect(&format!("{count} rdw"), &found, &["ibm-037", "ibm-1047"], "VBA", "rdw", None, "asa");
        let found = look(&bdw(&records[..count], 4096), None);
        expect(&format!("{count} bdw"), &found, &["ibm-037", "ibm-1047"], "VBA", "bdw-rdw", None, "asa");
        let ascii = encode("iso-8859-1", &report(1, NAMES, "$"));
        let found = look(&joined(&ascii[..count], b"\n"), None);
        expect(&format!("{count} nl"), &found, &["iso-8859-1", "utf-8"], "textA", "nl", None, "asa");
    }
}

#[test]
fn variable_records_are_followed_by_their_descriptor_words() {
    let records = encode("ibm-037", &report(60, NAMES, "$"));
    let longest = u32::try_from(records.iter().map(Vec::len).max().unwrap()).unwrap() + 4;
    let pages = &["ibm-037", "ibm-1047"];
    expect("VBA", &look(&rdw(&records), None), pages, "VBA", "rdw", Some(longest), "asa");
    expect("VBA blocks", &look(&bdw(&records, 27_998), None), pages, "VBA", "bdw-rdw", Some(longest), "asa");
    expect("VBA small blocks", &look(&bdw(&records, 400), None), pages, "VBA", "bdw-rdw", Some(longest), "asa");
    expect("VBM", &look(&rdw(&machine(&records)), None), pages, "VBM", "rdw", Some(longest), "machine");
    expect(
        "VBM blocks",
        &look(&bdw(&machine(&records), 6_233), None),
        pages,
        "VBM",
        "bdw-rdw",
        Some(longest),
        "machine",
    );
    expect("VB", &look(&rdw(&without_control(&records)), None), pages, "VB", "rdw", Some(longest - 1), "none");
    let whole = rdw(&records);
    expect("VBA cut", &look(&whole[..whole.len() - 30], None), pages, "VBA", "rdw", Some(longest), "asa");
    for (little, framing) in [(true, "le16"), (false, "be16")] {
        let mut bytes = Vec::new();
        for record in &records {
            let length = u16::try_from(record.len()).unwrap();
            bytes.extend(if little { length.to_le_bytes() } else { length.to_be_bytes() });
            bytes.extend(record);
        }
        expect(framing, &look(&bytes, None), pages, "VBA", framing, None, "asa");
    }
}

/// Lines of three kinds in turn: three records repeat better than one.
fn in_turn(pages: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for page in 0..pages {
        lines.push(format!("1RIVER BANK TRUST     PAGE {page}"));
        for n in 0..16 {
            let text = ["Amount due for water", "Total of all meters #12 in the house", "Pay now!"][n % 3];
            lines.push(format!(" {:3} {text}  {:10.2} {:02}/03/2024", n + 1, 17.25 * n as f64, 10 + n));
        }
        lines.push(format!("0TOTAL {:12.2}", 919.5 * page as f64));
    }
    lines
}

#[test]
fn kinds_of_lines_in_turn_do_not_make_records_three_times_as_long() {
    let records = encode("ibm-037", &in_turn(30));
    for length in [80_u16, 81, 100, 121, 133, 166] {
        let bytes = fixed(&records, length.into(), 0x40);
        expect("in turn", &look(&bytes, None), &["ibm-037"], "FBA", "fixed", Some(length.into()), "asa");
        let cut = &bytes[..bytes.len() - 40];
        expect("cut", &look(cut, None), &["ibm-037"], "FBA", "fixed", Some(length.into()), "asa");
        if length < 100 {
            // Without control, and with few blanks behind the text, three records might as well be one.
            continue;
        }
        let plain = fixed(&without_control(&records), length.into(), 0x40);
        expect("plain", &look(&plain, None), &["ibm-037"], "FB", "fixed", Some(length.into()), "none");
    }
}

#[test]
fn an_english_text_with_a_number_sign_and_an_exclamation_mark_is_no_italian() {
    // X'7B' and X'5A' are # and ! or the pound sign and an e with accent.
    let bytes = fixed(&encode("ibm-037", &in_turn(30)), 133, 0x40);
    expect("english", &look(&bytes, None), &["ibm-037"], "FBA", "fixed", Some(133), "asa");
}

#[test]
fn spanned_records_have_their_control_in_the_first_segment() {
    let records = encode("ibm-037", &report(30, NAMES, "$"));
    let longest = records.iter().map(Vec::len).max().unwrap();
    let mut bytes = Vec::new();
    for record in &records {
        let count = record.chunks(50).count();
        for (n, part) in record.chunks(50).enumerate() {
            let code = match (n, n + 1 == count) {
                (0, true) => 0,
                (0, false) => 1,
                (_, true) => 2,
                _ => 3,
            };
            bytes.extend(u16::try_from(part.len() + 4).unwrap().to_be_bytes());
            bytes.extend([code, 0]);
            bytes.extend(part);
        }
    }
    let length = u32::try_from(longest + 4).ok();
    expect("spanned", &look(&bytes, None), &["ibm-037", "ibm-1047"], "VBA", "rdw", length, "asa");
}

#[test]
fn form_feeds_without_line_ends_are_pages_of_text() {
    let pages: Vec<Vec<u8>> = (1..=20).map(|n| format!("Page {n} of the form").into_bytes()).collect();
    let found = look(&joined(&pages, b"\x0C"), None);
    expect("form feeds", &found, &["utf-8"], "text", "nl", None, "none");
    assert!(found.confidence > 0.8, "{:?}", found.evidence);
}

#[test]
fn text_longer_than_the_sample_is_no_chain_of_lengths() {
    for end in [&b"\n"[..], b"\r\n"] {
        let lines = joined(&encode("iso-8859-1", &report(900, &["John Smith"], "$")), end);
        assert!(lines.len() > super::super::super::SAMPLE_BYTES);
        let framing = if end.len() == 1 { "nl" } else { "crlf" };
        expect(framing, &look(&lines, None), &["utf-8"], "textA", framing, None, "asa");
    }
}

#[test]
fn host_text_with_line_ends_is_text() {
    let records = encode("ibm-037", &report(20, NAMES, "$"));
    let pages = &["ibm-037", "ibm-1047"];
    expect("nel", &look(&joined(&records, b"\x15"), None), pages, "textA", "nel", None, "asa");
    expect("lf", &look(&joined(&records, b"\x25"), None), pages, "textA", "nel", None, "asa");
    expect("crlf", &look(&joined(&records, b"\r\n"), None), pages, "textA", "crlf", None, "asa");
    expect("nel alone", &look(&joined(&without_control(&records), b"\x15"), None), pages, "text", "nel", None, "none");
}

#[test]
fn numbers_in_column_one_are_no_carriage_control() {
    let lines: Vec<String> =
        (0..500).map(|n| format!("{:010} some account {:>20}.00", 1_000_000 + n * 7_919 % 900_000, n * 13)).collect();
    let found = look(&fixed(&encode("ibm-037", &lines), 80, 0x40), None);
    expect("accounts", &found, &["ibm-037", "ibm-1047"], "FB", "fixed", Some(80), "none");
    let lines: Vec<String> = (0..500)
        .map(|n| if n % 9 == 0 { format!("{:02}/03/2024 posted", n % 12 + 1) } else { format!("   detail {n}") })
        .collect();
    let found = look(&joined(&encode("iso-8859-1", &lines), b"\n"), None);
    expect("dates", &found, &["utf-8"], "text", "nl", None, "none");
}

#[test]
fn lost_descriptor_words_are_told_and_doubted() {
    let glued = joined(&encode("ibm-037", &report(60, NAMES, "$")), b"");
    let found = look(&glued, None);
    assert!(found.confidence < 0.5, "{} {:?}", found.confidence, found.evidence);
    assert!(found.evidence.iter().any(|sentence| sentence.contains("descriptor words")), "{:?}", found.evidence);
}

/// A listing whose lines are of one length but for headings, with machine control and `words` in turn.
fn even_listing(page: &str, words: &[&str]) -> Vec<Vec<u8>> {
    let mut lines = Vec::new();
    for sheet in 0..6 {
        lines.push(format!("1{:<30} Page {sheet}", words[sheet % words.len()]));
        lines.extend(
            (0..40).map(|line| format!(" {line:02}.03.2024   {:<34}{:>12}.17", words[line % words.len()], line * 937)),
        );
    }
    machine(&encode(page, &lines))
}

#[test]
fn machine_codes_without_descriptors_are_found_though_most_lines_are_equally_long() {
    for (page, words) in [
        ("ibm-273", &["Übertrag", "Mahngebühr für März", "Grundpreis"][..]),
        ("ibm-1147", &["Intérêts de retard", "Déjà payé", "Prélèvement"]),
        ("ibm-1047", &["Service period", "Interest earned", "Late fee"]),
    ] {
        let found = look(&joined(&even_listing(page, words), b""), None);
        expect(page, &found, &[page, "ibm-037", "ibm-297"], "VBM", "glued", None, "machine");
    }
}

#[test]
fn an_i_with_an_accent_behind_it_does_not_cut_fixed_records() {
    // ù stands where 037 has a grave accent, the i before it is the code that skips to channel 1.
    let records = even_listing("ibm-280", &["Più IVA", "Così già pagata", "Perché in ritardo"]);
    for length in [121, 133, 151] {
        expect(
            "Italian",
            &look(&fixed(&records, length, 0x40), None),
            &["ibm-280"],
            "FBM",
            "fixed",
            u32::try_from(length).ok(),
            "machine",
        );
    }
}

#[test]
fn a_chain_of_descriptor_words_that_breaks_early_is_still_one() {
    let records = encode("ibm-037", &report(2, NAMES, "$"));
    let mut bytes = rdw(&records[..20]);
    bytes.extend([0, 2, 0, 0, 0x40, 0x40]);
    bytes.extend(rdw(&records[20..]));
    let found = look(&bytes, None);
    expect("broken", &found, &["ibm-037", "ibm-1047"], "VBA", "rdw", None, "asa");
    assert!(found.evidence.iter().any(|sentence| sentence.contains("breaks at byte")), "{:?}", found.evidence);
}

#[test]
fn two_lines_of_a_table_that_are_alike_are_no_heading_that_comes_back() {
    // Items 5 and 6 are bought again 23 lines further down.
    let item = |n: u8| char::from(b'a' + if matches!(n, 28 | 29) { n - 23 } else { n } % 26);
    let more = |n: u8| if n < 26 || n == 28 || n == 29 { "small" } else { "large" };
    let mut lines = vec!["BILL".to_string(), "  3959-3710  B. Carson".into()];
    lines.extend((0..40).map(|n| format!("{:02}.11.2024   Item {} {:<30}{n:>9}.00", n % 28 + 1, item(n), more(n))));
    let found = look(&joined(&encode("iso-8859-1", &lines), b"\n"), None);
    assert_ne!(found.read.lines_per_page, Some(23), "{:?}", found.evidence);
}

#[test]
fn what_is_no_text_gets_no_confidence() {
    let mut seed = 1_u64;
    let random: Vec<u8> = (0..100_000)
        .map(|_| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 56) as u8
        })
        .collect();
    let zeros = vec![0; 5_000];
    let empty: &[u8] = &[];
    for bytes in [empty, b"A", b"\x00\x05", &zeros, &random, &random[..100], &[0xFF; 3_000], &[0x0E; 1_000]] {
        let found = look(bytes, None);
        assert!(found.confidence < 0.5, "{} bytes: {} {:?}", bytes.len(), found.confidence, found.evidence);
    }
}

#[test]
fn what_the_definition_fixes_is_used_and_not_guessed() {
    let bytes = fixed(&encode("ibm-273", &report(10, NAMES, "$")), 133, 0x40);
    let hint = ReadSpec {
        code_page: Some("ibm-500".into()),
        record_format: Some("FB".into()),
        record_length: Some(266),
        carriage_control: Some("none".into()),
        lines_per_page: Some(40),
        ..ReadSpec::default()
    };
    let found = sniff(&Sample { head: &bytes, total: None, name: None }, &hint);
    assert_eq!(answer(&found), ("ibm-500".into(), "FB".into(), "fixed".into(), 266, "none".into()));
    assert_eq!(found.read.lines_per_page, Some(40));
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..400), at in 0..400usize) {
        look(&bytes, Some("x-037"));
        let mut damaged = rdw(&encode("ibm-037", &report(1, NAMES, "$"))[..5]);
        let cut = at.min(damaged.len());
        damaged.splice(cut..cut, bytes);
        look(&damaged, None);
    }
}
