use std::path::PathBuf;

use super::*;

fn corpus() -> Option<PathBuf> {
    let root =
        std::env::var("GREENBAR_CORPUS").unwrap_or(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/corpus").into());
    let root = PathBuf::from(root);
    if !root.join("MANIFEST.md").exists() {
        println!("skipped: no corpus at {}", root.display());
        return None;
    }
    Some(root)
}

fn inspect(path: impl AsRef<Path>) -> Result<Inspection, DecodeError> {
    super::inspect(path, &Context::default())
}

/// Inspects bytes through a file of their own.
fn inspected(name: &str, bytes: &[u8]) -> Inspection {
    let folder = std::env::temp_dir().join(format!("greenbar-inspect-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join(name);
    std::fs::write(&file, bytes).unwrap();
    let found = inspect(&file).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    found
}

#[test]
fn the_format_of_every_file_of_the_corpus_is_recognised() {
    let Some(root) = corpus() else { return };
    let mut seen = 0;
    for (folder, format, endings) in [
        ("afp", "afp", &["afp"][..]),
        ("pcl", "pcl", &["pcl", "tst"]),
        ("pclxl", "pcl-xl", &["pxl", "px3"]),
        ("pdf", "pdf", &["pdf"]),
        ("ps", "postscript", &["ps"]),
        ("scs", "scs", &["scs", "bin"]),
        ("tiff", "tiff", &["tif"]),
        ("djde", "xerox", &["fba", "vba"]),
        ("linedata", "line-data", &["fba", "vba", "vbm", "asa", "txt", "lst", "lp"]),
    ] {
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or("");
            if !endings.contains(&ending) {
                continue;
            }
            let found = inspect(&path).unwrap();
            let brief = (found.confidence, found.records, found.pages);
            println!("{}: {} {brief:?} {:?}", path.display(), found.format, found.notes);
            assert_eq!(found.format, format, "{}: {found:#?}", path.display());
            assert!(found.confidence > 0.7, "{}: {found:#?}", path.display());
            seen += 1;
        }
    }
    assert!(seen > 70, "{seen}");
}

/// The number before `word` in a fact of the manifest: `12 pages`.
fn fact(facts: &str, word: &str) -> Option<u64> {
    let before = facts.split(word).next().filter(|before| before.len() < facts.len())?;
    before.trim_end().rsplit(|ch: char| !ch.is_ascii_digit()).next()?.parse().ok()
}

#[test]
fn afp_is_counted_as_the_manifest_says() {
    let Some(root) = corpus() else { return };
    let manifest = std::fs::read_to_string(root.join("MANIFEST.md")).unwrap();
    let mut checked = 0;
    for line in manifest.lines().filter(|line| line.contains(" fields, ")) {
        let columns: Vec<&str> = line.split('|').map(str::trim).collect();
        let (name, facts) = (columns[1], columns[5]);
        let found = inspect(root.join("afp").join(name)).unwrap();
        let got = [Some(found.records), found.documents, found.page_groups, Some(found.pages), found.tags];
        let want = ["fields", "documents", "groups", "pages", "TLE"].map(|word| fact(facts, word));
        assert_eq!(got, want, "{name}");
        checked += 1;
    }
    assert!(checked > 20);
}

#[test]
fn pages_are_counted_as_the_manifest_says() {
    let Some(root) = corpus() else { return };
    for (file, pages) in [
        ("pcl/bank-fop.pcl", 253),
        ("pcl/power-fop.pcl", 25),
        ("pcl/notice-groff-lj4.pcl", 151),
        ("pcl/power-gs-ljet4.pcl", 10),
        ("pcl/telecom-zh-fop.pcl", 40),
        ("pclxl/bank-gs-pxlmono.pxl", 60),
        ("pclxl/power-gs-pxlcolor.pxl", 10),
        ("pdf/bank.pdf", 253),
        ("pdf/mustang-EN16931_Einfach.pdf", 2),
        ("pdf/power.pdf", 25),
        ("ps/bank-fop.ps", 253),
        ("ps/bank-gs-ps2write.ps", 60),
        ("ps/notice-groff.ps", 151),
        ("ps/sales-a2ps.ps", 26),
        ("ps/sales-enscript.ps", 19),
        ("tiff/bank-g4.tif", 40),
        ("tiff/power-g3.tif", 5),
        ("scs/own-sales-5250.scs", 22),
        ("djde/own-stmt-djde-037.fba", 104),
        ("djde/own-stmt-djde-cont.vba", 104),
        ("linedata/stmt-037.fba", 957),
        ("linedata/stmt-part-037.vbm", 430),
        ("linedata/stmt-part-1047.vba", 430),
        ("linedata/stmt-part-ascii.asa", 430),
        ("linedata/stmt-part-trc-037.fba", 143),
        ("linedata/telecom-935.fba", 400),
        ("linedata/telecom-1388.vba", 400),
        ("linedata/telecom-gbk.asa", 400),
    ] {
        assert_eq!(inspect(root.join(file)).unwrap().pages, pages, "{file}");
    }
}

#[test]
fn records_of_line_data_are_counted_as_the_manifest_says() {
    let Some(root) = corpus() else { return };
    for (file, records) in [
        ("stmt-037.fba", 26_571),
        ("stmt-part-037.vbm", 12_001),
        ("stmt-part-1047.vba", 12_000),
        ("stmt-part-ascii.asa", 12_000),
        ("stmt-part-trc-037.fba", 4_000),
        ("telecom-935.fba", 4_987),
        ("telecom-1388.vba", 4_987),
        ("telecom-gbk.asa", 4_987),
    ] {
        let found = inspect(root.join("linedata").join(file)).unwrap();
        assert_eq!(found.records, records, "{file}");
        assert!(found.first_page.is_some_and(|page| page.lines().count() > 3), "{file}");
    }
}

#[test]
fn structured_fields_are_counted_in_every_container() {
    let field = |class: u8, category: u8, data: &[u8]| {
        let length = u16::try_from(8 + data.len()).unwrap().to_be_bytes();
        [&[0x5A, length[0], length[1], 0xD3, class, category, 0, 0, 0], data].concat()
    };
    let fields = [
        field(0xA8, 0xA8, &[0x40; 8]),
        field(0xA8, 0xAD, &[0xC1; 8]),
        field(0xA0, 0x90, b"tag"),
        field(0xA8, 0xAF, &[0x5A; 8]),
        field(0xA9, 0xAF, &[]),
        field(0xA9, 0xA8, &[]),
    ];
    let rdw: Vec<u8> = fields
        .iter()
        .flat_map(|field| [&u16::try_from(field.len() + 4).unwrap().to_be_bytes()[..], &[0, 0], field].concat())
        .collect();
    let block = [&u16::try_from(rdw.len() + 4).unwrap().to_be_bytes()[..], &[0, 0], &rdw].concat();
    let lines: Vec<u8> = fields.iter().flat_map(|field| [field, &b"\r\n"[..]].concat()).collect();
    for (name, bytes) in [("plain", fields.concat()), ("rdw", rdw), ("bdw", block), ("lines", lines)] {
        let found = inspected(name, &bytes);
        assert_eq!(found.format, "afp", "{name}: {found:#?}");
        let counts = (found.records, found.documents, found.page_groups, found.pages, found.tags);
        assert_eq!(counts, (6, Some(1), Some(1), 1, Some(1)), "{name}");
    }
}

#[test]
fn what_is_nothing_known_is_unknown() {
    let mut seed = 7_u64;
    let random: Vec<u8> = (0..50_000)
        .map(|_| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 56) as u8
        })
        .collect();
    for (name, bytes) in
        [("empty", &[][..]), ("one", b"A"), ("zeros", &[0; 10_000]), ("random", &random), ("some", &random[..300])]
    {
        let found = inspected(name, bytes);
        assert_eq!((found.format.as_str(), found.pages), ("unknown", 0), "{name}: {found:#?}");
        assert!(found.confidence < 0.5, "{name}");
        assert_eq!(found.bytes, bytes.len() as u64);
    }
}

#[test]
fn files_cut_anywhere_are_inspected_without_harm() {
    let Some(root) = corpus() else { return };
    for file in [
        "afp/cmyip-x2.afp",
        "pcl/ghostpdl-owl.pcl",
        "pclxl/ghostpdl-pattern.pxl",
        "tiff/power-packbits.tif",
        "pdf/invoice2data-oyo.pdf",
        "scs/own-sales-5250.scs",
        "linedata/telecom-1388.vba",
    ] {
        let bytes = std::fs::read(root.join(file)).unwrap();
        for part in [1, 7, 40, 333, 3_000, bytes.len() / 2, bytes.len() - 1] {
            let cut = bytes.get(..part).unwrap_or(&bytes);
            let found = inspected(file.rsplit('/').next().unwrap(), cut);
            assert_eq!(found.bytes, cut.len() as u64, "{file}");
        }
    }
}

#[test]
fn a_missing_file_is_an_error_and_not_a_panic() {
    assert!(matches!(inspect("/nonexistent/file"), Err(DecodeError::Read { .. })));
}
