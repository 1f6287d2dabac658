//! A dry run with pictures: what a definition makes of the beginning of a stream, and where on the pages it looks.
//!
//! In: a definition, the first bytes of a stream, [`Bounds`]. Out: a [`Preview`]. For people who write definitions; it
//! keeps nothing, and ends at its bounds however long the stream is.

use std::time::{Duration, Instant};

use super::check::CheckReport;
use super::definition::Definition;
use super::field::Finder;
use super::rule::{Region, Sight, Source, Test, Values};
use super::sheet::Glass;
use super::split::Splitter;
use super::trigger::Triggers;
use crate::decode::rows::Rows;
use crate::decode::{Context, DecodeError, Decoder, FORMATS, ReadSpec, SAMPLE_BYTES, Sample, Start, Unit, UnitKind};
use crate::note::Notes;
use crate::page::{Lu, Page};

/// Rows of a page that are shown.
const ROWS: usize = 400;
/// Characters of a row that are shown.
const ROW_CHARS: usize = 400;
/// Spots of a page that are marked.
const SPOTS: usize = 400;
/// Failures that are listed.
const FAILURES: usize = 200;

/// Where a preview ends.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Pages read.
    pub pages: u64,
    /// Documents told in full.
    pub documents: usize,
    /// First page of the stream that is shown, from 1.
    pub first_sheet: u64,
    /// Pages shown.
    pub sheets: usize,
    /// How long pages are read, done or not; at least one is.
    pub time: Duration,
}

/// What a definition makes of the beginning of a stream.
#[derive(Debug, Clone, Default)]
pub struct Preview {
    /// Documents, fields, pages set aside, warnings.
    pub report: CheckReport,
    /// The format that read it.
    pub format: &'static str,
    /// The pages that were asked for.
    pub sheets: Vec<Sheet>,
    /// What was wrong with fields, with the page it was found on.
    pub failures: Vec<Failure>,
    /// A bound was reached before the end of the bytes.
    pub cut_short: bool,
}

/// A field without its value, or whose text is no value of its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Page of the stream, from 1.
    pub page: u64,
    /// `field-missing`, `field-bad-date` ...
    pub code: String,
    /// What of: the field.
    pub detail: String,
}

/// A page as the definition sees it.
#[derive(Debug, Clone, Default)]
pub struct Sheet {
    /// Its number in the stream, from 1.
    pub page: u64,
    /// Its printed rows: number from 1 and text.
    pub rows: Vec<(u16, String)>,
    /// What was found in the rows.
    pub spots: Vec<Spot>,
    /// The page itself, where it is composed: its text has a place instead of rows and columns.
    pub drawing: Option<Page>,
    /// What was found on the drawing.
    pub areas: Vec<Area>,
    /// Named values that the page carries.
    pub tags: Vec<(String, String)>,
}

/// What a place on a page is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A trigger is there.
    Trigger,
    /// A field is taken from there.
    Field,
}

/// A piece of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    /// What for.
    pub what: What,
    /// Name of the trigger or field.
    pub name: String,
    /// The row, from 1.
    pub row: u16,
    /// First character of the row's text, from 0.
    pub from: usize,
    /// Behind the last character.
    pub to: usize,
}

/// A rectangle of a drawing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Area {
    /// What for.
    pub what: What,
    /// Name of the trigger or field.
    pub name: String,
    /// Left edge.
    pub x: Lu,
    /// Upper edge.
    pub y: Lu,
    /// Width.
    pub width: Lu,
    /// Height.
    pub height: Lu,
}

/// Reads the beginning of a stream as the definition says. `context` is what streams that are read so are given besides;
/// `None`: no format reads it.
pub fn preview(
    definition: &Definition,
    name: &str,
    bytes: &[u8],
    context: &dyn Fn(&ReadSpec) -> Context,
    bounds: &Bounds,
) -> Result<Option<Preview>, DecodeError> {
    let head = bytes.get(..bytes.len().min(SAMPLE_BYTES)).unwrap_or_default();
    let sample = Sample { head, total: Some(bytes.len() as u64), name: Some(name) };
    let hint = &definition.read;
    let named = |format: &str| hint.format.as_deref().is_none_or(|wanted| wanted == format);
    let sniffed =
        FORMATS.iter().filter(|format| named(format.name())).map(|format| (*format, format.sniff(&sample, hint)));
    let Some((format, sniff)) = sniffed.max_by(|a, b| a.1.confidence.total_cmp(&b.1.confidence)) else {
        return Ok(None);
    };
    let mut decoder = format.open(Box::new(bytes), Start::default(), &sniff.read, &context(&sniff.read))?;
    let mut found = Preview { format: format.name(), ..Preview::default() };
    found.report.definition.clone_from(&definition.name);
    found.read(definition, name, decoder.as_mut(), bounds)?;
    Ok(Some(found))
}

impl Preview {
    fn read(
        &mut self,
        definition: &Definition,
        name: &str,
        decoder: &mut dyn Decoder,
        bounds: &Bounds,
    ) -> Result<(), DecodeError> {
        let begun = Instant::now();
        decoder.want_text(true);
        let mut looker = Looker::new(definition, decoder);
        let mut splitter = Splitter::new(definition, decoder.code_page()).named(name);
        let (mut unit, mut notes, mut cuts) = (Unit::default(), Notes::default(), Vec::new());
        while decoder.next(&mut unit, &mut notes)? {
            let page = unit.kind == UnitKind::Page;
            self.report.pages += u64::from(page);
            let mut own = Notes::default();
            splitter.push(&unit, &mut own, &mut cuts);
            self.keep(own, &mut notes);
            self.report.take(&mut cuts, definition, bounds.documents);
            if page && unit.page >= bounds.first_sheet && self.sheets.len() < bounds.sheets {
                let mut sheet = looker.look(&unit);
                if sheet.rows.is_empty() || !unit.placed.is_empty() {
                    sheet.drawing = Some(decoder.page(&unit, &mut Notes::default()));
                }
                self.sheets.push(sheet);
            }
            if self.report.pages >= bounds.pages || begun.elapsed() >= bounds.time {
                self.cut_short = true;
                break;
            }
        }
        let mut own = Notes::default();
        splitter.finish(&mut own, &mut cuts);
        self.keep(own, &mut notes);
        self.report.take(&mut cuts, definition, bounds.documents);
        self.report.warnings = notes.into_list();
        Ok(())
    }

    /// Lists what went wrong with fields one by one, and counts it with the rest.
    fn keep(&mut self, own: Notes, all: &mut Notes) {
        for note in own.into_list() {
            let page = note.first.page;
            if note.code.starts_with("field-") && self.failures.len() < FAILURES {
                self.failures.push(Failure { page, code: note.code.clone(), detail: note.detail.clone() });
            }
            all.add_many(&note.code, note.count, note.first, &note.detail);
        }
    }
}

/// Looks at pages with the triggers and fields of a definition, apart from the splitter that cuts.
struct Looker<'d> {
    definition: &'d Definition,
    code_page: &'static crate::frame::codepage::CodePage,
    glass: Glass,
    triggers: Triggers,
    finders: Vec<Finder>,
    rows: Rows,
}

impl<'d> Looker<'d> {
    fn new(definition: &'d Definition, decoder: &dyn Decoder) -> Looker<'d> {
        let code_page = decoder.code_page();
        let glass = Glass::new(code_page);
        let rules = &definition.rules;
        Looker {
            definition,
            code_page,
            triggers: Triggers::new(&rules.triggers, &glass),
            finders: rules.fields.iter().map(|rule| Finder::new(rule, &glass)).collect(),
            rows: Rows::default(),
            glass,
        }
    }

    fn look(&mut self, unit: &Unit) -> Sheet {
        self.triggers.turn_page(&mut self.glass);
        self.rows.clear();
        self.rows.fill(unit, self.code_page);
        let cut = |text: &str| text.chars().take(ROW_CHARS).collect();
        let mut sheet = Sheet {
            page: unit.page,
            rows: self.rows.iter().take(ROWS).map(|(row, text)| (row, cut(text))).collect(),
            tags: unit.tags.iter().take(ROWS).map(|tag| (cut(&tag.name), cut(&tag.value))).collect(),
            ..Sheet::default()
        };
        self.triggers_on(unit, &mut sheet);
        self.fields_on(unit, &mut sheet);
        sheet.spots.sort_by_key(|spot| (spot.row, spot.from, spot.to));
        sheet
    }

    fn triggers_on(&mut self, unit: &Unit, sheet: &mut Sheet) {
        for (which, rule) in self.definition.rules.triggers.iter().enumerate() {
            let condition = &rule.condition;
            let Some(anchor) = self.triggers.find(which, &mut self.glass, unit).filter(|_| !condition.absent) else {
                continue;
            };
            if let Sight::Region(region) = condition.sight {
                sheet.areas.push(area(What::Trigger, &rule.name, region));
                continue;
            }
            let Ok(row) = u16::try_from(anchor.row) else { continue };
            let (Some(text), true) = (self.rows.get(row), row > 0 && sheet.spots.len() < SPOTS) else { continue };
            let from = self.char_at(row, anchor.column);
            let rest: String = text.chars().skip(from).collect();
            let length = match &condition.test {
                Test::Text(text) => text.chars().count(),
                Test::Mask(mask) => mask.len(),
                Test::Regex(regex) => {
                    let found = regex.find(&rest).filter(|found| found.start() == 0);
                    found.map_or(1, |found| found.as_str().chars().count())
                }
                Test::Printed => {
                    let width = usize::from(condition.columns.last).saturating_sub(usize::from(anchor.column)) + 1;
                    rest.trim_end().chars().count().min(width)
                }
            };
            let (what, name, to) = (What::Trigger, rule.name.clone(), from + length.max(1));
            sheet.spots.push(Spot { what, name, row, from, to });
        }
    }

    fn fields_on(&mut self, unit: &Unit, sheet: &mut Sheet) {
        let definition = self.definition;
        for (number, rule) in definition.rules.fields.iter().enumerate() {
            let Some(finder) = self.finders.get(number) else { continue };
            let name = definition.field_name(number);
            if let Some(region) = finder.region_taken(unit) {
                sheet.areas.push(area(What::Field, name, region));
            }
            if !matches!(rule.source, Source::Place(_)) {
                continue;
            }
            let mut taken = Vec::new();
            let one = rule.values == Values::One;
            finder.rows_taken(unit, &mut self.triggers, &mut self.glass, one, &mut |row, column, text| {
                taken.push((row, column, text.to_string()));
            });
            for (row, column, value) in taken {
                if sheet.spots.len() >= SPOTS {
                    return;
                }
                let first = self.char_at(row, column);
                if let Some(from) = self.rows.get(row).and_then(|text| char_position(text, first, &value)) {
                    let to = from + value.chars().count();
                    sheet.spots.push(Spot { what: What::Field, name: name.to_string(), row, from, to });
                }
            }
        }
    }

    /// The character of a row's text that stands in a column.
    fn char_at(&self, row: u16, column: u16) -> usize {
        self.rows.cells(row).take_while(|cell| cell.column < usize::from(column)).count()
    }
}

/// Where a value stands in a text, at or behind a character.
fn char_position(text: &str, first: usize, value: &str) -> Option<usize> {
    let skipped: usize = text.chars().take(first).map(char::len_utf8).sum();
    let at = text.get(skipped..)?.find(value)?;
    Some(text.get(..skipped + at)?.chars().count())
}

fn area(what: What, name: &str, region: Region) -> Area {
    let Region { left, top, right, bottom } = region;
    let size = |from: Lu, to: Lu| Lu(to.0.saturating_sub(from.0));
    Area { what, name: name.to_string(), x: left, y: top, width: size(left, right), height: size(top, bottom) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFINITION: &str = r#"
name = "letters"
title = "Letters"
kind = "notice"
read = "auto"

[[trigger]]
name = "dear"
row = 1
text = "DEAR"

[document]
start = "trigger"
when = ["dear"]
title = "{who}"
account = "number"

[[field]]
name = "who"
row = 1
after = "DEAR"

[[field]]
name = "number"
row = 2
columns = "5-9"

[[field]]
name = "due"
type = "date"
format = "%Y-%m-%d"
row = 3
columns = "1-10"
"#;

    fn bounds(pages: u64) -> Bounds {
        Bounds { pages, documents: 5, first_sheet: 1, sheets: 2, time: Duration::from_secs(60) }
    }

    fn made(text: &str, pages: u64) -> Preview {
        let definition = Definition::parse(DEFINITION, "letters.toml").expect("a definition");
        let found = preview(&definition, "letters.txt", text.as_bytes(), &|_| Context::default(), &bounds(pages));
        found.expect("read").expect("a format")
    }

    #[test]
    fn spots_stand_where_triggers_and_fields_are() {
        let found = made("DEAR ADA\nNo: 4711\n2024-02-30\n\x0cDEAR BOB\nNo: 4712\n2024-03-01\n", 100);
        assert_eq!((found.report.documents, found.report.pages, found.cut_short), (2, 2, false));
        let spots: Vec<_> = found.sheets[0].spots.iter().map(|s| (s.name.as_str(), s.row, s.from, s.to)).collect();
        assert_eq!(spots, [("dear", 1, 0, 4), ("who", 1, 5, 8), ("number", 2, 4, 8), ("due", 3, 0, 10)]);
        assert_eq!(found.sheets[0].spots[0].what, What::Trigger);
        let failure = Failure { page: 1, code: "field-bad-date".into(), detail: "due".into() };
        assert_eq!(found.failures, [failure], "of the first document only");
    }

    #[test]
    fn a_preview_ends_at_its_bounds() {
        let stream = "DEAR ADA\nNo: 4711\n2024-03-01\n\x0c".repeat(50);
        let found = made(&stream, 7);
        assert_eq!((found.report.pages, found.cut_short, found.sheets.len()), (7, true, 2));
        assert_eq!(found.report.first_documents.len(), 5);
    }
}
