//! The rules of a checked definition: where on a page to look, and what for.
//!
//! Rows and columns count from 1, as on the paper; rows relative to a trigger count from 0 (the trigger's own row).

use regex::Regex;

use super::date::DateFormat;
use super::number::NumberFormat;
use super::value::{FieldType, Value};
use crate::page::Lu;

/// The last row a rule can name.
pub(crate) const LAST_ROW: i32 = 65_535;

/// Rows from `first` to `last`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RowRange {
    pub first: i32,
    pub last: i32,
}

impl RowRange {
    /// Every row of the page.
    pub const ALL: RowRange = RowRange { first: 1, last: LAST_ROW };
}

/// Columns from `first` to `last`, both included, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ColumnRange {
    pub first: u16,
    pub last: u16,
}

impl ColumnRange {
    /// The whole row.
    pub const ALL: ColumnRange = ColumnRange { first: 1, last: u16::MAX };
}

/// A rectangle on the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Region {
    pub left: Lu,
    pub top: Lu,
    pub right: Lu,
    pub bottom: Lu,
}

impl Region {
    /// Whether a point is inside; the edges are.
    pub fn holds(&self, x: Lu, y: Lu) -> bool {
        (self.left..=self.right).contains(&x) && (self.top..=self.bottom).contains(&y)
    }
}

/// One sign of a mask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MaskSign {
    /// `#`
    Digit,
    /// `@`
    Letter,
    /// `^`
    NotBlank,
    /// `=`
    Any,
    /// Anything else stands for itself.
    Literal(char),
}

/// What must stand at a place.
#[derive(Debug, Clone)]
pub(crate) enum Test {
    /// This text, starting in one of the columns.
    Text(String),
    /// A match of the expression in the columns.
    Regex(Regex),
    /// Signs, starting in one of the columns.
    Mask(Vec<MaskSign>),
    /// Anything but blanks in the columns.
    Printed,
}

/// What a condition looks at.
#[derive(Debug, Clone)]
pub(crate) enum Sight {
    /// Printed rows.
    Rows,
    /// Text that starts in a rectangle, line by line.
    Region(Region),
    /// The values of a tag that the stream carries. Without any other test the tag itself is enough.
    Tag(String),
}

/// A place on the page and what must stand there.
#[derive(Debug, Clone)]
pub(crate) struct Condition {
    pub sight: Sight,
    /// Position of the trigger that rows are counted from.
    pub anchor: Option<usize>,
    pub rows: RowRange,
    pub columns: ColumnRange,
    pub test: Test,
    /// Holds when the test does not.
    pub absent: bool,
    /// Looks from the last row upwards.
    pub upwards: bool,
}

/// A named condition that other rules refer to.
#[derive(Debug, Clone)]
pub(crate) struct TriggerRule {
    pub name: String,
    pub condition: Condition,
}

/// What starts a document.
#[derive(Debug, Clone, Default)]
pub(crate) enum Start {
    /// All of the triggers `when` on one page, or a new value in one of the fields `by`: a page with somebody else's
    /// number is never taken for a further page of the document before.
    Triggers { when: Vec<usize>, by: Vec<usize> },
    /// A new value in one of these fields.
    Values(Vec<usize>),
    /// Every so many pages.
    Pages(u32),
    /// A new value of the tag.
    Tag(String),
    /// A page group of the stream at this level, 1 the outermost.
    Group(usize),
    /// The stream is one document.
    #[default]
    Stream,
}

/// Pages that belong to no document.
#[derive(Debug, Clone)]
pub(crate) struct ExcludeRule {
    pub reason: String,
    pub test: ExcludeTest,
    /// The document before does not go on after such a page.
    pub ends_document: bool,
}

/// How to tell them.
#[derive(Debug, Clone)]
pub(crate) enum ExcludeTest {
    /// Nothing is printed.
    Blank,
    /// All of the conditions.
    All(Vec<Condition>),
    /// All of the triggers.
    Triggers(Vec<usize>),
    /// At least this many rows begin so and match the expression.
    Rows { begins: &'static str, regex: Regex, at_least: usize },
    /// Rows are mostly block letters.
    BlockLetters,
}

/// Which page of the document a field is taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnPage {
    /// The document's first page only.
    First,
    /// The first page that has a value.
    Any,
    /// The last page that has a value.
    Last,
    /// All pages (transaction and span fields).
    Every,
}

/// How many values a document has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Values {
    One,
    Many,
    Span,
}

/// What to take of a row.
#[derive(Debug, Clone)]
pub(crate) enum Pick {
    /// The columns, whole.
    Columns,
    /// What follows a label, up to two blanks or `before`.
    After { label: String, before: Option<String> },
    /// Group `value`, or group 1, or the whole match.
    Regex(Regex),
    /// The columns, when the mask fits them.
    Mask(Vec<MaskSign>),
}

/// Where a field's text comes from.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// From the page.
    Place(Place),
    /// A rectangle of the page.
    Region(Area),
    /// A tag that the stream carries, or what the expression takes of it.
    Tag { name: String, regex: Option<Regex> },
    /// The name of the page group at a level, 1 the outermost, or what the expression takes of it.
    Group { level: usize, regex: Option<Regex> },
    /// What is known of the job that brought the stream: `queue`, `user`, `job-name` ...
    Job(String),
    /// Always the same.
    Constant(String),
    /// The number of lines of a table.
    Count(usize),
    /// The number of lines of a rectangle that give text.
    CountIn(Area),
}

/// A part of the page that gives text.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub anchor: Option<usize>,
    pub rows: RowRange,
    pub columns: ColumnRange,
    pub pick: Pick,
    /// Only rows that hold this condition (its rows are not looked at).
    pub line: Option<Condition>,
    /// Joins all rows with this.
    pub join: Option<String>,
    /// Stops at the first row that gives nothing.
    pub until_blank: bool,
    /// Looks from the last row upwards.
    pub upwards: bool,
}

impl Source {
    /// Whether lines are counted instead of read.
    pub fn counts(&self) -> bool {
        matches!(self, Source::Count(_) | Source::CountIn(_))
    }
}

/// Lines of a rectangle that give text.
#[derive(Debug, Clone)]
pub(crate) struct Area {
    pub region: Region,
    /// Lines, from 1.
    pub rows: RowRange,
    /// [`Pick::Columns`] is the whole line.
    pub pick: Pick,
    /// Joins all lines with this.
    pub join: Option<String>,
}

/// How text becomes a value.
#[derive(Debug, Clone)]
pub(crate) struct Typing {
    pub kind: FieldType,
    pub dates: Vec<DateFormat>,
    pub number: NumberFormat,
    pub pattern: Option<Regex>,
    pub one_of: Vec<String>,
    pub min: Option<Value>,
    pub max: Option<Value>,
}

/// One field, as the splitter needs it.
#[derive(Debug, Clone)]
pub(crate) struct FieldRule {
    pub source: Source,
    pub on: OnPage,
    pub values: Values,
    pub typing: Typing,
    pub required: bool,
    pub default: Option<Value>,
}

/// Lines of a table on the page.
#[derive(Debug, Clone)]
pub(crate) struct TableRule {
    pub name: String,
    pub anchor: Option<usize>,
    pub rows: RowRange,
    pub line: Condition,
    pub columns: Vec<TableColumn>,
}

/// A column of a table.
#[derive(Debug, Clone)]
pub(crate) struct TableColumn {
    pub name: String,
    /// Label for people, English.
    pub label: String,
    /// The same in Chinese, when given.
    pub label_zh: Option<String>,
    pub columns: ColumnRange,
    pub regex: Option<Regex>,
    pub typing: Typing,
    /// A blank repeats the value of the line above.
    pub repeat: bool,
}

/// A part of a title.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TitlePart {
    Text(String),
    Field(usize),
    File,
}

/// How to recognise a stream.
#[derive(Debug, Clone, Default)]
pub(crate) struct Recognise {
    pub queues: Vec<String>,
    pub files: Vec<String>,
    pub signature: Vec<Condition>,
    pub pages: usize,
}

/// All of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rules {
    pub recognise: Recognise,
    pub triggers: Vec<TriggerRule>,
    pub start: Start,
    /// Triggers of which one must be on a page that goes on with the document; empty: every page does.
    pub continues: Vec<usize>,
    pub excludes: Vec<ExcludeRule>,
    pub fields: Vec<FieldRule>,
    pub tables: Vec<TableRule>,
    pub title: Vec<TitlePart>,
}
