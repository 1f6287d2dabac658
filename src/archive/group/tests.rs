//! Groups come back, and what proves them is as strict as what reads them.

use proptest::prelude::*;

use super::*;

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        "[a-c\u{1}0-9 ]{0,6}".prop_map(Value::Text),
        any::<i32>().prop_map(|day| Value::Date(Day(day))),
        (any::<i64>(), 0..10_u8).prop_map(|(units, scale)| Value::Decimal(Decimal { units, scale })),
        any::<i64>().prop_map(Value::Integer),
    ]
}

fn field() -> impl Strategy<Value = FieldValue> {
    prop_oneof![
        value().prop_map(FieldValue::One),
        prop::collection::vec(value(), 0..4).prop_map(FieldValue::Many),
        (value(), value()).prop_map(|(first, last)| FieldValue::Span(first, last)),
    ]
}

/// Few different ones, so that neighbours have some in common.
fn around() -> impl Strategy<Value = Vec<Stretch>> {
    let stretch = (0..3_u64, prop_oneof![Just(5_u64), any::<u64>()]);
    let stretch = stretch.prop_map(|(byte, pages)| Stretch { byte, bytes: 7, pages, records: pages / 2 });
    prop::collection::vec(stretch, 0..3)
}

prop_compose! {
    fn draft()(
        start in any::<u32>(), length in any::<u32>(), resume: u64, first_page: u64, records_before: u64, pages: u32,
        marks in prop::collection::vec((any::<u32>(), any::<u64>(), any::<u64>()), 0..4),
        title in "[a-c\u{1}0-9 !]{0,12}", date: Option<i32>, account in prop::option::of("[a-c0-9]{0,5}"),
        fields in prop::collection::btree_map(0..6_u16, field(), 0..5), around in around(),
    ) -> Draft {
        let span = u64::from(start)..u64::from(start) + u64::from(length);
        let marks = marks.into_iter().map(|(page, byte, resume)| PageMark { page, byte, resume }).collect();
        let fields = fields.into_iter().collect();
        Draft { span, resume, first_page, records_before, pages, marks, around, title, date, account, fields }
    }
}

proptest! {
    #[test]
    fn documents_come_back_as_they_were(drafts in prop::collection::vec(draft(), 0..12)) {
        let content = pack(&drafts).expect("packs");
        for (number, draft) in (0..).zip(&drafts) {
            prop_assert_eq!(unpack_one("group", &content, number).expect("unpacks"), Some(draft.clone()));
        }
        prop_assert_eq!(unpack_one("group", &content, drafts.len() as u32).expect("unpacks"), None);
        prop_assert_eq!(unpack("group", &content).expect("unpacks"), drafts);
    }

    #[test]
    fn hostile_columns_are_an_error_and_not_a_panic(raw in prop::collection::vec(any::<u8>(), 0..300), count in 0..300_u64) {
        let _ = read(&raw, count);
        let _ = read_one(&raw, count as u32);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn proving_finds_what_reading_finds(
        drafts in prop::collection::vec(draft(), 0..8),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
        more in 0..2_u64,
    ) {
        let (mut raw, count) = open("group", &pack(&drafts).expect("packs")).expect("opens");
        for (at, byte) in changes {
            // Small numbers are positions and kinds: what is still well formed is what proves something.
            let at = at.index(raw.len());
            raw[at] = if byte & 1 == 0 { byte } else { byte % 12 };
        }
        let mut outlines = Vec::new();
        let proved = outline::outlines(&raw, count + more, &mut |one| {
            outlines.push((one.span.clone(), one.pages, one.marks.clone(), one.last_field));
        });
        let made = read(&raw, count + more);
        prop_assert_eq!(proved.is_some(), made.is_some());
        if let Some(made) = made {
            let last_field = |draft: &Draft| draft.fields.iter().map(|(position, _)| *position).max();
            let expected: Vec<_> =
                made.iter().map(|draft| (draft.span.clone(), draft.pages, draft.marks.clone(), last_field(draft))).collect();
            prop_assert_eq!(outlines, expected);
        }
    }
}

#[test]
fn what_a_row_says_twice_is_kept_once() {
    let rows: Vec<Draft> = (0..256_u32)
        .map(|n| {
            let account = format!("{:09}", n.wrapping_mul(2_654_435_761) % 999_999_999);
            Draft {
                span: u64::from(n) * 1000..u64::from(n) * 1000 + 1000,
                resume: 0,
                first_page: u64::from(n) + 1,
                records_before: u64::from(n) * 10,
                pages: 1,
                marks: Vec::new(),
                around: vec![Stretch { byte: 1 << 40, bytes: 250, pages: 9_000, records: 1 << 30 }],
                title: format!("Statement {account}"),
                date: Some(19_000),
                account: Some(account.clone()),
                fields: vec![
                    (0, FieldValue::One(Value::Text(account))),
                    (1, FieldValue::One(Value::Date(Day(19_000)))),
                ],
            }
        })
        .collect();
    let packed = pack(&rows).expect("packs").len();
    assert!(packed < 256 * 6, "{packed} bytes for 256 accounts of 9 digits");
}
