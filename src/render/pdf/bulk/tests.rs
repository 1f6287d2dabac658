use std::cell::Cell;
use std::rc::Rc;

use super::*;
use crate::render::sample;

/// Counts what was written and keeps nothing.
struct Counter(Rc<Cell<u64>>);

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.set(self.0.get() + bytes.len() as u64);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn pages_go_out_as_they_come() {
    let written = Rc::new(Cell::new(0));
    let mut sink = Counter(Rc::clone(&written));
    let info = sample::info();
    let mut bulk = Bulk::start(&mut sink, &info).expect("start");
    let mut at_thousand = 0;
    for number in 0..10_000 {
        if number % 3 == 0 {
            bulk.begin_document(&format!("Statement {number}"), &info.paper).expect("a document");
        }
        bulk.page(&sample::statement(number)).expect("a page");
        if number == 999 {
            at_thousand = written.get();
        }
    }
    let before_end = written.get();
    bulk.finish().expect("a file");
    let all = written.get();
    assert!(at_thousand * 9 < before_end && before_end < at_thousand * 11, "{at_thousand} {before_end}");
    // The end holds the last object streams, the fonts and the cross-reference stream: no pages.
    assert!(all - before_end < 300_000, "{} bytes were held back", all - before_end);
}

#[test]
fn every_page_and_bookmark_is_found_whatever_their_number() {
    for pages in [1, 99, 100, 101, 10_001] {
        let mut bytes = Vec::new();
        let mut bulk = Bulk::start(&mut bytes, &sample::info()).expect("start");
        for number in 0..pages {
            bulk.begin_document(&format!("No. {number}"), &Paper::default()).expect("a document");
            bulk.page(&sample::page(&["x"])).expect("a page");
        }
        bulk.finish().expect("a file");
        let document = lopdf::Document::load_mem(&bytes).expect("a PDF");
        assert_eq!(document.get_pages().len(), pages);
        let outlines = document.catalog().and_then(|catalog| catalog.get(b"Outlines")).expect("bookmarks");
        let root = document.get_dictionary(outlines.as_reference().expect("a reference")).expect("their root");
        assert_eq!(root.get(b"Count").and_then(lopdf::Object::as_i64).expect("a count"), pages as i64);
        let mut next = root.get(b"First").and_then(lopdf::Object::as_reference).ok();
        let mut found = 0;
        while let Some(id) = next {
            found += 1;
            next = document.get_dictionary(id).and_then(|item| item.get(b"Next")?.as_reference()).ok();
        }
        assert_eq!(found, pages);
    }
}

#[test]
fn a_form_is_written_once_for_all_pages() {
    let mut info = sample::info();
    info.paper.form = Some("bank-statement".into());
    let size = |count: usize| {
        let mut bytes = Vec::new();
        let mut bulk = Bulk::start(&mut bytes, &info).expect("start");
        bulk.begin_document("x", &info.paper).expect("a document");
        (0..count).for_each(|_| bulk.page(&sample::page(&["x"])).expect("a page"));
        bulk.finish().expect("a file");
        bytes.len()
    };
    assert!(size(50) < size(1) + 50 * 250);
}

#[test]
fn text_at_quarter_turns_keeps_its_direction() {
    let mut content = Content::default();
    content.reset();
    let style = TextStyle { subset: 0, size: 1000, stretch: 1000, spacing: 0, color: crate::page::Color::BLACK };
    content.show_turned((1000, 2000), 1, style, b"x");
    let text = String::from_utf8_lossy(content.finish()).into_owned();
    assert!(text.contains("0 -1 1 0 1 2 Tm(x)Tj"), "{text}");
}
