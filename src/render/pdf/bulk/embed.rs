//! Writes the fonts of a bulk file: subset program, widths, and the two CMaps (codes to glyphs, codes to Unicode).

use std::fmt::Write;

use skrifa::raw::TableProvider;
use subsetter::GlyphRemapper;

use super::codes::{Coded, Subset};
use crate::render::RenderError;
use crate::render::font::FontFace;
use crate::render::pdf::file::{Id, PdfFile};
use crate::render::pdf::meta;

/// A CMap section holds at most this many entries.
const CMAP_SECTION: usize = 100;

/// Writes one font under `id`.
pub fn write(
    file: &mut PdfFile<'_>,
    id: Id,
    subset: &Subset,
    face: &FontFace,
    number: usize,
) -> Result<(), RenderError> {
    let mut remapper = GlyphRemapper::new();
    let cids: Vec<(Coded, u16)> = subset.coded.iter().map(|coded| (*coded, remapper.remap(coded.glyph))).collect();
    let (data, index) = face.data();
    let program = subsetter::subset(data, index, &remapper)
        .map_err(|error| RenderError::Resource(format!("font {} cannot be embedded: {error}", face.name())))?;
    let name = format!("{}+{}", tag(number), face.name());
    let [descendant, descriptor, font_file, encoding, to_unicode] = std::array::from_fn(|_| file.reserve());

    let cff = skrifa::FontRef::new(&program)
        .ok()
        .and_then(|font| font.cff().ok().map(|cff| cff.offset_data().as_bytes().to_vec()));
    let identity = subset.two_byte && cids.iter().all(|(coded, cid)| coded.code == *cid);
    let encoding_name = if identity { "/Identity-H".to_owned() } else { encoding.to_string() };
    let kind = if cff.is_some() { "/CIDFontType0" } else { "/CIDFontType2/CIDToGIDMap/Identity" };
    let file_key = if cff.is_some() { "FontFile3" } else { "FontFile2" };

    let type0 = format!(
        "<</Type/Font/Subtype/Type0/BaseFont/{name}/Encoding {encoding_name}/DescendantFonts[{descendant}]/ToUnicode {to_unicode}>>"
    );
    file.small(id, type0.as_bytes())?;
    let widths = widths(&cids, face);
    let cid_font = format!(
        "<</Type/Font/Subtype{kind}/BaseFont/{name}/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>\
         /FontDescriptor {descriptor}/DW 0/W[{widths}]>>"
    );
    file.small(descendant, cid_font.as_bytes())?;
    file.small(descriptor, describe(&name, face, file_key, font_file).as_bytes())?;
    match cff {
        Some(cff) => file.stream(font_file, "/Subtype/CIDFontType0C", &cff)?,
        None => file.stream(font_file, &format!("/Length1 {}", program.len()), &program)?,
    }
    if !identity {
        let cmap = code_cmap(&cids, subset.two_byte);
        let dict =
            "/Type/CMap/CMapName/Greenbar-Codes/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>";
        file.stream(encoding, dict, cmap.as_bytes())?;
    }
    file.stream(to_unicode, "", unicode_cmap(&cids, subset.two_byte).as_bytes())
}

/// Six letters that differ for each subset of the file.
fn tag(number: usize) -> String {
    let mut left = number;
    let letters: String = (0..6)
        .map(|_| {
            let letter = char::from(b'A' + (left % 26) as u8);
            left /= 26;
            letter
        })
        .collect();
    letters.chars().rev().collect()
}

fn describe(name: &str, face: &FontFace, file_key: &str, font_file: Id) -> String {
    let measures = face.measures();
    let round = |value: f32| value.round() as i32;
    let [left, bottom, right, top] = measures.bounds.map(round);
    // Symbolic (4): codes mean what the CMap says; fixed pitch (1), italic (64).
    let flags = 4 + i32::from(measures.fixed_pitch) + if measures.italic_angle == 0.0 { 0 } else { 64 };
    format!(
        "<</Type/FontDescriptor/FontName/{name}/Flags {flags}/FontBBox[{left} {bottom} {right} {top}]/ItalicAngle {}\
         /Ascent {}/Descent {}/CapHeight {}/StemV 80/{file_key} {font_file}>>",
        round(measures.italic_angle),
        round(measures.ascent),
        round(measures.descent),
        round(measures.cap_height),
    )
}

/// The /W array: runs of CIDs of one width.
fn widths(cids: &[(Coded, u16)], face: &FontFace) -> String {
    let mut by_cid: Vec<(u16, f32)> =
        cids.iter().map(|(coded, cid)| (*cid, face.width(coded.glyph) * 1000.0)).collect();
    by_cid.sort_by_key(|(cid, _)| *cid);
    by_cid.dedup_by_key(|(cid, _)| *cid);
    let mut text = String::new();
    for run in by_cid.chunk_by(|a, b| a.1 == b.1) {
        if let (Some((first, width)), Some((last, _))) = (run.first(), run.last()) {
            let _ = write!(text, "{first} {last} {} ", (width * 100.0).round() / 100.0);
        }
    }
    text
}

fn code_cmap(cids: &[(Coded, u16)], two_byte: bool) -> String {
    let digits = if two_byte { 4 } else { 2 };
    let high = if two_byte { 0xFFFF } else { 0xFF };
    let mut text = String::from(
        "%!PS-Adobe-3.0 Resource-CMap\n/CIDInit/ProcSet findresource begin\n12 dict begin\nbegincmap\n\
         /CIDSystemInfo 3 dict dup begin/Registry(Adobe)def/Ordering(Identity)def/Supplement 0 def end def\n\
         /CMapName/Greenbar-Codes def\n/CMapType 1 def\n/WMode 0 def\n1 begincodespacerange\n",
    );
    let _ = write!(text, "<{:0digits$X}><{high:X}>\nendcodespacerange\n", 0);
    let runs: Vec<&[(Coded, u16)]> =
        cids.chunk_by(|a, b| a.0.code + 1 == b.0.code && a.1 + 1 == b.1 && a.0.code >> 8 == b.0.code >> 8).collect();
    for section in runs.chunks(CMAP_SECTION) {
        let _ = writeln!(text, "{} begincidrange", section.len());
        for run in section {
            if let (Some((first, cid)), Some((last, _))) = (run.first(), run.last()) {
                let _ = writeln!(text, "<{:0digits$X}><{:0digits$X}>{cid}", first.code, last.code);
            }
        }
        text.push_str("endcidrange\n");
    }
    text.push_str("endcmap\nCMapName currentdict/CMap defineresource pop\nend\nend\n");
    text
}

fn unicode_cmap(cids: &[(Coded, u16)], two_byte: bool) -> String {
    let digits = if two_byte { 4 } else { 2 };
    let high = if two_byte { 0xFFFF } else { 0xFF };
    let mut text = String::from(
        "/CIDInit/ProcSet findresource begin\n12 dict begin\nbegincmap\n\
         /CIDSystemInfo<</Registry(Adobe)/Ordering(UCS)/Supplement 0>>def\n\
         /CMapName/Adobe-Identity-UCS def\n/CMapType 2 def\n1 begincodespacerange\n",
    );
    let _ = write!(text, "<{:0digits$X}><{high:X}>\nendcodespacerange\n", 0);
    let runs: Vec<&[(Coded, u16)]> = cids.chunk_by(|(a, _), (b, _)| follows(*a, *b)).collect();
    for section in runs.chunks(CMAP_SECTION) {
        let _ = writeln!(text, "{} beginbfrange", section.len());
        for run in section {
            if let (Some((first, _)), Some((last, _))) = (run.first(), run.last()) {
                let unicode = meta::utf16_hex(&first.text.to_string());
                let _ = writeln!(text, "<{:0digits$X}><{:0digits$X}><{unicode}>", first.code, last.code);
            }
        }
        text.push_str("endbfrange\n");
    }
    text.push_str("endcmap\nCMapName currentdict/CMap defineresource pop\nend\nend\n");
    text
}

/// A bfrange may only count up the last byte of codes and of characters.
fn follows(a: Coded, b: Coded) -> bool {
    let (from, to) = (u32::from(a.text), u32::from(b.text));
    a.code + 1 == b.code && a.code >> 8 == b.code >> 8 && from + 1 == to && from >> 8 == to >> 8 && to < 0x1_0000
}
