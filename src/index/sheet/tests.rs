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

    #[test]
    fn a_mask_is_found_where_the_merged_row_fits_it(
        texts in prop::collection::vec("[1a0/=XM_ ]{1,8}", 1..4),
        mask in "[#@*1=_ ][#@*? ]{0,2}",
        last in 1_u16..6,
    ) {
        let cp = CodePage::find("IBM037").expect("a code page");
        let texts: Vec<Vec<u8>> = texts.iter().map(|text| cp.encode(text).expect("has them")).collect();
        let unit = struck(&texts);
        let mut glass = Glass::new(cp);
        let signs: Vec<MaskSign> = mask.chars().map(|ch| match ch {
            '#' => MaskSign::Digit,
            '@' => MaskSign::Letter,
            '*' => MaskSign::NotBlank,
            '?' => MaskSign::Any,
            other => MaskSign::Literal(other),
        }).collect();
        let probe = Probe::Mask(glass.mask(&signs));
        let line = lines(&unit, 1, 1).next().expect("a row");
        let found = glass.look(&unit, line, ColumnRange { first: 1, last }, &probe);
        let mut rows = Rows::default();
        rows.fill(&unit, cp);
        let row: Vec<char> = rows.get(1).unwrap_or_default().chars().collect();
        let fits = |column: &u16| {
            let from = usize::from(*column) - 1;
            let text: String = (from..from + signs.len()).map(|at| row.get(at).copied().unwrap_or(' ')).collect();
            mask_fits(&signs, &text)
        };
        prop_assert_eq!(found, (1..=last).find(fits));
    }
}
