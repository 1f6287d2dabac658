//! Rows of real and made-up pages.

use proptest::prelude::*;

use super::*;

fn ascii() -> &'static CodePage {
    CodePage::find("iso-8859-1").unwrap()
}

fn unit(strikes: &[(u16, &str)], cp: &'static CodePage) -> Unit {
    let mut unit = Unit::default();
    for (row, text) in strikes {
        let bytes = cp.encode(text).unwrap();
        let at = u32::try_from(unit.bytes.len()).unwrap();
        let len = u32::try_from(bytes.len()).unwrap();
        unit.strikes.push(Strike { row: *row, at, len, trc: 0 });
        unit.bytes.extend_from_slice(&bytes);
    }
    unit
}

fn filled(strikes: &[(u16, &str)], cp: &'static CodePage) -> Rows {
    let mut rows = Rows::default();
    rows.fill(&unit(strikes, cp), cp);
    rows
}

fn marks(rows: &Rows, row: u16) -> String {
    let mark = |cell: RowCell| match (cell.bold, cell.underline) {
        (false, false) => ' ',
        (true, false) => 'b',
        (false, true) => 'u',
        (true, true) => 'B',
    };
    rows.cells(row).map(mark).collect()
}

#[test]
fn rows_are_found_by_number_and_columns_count_from_1() {
    let rows = filled(&[(2, "  Total: 12.50"), (5, "caf\u{e9} 7")], ascii());
    assert_eq!(rows.iter().collect::<Vec<_>>(), [(2, "  Total: 12.50"), (5, "caf\u{e9} 7")]);
    assert_eq!((rows.get(2), rows.get(3)), (Some("  Total: 12.50"), None));
    assert_eq!(rows.columns(2, 3, 5), "Total");
    assert_eq!(rows.columns(2, 10, 99), "12.50");
    assert_eq!(rows.columns(5, 4, 3), "\u{e9} 7");
    assert_eq!((rows.columns(5, 50, 3), rows.columns(9, 1, 3)), ("", ""));
    assert_eq!((rows.width(2), rows.width(9)), (14, 0));
}

#[test]
fn double_width_characters_take_two_columns() {
    let rows = filled(&[(1, "AB\u{65e5}\u{672c} 42")], CodePage::find("ibm-939").unwrap());
    // A, B, shift-out, two characters of two columns, shift-in, blank, 4, 2.
    assert_eq!(rows.columns(1, 4, 2), "\u{65e5}");
    assert_eq!(rows.columns(1, 6, 2), "\u{672c}");
    assert_eq!(rows.columns(1, 10, 2), "42");
    assert_eq!(rows.width(1), 11);
}

#[test]
fn a_word_struck_twice_is_bold_and_a_ruled_one_underlined() {
    let rows = filled(&[(1, "Name  Amount"), (1, "Name"), (1, "____________")], ascii());
    assert_eq!(rows.get(1), Some("Name  Amount"));
    assert_eq!(marks(&rows, 1), "BBBBuuuuuuuu");
    assert!(rows.shadows().is_empty());
}

#[test]
fn underscores_beside_a_word_stay_characters() {
    let rows = filled(&[(1, "Name:"), (1, "      ______")], ascii());
    assert_eq!(rows.get(1), Some("Name: ______"));
}

#[test]
fn different_characters_keep_the_first_and_draw_the_others() {
    let rows = filled(&[(1, "AB0=/"), (1, "C  //")], ascii());
    assert_eq!(rows.get(1), Some("AB0\u{2260}/"));
    assert_eq!(marks(&rows, 1), "    b");
    let shadows: Vec<_> = rows.shadows().iter().map(|shadow| (shadow.column, shadow.ch)).collect();
    assert_eq!(shadows, [(1, 'C')]);
}

#[test]
fn a_mask_says_nothing_but_is_drawn() {
    let rows = filled(&[(1, "PIN 4711"), (1, "    XXXX"), (1, "    MMMM"), (1, "    WWWW")], ascii());
    assert_eq!(rows.get(1), Some("PIN"));
    assert_eq!(rows.shadows().len(), 16);
}

#[test]
fn a_mask_deeper_than_the_strikes_kept_still_says_nothing() {
    let rows = filled(&[(1, "XX"), (1, "MM"), (1, "WW"), (1, "OO"), (1, "XX"), (1, "47")], ascii());
    assert_eq!((rows.get(1), rows.dropped()), (None, 2));
}

#[test]
fn a_row_may_be_put_together_from_any_number_of_strikes() {
    let fields = [(1, "a"), (1, "  b"), (1, "    c"), (1, "      d"), (1, "        e"), (1, "          f")];
    assert_eq!(filled(&fields, ascii()).get(1), Some("a b c d e f"));
}

proptest! {
    #[test]
    fn a_ruled_row_is_read_as_any_other(words in "[ AB_7]{0,12}", rules in "[ _]{0,12}", bold: bool, first: bool) {
        let cp = ascii();
        let mut unit = unit(if first { [(1, &*rules), (1, &*words)] } else { [(1, &*words), (1, &*rules)] }.as_slice(), cp);
        unit.strikes[usize::from(first)].trc = u8::from(bold);
        let (mut quick, mut slow) = (Rows::default(), Rows::default());
        quick.fill(&unit, cp);
        slow.add_merged(&unit, 1, &unit.strikes, cp);
        prop_assert_eq!(quick.get(1), slow.get(1));
        prop_assert_eq!(quick.cells(1).collect::<Vec<_>>(), slow.cells(1).collect::<Vec<_>>());
        prop_assert_eq!(quick.shadows(), slow.shadows());
    }
}

#[test]
fn page_text_keeps_rows_where_they_are() {
    let cp = ascii();
    let mut out = String::from(">");
    page_text(&unit(&[(2, "two"), (4, "four")], cp), cp, &mut Rows::default(), &mut out);
    assert_eq!(out, ">\ntwo\n\nfour");
}

#[test]
fn filling_again_forgets_the_page_before() {
    let cp = ascii();
    let mut rows = Rows::default();
    rows.fill(&unit(&[(1, "one"), (1, "one"), (9, "nine")], cp), cp);
    rows.fill(&unit(&[(3, "three")], cp), cp);
    assert_eq!(rows.iter().collect::<Vec<_>>(), [(3, "three")]);
    assert!(!rows.cells(3).any(|cell| cell.bold));
}
