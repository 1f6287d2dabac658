//! The corpus: counts as its manifest says, tags as its truth tables say, documents alone as in their streams.

use super::*;

/// The number before `word` in a fact of the manifest: `12 pages`.
fn fact(facts: &str, word: &str) -> u64 {
    let before = facts.split(word).next().unwrap_or_default();
    before.trim_end().rsplit(|ch: char| !ch.is_ascii_digit()).next().and_then(|number| number.parse().ok()).unwrap()
}

fn folder() -> PathBuf {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/corpus");
    std::env::var_os("GREENBAR_CORPUS").map_or_else(|| PathBuf::from(beside), PathBuf::from)
}

#[test]
fn every_file_is_counted_as_the_manifest_says_and_every_byte_is_in_one_unit() {
    let files = corpus();
    if files.is_empty() {
        return;
    }
    let manifest = fs::read_to_string(folder().join("MANIFEST.md")).unwrap();
    for (name, bytes) in files {
        let how = sniffed(&bytes);
        let (all, notes, structure, records) = units_from(&bytes, Start::default(), &how, None, false);
        assert_covers(&bytes, &all, &name);
        let facts = manifest.lines().find(|line| line.starts_with(&format!("| {name} |"))).unwrap();
        let facts = facts.split('|').nth(5).unwrap();
        let want = ["fields", "documents", "groups", "pages", "TLE"].map(|word| fact(facts, word));
        let pages = all.iter().filter(|unit| unit.kind == UnitKind::Page).count() as u64;
        let got = [records, structure.documents, structure.page_groups, pages, structure.tags];
        assert_eq!((got, structure.pages), (want, pages), "{name}");
        let starts = all.iter().filter(|unit| unit.group_starts.is_some()).count() as u64;
        let ends = all.iter().filter(|unit| unit.group_ends).count() as u64;
        assert_eq!((starts, ends), (structure.page_groups, structure.page_groups), "{name}");
        assert_eq!(notes.count("afp-broken-field"), 0, "{name}");
        let shared = all.iter().filter(|unit| unit.shared).count();
        println!("{name}: {} units, {shared} shared, framing {:?}", all.len(), how.framing);
        for note in notes.iter() {
            println!("    {} x{} first at {}: {}", note.code, note.count, note.first, note.detail);
        }
    }
}

/// The rows of a truth table, each by column name.
fn table(path: &Path) -> Vec<BTreeMap<String, String>> {
    let text = fs::read_to_string(path).unwrap();
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().unwrap().split('\t').collect();
    lines.map(|line| names.iter().zip(line.split('\t')).map(|(n, v)| ((*n).into(), v.into())).collect()).collect()
}

/// A date as tags spell it, as ISO.
fn iso(text: &str) -> String {
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let parts: Vec<&str> = text.split([' ', ',', '/']).filter(|part| !part.is_empty()).collect();
    match parts[..] {
        [month, day, year] if text.contains('/') => format!("{year}-{month}-{day}"),
        [month, day, year] => match months.iter().position(|known| month.starts_with(known)) {
            Some(at) => format!("{year}-{:02}-{day:0>2}", at + 1),
            None => text.into(),
        },
        _ => text.into(),
    }
}

#[test]
fn tags_of_page_groups_are_those_of_the_truth_tables() {
    let mut checked = 0;
    for (name, bytes) in corpus() {
        let truth = folder().join("afp").join(name.replace(".afp", ".tsv"));
        if !truth.exists() {
            continue;
        }
        let (rows, pages) = (table(&truth), table(&folder().join("afp").join(name.replace(".afp", ".pages.tsv"))));
        let how = sniffed(&bytes);
        let (all, _) = units(&bytes, &how);
        let of_pages: Vec<&Unit> = all.iter().filter(|unit| unit.kind == UnitKind::Page).collect();
        let starts: Vec<usize> = (0..of_pages.len()).filter(|at| of_pages[*at].group_starts.is_some()).collect();
        assert_eq!((starts.len(), pages.len()), (rows.len(), rows.len()), "{name}");
        for (number, (row, pages)) in rows.iter().zip(&pages).enumerate() {
            let from = starts[number];
            let to = starts.get(number + 1).copied().unwrap_or(of_pages.len());
            let count: usize = pages["pages"].parse().unwrap();
            assert_eq!(to - from, count, "{name}, group {number}: {pages:?}");
            // Whatever a tag says of account, date and amount stands in the row.
            let values: Vec<&String> = row.values().collect();
            for unit in &of_pages[from..to] {
                assert_eq!(unit.tags.len(), 4, "{name}");
                for tag in unit.tags.iter().filter(|tag| &*tag.name != "CUSTNAME") {
                    let plain = tag.value.replace(',', "");
                    let same = |value: &&&String| {
                        let value = value.as_str();
                        *value == *tag.value || value == plain || value == iso(&tag.value)
                    };
                    assert!(values.iter().any(|value| same(&value)), "{name}: {tag:?} is not in {row:?}");
                    checked += 1;
                }
            }
            assert!(of_pages[to - 1].group_ends, "{name}, group {number}");
        }
    }
    println!("{checked} tags checked");
}

/// Pages drawn of the large files: some of each.
fn some<T>(all: &[T]) -> impl Iterator<Item = &T> {
    let step = (all.len() / 12).max(1);
    all.iter().step_by(step)
}

#[test]
fn a_document_cut_from_the_middle_is_drawn_as_in_its_stream() {
    for (name, bytes) in corpus() {
        let how = sniffed(&bytes);
        let mut decoder = open(&bytes, Start::default(), &how, None);
        decoder.want_text(false);
        let (mut unit, mut all) = (Unit::default(), Vec::new());
        while decoder.next(&mut unit, &mut Notes::default()).unwrap() {
            all.push(unit.clone());
        }
        let shared = shared_of(&all, &how);
        let pages: Vec<&Unit> = all.iter().filter(|unit| unit.kind == UnitKind::Page).collect();
        for unit in some(&pages) {
            let mut notes = [Notes::default(), Notes::default()];
            let whole = decoder.page(unit, &mut notes[0]);
            let mut alone = open(&unit.bytes, unit.start(), &how, Some(shared.clone()));
            alone.want_text(false);
            let (mut again, mut ignored) = (Unit::default(), Notes::default());
            assert!(alone.next(&mut again, &mut ignored).unwrap(), "{name}");
            let (span, records, page) = (again.span.clone(), again.records_before, again.page);
            assert_eq!((span, records, page), (unit.span.clone(), unit.records_before, unit.page), "{name}");
            assert_eq!((again.resume, again.shared), (unit.resume, unit.shared), "{name}");
            let cut = alone.page(&again, &mut notes[1]);
            assert!(whole == cut && drawn(&whole) == drawn(&cut), "{name}, page {}", unit.page);
            assert_eq!(notes[0], notes[1], "{name}");
        }
    }
}

#[test]
fn decoding_from_any_unit_gives_the_same_units() {
    for (name, bytes) in corpus() {
        let how = sniffed(&bytes);
        let (all, ..) = units_from(&bytes, Start::default(), &how, None, false);
        let shared = shared_of(&all, &how);
        for number in some(&(0..all.len()).collect::<Vec<_>>()) {
            let (again, ..) = units_from(&bytes, all[*number].start(), &how, Some(shared.clone()), false);
            assert_eq!(again.len(), all.len() - number, "{name} from unit {number}");
            for (one, two) in all[*number..].iter().zip(&again) {
                let of =
                    |unit: &Unit| (unit.kind, unit.span.clone(), unit.resume, unit.page, unit.shared, unit.group_ends);
                assert_eq!(of(one), of(two), "{name} from unit {number}");
            }
        }
    }
}

#[test]
fn a_document_alone_is_a_print_file_with_the_same_pages() {
    for (name, bytes) in corpus() {
        let how = sniffed(&bytes);
        let (all, _) = units(&bytes, &how);
        let decoder = {
            let mut decoder = open(&bytes, Start::default(), &how, None);
            decoder.want_text(false);
            let (mut unit, mut notes) = (Unit::default(), Notes::default());
            while decoder.next(&mut unit, &mut notes).unwrap() {}
            decoder
        };
        let pages: Vec<&Unit> = all.iter().filter(|unit| unit.kind == UnitKind::Page).collect();
        for unit in some(&pages) {
            let alone = alone_in(&all, unit.bytes.clone(), unit, &how, &Context::default());
            assert_eq!(sniffed(&alone).framing, how.framing, "{name}");
            let (again, notes, structure, _) = units_from(&alone, Start::default(), &how, None, false);
            assert_covers(&alone, &again, &name);
            let ours: Vec<&Unit> = again.iter().filter(|unit| unit.kind == UnitKind::Page).collect();
            assert_eq!((ours.len(), structure.documents), (1, 1), "{name}");
            assert_eq!((notes.count("afp-broken-field"), notes.count("afp-not-ended")), (0, 0), "{name}");
            let mut fresh = open(&alone, Start::default(), &how, None);
            fresh.want_text(false);
            let (mut one, mut ignored) = (Unit::default(), Notes::default());
            while fresh.next(&mut one, &mut ignored).unwrap() {}
            let (whole, cut) = (decoder.page(unit, &mut ignored), fresh.page(ours[0], &mut ignored));
            assert!(whole == cut, "{name}, page {}", unit.page);
        }
    }
}
