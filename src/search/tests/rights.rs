//! What somebody may see: the condition in a query and the same condition on a row say the same of every document.

use proptest::prelude::*;

use super::memory::{Memory, Sample, decimal, text};
use super::*;
use crate::auth::predicate::{Attributes, Facts, Rule};
use crate::index::value::{Day, Value};

const NAMES: [&str; 4] = ["region", "note", "amount", "due"];
const TEXTS: [&str; 9] = ["N", "n", "North", "A-1", "A 1", "A1", "12-34", "1234", "Ünit 9"];

fn value(name: &str, pick: u32) -> Value {
    let near = [0, 1, 99, 100, 101, 1_000_000_007];
    let number = near[pick as usize % near.len()];
    match name {
        "amount" if pick.is_multiple_of(4) => Value::Integer(number),
        "amount" => decimal(number, [0, 2, 9][pick as usize % 3]),
        "due" => Value::Date(Day(19_000 + (pick % 5) as i32)),
        _ => text(TEXTS[pick as usize % TEXTS.len()]),
    }
}

prop_compose! {
    fn sample()(
        account in prop::option::of(0..TEXTS.len()),
        date in prop::option::of(19_000..19_006),
        fields in prop::collection::vec((0..NAMES.len(), 0..3_u8, any::<u32>(), any::<u32>()), 0..5),
    ) -> Sample {
        let mut sample = Sample { date, account: account.map(|at| TEXTS[at].into()), ..Sample::default() };
        for (at, shape, a, b) in fields {
            let name = NAMES[at];
            if sample.fields.iter().any(|(known, _)| *known == name) {
                continue;
            }
            let (a, b) = (value(name, a), value(name, b));
            sample = match shape {
                0 => sample.with(name, a),
                1 => sample.many(name, vec![a, b]),
                _ => sample.span(name, a, b),
            };
        }
        sample.page("fee")
    }
}

fn rule() -> impl Strategy<Value = String> {
    let sign = prop::sample::select(vec!["=", "!=", "<", "<=", ">", ">="]);
    let same = prop::sample::select(vec!["=", "!="]);
    let quoted = prop::sample::select(TEXTS.to_vec());
    let number = prop::sample::select(vec!["0", "1", "0.99", "1.00", "1.01", "1.000000007", "100", "1000000007"]);
    let day = (0..6).prop_map(|day| Day(19_000 + day).to_string());
    let test = prop_oneof![
        (prop::sample::select(vec!["region", "note", "account", "amount", "absent"]), same.clone(), quoted.clone())
            .prop_map(|(field, sign, text)| format!("{field} {sign} \"{text}\"")),
        (prop::sample::select(vec!["definition", "kind"]), same, prop::sample::select(vec!["bill", "phone-bill", "x"]))
            .prop_map(|(field, sign, text)| format!("{field} {sign} \"{text}\"")),
        (prop::sample::select(vec!["amount", "region"]), sign.clone(), number)
            .prop_map(|(field, sign, number)| format!("{field} {sign} {number}")),
        (prop::sample::select(vec!["date", "due"]), sign, day)
            .prop_map(|(field, sign, day)| format!("{field} {sign} {day}")),
        quoted.prop_map(|text| format!("region in (\"{text}\", \"North\", \"12-34\")")),
        Just("region = user.region".to_string()),
        Just("account in user.accounts".to_string()),
        Just("everything".to_string()),
        Just("nothing".to_string()),
    ];
    test.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|rule| format!("not ({rule})")),
            prop::collection::vec(inner.clone(), 2..4).prop_map(|rules| format!("({})", rules.join(" and "))),
            prop::collection::vec(inner, 2..4).prop_map(|rules| format!("({})", rules.join(" or "))),
        ]
    })
}

/// Ids and facts of all documents.
fn facts(memory: &Memory) -> Vec<Facts> {
    let mut all = Vec::new();
    for load in [LoadId(1), LoadId(2)] {
        let row = memory.load_row(load).expect("read").expect("there");
        let kind = memory.indexing(&row.definition, 1).expect("read").kind;
        let mut each = |document: crate::archive::Document| {
            all.push(Facts::of(&document, &row.field_names, &kind));
            ControlFlow::Continue(())
        };
        memory.documents(load, 1, &mut each).expect("read");
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10))]

    #[test]
    fn a_query_and_a_row_agree_on_every_rule_and_document(
        bills in prop::collection::vec(sample(), 1..40),
        reports in prop::collection::vec(sample(), 1..10),
        rules in prop::collection::vec(rule(), 15),
        case: u64,
    ) {
        let memory = Memory::default();
        memory.load("phone-bill", bills);
        memory.load("sales-report", reports);
        let (_dir, search) = fed(&format!("policies-{case}"), &memory);
        let attributes = Attributes::from([
            ("region".into(), vec!["north".into(), "12-34".into()]),
            ("accounts".into(), vec!["A-1".into(), "n".into()]),
        ]);
        let facts = facts(&memory);
        for text in rules {
            let rule = Rule::parse(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
            let predicate = rule.bind(&attributes).expect("all attributes are there");
            let mut wanted: Vec<_> = facts.iter().filter(|facts| predicate.holds(facts)).map(|facts| facts.id).collect();
            wanted.sort_unstable();
            let scope = Scope::for_tests(predicate);
            for asked in ["", "fee"] {
                let window = Window { limit: 1_000, ..Window::default() };
                let list = search.hits(&memory, &query(asked), &scope, &window).expect("finds");
                let mut found: Vec<_> = list.hits.iter().map(|hit| hit.id).collect();
                found.sort_unstable();
                prop_assert_eq!(&found, &wanted, "{}", text);
                prop_assert_eq!(list.total, wanted.len() as u64);
                let facets = search.facets(&memory, &query(asked), &scope).expect("counts");
                prop_assert_eq!(facets.total, wanted.len() as u64);
                prop_assert_eq!(facets.definitions.iter().map(|(_, count)| count).sum::<u64>(), facets.total);
                let mut streamed = 0;
                let mut each = |_| { streamed += 1; ControlFlow::Continue(()) };
                search.for_each_hit(&memory, &query(asked), &scope, Sort::Relevance, &mut each).expect("streams");
                prop_assert_eq!(streamed, wanted.len());
            }
        }
    }
}

/// Two archives that differ only in what is hidden give the same answers, byte for byte.
#[test]
fn hidden_documents_leave_no_trace_in_lists_scores_cursors_or_facets() {
    let answers = |hidden: u32| {
        let memory = Memory::default();
        let mut samples: Vec<Sample> = (0..30)
            .map(|i| Sample::new("mine", "2024-01-01").page(&format!("{} word{i}", "fee ".repeat(i % 5 + 1))))
            .collect();
        samples.extend((0..hidden).map(|_| Sample::new("other", "2024-06-01").page("fee secret word3")));
        memory.load("phone-bill", samples);
        let (_dir, search) = fed(&format!("traces-{hidden}"), &memory);
        let scope = of(&["mine".into()]);
        let mut told = Vec::new();
        for text in ["fee", "word3 OR fee", "secret", "fee -secret", "account:other", "account:o*"] {
            for sort in [Sort::Relevance, Sort::DateDescending] {
                let window = Window { limit: 7, sort, ..Window::default() };
                let list = search.hits(&memory, &query(text), &scope, &window);
                let facets = search.facets(&memory, &query(text), &scope);
                told.push(format!("{list:?} {facets:?}"));
            }
        }
        told
    };
    assert_eq!(answers(0), answers(500));
}

#[test]
fn a_masked_field_finds_nothing_for_those_who_see_it_masked() {
    let memory = Memory::default();
    let sample =
        |card: &str| Sample::new("4711", "2024-01-01").with("card", text(card)).with("name", text("ann")).page("x");
    memory.load("card-statement", vec![sample("4111-1111"), sample("4222-2222")]);
    memory.load("phone-bill", vec![sample("4111-1111")]);
    memory.mask("card-statement", "card", &["auditor"]);
    let (_dir, search) = fed("masked", &memory);
    let count = |text: &str| search.hits(&memory, &query(text), &everybody(), &Window::default()).expect("finds").total;
    for (text, found) in [
        ("card:4111-1111", 1),
        ("card:41111111", 1),
        ("card:=4111-1111", 1),
        ("card:4*", 1),
        ("card:41*", 1),
        ("card:4000..5000", 1),
        ("41111111", 1),
        ("4111*", 1),
        ("-card:4111-1111", 2),
        ("name:ann", 3),
        ("card:4222-2222", 0),
    ] {
        let Ok(_) = Query::parse(text) else { panic!("{text}") };
        match search.hits(&memory, &query(text), &everybody(), &Window::default()) {
            Ok(list) => assert_eq!(list.total, found, "{text}"),
            Err(SearchError::Query(_)) if text.ends_with('*') => {}
            Err(error) => panic!("{text}: {error}"),
        }
    }
    memory.mask("card-statement", "account", &[]);
    assert_eq!((count("account:4711"), count("4711")), (1, 1));
    let whole = everybody().of_account();
    let of_account = search.hits(&memory, &query("account:4711"), &whole, &Window::default()).expect("finds").total;
    assert_eq!(of_account, 3, "who was let to an account finds what is on it, also where its number is masked");
}
