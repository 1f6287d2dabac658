//! The index follows the catalogue: crashes, unloads, rebuilds, broken folders.

use super::memory::{Memory, Sample, text};
use super::*;

fn some(count: u32, word: &str) -> Vec<Sample> {
    (0..count).map(|i| Sample::new(&format!("{i}"), "2024-01-01").with("ref", text(&format!("{word}{i}")))).collect()
}

fn total(search: &Search, catalogue: &Memory, text: &str) -> u64 {
    search.hits(catalogue, &query(text), &everybody(), &Window::default()).expect("finds").total
}

#[test]
fn a_catch_up_adds_what_is_new_and_removes_what_is_gone() {
    let memory = Memory::default();
    let first = memory.load("x", some(10, "a"));
    let (_dir, search) = fed("catch-up", &memory);
    assert_eq!(search.applied(), Seq(1));
    memory.load("x", some(5, "b"));
    memory.unload(first);
    let fed = search.catch_up(&memory, &mut |_| {}).expect("catches up");
    assert_eq!(fed, Fed { loads: 1, documents: 5, unloaded: 1 });
    assert_eq!((search.applied(), total(&search, &memory, "")), (Seq(3), 5));
    assert_eq!(search.catch_up(&memory, &mut |_| {}).expect("nothing to do"), Fed::default());
}

#[test]
fn a_load_cut_anew_replaces_its_documents() {
    let memory = Memory::default();
    let load = memory.load("x", some(10, "a"));
    let (_dir, search) = fed("replace", &memory);
    memory.replace(load, "x", some(4, "b"));
    assert_eq!(total(&search, &memory, ""), 0, "what is known of it is no longer true");
    search.catch_up(&memory, &mut |_| {}).expect("catches up");
    assert_eq!(
        (total(&search, &memory, ""), total(&search, &memory, "ref:a1"), total(&search, &memory, "ref:b1")),
        (4, 0, 1)
    );
}

#[test]
fn documents_of_a_load_that_is_gone_are_never_shown() {
    let memory = Memory::default();
    let first = memory.load("x", some(10, "a"));
    let second = memory.load("x", some(10, "b"));
    let (_dir, search) = fed("gone", &memory);
    memory.unload(first);
    assert_eq!(total(&search, &memory, ""), 10, "before the index hears of it");
    assert_eq!(search.facets(&memory, &query(""), &everybody()).expect("counts").total, 10);
    memory.lose(second);
    let list = search.hits(&memory, &query(""), &everybody(), &Window::default()).expect("finds");
    assert_eq!((list.hits.len(), list.total), (0, 0), "not even when nobody tells it");
}

#[test]
fn a_crash_in_the_middle_of_a_load_costs_and_doubles_nothing() {
    let dir = Dir::new("crash");
    let memory = Memory::default();
    memory.load("x", some(100, "a"));
    memory.load("x", some(1000, "b"));
    memory.load("x", some(10, "c"));
    let options = Options { commit_documents: 64, ..small() };
    let mut documents = 0;
    for fuse in [30, 90, 150, 400, 64, 1] {
        let search = Search::open_with(&dir.0, options.clone()).expect("opens");
        memory.fail_after(Some(fuse));
        let result = search.catch_up(&memory, &mut |step| documents = documents.max(step.documents));
        assert!(matches!(result, Err(SearchError::Catalogue { .. })));
        // What is committed is shown only when its load is complete.
        let seen = total(&search, &memory, "");
        assert!(seen == 0 || seen == 100, "{seen}");
    }
    memory.fail_after(None);
    let search = Search::open_with(&dir.0, options).expect("opens");
    let fed = search.catch_up(&memory, &mut |_| {}).expect("catches up");
    assert!(fed.documents < 700, "it goes on where the last commit was, not from the start: {fed:?}");
    assert_eq!(total(&search, &memory, ""), 1110);
    for word in ["ref:a99", "ref:b0", "ref:b500", "ref:b999", "ref:c9"] {
        assert_eq!(total(&search, &memory, word), 1, "{word}");
    }
}

#[test]
fn deletes_that_were_written_and_not_committed_before_a_crash_are_no_hindrance() {
    let dir = Dir::new("left");
    let memory = Memory::default();
    let first = memory.load("x", some(100, "a"));
    memory.load("x", some(1000, "b"));
    let feed = || {
        let search = Search::open_with(&dir.0, small()).expect("opens");
        search.catch_up(&memory, &mut |_| {}).expect("catches up");
        total(&search, &memory, "")
    };
    assert_eq!(feed(), 1100);
    let meta = dir.0.join("g1").join("meta.json");
    let committed = std::fs::read(&meta).expect("there");
    memory.unload(first);
    assert_eq!(feed(), 1000);
    let deletes = std::fs::read_dir(dir.0.join("g1")).expect("there").flatten();
    let deletes = deletes.filter(|file| file.path().extension().is_some_and(|extension| extension == "del"));
    assert_ne!(deletes.count(), 0, "the crash leaves them");
    std::fs::write(&meta, committed).expect("as before the commit");
    assert_eq!(feed(), 1000);
}

#[test]
fn a_rebuild_resumes_and_switches_when_it_is_complete() {
    let dir = Dir::new("rebuild");
    let memory = Memory::default();
    memory.load("x", some(1000, "a"));
    let options = Options { commit_documents: 64, ..small() };
    let search = Search::open_with(&dir.0, options.clone()).expect("opens");
    search.catch_up(&memory, &mut |_| {}).expect("catches up");
    memory.fail_after(Some(500));
    assert!(search.rebuild(&memory, &mut |_| {}).is_err());
    assert_eq!(total(&search, &memory, ""), 1000, "the old one serves on");
    drop(search);
    let search = Search::open_with(&dir.0, options).expect("opens");
    assert_eq!((search.opened(), total(&search, &memory, "")), (&Opened::Existing, 1000));
    memory.fail_after(None);
    let fed = search.rebuild(&memory, &mut |_| {}).expect("rebuilds");
    assert!(fed.documents < 600, "{fed:?}");
    assert_eq!((total(&search, &memory, ""), search.applied()), (1000, Seq(1)));
    assert_eq!(std::fs::read_dir(&dir.0).expect("reads").count(), 3, "lock, current and one generation");
    memory.load("x", some(1, "b"));
    search.catch_up(&memory, &mut |_| {}).expect("the new one is fed on");
    assert_eq!(total(&search, &memory, ""), 1001);
}

#[test]
fn space_comes_back_after_unloading() {
    let memory = Memory::default();
    memory.load("x", some(2000, "keep"));
    let (_dir, search) = fed("space", &memory);
    let before = search.bytes();
    let mut most = 0;
    for round in 0..12 {
        let load = memory.load("x", some(3000, &format!("round{round}x")));
        search.catch_up(&memory, &mut |_| {}).expect("catches up");
        most = most.max(search.bytes());
        memory.unload(load);
        search.catch_up(&memory, &mut |_| {}).expect("catches up");
    }
    let after = search.bytes();
    assert!(most > before * 2, "{before} {most}");
    assert!(after < before * 5 / 4, "{before} bytes before, {after} after, {most} between");
    assert_eq!(total(&search, &memory, ""), 2000);
}

#[test]
fn a_broken_or_missing_index_is_replaced_and_says_so() {
    let memory = Memory::default();
    memory.load("x", some(10, "a"));
    type Damage = fn(&std::path::Path);
    let damages: [(&str, Damage); 5] = [
        ("meta", |dir| std::fs::write(dir.join("g1/meta.json"), "{").unwrap()),
        ("current", |dir| std::fs::write(dir.join("current"), "nonsense").unwrap()),
        ("layout", |dir| std::fs::write(dir.join("current"), "g1 layout 999").unwrap()),
        ("folder", |dir| std::fs::remove_dir_all(dir.join("g1")).unwrap()),
        ("segment", |dir| {
            for entry in std::fs::read_dir(dir.join("g1")).unwrap().flatten() {
                if entry.path().extension().is_some_and(|e| e == "idx" || e == "fast") {
                    std::fs::write(entry.path(), b"").unwrap();
                }
            }
        }),
    ];
    for (name, damage) in damages {
        let (dir, search) = fed(&format!("broken-{name}"), &memory);
        drop(search);
        damage(&dir.0);
        let search = Search::open_with(&dir.0, small()).expect("opens all the same");
        assert!(matches!(search.opened(), Opened::Replaced { .. }), "{name}");
        search.catch_up(&memory, &mut |_| {}).expect("catches up");
        assert_eq!(total(&search, &memory, ""), 10, "{name}");
        assert!(search.verify().expect("verifies").is_empty());
    }
}

#[test]
fn a_catalogue_restored_to_an_earlier_state_makes_a_new_index() {
    let memory = Memory::default();
    memory.load("x", some(10, "a"));
    let later = memory.load("x", some(10, "b"));
    let (_dir, search) = fed("restored", &memory);
    memory.lose(later);
    memory.forget_changes_after(1);
    search.catch_up(&memory, &mut |_| {}).expect("catches up");
    assert_eq!((search.applied(), total(&search, &memory, ""), total(&search, &memory, "ref:b1")), (Seq(1), 10, 0));
}

#[test]
fn a_second_opener_reads_and_sees_what_the_first_commits() {
    let memory = Memory::default();
    memory.load("x", some(10, "a"));
    let (dir, writer) = fed("second", &memory);
    let reader = Search::open_with(&dir.0, small()).expect("opens");
    assert!(reader.is_read_only() && !writer.is_read_only());
    assert!(matches!(reader.rebuild(&memory, &mut |_| {}), Err(SearchError::ReadOnly)));
    memory.load("x", some(10, "b"));
    writer.catch_up(&memory, &mut |_| {}).expect("catches up");
    assert_eq!(total(&reader, &memory, ""), 10);
    reader.catch_up(&memory, &mut |_| {}).expect("refreshes");
    assert_eq!(total(&reader, &memory, ""), 20);
    writer.rebuild(&memory, &mut |_| {}).expect("rebuilds");
    assert_eq!(total(&reader, &memory, ""), 20, "files in use stay readable");
    reader.catch_up(&memory, &mut |_| {}).expect("follows to the new generation");
    assert_eq!(total(&reader, &memory, ""), 20);
}
