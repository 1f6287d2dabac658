//! One document out of many, and searches over all of them, in process: the figures of `benches/run.py point`.
//!
//! `GREENBAR_BENCH_ARCHIVE` names an archive whose load 1 holds the documents. Everything goes through the gate and leaves
//! its audit record, as a reader's wish does. `GREENBAR_BENCH_ONLY` picks measurements by a part of their name. Prints one JSON object: for each measurement p50 and p99 in milliseconds.

#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use greenbar::archive::{Archive, DocId, LoadId};
use greenbar::auth::directory::Rights;
use greenbar::auth::gate::{Gate, Principal, Use};
use greenbar::auth::predicate::{Facts, Predicate, Subject};
use greenbar::auth::role::built_in;
use greenbar::render::RenderOptions;
use greenbar::search::{Archived, Query, Search, Window};
use greenbar::view::View;
use serde_json::{Map, Value, json};

/// Times each thing is done for its figures, after as many to warm up.
const TIMES: u64 = 2_000;

fn main() {
    let Some(dir) = std::env::var_os("GREENBAR_BENCH_ARCHIVE").map(PathBuf::from) else {
        println!("{{}}");
        return;
    };
    let archive = Arc::new(Archive::open(&dir).unwrap());
    let bench = Bench {
        documents: archive.load_row(LoadId(1)).unwrap().documents,
        gate: Gate::new(archive.engine()),
        view: View::new(Arc::clone(&archive)),
        search: Search::open(&dir.join("search")).unwrap(),
        catalogue: Archived::new(Arc::clone(&archive)),
        archive,
        agent: Principal::operator("bench", "bench"),
    };
    bench.search.catch_up(&bench.catalogue, &mut |_| {}).unwrap();
    let only = std::env::var("GREENBAR_BENCH_ONLY").ok();
    let mut all = Map::new();
    let mut put = |name: &str, figures: &dyn Fn() -> Value| {
        if only.as_deref().is_none_or(|only| name.contains(only)) {
            all.insert(name.into(), figures());
        }
    };
    put("original bytes of a document", &|| wall(|random| bench.rendition(random, "original", 2_000)));
    // Pages of AFP bring several fonts.
    put("first page as PDF", &|| wall(|random| bench.rendition(random, "pdf", 400_000)));
    put("one tagged statement as PDF (CPU)", &|| measure(|random| bench.rendition(random, "pdf", 60_000), cpu));
    put("search by exact field", &|| wall(|random| bench.exact(random)));
    put("search by words", &|| wall(|random| bench.words(random)));
    println!("{}", Value::Object(all));
}

struct Bench {
    documents: u32,
    archive: Arc<Archive>,
    gate: Gate,
    view: View,
    search: Search,
    catalogue: Archived,
    agent: Principal,
}

impl Bench {
    /// A random document, found by its id and rendered: all of it as the original, its first page otherwise.
    fn rendition(&self, random: u64, format: &str, most: usize) {
        let id = DocId { load: LoadId(1), ordinal: (random % u64::from(self.documents)) as u32 + 1 };
        let document = self.archive.document(id).unwrap();
        let load = self.archive.load_row(id.load).unwrap();
        let subject = Subject::found(Facts::of(&document, &load.field_names, "statement"));
        let permit = self.gate.open(&self.agent, Use::READ, &subject, format).unwrap();
        let how = RenderOptions { pages: (format != "original").then_some((0, 0)), ..RenderOptions::default() };
        let mut out = Vec::new();
        self.view.render(&permit, format, &how, &mut out).unwrap();
        assert!((100..most).contains(&out.len()), "{format}: {} bytes", out.len());
    }

    /// A random account by its number, in turn by an agent, by its owner, and by another customer who must not find it.
    fn exact(&self, random: u64) {
        let account = self.account(random);
        let query = Query::parse(&format!("account:{account}")).unwrap();
        let (who, expected) = match random % 3 {
            0 => (self.agent.clone(), 1),
            1 => (customer(&account), 1),
            _ => (customer("000000-0000-0"), 0),
        };
        assert_eq!(self.total(&query, &who), expected, "{account} for {who:?}");
    }

    /// Two words that stand in many documents, by an agent and by a customer in turn.
    fn words(&self, random: u64) {
        const WORDS: [&str; 8] = ["lakeside", "fuel", "water", "insurance", "transit", "pharmacy", "orchard", "cafe"];
        let [a, b] = [random % 8, random / 8 % 8].map(|at| WORDS[at as usize]);
        let query = Query::parse(&format!("{a} {b}")).unwrap();
        if (random / 64).is_multiple_of(2) {
            assert!(self.total(&query, &self.agent) > 10, "{a} {b}");
        } else {
            assert!(self.total(&query, &customer(&self.account(random))) <= 1);
        }
    }

    fn account(&self, random: u64) -> String {
        let number = random / 3 % u64::from(self.documents) + 1;
        format!("{number:06}-{:04}-{}", number % 10_000, number % 10)
    }

    fn total(&self, query: &Query, who: &Principal) -> u64 {
        self.search.hits(&self.catalogue, query, &self.gate.scope(who), &Window::default()).unwrap().total
    }
}

fn customer(account: &str) -> Principal {
    let rights = Rights {
        roles: vec!["customer".into()],
        permissions: built_in().into_iter().find(|role| role.name == "customer").unwrap().permissions,
        grants: vec![("own".into(), Predicate::Account(vec![account.into()]))],
        ..Rights::default()
    };
    Principal::new("customer", "bench", rights)
}

fn wall(run: impl Fn(u64)) -> Value {
    let start = Instant::now();
    measure(run, move || start.elapsed())
}

/// Runs something with random numbers, first to warm up, then by the clock.
fn measure(run: impl Fn(u64), clock: impl Fn() -> Duration) -> Value {
    let mut seed = 0x2545_F491_4F6C_DD1D_u64;
    let mut random = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        seed >> 20
    };
    (0..TIMES).for_each(|_| run(random()));
    let mut taken: Vec<Duration> = (0..TIMES)
        .map(|_| {
            let number = random();
            let before = clock();
            run(number);
            clock() - before
        })
        .collect();
    taken.sort_unstable();
    let at = |share: usize| taken[taken.len() * share / 100].as_secs_f64() * 1000.0;
    json!({ "p50_ms": at(50), "p99_ms": at(99) })
}

/// Time on the processor of this thread.
fn cpu() -> Duration {
    let said = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(said.split(' ').next().unwrap().parse().unwrap())
}
