//! Takes the transaction lines of a document as rows and columns.

use super::definition::Definition;
use super::rule::{RowRange, TableColumn, TableRule};
use super::sheet::{Glass, Line, lines};
use super::trigger::{Ready, Triggers};
use crate::decode::{DecodeError, Decoder, Unit, UnitKind};
use crate::frame::codepage::CodePage;
use crate::note::{At, Notes};
use crate::render::{Table, is_chinese};

/// A table, ready for one code page.
#[derive(Debug)]
pub(crate) struct ReadyTable {
    anchor: Option<usize>,
    rows: RowRange,
    line: Ready,
}

impl ReadyTable {
    pub fn new(rule: &TableRule, glass: &Glass) -> ReadyTable {
        ReadyTable { anchor: rule.anchor, rows: rule.rows, line: Ready::new(&rule.line, glass) }
    }

    /// How many lines of the table are on the page.
    pub fn count(&self, unit: &Unit, triggers: &mut Triggers, glass: &mut Glass) -> u64 {
        let mut count = 0;
        self.each(unit, triggers, glass, &mut |_, _| count += 1);
        count
    }

    fn each(
        &self,
        unit: &Unit,
        triggers: &mut Triggers,
        glass: &mut Glass,
        each: &mut dyn FnMut(&mut Glass, Line<'_>),
    ) {
        let base = match self.anchor {
            Some(anchor) => match triggers.find(anchor, glass, unit) {
                Some(found) => found.row,
                None => return,
            },
            None => 0,
        };
        for line in lines(unit, self.rows.first.saturating_add(base), self.rows.last.saturating_add(base)) {
            if self.line.holds_on(glass, unit, line) {
                each(glass, line);
            }
        }
    }
}

/// Collects the transaction lines of one document, page by page.
#[derive(Debug)]
pub struct Transactions<'d> {
    definition: &'d Definition,
    glass: Glass,
    triggers: Triggers,
    tables: Vec<ReadyTable>,
    /// Where the columns of each table stand in the rows.
    places: Vec<Vec<usize>>,
    last: Vec<Vec<String>>,
    table: Table,
}

impl<'d> Transactions<'d> {
    /// For a document whose text is in `code_page`.
    pub fn new(definition: &'d Definition, code_page: &'static CodePage) -> Transactions<'d> {
        let glass = Glass::new(code_page);
        let rules = &definition.rules;
        let chinese = is_chinese(&definition.language);
        let (mut columns, mut labels): (Vec<String>, Vec<String>) = Default::default();
        if rules.tables.len() > 1 {
            columns.push("table".into());
            labels.push(if chinese { "表格" } else { "Table" }.into());
        }
        let mut places = Vec::new();
        for table in &rules.tables {
            let mut of_table = Vec::new();
            for column in &table.columns {
                let at = columns.iter().position(|name| *name == column.name).unwrap_or_else(|| {
                    columns.push(column.name.clone());
                    let label = column.label_zh.as_ref().filter(|_| chinese).unwrap_or(&column.label);
                    labels.push(label.clone());
                    columns.len() - 1
                });
                of_table.push(at);
            }
            places.push(of_table);
        }
        Transactions {
            definition,
            triggers: Triggers::new(&rules.triggers, &glass),
            tables: rules.tables.iter().map(|rule| ReadyTable::new(rule, &glass)).collect(),
            last: rules.tables.iter().map(|rule| vec![String::new(); rule.columns.len()]).collect(),
            places,
            table: Table { columns, labels, rows: Vec::new() },
            glass,
        }
    }

    /// Takes the lines of the document's next page; units that are no page are passed over.
    pub fn push(&mut self, unit: &Unit) {
        if unit.kind != UnitKind::Page {
            return;
        }
        self.triggers.turn_page(&mut self.glass);
        let width = self.table.columns.len();
        let many = self.tables.len() > 1;
        let Transactions { tables, triggers, glass, table: out, places, last, definition, .. } = self;
        let rules = definition.rules.tables.iter();
        for (((ready, rule), places), last) in tables.iter().zip(rules).zip(places).zip(last) {
            ready.each(unit, triggers, glass, &mut |glass, line| {
                let mut row = vec![String::new(); width];
                if let Some(first) = row.first_mut().filter(|_| many) {
                    first.push_str(&rule.name);
                }
                for ((column, place), last) in rule.columns.iter().zip(places.iter()).zip(last.iter_mut()) {
                    let mut value = printed(glass, unit, line, column);
                    if let Ok(typed) = column.typing.value(&value) {
                        value = typed.to_string();
                    }
                    if column.repeat && value.is_empty() {
                        value.clone_from(last);
                    }
                    last.clone_from(&value);
                    if let Some(cell) = row.get_mut(*place) {
                        *cell = value;
                    }
                }
                out.rows.push(row);
            });
        }
    }

    /// The rows of the document: typed values in the text form of the API, what fails its type as printed.
    pub fn finish(self) -> Table {
        self.table
    }
}

/// What is printed in a column of a line, without blanks at the ends.
fn printed(glass: &mut Glass, unit: &Unit, line: Line<'_>, column: &TableColumn) -> String {
    let mut text = String::new();
    glass.text(unit, line, column.columns, &mut text);
    if let Some(regex) = &column.regex {
        let found = regex.captures(&text);
        let found = found.and_then(|found| found.name("value").or(found.get(1)).or(found.get(0)));
        text = found.map_or_else(String::new, |found| found.as_str().into());
    }
    text.trim().to_owned()
}

/// Counts the cells of tables that fail the type of their column, for dry runs: a load does not read cells, since they are
/// stored with the page and taken from it when somebody asks for them.
pub(crate) struct CellCheck<'d> {
    definition: &'d Definition,
    glass: Glass,
    triggers: Triggers,
    tables: Vec<ReadyTable>,
}

impl<'d> CellCheck<'d> {
    /// For a stream whose text is in `code_page`.
    pub fn new(definition: &'d Definition, code_page: &'static CodePage) -> CellCheck<'d> {
        let glass = Glass::new(code_page);
        let triggers = Triggers::new(&definition.rules.triggers, &glass);
        let tables = definition.rules.tables.iter().map(|rule| ReadyTable::new(rule, &glass)).collect();
        CellCheck { definition, glass, triggers, tables }
    }

    /// Notes the cells of the next page that are not what their column says, under the codes of fields.
    pub fn push(&mut self, unit: &Unit, notes: &mut Notes) {
        if unit.kind != UnitKind::Page || self.tables.is_empty() {
            return;
        }
        self.triggers.turn_page(&mut self.glass);
        let CellCheck { definition, glass, triggers, tables } = self;
        let at = At { byte: unit.span.start, record: unit.records_before + 1, page: unit.page };
        for (ready, rule) in tables.iter().zip(&definition.rules.tables) {
            ready.each(unit, triggers, glass, &mut |glass, line| {
                for column in &rule.columns {
                    let value = printed(glass, unit, line, column);
                    if value.is_empty() {
                        continue;
                    }
                    if let Err(fault) = column.typing.value(&value) {
                        notes.add(fault.code(), at, format_args!("{}.{}", rule.name, column.name));
                    }
                }
            });
        }
    }
}

/// The transaction lines of everything that `decoder` has left: one document's pages.
pub fn transactions(
    definition: &Definition,
    decoder: &mut dyn Decoder,
    notes: &mut Notes,
) -> Result<Table, DecodeError> {
    let mut lines = Transactions::new(definition, decoder.code_page());
    let mut unit = Unit::default();
    while decoder.next(&mut unit, notes)? {
        lines.push(&unit);
    }
    Ok(lines.finish())
}
