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
        ("sales-register.lst", "utf-8", "text", "nl", 0, "none", false, Some(60)),
        ("sales-register-crlf.lst", "utf-8", "text", "crlf", 0, "none", false, Some(60)),
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
