//! Cases of `fixtures/afp/`: what their units, tags, notes and pages are.

use std::fmt::Write;

use super::*;
use crate::page::PlacedForm;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/afp")
}

/// The units, what they are called, and the notes.
fn dump_units(units: &[Unit], notes: &Notes) -> String {
    let mut out = String::new();
    for unit in units {
        let Unit { kind, span, resume, page, records_before, tags, group_starts, group_ends, shared, .. } = unit;
        let kind = if *kind == UnitKind::Page { "page" } else { "outside after page" };
        let flags = [(*shared, " shared"), (*group_ends, " group-ends")];
        let flags: String = flags.iter().filter(|(on, _)| *on).map(|(_, name)| *name).collect();
        let starts = group_starts.as_ref().map(|name| format!(" group {name:?}")).unwrap_or_default();
        let (from, to) = (span.start, span.end);
        writeln!(
            out,
            "{kind} {page}: bytes {from}..{to}, after field {records_before}, resume {resume:x}{starts}{flags}"
        )
        .unwrap();
        for tag in tags {
            writeln!(out, "    {:?} = {:?}", tag.name, tag.value).unwrap();
        }
    }
    for note in notes.iter() {
        writeln!(out, "note {} x{} at {}: {}", note.code, note.count, note.first, note.detail).unwrap();
    }
    out
}

fn dump_elements(elements: &[Element], indent: &str, out: &mut String) {
    for element in elements {
        match element {
            Element::Text(run) => {
                let (x, y, turns) = (run.x.0, run.y.0, run.turns);
                writeln!(out, "{indent}text at {x},{y} turns {turns} line {}: {:?}", run.line, run.text).unwrap();
            }
            Element::Rule(rule) => {
                let (x, y, width, height, color) = (rule.x.0, rule.y.0, rule.width.0, rule.height.0, rule.color);
                let color = format!("{:02X}{:02X}{:02X}", color.r, color.g, color.b);
                writeln!(out, "{indent}rule at {x},{y} size {width}x{height} colour {color}").unwrap();
            }
            Element::Form(PlacedForm { x, y, turns, form }) => {
                let (width, height) = (form.width.0, form.height.0);
                writeln!(out, "{indent}form {} at {},{} turns {turns} size {width}x{height}", form.name, x.0, y.0)
                    .unwrap();
                dump_elements(&form.elements, &format!("{indent}    "), out);
            }
            Element::Image(image) => {
                let (x, y, width, height) = (image.x.0, image.y.0, image.width.0, image.height.0);
                writeln!(out, "{indent}image at {x},{y} size {width}x{height} turns {}", image.turns).unwrap();
            }
            other => writeln!(out, "{indent}{other:?}").unwrap(),
        }
    }
}

fn dump_pages(units: &[Unit], decoder: &dyn Decoder) -> String {
    let mut out = String::new();
    for unit in units.iter().filter(|unit| unit.kind == UnitKind::Page) {
        let page = decoder.page(unit, &mut Notes::default());
        writeln!(out, "== page {}: {} x {}", unit.page, page.width.0, page.height.0).unwrap();
        dump_elements(&page.elements, "", &mut out);
    }
    out
}

#[test]
fn every_case_is_read_and_drawn_as_its_dumps_say() {
    let rewrite = std::env::var_os("GREENBAR_REWRITE").is_some();
    let mut cases = 0;
    let mut wrong = Vec::new();
    for entry in fs::read_dir(fixtures()).unwrap() {
        let folder = entry.unwrap().path();
        let Ok(how) = fs::read_to_string(folder.join("how.toml")) else { continue };
        let how: ReadSpec = toml::from_str(&how).unwrap();
        let input = fs::read(folder.join("input.afp")).unwrap();
        let found = sniffed(&input);
        assert_eq!((&found.framing, found.record_length), (&how.framing, how.record_length), "{}", folder.display());
        let mut decoder = open(&input, Start::default(), &how, None);
        let (mut unit, mut all, mut notes) = (Unit::default(), Vec::new(), Notes::default());
        while decoder.next(&mut unit, &mut notes).unwrap() {
            all.push(unit.clone());
        }
        assert_covers(&input, &all, &name_of(&folder));
        for (file, dump) in
            [("expect.units.txt", dump_units(&all, &notes)), ("expect.pages.txt", dump_pages(&all, decoder.as_ref()))]
        {
            let path = folder.join(file);
            if rewrite {
                fs::write(&path, &dump).unwrap();
            } else if fs::read_to_string(&path).unwrap_or_default() != dump {
                wrong.push(format!("{}:\n{dump}", path.display()));
            }
        }
        cases += 1;
    }
    assert!(cases >= 20, "the cases are there");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
