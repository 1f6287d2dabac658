//! Writes a ZIP archive of stored entries to a stream: what is put in is compressed already.
//!
//! Each entry's length and checksum are known before it is written, so that no reader needs data descriptors; names are
//! UTF-8. Archives beyond 4 GiB or 65,535 entries have the ZIP64 records. Rule: PKWARE APPNOTE 6.3.10, sections 4.3
//! (structures), 4.4.4 (flag bit 11), 4.5.3 (ZIP64).

use std::io::{self, Read, Write};

use crate::index::value::Day;

const LOCAL: u32 = 0x0403_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
const END64: u32 = 0x0606_4b50;
const LOCATOR64: u32 = 0x0706_4b50;
/// Names are UTF-8.
const UTF8: u16 = 1 << 11;
/// What stands where a number is in a ZIP64 record.
const ELSEWHERE: u32 = u32::MAX;
/// Bytes copied at a time.
const CHUNK: usize = 64 << 10;

/// An archive that is being written.
pub struct Zip<W: Write> {
    out: W,
    at: u64,
    entries: Vec<Entry>,
}

struct Entry {
    name: String,
    crc: u32,
    len: u32,
    date: u16,
    at: u64,
}

impl<W: Write> Zip<W> {
    /// An empty archive.
    pub fn new(out: W) -> Zip<W> {
        Zip { out, at: 0, entries: Vec::new() }
    }

    /// Adds an entry. `open` is called twice and must give the same bytes: once for the checksum, once to be copied.
    /// Fails with `InvalidInput` for 4 GiB and more, and for names that are too long.
    pub fn add<R: Read>(&mut self, name: &str, day: Option<Day>, open: impl Fn() -> io::Result<R>) -> io::Result<()> {
        let (crc, len) = sum(open()?)?;
        let bad = |what: &'static str| io::Error::new(io::ErrorKind::InvalidInput, what);
        let len =
            u32::try_from(len).ok().filter(|len| *len != ELSEWHERE).ok_or_else(|| bad("an entry is too large"))?;
        let name_len = u16::try_from(name.len()).map_err(|_| bad("a name is too long"))?;
        let entry = Entry { name: name.to_string(), crc, len, date: dos_date(day), at: self.at };
        let mut head = Vec::with_capacity(30 + name.len());
        head.extend(LOCAL.to_le_bytes());
        head.extend(entry.common());
        head.extend(name_len.to_le_bytes());
        head.extend(0_u16.to_le_bytes());
        head.extend(name.as_bytes());
        self.put(&head)?;
        let mut from = open()?;
        let mut chunk = vec![0; CHUNK];
        let mut left = u64::from(len);
        while left > 0 {
            let count = from.read(&mut chunk)?;
            let bytes = chunk.get(..count).unwrap_or_default();
            if bytes.is_empty() || count as u64 > left {
                return Err(bad("an entry changed while it was written"));
            }
            self.put(bytes)?;
            left -= count as u64;
        }
        self.entries.push(entry);
        Ok(())
    }

    /// Writes the directory and gives the output back.
    pub fn finish(mut self) -> io::Result<W> {
        let start = self.at;
        let count = self.entries.len() as u64;
        for entry in std::mem::take(&mut self.entries) {
            self.put(&entry.central())?;
        }
        let (len, end) = (self.at - start, self.at);
        if count > 0xfffe || start >= u64::from(ELSEWHERE) || len >= u64::from(ELSEWHERE) {
            self.put(&end64(count, len, start))?;
            self.put(&locator64(end))?;
        }
        self.put(&end_record(count, len, start))?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)?;
        self.at += bytes.len() as u64;
        Ok(())
    }
}

impl Entry {
    /// What the local and the central header have in common, from the version to the lengths of the content.
    fn common(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(22);
        // Version 2.0 needed, UTF-8 names, stored, midnight.
        for number in [20, UTF8, 0, 0, self.date] {
            out.extend(number.to_le_bytes());
        }
        for number in [self.crc, self.len, self.len] {
            out.extend(number.to_le_bytes());
        }
        out
    }

    fn central(&self) -> Vec<u8> {
        let near = u32::try_from(self.at).ok().filter(|at| *at != ELSEWHERE);
        let mut out = Vec::with_capacity(58 + self.name.len());
        out.extend(CENTRAL.to_le_bytes());
        // Made by version 4.5 on Unix, so that the attributes below are a file's mode.
        out.extend((45_u16 | 3 << 8).to_le_bytes());
        out.extend(self.common());
        out.extend(u16::try_from(self.name.len()).unwrap_or(u16::MAX).to_le_bytes());
        out.extend(if near.is_some() { 0_u16 } else { 12 }.to_le_bytes());
        // No comment, first disk, no internal attributes; a plain file, 0644.
        out.extend([0; 6]);
        out.extend((0o100_644_u32 << 16).to_le_bytes());
        out.extend(near.unwrap_or(ELSEWHERE).to_le_bytes());
        out.extend(self.name.as_bytes());
        if near.is_none() {
            out.extend(1_u16.to_le_bytes());
            out.extend(8_u16.to_le_bytes());
            out.extend(self.at.to_le_bytes());
        }
        out
    }
}

fn end64(count: u64, len: u64, start: u64) -> Vec<u8> {
    let mut out = END64.to_le_bytes().to_vec();
    out.extend(44_u64.to_le_bytes());
    out.extend([45, 3, 45, 0]);
    out.extend([0; 8]);
    for number in [count, count, len, start] {
        out.extend(number.to_le_bytes());
    }
    out
}

fn locator64(end: u64) -> Vec<u8> {
    let mut out = LOCATOR64.to_le_bytes().to_vec();
    out.extend([0; 4]);
    out.extend(end.to_le_bytes());
    out.extend(1_u32.to_le_bytes());
    out
}

fn end_record(count: u64, len: u64, start: u64) -> Vec<u8> {
    let small = |number: u64| u32::try_from(number).unwrap_or(ELSEWHERE).to_le_bytes();
    let mut out = END.to_le_bytes().to_vec();
    out.extend([0; 4]);
    for _ in 0..2 {
        out.extend(u16::try_from(count).unwrap_or(u16::MAX).to_le_bytes());
    }
    out.extend(small(len));
    out.extend(small(start));
    out.extend([0; 2]);
    out
}

/// A day as MS-DOS has it; 1980 is its first year and 2107 its last.
fn dos_date(day: Option<Day>) -> u16 {
    let (year, month, date) = day.map_or((1980, 1, 1), Day::ymd);
    let year = u16::try_from(year.clamp(1980, 2107) - 1980).unwrap_or_default();
    let part = |number: i8| u16::try_from(number).unwrap_or(1);
    year << 9 | part(month) << 5 | part(date)
}

/// Checksum and length.
fn sum(mut from: impl Read) -> io::Result<(u32, u64)> {
    let mut hasher = crc32fast::Hasher::new();
    let (mut len, mut chunk) = (0, vec![0; CHUNK]);
    loop {
        match from.read(&mut chunk)? {
            0 => return Ok((hasher.finalize(), len)),
            count => {
                hasher.update(chunk.get(..count).unwrap_or_default());
                len += count as u64;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(bytes: &[u8], at: usize, count: usize) -> u64 {
        bytes[at..at + count].iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
    }

    #[test]
    fn entries_are_found_through_the_directory_and_are_whole() {
        let mut zip = Zip::new(Vec::new());
        let texts: [(&str, &[u8]); 3] = [("账单.pdf", b"123456789"), ("b/empty.txt", b""), ("c.bin", &[7; 200_000])];
        for (name, text) in texts {
            zip.add(name, Day::from_ymd(2024, 3, 9), || Ok(text)).expect("added");
        }
        let bytes = zip.finish().expect("finished");
        let end = bytes.len() - 22;
        assert_eq!((number(&bytes, end, 4), number(&bytes, end + 10, 2)), (u64::from(END), 3));
        let mut at = number(&bytes, end + 16, 4) as usize;
        for (name, text) in texts {
            assert_eq!(number(&bytes, at, 4), u64::from(CENTRAL));
            let (len, name_len) = (number(&bytes, at + 20, 4) as usize, number(&bytes, at + 28, 2) as usize);
            assert_eq!(&bytes[at + 46..at + 46 + name_len], name.as_bytes());
            let local = number(&bytes, at + 42, 4) as usize;
            assert_eq!(number(&bytes, local, 4), u64::from(LOCAL));
            let start = local + 30 + name_len;
            assert_eq!((&bytes[start..start + len], len), (text, text.len()));
            if text == b"123456789" {
                assert_eq!(number(&bytes, at + 16, 4), 0xcbf4_3926, "the check value of CRC-32");
            }
            at += 46 + name_len + number(&bytes, at + 30, 2) as usize;
        }
        assert_eq!(at, end);
    }

    #[test]
    fn what_lies_far_behind_has_its_place_in_the_zip64_record() {
        let far = Entry { name: "x".into(), crc: 1, len: 2, date: 33, at: 5 << 32 };
        let record = far.central();
        assert_eq!((number(&record, 42, 4), number(&record, 30, 2)), (u64::from(ELSEWHERE), 12));
        assert_eq!(number(&record, 47 + 4, 8), 5 << 32);
        let zip = Zip { out: Vec::new(), at: 6 << 32, entries: vec![far] };
        let bytes = zip.finish().expect("finished");
        assert_eq!(number(&bytes, bytes.len() - 22 - 20, 4), u64::from(LOCATOR64));
        assert_eq!(number(&bytes, bytes.len() - 22 - 20 - 56, 4), u64::from(END64));
        assert_eq!(number(&bytes, bytes.len() - 22 - 20 - 8, 8), 6 << 32, "where the directory starts");
    }
}
