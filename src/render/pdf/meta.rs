//! What PDF/A wants to know of a document: XMP metadata, dates, text strings, an sRGB profile.

use std::fmt::Write;

use crate::index::value::Day;
use crate::render::DocumentInfo;

/// The producer that PDFs name.
pub const PRODUCER: &str = concat!("greenbar ", env!("CARGO_PKG_VERSION"));

/// A UTF-16BE string in hexadecimal digits, without byte order mark.
pub fn utf16_hex(text: &str) -> String {
    let mut hex = String::with_capacity(text.len() * 4);
    for unit in text.encode_utf16() {
        let _ = write!(hex, "{unit:04X}");
    }
    hex
}

/// A PDF text string: literal when printable ASCII, UTF-16 otherwise.
pub fn text_string(text: &str) -> String {
    let text = printable(text, 500);
    if text.is_ascii() {
        let escaped = text.replace('\\', "\\\\").replace('(', "\\(").replace(')', "\\)");
        return format!("({escaped})");
    }
    format!("<FEFF{}>", utf16_hex(&text))
}

/// Text without control characters, cut after `limit` characters.
pub fn printable(text: &str, limit: usize) -> String {
    text.chars().filter(|c| crate::render::font::is_text(*c)).take(limit).collect()
}

/// The document's title; never empty, because PDF/UA wants one.
pub fn title(info: &DocumentInfo) -> String {
    [&info.title, &info.id]
        .into_iter()
        .map(|text| printable(text, 500))
        .find(|text| !text.trim().is_empty())
        .unwrap_or_else(|| "Document".into())
}

/// The document's language; `en` when none is known.
pub fn language(info: &DocumentInfo) -> String {
    let valid = |language: &&str| {
        !language.is_empty() && language.len() <= 35 && language.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    Some(info.language.as_str()).filter(valid).unwrap_or("en").to_owned()
}

/// Year, month and day of the document's date; 1970-01-01 when it has none.
pub fn date(info: &DocumentInfo) -> (i16, i8, i8) {
    Day(info.date.unwrap_or(0)).ymd()
}

/// The information dictionary, saying the same as [`xmp`].
pub fn info_dictionary(info: &DocumentInfo) -> String {
    let (year, month, day) = date(info);
    let author = printable(&info.author, 500);
    let author = if author.is_empty() { String::new() } else { format!("/Author{}", text_string(&author)) };
    format!(
        "<</Title{}{author}/Creator(greenbar)/Producer({PRODUCER})/CreationDate(D:{year:04}{month:02}{day:02}000000Z)\
         /ModDate(D:{year:04}{month:02}{day:02}000000Z)>>",
        text_string(&title(info)),
        year = year.max(0),
    )
}

/// The XMP packet of a PDF/A-2b file.
pub fn xmp(info: &DocumentInfo) -> String {
    let (year, month, day) = date(info);
    let date = format!("{:04}-{month:02}-{day:02}T00:00:00Z", year.max(0));
    let author = printable(&info.author, 500);
    let creator = if author.is_empty() {
        String::new()
    } else {
        format!("<dc:creator><rdf:Seq><rdf:li>{}</rdf:li></rdf:Seq></dc:creator>\n", xml(&author))
    };
    format!(
        "<?xpacket begin=\"\u{FEFF}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\
         <rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\n<rdf:Description rdf:about=\"\" \
         xmlns:dc=\"http://purl.org/dc/elements/1.1/\" xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\" \
         xmlns:pdf=\"http://ns.adobe.com/pdf/1.3/\" xmlns:pdfaid=\"http://www.aiim.org/pdfa/ns/id/\">\n\
         <pdfaid:part>2</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance>\n\
         <dc:format>application/pdf</dc:format>\n\
         <dc:title><rdf:Alt><rdf:li xml:lang=\"x-default\">{title}</rdf:li></rdf:Alt></dc:title>\n{creator}\
         <dc:language><rdf:Bag><rdf:li>{language}</rdf:li></rdf:Bag></dc:language>\n\
         <xmp:CreatorTool>greenbar</xmp:CreatorTool><pdf:Producer>{PRODUCER}</pdf:Producer>\n\
         <xmp:CreateDate>{date}</xmp:CreateDate><xmp:ModifyDate>{date}</xmp:ModifyDate>\n\
         </rdf:Description></rdf:RDF></x:xmpmeta>\n<?xpacket end=\"r\"?>",
        title = xml(&title(info)),
        language = language(info),
    )
}

fn xml(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A minimal sRGB display profile (ICC.1:2010, version 4): three colorants, one parametric curve.
pub fn srgb_profile() -> Vec<u8> {
    // s15Fixed16 numbers of the sRGB primaries adapted to D50, the D50 white and the adaptation matrix.
    let xyz = |values: [i32; 3]| {
        let mut tag = b"XYZ \0\0\0\0".to_vec();
        values.iter().for_each(|value| tag.extend_from_slice(&value.to_be_bytes()));
        tag
    };
    let mut chad = b"sf32\0\0\0\0".to_vec();
    for value in [68_674, 1_502, -3_290, 1_939, 64_912, -1_118, -605, 988, 49_262_i32] {
        chad.extend_from_slice(&value.to_be_bytes());
    }
    // Curve type 3: y = ((x + 0.055) / 1.055) ^ 2.4 above 0.04045, x / 12.92 below.
    let mut curve = b"para\0\0\0\0\0\x03\0\0".to_vec();
    for value in [157_286, 62_119, 3_417, 5_072, 2_651_i32] {
        curve.extend_from_slice(&value.to_be_bytes());
    }
    let tags: [(&[u8; 4], Vec<u8>); 9] = [
        (b"desc", multi_text("sRGB")),
        (b"cprt", multi_text("No copyright")),
        (b"wtpt", xyz([63_190, 65_536, 54_061])),
        (b"chad", chad),
        (b"rXYZ", xyz([28_578, 14_581, 912])),
        (b"gXYZ", xyz([25_240, 46_981, 6_362])),
        (b"bXYZ", xyz([9_372, 3_974, 46_787])),
        (b"rTRC", curve.clone()),
        (b"gTRC", curve),
    ];
    assemble(&tags)
}

fn multi_text(text: &str) -> Vec<u8> {
    let mut tag = b"mluc\0\0\0\0\0\0\0\x01\0\0\0\x0CenUS".to_vec();
    let length = u32::try_from(text.len() * 2).unwrap_or(0);
    tag.extend_from_slice(&length.to_be_bytes());
    tag.extend_from_slice(&28_u32.to_be_bytes());
    text.encode_utf16().for_each(|unit| tag.extend_from_slice(&unit.to_be_bytes()));
    tag
}

fn assemble(tags: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
    let word = |value: usize| u32::try_from(value).unwrap_or(0).to_be_bytes();
    // bTRC shares the data of gTRC: one directory entry more than there are tags.
    let count = tags.len() + 1;
    let (mut directory, mut data) = (word(count).to_vec(), Vec::new());
    let start = 128 + 4 + count * 12;
    for (name, tag) in tags {
        let entries: &[&[u8; 4]] = if *name == b"gTRC" { &[name, b"bTRC"] } else { &[name] };
        for entry in entries {
            directory.extend_from_slice(*entry);
            directory.extend_from_slice(&word(start + data.len()));
            directory.extend_from_slice(&word(tag.len()));
        }
        data.extend_from_slice(tag);
        data.resize(data.len().next_multiple_of(4), 0);
    }
    let mut profile = vec![0_u8; 128];
    profile[0..4].copy_from_slice(&word(start + data.len()));
    profile[8..12].copy_from_slice(&[4, 0x20, 0, 0]);
    profile[12..24].copy_from_slice(b"mntrRGB XYZ ");
    profile[24..36].copy_from_slice(&[7, 0xDA, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0]);
    profile[36..40].copy_from_slice(b"acsp");
    for (at, value) in [(68, 63_190_u32), (72, 65_536), (76, 54_061)] {
        profile[at..at + 4].copy_from_slice(&value.to_be_bytes());
    }
    profile.extend_from_slice(&directory);
    profile.extend_from_slice(&data);
    profile
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_survive_brackets_and_chinese() {
        assert_eq!(text_string("a(b)\\c\n"), "(a\\(b\\)\\\\c)");
        assert_eq!(text_string("\u{8D26}"), "<FEFF8D26>");
    }

    #[test]
    fn the_profile_states_its_own_size_and_tags_lie_inside() {
        let profile = srgb_profile();
        let word = |at: usize| u32::from_be_bytes(profile[at..at + 4].try_into().expect("four bytes")) as usize;
        assert_eq!(word(0), profile.len());
        for entry in 0..word(128) {
            let at = 132 + entry * 12;
            assert!(word(at + 4) + word(at + 8) <= profile.len());
        }
    }

    #[test]
    fn markup_in_a_title_stays_text() {
        let info = DocumentInfo { title: "<b>&\u{0}".into(), ..DocumentInfo::default() };
        assert!(xmp(&info).contains("&lt;b&gt;&amp;</rdf:li>"));
        assert_eq!(title(&DocumentInfo::default()), "Document");
    }
}
