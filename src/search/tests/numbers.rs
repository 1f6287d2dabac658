//! Numbers of texts that are indexed without places: the same documents as a look through all texts finds.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::super::words::Scanner;
use super::memory::{Memory, Sample};
use super::*;
use crate::index::definition::FullText;

/// What stands on pages; some of it differs only in how it is written.
const PRINTED: [&str; 18] = [
    "1",
    "12",
    "1,234.56",
    "1.234,56",
    "1234.56",
    "1234.5",
    "12345",
    "2024-03-01",
    "2024-03-02",
    "25/11",
    "508818-0001-9",
    "123456789012345",
    "1234567890123456",
    "12ab",
    "x12",
    "fee",
    "１２３",
    "4,573",
];

#[derive(Debug, Clone)]
enum Ask {
    Words(Vec<&'static str>),
    Begins(&'static str),
    Not(Box<Ask>),
    All(Vec<Ask>),
    Any(Vec<Ask>),
}

impl Ask {
    fn text(&self) -> String {
        let each = |asks: &[Ask], between: &str| asks.iter().map(Ask::text).collect::<Vec<_>>().join(between);
        match self {
            Ask::Words(words) if words.len() == 1 => words[0].to_string(),
            Ask::Words(words) => format!("\"{}\"", words.join(" ")),
            Ask::Begins(stem) => format!("{stem}*"),
            Ask::Not(ask) => format!("(NOT {})", ask.text()),
            Ask::All(asks) => format!("({})", each(asks, " ")),
            Ask::Any(asks) => format!("({})", each(asks, " OR ")),
        }
    }

    fn holds(&self, words: &BTreeSet<String>) -> bool {
        match self {
            Ask::Words(wanted) => wanted.iter().all(|text| cut(text).is_subset(words)),
            Ask::Begins(stem) => cut(stem).iter().all(|stem| words.iter().any(|word| word.starts_with(stem))),
            Ask::Not(ask) => !ask.holds(words),
            Ask::All(asks) => asks.iter().all(|ask| ask.holds(words)),
            Ask::Any(asks) => asks.iter().any(|ask| ask.holds(words)),
        }
    }
}

fn cut(text: &str) -> BTreeSet<String> {
    let (mut scanner, mut word, mut words) = (Scanner::new(text), String::new(), BTreeSet::new());
    while scanner.next(&mut word).is_some() {
        words.insert(word.clone());
    }
    words
}

fn ask() -> impl Strategy<Value = Ask> {
    let word = || prop::sample::select(PRINTED.to_vec());
    let one = prop_oneof![
        word().prop_map(|word| Ask::Words(vec![word])),
        prop::collection::vec(word(), 2..4).prop_map(Ask::Words),
        prop::sample::select(vec!["12", "1234", "1,234", "1234.5", "2024-0", "25", "50", "508818-0", "fe", "99"])
            .prop_map(Ask::Begins),
    ];
    one.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|ask| Ask::Not(Box::new(ask))),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Ask::All),
            prop::collection::vec(inner, 2..4).prop_map(Ask::Any),
        ]
    })
}

prop_compose! {
    fn sample()(
        mine in any::<bool>(),
        pages in prop::collection::vec(prop::collection::vec(0..PRINTED.len(), 0..5), 0..4),
    ) -> Sample {
        let account = if mine { "mine" } else { "other" };
        pages.iter().fold(Sample::new(account, "2024-01-01"), |sample, page| {
            sample.page(&page.iter().map(|at| PRINTED[*at]).collect::<Vec<_>>().join(" "))
        })
    }
}

/// Documents with the words of their texts.
fn texts(memory: &Memory) -> Vec<(crate::archive::Document, BTreeSet<String>)> {
    let mut all = Vec::new();
    for load in (1..=3).map(LoadId).filter(|load| memory.has_load(*load).expect("read")) {
        let mut each = |document: crate::archive::Document| {
            let mut words = BTreeSet::new();
            let mut page = |_: u32, text: &str| {
                words.extend(cut(text));
                ControlFlow::Continue(())
            };
            memory.page_texts(&document, &mut page).expect("read");
            all.push((document, words));
            ControlFlow::Continue(())
        };
        memory.documents(load, 1, &mut each).expect("read");
    }
    all
}

fn compare(search: &Search, memory: &Memory, asks: &[Ask]) {
    let texts = texts(memory);
    for ask in asks {
        let text = ask.text();
        for scope in [everybody(), of(&["mine".into()])] {
            let all = *scope.predicate() == Predicate::Everything;
            let seen = texts.iter().filter(|(document, _)| all || document.account.as_deref() == Some("mine"));
            let wanted: Vec<_> = seen.filter(|(_, words)| ask.holds(words)).map(|(document, _)| document.id).collect();
            for sort in [Sort::DateAscending, Sort::Relevance] {
                let window = Window { limit: 1_000, sort, ..Window::default() };
                let (list, facets) = search.hits_and_facets(memory, &query(&text), &scope, &window).expect("finds");
                let mut found: Vec<_> = list.hits.iter().map(|hit| hit.id).collect();
                found.sort_unstable();
                assert_eq!(found, wanted, "{text}");
                assert_eq!((list.total, facets.total), (wanted.len() as u64, wanted.len() as u64), "{text}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn numbers_are_found_as_a_look_through_all_texts_finds_them(
        first in prop::collection::vec(sample(), 1..30),
        second in prop::collection::vec(sample(), 0..10),
        third in prop::collection::vec(sample(), 1..10),
        again in prop::collection::vec(sample(), 1..10),
        asks in prop::collection::vec(ask(), 20),
        commit_documents in 1..9_u64,
        case: u64,
    ) {
        let memory = Memory::default().full_text(FullText::Words);
        let dir = Dir::new(&format!("numbers-{case}"));
        let search = Search::open_with(&dir.0, Options { commit_documents, ..small() }).expect("opens");
        let one = memory.load("bank-statement", first);
        let two = memory.load("bank-statement", second);
        search.catch_up(&memory, &mut |_| {}).expect("catches up");
        compare(&search, &memory, &asks);
        memory.load("phone-bill", third);
        memory.replace(one, "bank-statement", again);
        memory.unload(two);
        search.catch_up(&memory, &mut |_| {}).expect("catches up");
        compare(&search, &memory, &asks);
    }
}

#[test]
fn many_numbers_are_found_in_the_documents_they_stand_in_and_in_no_others() {
    let memory = Memory::default().full_text(FullText::Words);
    let samples = |of: u32| {
        let page = |document: u32| (0..100).map(|at| format!("{} ", of + document * 100 + at)).collect::<String>();
        (0..200).map(|document| Sample::new("1", "2024-01-01").page(&format!("{}7.50", page(document)))).collect()
    };
    memory.load("bank-statement", samples(100_000));
    memory.load("bank-statement", samples(110_000));
    let (_dir, search) = fed("many-numbers", &memory);
    let find = |text: &str| ids(&search, &memory, text);
    for number in (0..20_000).step_by(397) {
        let mut wanted = vec![format!("1-{}", number / 100 + 1)];
        if number >= 10_000 {
            wanted.push(format!("2-{}", number / 100 - 99));
        }
        assert_eq!(find(&(100_000 + number).to_string()), wanted);
    }
    assert_eq!(find("7.50").len(), 400);
    assert_eq!(find("1107*"), ["1-108", "2-8"]);
    assert!(find("7.5").is_empty() && find("130000").is_empty() && find("99*").is_empty());
    memory.unload(LoadId(1));
    assert_eq!(find("110000"), ["2-1"], "at once, and after the index knows");
    search.catch_up(&memory, &mut |_| {}).expect("catches up");
    assert_eq!(find("110000"), ["2-1"]);
    search.rebuild(&memory, &mut |_| {}).expect("rebuilds");
    assert_eq!(find("110000"), ["2-1"]);
}

/// Two archives that differ only in what is hidden give the same answers, byte for byte.
#[test]
fn numbers_of_hidden_documents_leave_no_trace() {
    let answers = |hidden: u32| {
        let memory = Memory::default().full_text(FullText::Words);
        let mut samples: Vec<Sample> =
            (0..30).map(|i| Sample::new("mine", "2024-01-01").page(&format!("fee {i} 1,234.{i:02} 9.50"))).collect();
        samples.extend((0..hidden).map(|_| Sample::new("other", "2024-06-01").page("fee 3 1,234.03 777.77")));
        memory.load("phone-bill", samples);
        let (_dir, search) = fed(&format!("number-traces-{hidden}"), &memory);
        let mut told = Vec::new();
        for text in ["1234.03", "3 OR fee", "777.77", "fee -777.77", "1234*", "\"fee 3\"", "9.50 -3"] {
            for sort in [Sort::Relevance, Sort::DateDescending] {
                let window = Window { limit: 7, sort, ..Window::default() };
                let found = search.hits_and_facets(&memory, &query(text), &of(&["mine".into()]), &window);
                told.push(format!("{found:?}"));
            }
        }
        told
    };
    assert_eq!(answers(0), answers(500));
}

#[test]
fn a_long_document_of_many_words_is_one_hit_with_all_its_numbers() {
    let memory = Memory::default().full_text(FullText::Words);
    let long = (0..50).fold(Sample::new("1", "2024-01-01"), |sample, i| sample.page(&format!("fee page{i} {i}.25")));
    memory.load("bank-statement", vec![long, Sample::new("1", "2024-01-02").page("fee page1 1.25")]);
    let dir = Dir::new("number-parts");
    let search = Search::open_with(&dir.0, Options { part_bytes: 40, ..small() }).expect("opens");
    search.catch_up(&memory, &mut |_| {}).expect("catches up");
    let find = |text: &str| ids(&search, &memory, text);
    assert_eq!((find("fee"), find("page49")), (vec!["1-1".into(), "1-2".into()], vec!["1-1".to_string()]));
    assert_eq!((find("1.25 49.25"), find("1.25 -49.25")), (vec!["1-1".to_string()], vec!["1-2".to_string()]));
    assert_eq!(search.facets(&memory, &query("1.25"), &everybody()).expect("counts").total, 2);
}

/// A masked account number is no number of its pages for anybody; what else stands there is.
#[test]
fn what_is_masked_on_pages_is_no_number_that_anybody_finds() {
    let dir = Dir::new("number-masks");
    let archive = std::sync::Arc::new(crate::archive::Archive::init(&dir.0.join("archive")).expect("an archive"));
    let source = include_str!("../../../indexers/great-lakes-statement.toml");
    let source = source.replace("full_text = \"phrases\"", "full_text = \"words\"");
    let definition = crate::index::definition::Definition::parse(&source, "great-lakes-statement.toml");
    archive.add_definition(&definition.expect("a sound definition")).expect("added");
    let statement = |n: u32| {
        let head = format!("1GREAT LAKES MUTUAL BANK{:<40}STATEMENT OF ACCOUNT{:<16}PAGE   1 OF 1\n", "", "");
        let account = format!(" ACCOUNT NO  {:<20} STATEMENT DATE 01/28/2024\n", format!("{n:06}-0001-9"));
        let name = "-    Anna Person\n     7 Birch St\n     Dayton OH 45402\n";
        let table = format!("0{:<69}{:>16}\n0DATE   DESCRIPTION{:<60}AMOUNT\n", "BALANCE FORWARD", "100.00", "");
        let line = format!("  01/02  PAID TO {:<50}{:>16}\n", "777777-0001-9", format!("{}.25-", n % 10));
        format!("{head}{account}{name}{table}{line}0{:<69}{:>16}\n", "CLOSING BALANCE", "99.00")
    };
    let bytes: String = (500_000..500_003).map(statement).collect();
    let reader = Box::new(std::io::Cursor::new(bytes.into_bytes()));
    let source = crate::archive::LoadSource { name: "s.txt".into(), reader, total: None };
    let row = archive.load(source, Some("great-lakes-statement"), &|_| {}).expect("loads").row;
    assert_eq!(row.documents, 3);
    let catalogue = Archived::new(archive);
    let search = Search::open_with(&dir.0.join("search"), small()).expect("opens");
    search.catch_up(&catalogue, &mut |_| {}).expect("catches up");
    let total = |text: &str| {
        let found = search.hits(&catalogue, &query(text), &everybody(), &Window::default());
        found.unwrap_or_else(|error| panic!("{text}: {error}")).total
    };
    for text in ["500001-0001-9", "text:500001-0001-9", "text:500001*", "text:50000*", "50000*"] {
        assert_eq!(total(text), 0, "{text}");
    }
    assert_eq!((total("777777-0001-9"), total("text:777*"), total("1.25")), (3, 3, 1));
}
