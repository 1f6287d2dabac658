//! Makes the bytes of a block from its columnar form. Whatever the form says, it takes no more memory than a small
//! multiple of the form and of the length that the block is declared to have, and it does not panic.

use memchr::{memchr, memchr_iter};

use super::frame::Frame;
use super::number::{DIGITS, Style};
use super::{
    ASCII, Code, EBCDIC, KEPT, LAYOUTS, NUMBER, PART_LIMIT, PARTS, RECORD_LIMIT, SAME, TEXT, VALUES, take, take_byte,
    take_bytes,
};

/// Makes the block's bytes, of which there are `length`, in memory that is there already; an error says what is wrong with the form.
pub(crate) fn decode_into(form: &[u8], length: usize, bytes: &mut Vec<u8>) -> Result<(), &'static str> {
    let mut rest = form;
    let mut form = Form::read(&mut rest, length).ok_or("the head of its columnar form is damaged")?;
    form.read_columns(&mut rest).ok_or("a column is damaged")?;
    form.write(rest, length, bytes).ok_or("its columns do not make what it should hold")
}

struct Layout<'f> {
    tail: usize,
    /// Twice the place, plus one when values end there.
    places: Vec<usize>,
    records: usize,
    columns: Vec<Column<'f>>,
}

/// A column, and how far it was read.
enum Column<'f> {
    Text { rest: &'f [u8], ends: std::vec::IntoIter<u32>, at: usize },
    Same(&'f [u8]),
    Parts { parts: Vec<Part<'f>>, value: Vec<u8> },
    Number { style: Style, numbers: Vec<i64>, at: usize, text: [u8; 48] },
}

struct Part<'f> {
    length: usize,
    same: bool,
    rest: &'f [u8],
}

struct Form<'f> {
    code: Code,
    terminator: u8,
    frame: Frame,
    layouts: Vec<Layout<'f>>,
    ids: &'f [u8],
}

impl<'f> Form<'f> {
    fn read(rest: &mut &'f [u8], length: usize) -> Option<Form<'f>> {
        let code = match take_byte(rest)? {
            0 => ASCII,
            1 => EBCDIC,
            _ => return None,
        };
        let terminator = take_byte(rest)?;
        let frame = match (take_byte(rest)?, take(rest)?) {
            (0, size) if size > 0 && size <= RECORD_LIMIT => Frame::Fixed(size),
            (1, ender) => Frame::Lines(u8::try_from(ender).ok()?),
            (2, 0) => Frame::CrLf,
            (3, 0) => Frame::Rdw,
            _ => return None,
        };
        let count = take(rest).filter(|count| *count <= LAYOUTS)?;
        let mut layouts = Vec::with_capacity(count);
        for _ in 0..count {
            layouts.push(Layout::read(rest)?);
        }
        let count = take(rest).filter(|count| *count <= length)?;
        let ids = take_bytes(rest, count)?;
        for id in ids.iter().filter(|id| **id != KEPT) {
            layouts.get_mut(usize::from(*id))?.records += 1;
        }
        Some(Form { code, terminator, frame, layouts, ids })
    }

    fn read_columns(&mut self, rest: &mut &'f [u8]) -> Option<()> {
        for layout in self.layouts.iter_mut().filter(|layout| layout.records > 0) {
            for _ in 0..layout.places.len() {
                let column = Column::read(rest, layout.records, self.code, self.terminator, &layout.columns)?;
                layout.columns.push(column);
            }
        }
        Some(())
    }

    /// `rest` has the kept records and what stands behind the last record.
    fn write(mut self, mut rest: &[u8], length: usize, bytes: &mut Vec<u8>) -> Option<()> {
        bytes.clear();
        bytes.reserve(length);
        let mut out = Out { bytes, limit: length, blank: self.code.blank, start: 0 };
        for id in self.ids {
            let head = out.bytes.len();
            if self.frame == Frame::Rdw {
                out.extend(&[0; 4])?;
            }
            out.start = out.bytes.len();
            match self.layouts.get_mut(usize::from(*id)) {
                Some(layout) => layout.write(self.code, &mut out)?,
                None => {
                    let size = take(&mut rest)?;
                    out.extend(take_bytes(&mut rest, size)?)?;
                }
            }
            match self.frame {
                Frame::Fixed(size) => out.fill(out.start + size)?,
                Frame::Lines(ender) => out.extend(&[ender])?,
                Frame::CrLf => out.extend(b"\r\n")?,
                Frame::Rdw => {
                    let size = u16::try_from(out.bytes.len() - head).ok()?;
                    out.bytes.get_mut(head..head + 2)?.copy_from_slice(&size.to_be_bytes());
                }
            }
        }
        out.extend(rest)?;
        (out.bytes.len() == length).then_some(())
    }
}

/// The bytes so far, and where the record began that is being written.
struct Out<'o> {
    bytes: &'o mut Vec<u8>,
    limit: usize,
    blank: u8,
    start: usize,
}

impl Out<'_> {
    fn extend(&mut self, bytes: &[u8]) -> Option<()> {
        if bytes.len() > self.limit - self.bytes.len() {
            return None;
        }
        self.bytes.extend_from_slice(bytes);
        Some(())
    }

    /// Blanks up to a byte; nothing when there is more already.
    fn fill(&mut self, end: usize) -> Option<()> {
        if end > self.limit || self.bytes.len() > end {
            return None;
        }
        self.bytes.resize(end, self.blank);
        Some(())
    }

    /// A value at a place of the record, behind those before it.
    fn place(&mut self, place: usize, value: &[u8]) -> Option<()> {
        self.fill(self.start + place)?;
        self.extend(value)
    }
}

impl<'f> Layout<'f> {
    fn read(rest: &mut &'f [u8]) -> Option<Layout<'f>> {
        let tail = take(rest).filter(|tail| *tail <= RECORD_LIMIT)?;
        let count = take(rest).filter(|count| *count <= VALUES)?;
        let mut places = Vec::with_capacity(count);
        for _ in 0..count {
            places.push(take(rest).filter(|place| *place <= 2 * RECORD_LIMIT + 1)?);
        }
        Some(Layout { tail, places, records: 0, columns: Vec::with_capacity(count) })
    }

    fn write(&mut self, code: Code, out: &mut Out<'_>) -> Option<()> {
        for (place, column) in self.places.iter().zip(&mut self.columns) {
            let value = column.next(code)?;
            let begin = match place & 1 {
                0 => place / 2,
                _ => {
                    let behind = code.last_digit(value).unwrap_or(0);
                    (place / 2 + behind).checked_sub(value.len())?
                }
            };
            out.place(begin, value)?;
        }
        out.fill(out.bytes.len() + self.tail)
    }
}

impl<'f> Column<'f> {
    fn read(
        rest: &mut &'f [u8],
        count: usize,
        code: Code,
        terminator: u8,
        before: &[Column<'f>],
    ) -> Option<Column<'f>> {
        match take_byte(rest)? {
            TEXT => {
                let ends: Vec<u32> = memchr_iter(terminator, rest).take(count).map(|end| end as u32).collect();
                if ends.len() < count {
                    return None;
                }
                let column = take_bytes(rest, ends.last().map_or(0, |end| *end as usize + 1))?;
                Some(Column::Text { rest: column, ends: ends.into_iter(), at: 0 })
            }
            SAME => {
                let end = memchr(terminator, rest)?;
                let value = take_bytes(rest, end)?;
                take_byte(rest)?;
                Some(Column::Same(value))
            }
            PARTS => {
                let parts = take(rest).filter(|parts| *parts <= PART_LIMIT)?;
                let mut read = Vec::with_capacity(parts);
                for _ in 0..parts {
                    let head = take(rest)?;
                    let (length, same) = (head / 2, head % 2 == 1);
                    let bytes = if same { length } else { length.checked_mul(count)? };
                    read.push(Part { length, same, rest: take_bytes(rest, bytes)? });
                }
                Some(Column::Parts { parts: read, value: Vec::new() })
            }
            NUMBER => numbers(rest, count, code, before),
            _ => None,
        }
    }

    fn next(&mut self, code: Code) -> Option<&[u8]> {
        match self {
            Column::Text { rest, ends, at } => {
                let end = ends.next()? as usize;
                let value = rest.get(*at..end)?;
                *at = end + 1;
                Some(value)
            }
            Column::Same(value) => Some(value),
            Column::Parts { parts, value } => {
                value.clear();
                for part in parts {
                    let bytes = if part.same { part.rest } else { take_bytes(&mut part.rest, part.length)? };
                    value.extend_from_slice(bytes);
                }
                Some(value)
            }
            Column::Number { style, numbers, at, text } => {
                let number = *numbers.get(*at)?;
                *at += 1;
                let begin = style.write(number, code, text);
                text.get(begin..)
            }
        }
    }
}

fn numbers<'f>(rest: &mut &'f [u8], count: usize, code: Code, before: &[Column<'f>]) -> Option<Column<'f>> {
    let decimals = take_byte(rest)?;
    let style = Style::new(decimals, take_byte(rest)?)?;
    let width = usize::from(take_byte(rest)?);
    if width == 0 || width > DIGITS || count > rest.len() {
        return None;
    }
    let addends = match take_byte(rest)? {
        0 => None,
        from => match before.get(usize::from(from - 1) / 2)? {
            Column::Number { numbers, .. } => Some((if from % 2 == 1 { 1 } else { -1 }, numbers)),
            _ => return None,
        },
    };
    let mut numbers = Vec::with_capacity(count);
    let (mut last, most) = (0_i64, 10_i64.pow(DIGITS as u32));
    for at in 0..count {
        if *rest.first()? == code.hit() {
            let (sign, addends) = addends?;
            last += sign * addends.get(at)?;
            take_byte(rest)?;
        } else {
            last = number(take_bytes(rest, width)?, code)?;
        }
        if last <= -most || last >= most {
            return None;
        }
        numbers.push(last);
    }
    Some(Column::Number { style, numbers, at: 0, text: [0; 48] })
}

fn number(digits: &[u8], code: Code) -> Option<i64> {
    let (&first, rest) = digits.split_first()?;
    let negative = code.digit(first).is_none();
    let first = if negative { code.digit(first.wrapping_add(16))? } else { code.digit(first)? };
    let mut number = i64::from(first);
    for byte in rest {
        number = number * 10 + i64::from(code.digit(*byte)?);
    }
    Some(if negative { -number } else { number })
}
