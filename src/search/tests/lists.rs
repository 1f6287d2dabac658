//! Hit lists: order, pages, rights, facets.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::memory::{Memory, Sample, decimal, text};
use super::*;

/// `count` documents with few different dates, words and accounts, the same every time.
fn crowd(count: u32) -> Vec<Sample> {
    (0..count)
        .map(|i| {
            let mut sample = Sample::default()
                .with("amount", decimal(i64::from(i % 97), 2))
                .with("name", text(["ann", "bob", "eve"][(i % 3) as usize]))
                .page(&format!("{} word{}", "fee ".repeat((i % 4) as usize + 1), i % 7));
            sample.account = Some(format!("A-{}", i % 11));
            sample.date = (i % 10 != 0).then_some(19_000 + (i as i32 * 37) % 500);
            sample
        })
        .collect()
}

fn pages(
    search: &Search,
    catalogue: &Memory,
    text: &str,
    sort: Sort,
    limit: usize,
    between: &dyn Fn(usize),
) -> Vec<Hit> {
    let mut all = Vec::new();
    let mut window = Window { limit, sort, ..Window::default() };
    for page in 0.. {
        let list = search.hits(catalogue, &query(text), &everybody(), &window).expect("finds");
        assert!(list.hits.len() <= limit);
        all.extend(list.hits);
        window.cursor = list.next_cursor;
        if window.cursor.is_none() {
            break;
        }
        between(page);
    }
    all
}

#[test]
fn pages_follow_each_other_without_gaps_or_doubles_while_documents_are_loaded() {
    for sort in [Sort::DateDescending, Sort::DateAscending, Sort::Relevance] {
        let memory = Memory::default();
        for _ in 0..3 {
            memory.load("bank-statement", crowd(1000));
        }
        let (_dir, search) = fed(&format!("paging-{sort:?}"), &memory);
        let whole: Vec<_> = pages(&search, &memory, "fee", sort, 100_000, &|_| {});
        assert_eq!(whole.len(), 3000);
        let found = pages(&search, &memory, "fee", sort, 70, &|page| {
            if page % 10 == 5 {
                memory.load("bank-statement", crowd(50));
                search.catch_up(&memory, &mut |_| {}).expect("catches up");
            }
        });
        let old: Vec<_> = found.iter().filter(|hit| hit.id.load.0 <= 3).map(|hit| hit.id).collect();
        assert_eq!(old, whole.iter().map(|hit| hit.id).collect::<Vec<_>>(), "{sort:?}");
        let distinct: BTreeSet<_> = found.iter().map(|hit| hit.id).collect();
        assert_eq!(distinct.len(), found.len());
    }
}

#[test]
fn orders_are_by_date_or_by_score() {
    let memory = Memory::default();
    memory.load(
        "x",
        vec![
            Sample::new("1", "2024-01-01").page("fee other words here"),
            Sample::new("1", "2024-01-03").page("fee fee fee"),
            Sample::default().page("fee and a very long text without much of it in between"),
            Sample::new("1", "2024-01-02").page("fee fee other"),
        ],
    );
    let (_dir, search) = fed("orders", &memory);
    let order = |sort: Sort| {
        let window = Window { sort, ..Window::default() };
        let hits = search.hits(&memory, &query("fee"), &everybody(), &window).expect("finds").hits;
        assert!(hits.iter().all(|hit| hit.score.is_some() == (sort == Sort::Relevance)));
        hits.into_iter().map(|hit| hit.id.ordinal).collect::<Vec<_>>()
    };
    assert_eq!(order(Sort::DateDescending), [2, 4, 1, 3]);
    assert_eq!(order(Sort::DateAscending), [1, 4, 2, 3]);
    assert_eq!(order(Sort::Relevance), [2, 4, 1, 3]);
}

#[test]
fn offsets_and_streams_give_the_same_list_as_one_window() {
    let memory = Memory::default();
    memory.load("bank-statement", crowd(2000));
    let (_dir, search) = fed("streams", &memory);
    for sort in [Sort::DateDescending, Sort::DateAscending, Sort::Relevance] {
        let whole = pages(&search, &memory, "fee -name:eve", sort, 100_000, &|_| {});
        let mut streamed = Vec::new();
        let mut each = |hit: Hit| {
            streamed.push(hit);
            ControlFlow::Continue(())
        };
        search.for_each_of(&memory, &query("fee -name:eve"), &everybody(), sort, 77, &mut each).expect("streams");
        assert_eq!(streamed, whole, "{sort:?}");
        let window = Window { limit: 10, offset: 500, sort, ..Window::default() };
        let list = search.hits(&memory, &query("fee -name:eve"), &everybody(), &window).expect("finds");
        assert_eq!(list.hits, whole[500..510]);
        assert_eq!(list.total, whole.len() as u64);
    }
}

#[test]
fn a_cursor_of_another_list_is_refused() {
    let memory = Memory::default();
    memory.load("x", crowd(50));
    let (_dir, search) = fed("cursors", &memory);
    let window = Window { limit: 5, ..Window::default() };
    let next = search.hits(&memory, &query("fee"), &everybody(), &window).expect("finds").next_cursor;
    let with = |text: &str, accounts: Option<&[String]>, cursor: Option<String>, sort: Sort| {
        let scope = accounts.map_or_else(everybody, of);
        search.hits(&memory, &query(text), &scope, &Window { limit: 5, cursor, sort, ..Window::default() })
    };
    assert!(with("fee", None, next.clone(), Sort::DateDescending).is_ok());
    assert!(matches!(with("fees", None, next.clone(), Sort::DateDescending), Err(SearchError::Cursor)));
    assert!(matches!(with("fee", None, next.clone(), Sort::Relevance), Err(SearchError::Cursor)));
    let accounts = ["A-1".to_owned()];
    assert!(matches!(with("fee", Some(&accounts), next, Sort::DateDescending), Err(SearchError::Cursor)));
    assert!(matches!(with("fee", None, Some("zz".into()), Sort::DateDescending), Err(SearchError::Cursor)));
}

#[test]
fn facets_count_by_definition_kind_and_year() {
    let memory = Memory::default();
    memory.load("bank-statement", vec![Sample::new("1", "2024-01-01"), Sample::new("2", "2023-06-01")]);
    memory.load("phone-bill", vec![Sample::new("1", "2024-12-31"), Sample::default()]);
    let (_dir, search) = fed("facets", &memory);
    let facets = search.facets(&memory, &query(""), &everybody()).expect("counts");
    let list = |pairs: &[(&str, u64)]| pairs.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect::<Vec<_>>();
    assert_eq!(facets.total, 4);
    assert_eq!(facets.definitions, list(&[("bank-statement", 2), ("phone-bill", 2)]));
    assert_eq!(facets.kinds, list(&[("bill", 2), ("statement", 2)]));
    assert_eq!(facets.years, [(2024, 2), (2023, 1)]);
    let mine = search.facets(&memory, &query(""), &of(&["2".into()])).expect("counts");
    assert_eq!((mine.total, mine.definitions, mine.years), (1, list(&[("bank-statement", 1)]), vec![(2023, 1)]));
}

#[test]
fn a_long_document_in_parts_is_one_hit() {
    let memory = Memory::default();
    let long = (0..50).fold(Sample::new("1", "2024-01-01"), |sample, i| sample.page(&format!("fee page{i}")));
    memory.load("bank-statement", vec![long, Sample::new("1", "2024-01-02").page("fee page1")]);
    let dir = Dir::new("parts");
    let search = Search::open_with(&dir.0, Options { part_bytes: 40, ..small() }).expect("opens");
    search.catch_up(&memory, &mut |_| {}).expect("catches up");
    assert_eq!(ids(&search, &memory, "fee"), ["1-1", "1-2"]);
    assert_eq!(ids(&search, &memory, "page49"), ["1-1"]);
    assert_eq!(search.facets(&memory, &query("fee"), &everybody()).expect("counts").total, 2);
    for sort in [Sort::DateDescending, Sort::DateAscending, Sort::Relevance] {
        let found = pages(&search, &memory, "fee", sort, 1, &|_| {});
        assert_eq!(found.len(), 2, "{sort:?}");
        assert_ne!(found[0].id, found[1].id);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    /// What a customer finds is what everybody finds, without the others' documents.
    #[test]
    fn rights_filter_hits_totals_and_facets(seed in 0_u32..1000, count in 1_u32..200) {
        let memory = Memory::default();
        memory.load("bank-statement", crowd(seed % 50));
        memory.load("phone-bill", crowd(count));
        let (_dir, search) = fed(&format!("rights-{seed}-{count}"), &memory);
        let accounts_of: std::collections::HashMap<_, _> = {
            let mut all = std::collections::HashMap::new();
            for load in [LoadId(1), LoadId(2)] {
                memory.documents(load, 1, &mut |document| {
                    all.insert(document.id, document.account);
                    ControlFlow::Continue(())
                }).unwrap();
            }
            all
        };
        for accounts in [vec![], vec!["A-1".to_owned()], vec!["A-1".into(), "A-2".into(), "A-99".into()], vec!["a-1".into(), "A".into()]] {
            for text in ["", "fee", "word1 OR name:bob", "-name:ann", "amount:>0.50", "account:A-3", "account:A*1"] {
                let Ok(query) = Query::parse(text) else { continue };
                let window = Window { limit: 10_000, ..Window::default() };
                let everything = search.hits(&memory, &query, &everybody(), &window).unwrap();
                let seen = search.hits(&memory, &query, &of(&accounts), &window).unwrap();
                let expected: Vec<_> = everything.hits.into_iter()
                    .filter(|hit| accounts_of[&hit.id].as_ref().is_some_and(|account| accounts.contains(account)))
                    .collect();
                prop_assert_eq!(seen.total, expected.len() as u64);
                prop_assert_eq!(&seen.hits, &expected);
                let facets = search.facets(&memory, &query, &of(&accounts)).unwrap();
                prop_assert_eq!(facets.total, expected.len() as u64);
                prop_assert_eq!(facets.kinds.iter().map(|(_, n)| n).sum::<u64>(), facets.total);
            }
        }
    }
}
