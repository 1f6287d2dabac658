//! What is passed over at once is what a row does not show.

use proptest::prelude::*;

use super::*;

/// A page of one row, struck as often as there are texts.
fn struck(texts: &[Vec<u8>]) -> Unit {
    let mut unit = Unit::default();
    for text in texts {
        let (at, len) = (unit.bytes.len() as u32, text.len() as u32);
        unit.bytes.extend_from_slice(text);
        unit.strikes.push(Strike { row: 1, at, len, trc: 0 });
    }
    unit
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_literal_is_found_where_a_strike_or_the_merged_row_has_it(
        texts in prop::collection::vec("[ab*/=0XM_ ]{1,10}", 1..4),
        literal in "[ab*/=0XM_]{1,2}|[ab*] [ab*]",
        column in 1_u16..9,
    ) {
        let cp = CodePage::find("IBM037").expect("a code page");
        let texts: Vec<Vec<u8>> = texts.iter().map(|text| cp.encode(text).expect("has them")).collect();
        let unit = struck(&texts);
        let mut glass = Glass::new(cp);
        let wanted = glass.literal(&literal);
        let line = lines(&unit, 1, 1).next().expect("a row");
        let all = glass.find(&unit, line, ColumnRange::ALL, &wanted);
        let bytes = cp.encode(&literal).expect("has it");
        let mut rows = Rows::default();
        rows.fill(&unit, cp);
        let merged = rows.get(1).is_some_and(|text| text.contains(&literal));
        let alone = texts.iter().any(|text| memmem::find(text, &bytes).is_some());
        prop_assert_eq!(all.is_some(), merged || alone);
        let here = glass.find(&unit, line, ColumnRange { first: column, last: column }, &wanted);
        if texts.len() == 1 {
            let at = texts[0].get(usize::from(column) - 1..).is_some_and(|rest| rest.starts_with(&bytes));
            prop_assert_eq!(here, at.then_some(column));
        }
    }
}
