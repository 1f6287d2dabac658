//! The decoders as greenbar compiles them, and what the fuzz targets share.
//!
//! The sources are those of greenbar, taken in by path, so that its storage engine need not be built instrumented.
#![allow(dead_code, missing_docs)]

#[path = "../../../src/archive/columns/mod.rs"]
mod columns;
#[path = "../../../src/decode/mod.rs"]
pub mod decode;
#[path = "../../../src/fontfile.rs"]
pub mod fontfile;
#[path = "../../../src/frame/mod.rs"]
pub mod frame;
#[path = "../../../src/note.rs"]
pub mod note;
#[path = "../../../src/page/mod.rs"]
pub mod page;
mod parts;

// Counting the pages of a PDF is nothing to fuzz here; this stands for the crate that does it.
extern crate self as lopdf;

use std::collections::BTreeMap;
use std::sync::Arc;

use decode::afp::field::{Field, FieldId, Fields};
use decode::afp::font::{ActiveFont, FontRequest, FontSource};
use decode::afp::object::{ObjectArea, ObjectFonts};
use page::{Advances, Element, Lu};
pub use parts::{joined, parts};

/// The block that a columnar form stands for.
pub fn decoded(form: &[u8], length: usize, block: &mut Vec<u8>) -> Result<(), &'static str> {
    columns::decode_into(form, length, block)
}

/// The columnar forms of blocks, each like the first.
pub fn encoded(blocks: &[&[u8]]) -> Vec<Option<Vec<u8>>> {
    let Some((mut encoder, first)) = blocks.first().and_then(|first| columns::Encoder::learn(first)) else {
        return vec![None; blocks.len()];
    };
    let mut forms = vec![Some(first)];
    for block in blocks.iter().skip(1) {
        let mut form = Vec::new();
        forms.push(encoder.encode(block, &mut form).map(|()| form));
    }
    forms
}

/// A PDF without pages.
pub struct Document;

impl Document {
    pub fn load_from<R>(_: R) -> std::io::Result<Document> {
        Ok(Document)
    }

    pub fn get_pages(&self) -> BTreeMap<u32, (u32, u16)> {
        BTreeMap::new()
    }
}

/// Structured fields in a fuzz input: id in three bytes, length in two, data.
pub fn fields(mut input: &[u8]) -> Fields {
    let mut fields = Fields::default();
    while let Some(([class, kind, category, high, low], rest)) = input.split_first_chunk() {
        let length = usize::from(u16::from_be_bytes([*high, *low])).min(rest.len());
        let (data, rest) = rest.split_at(length);
        fields.push(Field { id: FieldId([*class, *kind, *category]), data, offset: 0 });
        input = rest;
    }
    fields
}

/// A source of fonts: whatever the name is, the one resource of a kind.
#[derive(Default)]
pub struct Resources {
    pub character_set: Option<Arc<Fields>>,
    pub code_page: Option<Arc<Fields>>,
    pub coded_font: Option<Arc<Fields>>,
    pub file: Option<Arc<Vec<u8>>>,
}

impl FontSource for Resources {
    fn font_resource(&self, kind: u8, _: &str) -> Option<Arc<Fields>> {
        match kind {
            0x40 => self.character_set.clone(),
            0x41 => self.code_page.clone(),
            0x42 => self.coded_font.clone(),
            _ => None,
        }
    }

    fn font_file(&self, _: &str) -> Option<Arc<Vec<u8>>> {
        self.file.clone()
    }
}

/// A font with tables that shape text.
const SHAPING: &[u8] = include_bytes!("../../../src/decode/afp/font/tests/devanagari.ttf");

/// Local ids 1 to 3: a substitute by name, of one byte and of two; 4: a font of the stream whose tables shape text in
/// UTF-16; others are not mapped.
pub struct Fonts([Arc<ActiveFont>; 4]);

impl Fonts {
    pub fn new() -> Fonts {
        let sets = [("C0H200A0", "T1V10500"), ("C0420080", "T1000850"), ("CZN40F", "T1000836")];
        let [first, second, third] = sets.map(|(set, page)| {
            let request = FontRequest {
                character_set: Some(set.into()),
                code_page: Some(page.into()),
                ..FontRequest::default()
            };
            Arc::new(ActiveFont::open(&request, &Resources::default(), &mut |_, _| {}))
        });
        let source = Resources { file: Some(Arc::new(SHAPING.to_vec())), ..Resources::default() };
        let request = FontRequest { data_object: Some("Font".into()), ..FontRequest::default() };
        Fonts([first, second, third, Arc::new(ActiveFont::open(&request, &source, &mut |_, _| {}))])
    }

    pub fn first(&self) -> Arc<ActiveFont> {
        self.0[0].clone()
    }
}

impl Default for Fonts {
    fn default() -> Fonts {
        Fonts::new()
    }
}

impl ObjectFonts for Fonts {
    fn font(&self, lid: u8) -> Option<Arc<ActiveFont>> {
        self.0.get(usize::from(lid).checked_sub(1)?).cloned()
    }
}

/// An object's area, all of it from a few bytes of the input.
pub fn area(bytes: &[u8]) -> ObjectArea {
    let at = |at: usize| bytes.get(at).copied().unwrap_or(0);
    let length = |high: usize| Some(Lu(i32::from(at(high)) * 1000)).filter(|length| length.0 > 0);
    ObjectArea {
        x: Lu(i32::from(at(0)) * 100),
        y: Lu(i32::from(at(1)) * 100),
        turns: at(2) % 4,
        width: length(3),
        height: length(4),
        mapping: Some(at(5)).filter(|mapping| *mapping != 0xFF),
        content_x: Lu(0),
        content_y: Lu(0),
        color: None,
    }
}

/// What holds for all elements, whatever they were made from.
pub fn check(elements: &[Element], limit: usize) {
    assert!(elements.len() <= limit, "{} elements", elements.len());
    for element in elements {
        if let Element::Text(run) = element {
            assert!(!run.text.is_empty(), "an empty run");
            let letters = run.text.chars().count();
            if let Advances::Each(all) = &run.advances {
                assert_eq!(all.len(), letters, "advances");
            }
            if let Some(embedded) = &run.embedded {
                assert!(embedded.glyphs.is_empty() || embedded.glyphs.len() == letters, "glyphs");
            }
        }
    }
}
