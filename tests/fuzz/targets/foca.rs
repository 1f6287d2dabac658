//! Fonts: the fields of a character set and of a code page, or the file of a data-object font, whose tables shape the text.
#![no_main]

use std::sync::Arc;

use greenbar_fuzz::decode::afp::font::{ActiveFont, FontRequest};
use greenbar_fuzz::{Resources, fields, parts};

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let Some((&kind, input)) = input.split_first() else { return };
    let [text, set, rest] = parts(input);
    let mut source = Resources::default();
    let mut request = FontRequest { rotation: u16::from(kind >> 2 & 3) * 90, ..FontRequest::default() };
    match kind % 3 {
        0 => {
            source.character_set = Some(Arc::new(fields(set)));
            source.code_page = Some(Arc::new(fields(rest)));
            (request.character_set, request.code_page) = (Some("C0H200A0".into()), Some("T1V10500".into()));
        }
        1 => {
            source.coded_font = Some(Arc::new(fields(set)));
            source.character_set = Some(Arc::new(fields(rest)));
            request.coded_font = Some("X0H200A0".into());
        }
        _ => {
            source.file = Some(Arc::new(rest.to_vec()));
            request.data_object = Some("Font".into());
            request.data_descriptor = Some((200, 0));
            request.encoding = Some(0x7200);
        }
    }
    let font = ActiveFont::open(&request, &source, &mut |_, _| {});
    let (mut rest, mut word) = (text, Vec::new());
    while let Some((taken, glyph)) = font.next(rest) {
        assert!((1..=rest.len()).contains(&taken), "{taken} of {} bytes", rest.len());
        let _ = font.part(glyph.part).program.map(|program| program.bytes().len());
        rest = &rest[taken..];
        word.push(glyph.ch);
    }
    word.truncate(64);
    if let Some((_, shaper)) = font.shaper() {
        let shaped = shaper.shape(&word, kind & 0x10 != 0).unwrap_or_default();
        assert!(shaped.iter().all(|glyph| glyph.cluster < word.len() && glyph.advance.is_finite()));
    }
    let _ = (font.space(), font.size());
});
