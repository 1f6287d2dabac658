//! Triggers and other conditions, evaluated on one page.

use super::region;
use super::rule::{ColumnRange, Condition, ExcludeRule, ExcludeTest, RowRange, Sight, Test, TriggerRule};
use super::sheet::{Glass, Line, Probe, lines};
use crate::decode::Unit;

/// Where a trigger was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Anchor {
    pub row: i32,
    pub column: u16,
}

/// A condition, ready for one code page.
#[derive(Debug, Clone)]
pub(crate) struct Ready {
    sight: Sight,
    test: Test,
    anchor: Option<usize>,
    rows: RowRange,
    columns: ColumnRange,
    probe: Probe,
    absent: bool,
    upwards: bool,
}

impl Ready {
    pub fn new(condition: &Condition, glass: &Glass) -> Ready {
        Ready {
            sight: condition.sight.clone(),
            test: condition.test.clone(),
            anchor: condition.anchor,
            rows: condition.rows,
            columns: condition.columns,
            probe: glass.probe(&condition.test),
            absent: condition.absent,
            upwards: condition.upwards,
        }
    }

    /// Whether it holds on one line, whatever its rows say.
    pub fn holds_on(&self, glass: &mut Glass, unit: &Unit, line: Line<'_>) -> bool {
        glass.look(unit, line, self.columns, &self.probe).is_some() != self.absent
    }

    /// Whether it holds on the page; rows count from `base`.
    fn look(&self, glass: &mut Glass, unit: &Unit, base: i32) -> Option<Anchor> {
        // What has no row stands above the first one.
        let apart = |found: bool| (found != self.absent).then_some(Anchor { row: 0, column: 1 });
        match &self.sight {
            Sight::Rows => {}
            Sight::Region(area) => {
                return apart(region::lines(unit, area).iter().any(|line| region::holds(&self.test, line)));
            }
            Sight::Tag(name) => {
                let mut values = unit.tags.iter().filter(|tag| *tag.name == **name);
                let any = matches!(self.test, Test::Printed);
                return apart(values.any(|tag| any || region::holds(&self.test, tag.value.trim())));
            }
        }
        let mut range = lines(unit, self.rows.first.saturating_add(base), self.rows.last.saturating_add(base));
        let mut found = None;
        while let Some(line) = if self.upwards { range.next_back() } else { range.next() } {
            if let Some(column) = glass.look(unit, line, self.columns, &self.probe) {
                found = Some(Anchor { row: i32::from(line.row), column });
                break;
            }
        }
        if self.absent {
            let place = Anchor { row: self.rows.first.saturating_add(base), column: self.columns.first };
            return found.is_none().then_some(place);
        }
        found
    }
}

/// The triggers of a definition and what is known of them on the page at hand.
#[derive(Debug)]
pub(crate) struct Triggers {
    ready: Vec<Ready>,
    /// `None`: not looked at yet.
    known: Vec<Option<Option<Anchor>>>,
}

impl Triggers {
    pub fn new(rules: &[TriggerRule], glass: &Glass) -> Triggers {
        let ready: Vec<Ready> = rules.iter().map(|rule| Ready::new(&rule.condition, glass)).collect();
        Triggers { known: vec![None; ready.len()], ready }
    }

    /// Forgets the page before.
    pub fn turn_page(&mut self, glass: &mut Glass) {
        self.known.fill(None);
        glass.turn_page();
    }

    /// Where trigger `which` is on the page, if it is. A trigger's anchor stands before it in the definition.
    pub fn find(&mut self, which: usize, glass: &mut Glass, unit: &Unit) -> Option<Anchor> {
        if let Some(known) = self.known.get(which).copied()? {
            return known;
        }
        let anchor = self.ready.get(which).and_then(|ready| ready.anchor);
        let base = match anchor {
            Some(anchor) if anchor < which => self.find(anchor, glass, unit).map(|anchor| anchor.row),
            Some(_) => None,
            None => Some(0),
        };
        let found = base.and_then(|base| self.ready.get(which).and_then(|ready| ready.look(glass, unit, base)));
        if let Some(slot) = self.known.get_mut(which) {
            *slot = Some(found);
        }
        found
    }

    /// Whether all of them are on the page.
    pub fn all(&mut self, which: &[usize], glass: &mut Glass, unit: &Unit) -> bool {
        which.iter().all(|one| self.find(*one, glass, unit).is_some())
    }

    /// Whether one of them is on the page.
    pub fn any(&mut self, which: &[usize], glass: &mut Glass, unit: &Unit) -> bool {
        which.iter().any(|one| self.find(*one, glass, unit).is_some())
    }

    /// Whether a condition of its own holds on the page.
    pub fn holds(&mut self, condition: &Ready, glass: &mut Glass, unit: &Unit) -> bool {
        let base = match condition.anchor {
            Some(anchor) => self.find(anchor, glass, unit).map(|anchor| anchor.row),
            None => Some(0),
        };
        base.is_some_and(|base| condition.look(glass, unit, base).is_some())
    }
}

/// A rule for pages that belong to no document, ready for one code page.
#[derive(Debug)]
pub(crate) struct Exclude {
    pub reason: String,
    pub ends_document: bool,
    test: ReadyExclude,
}

#[derive(Debug)]
enum ReadyExclude {
    Blank,
    All(Vec<Ready>),
    Triggers(Vec<usize>),
    Rows { begins: Box<Probe>, regex: regex::Regex, at_least: usize },
    BlockLetters,
}

impl Exclude {
    pub fn new(rule: &ExcludeRule, glass: &Glass) -> Exclude {
        let test = match &rule.test {
            ExcludeTest::Blank => ReadyExclude::Blank,
            ExcludeTest::All(all) => ReadyExclude::All(all.iter().map(|one| Ready::new(one, glass)).collect()),
            ExcludeTest::Triggers(which) => ReadyExclude::Triggers(which.clone()),
            ExcludeTest::Rows { begins, regex, at_least } => ReadyExclude::Rows {
                begins: Box::new(Probe::Text(Box::new(glass.literal(begins)))),
                regex: regex.clone(),
                at_least: *at_least,
            },
            ExcludeTest::BlockLetters => ReadyExclude::BlockLetters,
        };
        Exclude { reason: rule.reason.clone(), ends_document: rule.ends_document, test }
    }

    /// Whether the page is one of these.
    pub fn holds(&self, triggers: &mut Triggers, glass: &mut Glass, unit: &Unit, text: &mut String) -> bool {
        match &self.test {
            ReadyExclude::Blank => lines(unit, 1, super::rule::LAST_ROW)
                .all(|line| glass.look(unit, line, ColumnRange::ALL, &Probe::Printed).is_none()),
            ReadyExclude::All(all) => all.iter().all(|one| triggers.holds(one, glass, unit)),
            ReadyExclude::Triggers(which) => triggers.all(which, glass, unit),
            ReadyExclude::Rows { begins, regex, at_least } => {
                let mut found = 0;
                for line in lines(unit, 1, super::rule::LAST_ROW) {
                    // Nearly every row ends here, undecoded.
                    if glass.look(unit, line, FIRST_COLUMNS, begins).is_none() {
                        continue;
                    }
                    text.clear();
                    glass.text(unit, line, ColumnRange::ALL, text);
                    found += usize::from(regex.is_match(text.trim()));
                    if found >= *at_least {
                        return true;
                    }
                }
                false
            }
            ReadyExclude::BlockLetters => block_letters(glass, unit, text),
        }
    }
}

/// Columns in which the stars of a separator line may begin.
const FIRST_COLUMNS: ColumnRange = ColumnRange { first: 1, last: 8 };

/// Rows of block letters on a separator page: a job name is 12 rows high.
const BLOCK_ROWS: usize = 12;

/// Whether the page is made of block letters: at least [`BLOCK_ROWS`] rows, more than 80 % of all, of runs of one
/// sign each (`JJJJ   OOOOO   BBBB`).
fn block_letters(glass: &mut Glass, unit: &Unit, text: &mut String) -> bool {
    let (mut rows, mut blocks) = (0, 0);
    for line in lines(unit, 1, super::rule::LAST_ROW) {
        text.clear();
        glass.text(unit, line, ColumnRange::ALL, text);
        if text.trim().is_empty() {
            continue;
        }
        rows += 1;
        blocks += usize::from(is_block_row(text));
        // A page of text shows itself in its first rows.
        if rows >= 8 && blocks == 0 {
            return false;
        }
    }
    blocks >= BLOCK_ROWS && blocks * 5 > rows * 4
}

fn is_block_row(text: &str) -> bool {
    let mut signs = 0;
    for word in text.split_whitespace() {
        let mut chars = word.chars();
        let first = chars.next();
        if !first.is_some_and(char::is_alphanumeric) || !chars.all(|ch| Some(ch) == first) {
            return false;
        }
        signs += word.chars().count();
    }
    signs >= 2
}
