//! A million documents: `cargo test --release --lib a_million -- --ignored --nocapture`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::*;
use crate::archive::{Change, DocId, Document, LoadRow};
use crate::index::definition::FullText;
use crate::index::definition::MaskedField;
use crate::index::value::{Decimal, FieldType, FieldValue, Value};

/// Documents made up on the fly: nothing but the index takes memory.
struct Made {
    loads: u32,
    documents: u32,
}

const NAMES: [(&str, FieldType); 5] = [
    ("account", FieldType::Text),
    ("name", FieldType::Text),
    ("amount", FieldType::Decimal),
    ("due", FieldType::Date),
    ("reference", FieldType::Text),
];
const WORDS: [&str; 40] = [
    "account",
    "balance",
    "charge",
    "fee",
    "late",
    "payment",
    "thank",
    "you",
    "transfer",
    "credit",
    "debit",
    "card",
    "interest",
    "rate",
    "branch",
    "city",
    "street",
    "phone",
    "mail",
    "total",
    "page",
    "date",
    "due",
    "minimum",
    "amount",
    "previous",
    "new",
    "closing",
    "opening",
    "statement",
    "period",
    "from",
    "to",
    "withdrawal",
    "deposit",
    "cash",
    "check",
    "number",
    "service",
    "notice",
];

fn mix(seed: u64) -> u64 {
    let mut x = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x ^= x >> 31;
    x = x.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x ^ x >> 29
}

fn account(number: u64) -> String {
    format!("{:010}", 4_700_000_000 + number % 100_000 * 7)
}

fn name(number: u64) -> String {
    format!("{} {}{}", WORDS[(number % 40) as usize], WORDS[(number / 40 % 40) as usize], number / 1600 % 500)
}

fn made(load: LoadId, ordinal: u32) -> Document {
    let random = mix(u64::from(load.0) << 32 | u64::from(ordinal));
    let one = |at: u16, value: Value| (at, FieldValue::One(value));
    let day = 18_000 + i32::try_from(load.0).unwrap() * 20 + i32::try_from(random % 20).unwrap();
    Document {
        id: DocId { load, ordinal },
        definition: Arc::from("bank-statement"),
        span: 0..1,
        resume: 0,
        first_page: 1,
        records_before: 0,
        pages: 1 + (random % 3) as u32,
        marks: Vec::new(),
        around: Vec::new(),
        title: String::new(),
        date: Some(day),
        account: Some(account(random)),
        fields: vec![
            one(0, Value::Text(account(random))),
            one(1, Value::Text(name(random / 7))),
            one(2, Value::Decimal(Decimal { units: (random % 1_000_000) as i64, scale: 2 })),
            one(3, Value::Date(crate::index::value::Day(day + 20))),
            one(4, Value::Text(format!("R{random:016}"))),
        ],
    }
}

impl Catalogue for Made {
    fn last_seq(&self) -> Result<Seq, CatalogueError> {
        Ok(Seq(u64::from(self.loads)))
    }

    fn changes_after(&self, after: Seq, most: usize) -> Result<Vec<(Seq, Change)>, CatalogueError> {
        let after = u32::try_from(after.0)?;
        Ok((after + 1..=self.loads).map(|n| (Seq(n.into()), Change::Loaded(LoadId(n)))).take(most).collect())
    }

    fn load_row(&self, id: LoadId) -> Result<Option<LoadRow>, CatalogueError> {
        let names = NAMES.iter().map(|(name, _)| (*name).to_owned()).collect();
        Ok(Some(super::memory::row(id, "bank-statement", names, self.documents)))
    }

    fn has_load(&self, _: LoadId) -> Result<bool, CatalogueError> {
        Ok(true)
    }

    fn documents(
        &self,
        load: LoadId,
        from: u32,
        each: &mut dyn FnMut(Document) -> ControlFlow<()>,
    ) -> Result<(), CatalogueError> {
        for ordinal in from..=self.documents {
            if each(made(load, ordinal)).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn indexing(&self, _: &str, _: u32) -> Result<Indexing, CatalogueError> {
        let full_text = if std::env::var_os("GREENBAR_TEXT").is_some() { FullText::Phrases } else { FullText::None };
        Ok(Indexing { kind: "statement".into(), full_text })
    }

    fn fields(&self) -> Result<Vec<(String, String, FieldType)>, CatalogueError> {
        Ok(NAMES.iter().map(|(name, kind)| ("bank-statement".to_owned(), (*name).to_owned(), *kind)).collect())
    }

    fn masks(&self) -> Result<Vec<MaskedField>, CatalogueError> {
        Ok(Vec::new())
    }

    fn page_texts(
        &self,
        document: &Document,
        each: &mut dyn FnMut(u32, &str) -> ControlFlow<()>,
    ) -> Result<(), CatalogueError> {
        let mut random = mix(u64::from(document.id.load.0) << 32 | u64::from(document.id.ordinal));
        let mut text = String::new();
        for _ in 0..60 {
            random = mix(random);
            // Common words are much more common than rare ones.
            let word = WORDS[((random % 40) * (random / 40 % 40) / 40) as usize];
            text.push_str(word);
            text.push(' ');
            if random.is_multiple_of(6) {
                text.push_str(&format!("{}.{:02} ", random / 64 % 5000, random / 7 % 100));
            }
        }
        let _ = each(1, &text);
        Ok(())
    }
}

fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after = stat.rsplit(')').next().unwrap_or_default();
    let ticks: u64 = after.split_whitespace().skip(11).take(2).filter_map(|t| t.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

fn peak_mb() -> u64 {
    status_mb("VmHWM")
}

fn status_mb(key: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(key)).unwrap_or_default().to_owned();
    line.split_whitespace().nth(1).and_then(|kb| kb.parse::<u64>().ok()).unwrap_or(0) / 1024
}

#[test]
#[ignore = "a measurement, not a check: takes minutes"]
fn a_million_documents_answer_in_milliseconds() {
    let catalogue = Made { loads: 100, documents: 10_000 };
    let dir = Dir::new("million");
    let writer_mb = std::env::var("GREENBAR_WRITER_MB").ok().and_then(|mb| mb.parse().ok()).unwrap_or(48);
    let options = Options { writer_bytes: writer_mb << 20, ..Options::default() };
    let search = Search::open_with(&dir.0, options).expect("opens");
    let begun = (Instant::now(), cpu());
    let mut anonymous = 0;
    search.catch_up(&catalogue, &mut |_| anonymous = anonymous.max(status_mb("RssAnon"))).expect("catches up");
    println!("writer {writer_mb} MB, anonymous memory at most {anonymous} MB");
    let documents = f64::from(catalogue.loads * catalogue.documents);
    println!("indexed in {:.1?}, CPU {:.1?}, peak {} MB", begun.0.elapsed(), cpu() - begun.1, peak_mb());
    println!("{:.1} bytes per document, {} bytes", search.bytes() as f64 / documents, search.bytes());
    println!("{} segments", search.moment().searcher.segment_readers().len());
    by_extension(&dir);

    let random = |i: u64| mix(i + 1_000_000);
    let known = |i: u64| made(LoadId((random(i) % 100) as u32 + 1), (random(i) / 128 % 10_000) as u32 + 1);
    let of = |i: u64, at: usize| match &known(i).fields[at].1 {
        FieldValue::One(value) => value.to_string(),
        _ => String::new(),
    };
    type Make<'a> = (&'a str, Box<dyn Fn(u64) -> String + 'a>);
    let makes: Vec<Make<'_>> = vec![
        ("account exact", Box::new(|i| format!("account:{}", of(i, 0)))),
        ("reference exact", Box::new(|i| format!("reference:{}", of(i, 4)))),
        ("name whole", Box::new(|i| format!("name:=\"{}\"", of(i, 1)))),
        ("amount exact", Box::new(|i| format!("amount:{}", of(i, 2)))),
        ("amount range 1 %", Box::new(|i| format!("amount:[{0}.00 TO {1}.00]", i * 90, i * 90 + 100))),
        ("amount > half", Box::new(|i| format!("amount:>{}", 4000 + i))),
        ("date one day", Box::new(|i| format!("date:{}", crate::index::value::Day(18_020 + (i * 19) as i32)))),
        ("date one year", Box::new(|i| format!("date:{}", 2020 + i % 5))),
        ("due range", Box::new(|i| format!("due:[2020-0{}-01 TO 2021-12-31]", 1 + i % 9))),
        ("name word", Box::new(|i| format!("name:{}", WORDS[(i % 40) as usize]))),
        ("name prefix", Box::new(|i| format!("name:{}*", &WORDS[(i % 40) as usize][..2]))),
        ("account + date", Box::new(|i| format!("account:{} date:>2020", of(i, 0)))),
        ("account prefix", Box::new(|i| format!("account:{}*", &of(i, 0)[..6]))),
        ("account range", Box::new(|i| format!("account:>{}", of(i, 0)))),
        ("word", Box::new(|i| WORDS[(i % 40) as usize].to_owned())),
        ("two words", Box::new(|i| format!("{} {}", WORDS[(i % 40) as usize], WORDS[(i / 3 % 40) as usize]))),
        ("phrase", Box::new(|i| format!("\"{} {}\"", WORDS[(i % 40) as usize], WORDS[(i / 3 % 40) as usize]))),
        ("everything", Box::new(|_| String::new())),
    ];
    for (label, make) in &makes {
        for (who, accounts, sort) in [
            ("agent", None, Sort::DateDescending),
            ("agent, best", None, Sort::Relevance),
            ("customer", Some(3), Sort::DateDescending),
        ] {
            measure(&search, &catalogue, label, who, sort, &|i| {
                let accounts = accounts.map(|n: u64| (0..n).map(|k| account(random(i + k))).collect::<Vec<_>>());
                (make(i), accounts)
            });
        }
    }
    let begun = Instant::now();
    let facets = search.facets(&catalogue, &Query::all(), &everybody()).expect("counts");
    println!("facets of {} documents: {:.1?}", facets.total, begun.elapsed());
    let begun = Instant::now();
    let mut count = 0_u64;
    let mut each = |_: Hit| {
        count += 1;
        ControlFlow::Continue(())
    };
    search
        .for_each_of(&catalogue, &Query::all(), &everybody(), Sort::DateAscending, HITS_AT_ONCE, &mut each)
        .expect("streams");
    println!("streamed {count} hits: {:.1?}, peak {} MB", begun.elapsed(), peak_mb());
}

fn by_extension(dir: &Dir) {
    let mut sizes = std::collections::BTreeMap::<String, u64>::new();
    for entry in std::fs::read_dir(&dir.0).into_iter().flatten().flatten() {
        for file in std::fs::read_dir(entry.path()).into_iter().flatten().flatten() {
            let extension = file.path().extension().map_or(String::new(), |e| e.to_string_lossy().into_owned());
            *sizes.entry(extension).or_default() += file.metadata().map_or(0, |data| data.len());
        }
    }
    println!("{sizes:?}");
}

fn measure(
    search: &Search,
    catalogue: &Made,
    label: &str,
    who: &str,
    sort: Sort,
    ask: &dyn Fn(u64) -> (String, Option<Vec<String>>),
) {
    let mut times = Vec::new();
    let mut hits = 0;
    for i in 0..100 {
        let (text, accounts) = ask(i);
        let begun = Instant::now();
        let query = Query::parse(&text).expect("good");
        let window = Window { sort, ..Window::default() };
        hits += search
            .hits(catalogue, &query, &accounts.as_deref().map_or_else(everybody, of), &window)
            .expect("finds")
            .total;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    println!("{label:18} {who:12} p50 {:>9.2?}  p99 {:>9.2?}  {} hits each", times[50], times[98], hits / 100);
}
