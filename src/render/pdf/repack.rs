//! Packs the small objects of a finished PDF file into object streams, and puts pictures in the place of their placeholders.
//!
//! krilla writes every object for itself with a classic cross-reference table; in a tagged file, where each printed
//! line has a structure element, that is a third of the bytes. Object numbers stay, so do all streams.

//! krilla knows neither fax nor JBIG2 coding, and would code JPEG anew. So the tagged writer draws each picture as a form
//! whose only path leads through a point ([`PLACEHOLDER`], number of the picture).

use std::io::{Read, Write};

use super::file::{Id, PdfFile};
use super::picture::Packed;
use crate::render::RenderError;

/// The first coordinate of the point in a placeholder's path; off any paper.
pub const PLACEHOLDER: u32 = 31_415;
/// Placeholders are no longer than this, packed or not.
const PLACEHOLDER_BYTES: usize = 1_000;

/// Writes `pdf` packed, with its pictures; as it is when it does not look the way krilla writes.
pub fn repack(pdf: &[u8], images: &[Packed], out: &mut dyn Write) -> Result<(), RenderError> {
    let Some(parts) = Parts::read(pdf) else {
        if !images.is_empty() {
            return Err(RenderError::Resource("the pictures of the document cannot be put into its PDF".into()));
        }
        out.write_all(pdf)?;
        return Ok(out.flush()?);
    };
    let mut file = PdfFile::start(out)?;
    let ids: Vec<Id> = (0..parts.objects.len()).map(|_| file.reserve()).collect();
    for (id, body) in ids.into_iter().zip(&parts.objects) {
        match body {
            Some(body) if body.ends_with(b"endstream") => {
                if let Some(image) = placeholder(body).and_then(|number| images.get(number)) {
                    image.write(&mut file, id)?;
                } else if let Some(xmp) = plain_metadata(body) {
                    file.stream(id, "/Type/Metadata/Subtype/XML", xmp)?;
                } else {
                    file.verbatim(id, body)?;
                }
            }
            Some(body) => file.small(id, body)?,
            None => {}
        }
    }
    file.finish(parts.catalog, parts.info)
}

/// The XMP packet of an uncompressed metadata stream: five kilobytes that PDF/A-2 lets us compress.
fn plain_metadata(body: &[u8]) -> Option<&[u8]> {
    let start = find(body, b"\nstream\n")?;
    let dictionary = body.get(..start)?;
    let metadata = find(dictionary, b"/Metadata").is_some() && find(dictionary, b"/Filter").is_none();
    let data = body.get(start + b"\nstream\n".len()..)?.strip_suffix(b"\nendstream")?;
    metadata.then_some(data)
}

/// The number of the picture that an object stands for.
fn placeholder(body: &[u8]) -> Option<usize> {
    if body.len() > PLACEHOLDER_BYTES {
        return None;
    }
    let start = find(body, b"\nstream\n")?;
    find(body.get(..start)?, b"/Form")?;
    let data = body.get(start + b"\nstream\n".len()..)?.strip_suffix(b"\nendstream")?;
    let mut content = Vec::new();
    flate2::read::ZlibDecoder::new(data).take(PLACEHOLDER_BYTES as u64).read_to_end(&mut content).ok()?;
    let mut words = content.split(u8::is_ascii_whitespace).filter_map(|word| std::str::from_utf8(word).ok());
    words.find(|word| word.parse() == Ok(PLACEHOLDER))?;
    words.next()?.parse().ok()
}

/// A file taken apart.
struct Parts<'p> {
    /// By number from 1; `None` where the number is free.
    objects: Vec<Option<&'p [u8]>>,
    catalog: Id,
    info: Id,
}

impl<'p> Parts<'p> {
    fn read(pdf: &'p [u8]) -> Option<Parts<'p>> {
        let tail = pdf.get(pdf.len().saturating_sub(64)..)?;
        let start = number_after(tail, b"startxref\n")?;
        let table = pdf.get(usize::try_from(start).ok()?..)?.strip_prefix(b"xref\n0 ")?;
        let count = usize::try_from(number_after(table, b"")?).ok()?;
        let rows = table.get(table.iter().position(|byte| *byte == b'\n')? + 1..)?;
        let trailer = rows.get(count.checked_mul(20)?..)?;
        let catalog = Id(u32::try_from(number_after(trailer, b"/Root ")?).ok()?);
        let info = Id(u32::try_from(number_after(trailer, b"/Info ")?).ok()?);
        let mut objects = Vec::with_capacity(count);
        for (number, row) in rows.chunks_exact(20).take(count).enumerate().skip(1) {
            let used = row.get(17) == Some(&b'n');
            objects.push(if used { Some(object(pdf, number, row)?) } else { None });
        }
        Some(Parts { objects, catalog, info })
    }
}

/// What stands between `obj` and `endobj`. The end is the first `endobj` on a line of its own after the stream's
/// declared length, or after the start when there is no stream.
fn object<'p>(pdf: &'p [u8], number: usize, row: &[u8]) -> Option<&'p [u8]> {
    let offset = usize::try_from(number_after(row, b"")?).ok()?;
    let body = pdf.get(offset..)?.strip_prefix(format!("{number} 0 obj\n").as_bytes())?;
    let (end, stream) = (find(body, b"\nendobj")?, find(body, b"\nstream\n"));
    match stream.filter(|stream| *stream < end) {
        None => body.get(..end),
        Some(stream) => {
            let length = usize::try_from(number_after(body.get(..stream)?, b"/Length ")?).ok()?;
            let data_end = (stream + b"\nstream\n".len()).checked_add(length)?;
            let after = body.get(data_end..)?;
            after.starts_with(b"\nendstream\nendobj").then(|| body.get(..data_end + b"\nendstream".len()))?
        }
    }
}

fn number_after(bytes: &[u8], key: &[u8]) -> Option<u64> {
    let at = if key.is_empty() { 0 } else { find(bytes, key)? + key.len() };
    let digits: Vec<u8> = bytes.get(at..)?.iter().copied().take_while(u8::is_ascii_digit).collect();
    std::str::from_utf8(&digits).ok()?.parse().ok()
}

fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    memchr::memmem::find(bytes, needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_krilla_file_passes_unchanged() {
        for bytes in [&b"%PDF-1.4\nstartxref\n999\n%%EOF"[..], b"", b"xref\n0 9999999999999\nstartxref\n0\n"] {
            let mut out = Vec::new();
            repack(bytes, &[], &mut out).expect("written");
            assert_eq!(out, bytes);
        }
    }

    #[test]
    fn a_stream_that_holds_the_word_endobj_stays_whole() {
        let body = b"1 0 obj\n<<\n  /Length 12\n>>\nstream\nab\nendobj\ncd\nendstream\nendobj\n";
        let found = object(body, 1, b"0000000000 00000 n\r\n").expect("an object");
        assert!(found.ends_with(b"cd\nendstream"));
    }
}
