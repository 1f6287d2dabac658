//! Whether the coded data of a JPEG file are whole: read code by code, without making pixels of them.
//!
//! Promises: no input makes it panic; it takes no longer than its data are, and no memory but the tables. Scans that are coded
//! by Huffman codes and sequentially are read to their last block; of progressive and other ones only the order of the restart
//! markers and the end of the file are looked at. Rule: ITU-T T.81, annexes B, E and F.

/// Coefficients of a block.
const BLOCK: usize = 64;
/// Bits that a look into a table takes at once.
const FAST: usize = 8;

/// Whether everything that the headers announce is there and can be read. What stands behind it does not count.
pub fn jpeg_is_whole(data: &[u8]) -> bool {
    File { rest: data, ..File::default() }.is_whole() == Some(true)
}

/// A component of the frame: its id, and blocks across and down in a unit of the scan.
#[derive(Debug, Clone, Copy)]
struct Component {
    id: u8,
    across: usize,
    down: usize,
}

#[derive(Default)]
struct File<'a> {
    rest: &'a [u8],
    size: [usize; 2],
    components: Vec<Component>,
    /// Sequential, with Huffman codes: scans can be read.
    sequential: bool,
    restart: usize,
    /// For DC and for AC coefficients.
    tables: [[Option<Box<Table>>; 4]; 2],
    /// Components that were read.
    seen: Vec<u8>,
}

impl<'a> File<'a> {
    /// `None` where the data end before their time.
    fn is_whole(&mut self) -> Option<bool> {
        self.rest = self.rest.strip_prefix(&[0xFF, 0xD8])?;
        loop {
            match self.marker() {
                Some(0xD9) => return Some(!self.seen.is_empty()),
                Some(0x01 | 0xD0..=0xD8) => {}
                Some(marker) => {
                    let length = usize::from(u16::from_be_bytes(*self.rest.first_chunk()?));
                    let (segment, rest) = self.rest.split_at_checked(length.max(2))?;
                    self.rest = rest;
                    let body = segment.get(2..).unwrap_or_default();
                    if !self.segment(marker, body)? {
                        return Some(false);
                    }
                }
                // Files that lack only the mark of their end are whole.
                None => return Some(self.sequential && self.has_all()),
            }
        }
    }

    fn has_all(&self) -> bool {
        !self.components.is_empty() && self.components.iter().all(|component| self.seen.contains(&component.id))
    }

    /// The next marker; fill bytes, and what a scan left over, stand before it.
    fn marker(&mut self) -> Option<u8> {
        loop {
            let at = self.rest.iter().position(|byte| *byte == 0xFF)?;
            self.rest = self.rest.get(at..)?;
            let at = self.rest.iter().position(|byte| *byte != 0xFF)?;
            let marker = *self.rest.get(at)?;
            self.rest = self.rest.get(at + 1..)?;
            if marker != 0 {
                return Some(marker);
            }
        }
    }

    fn segment(&mut self, marker: u8, body: &'a [u8]) -> Option<bool> {
        match marker {
            0xC4 => self.huffman_tables(body)?,
            0xC0..=0xCF if !matches!(marker, 0xC8 | 0xCC) => self.frame(marker, body)?,
            0xDD => self.restart = usize::from(u16::from_be_bytes(*body.first_chunk()?)),
            0xDA => return self.scan(body),
            _ => {}
        }
        Some(true)
    }

    fn frame(&mut self, marker: u8, body: &[u8]) -> Option<()> {
        let [_, y, yy, x, xx, _, components @ ..] = body else { return None };
        let number = |high: &u8, low: &u8| usize::from(u16::from_be_bytes([*high, *low]));
        self.size = [number(x, xx), number(y, yy)];
        self.sequential = matches!(marker, 0xC0 | 0xC1);
        let component = |three: &[u8]| match three {
            [id, sampling, _] => {
                let (across, down) = (usize::from(sampling >> 4), usize::from(sampling & 15));
                (matches!((across, down), (1..=4, 1..=4))).then_some(Component { id: *id, across, down })
            }
            _ => None,
        };
        self.components = components.chunks(3).take(4).map(component).collect::<Option<_>>()?;
        Some(())
    }

    fn huffman_tables(&mut self, body: &[u8]) -> Option<()> {
        let mut rest = body;
        while let [place, tail @ ..] = rest {
            let (counts, tail) = tail.split_first_chunk::<16>()?;
            let count = counts.iter().map(|count| usize::from(*count)).sum();
            let (symbols, tail) = tail.split_at_checked(count)?;
            let kind = self.tables.get_mut(usize::from(place >> 4))?;
            *kind.get_mut(usize::from(place & 15))? = Some(Box::new(Table::new(counts, symbols)?));
            rest = tail;
        }
        Some(())
    }

    /// Reads a scan to its last block.
    fn scan(&mut self, body: &[u8]) -> Option<bool> {
        let (count, list) = body.split_first()?;
        let list = list.get(..usize::from(*count) * 2)?;
        let mut parts = Vec::new();
        for pair in list.chunks_exact(2) {
            let [id, tables] = pair else { return None };
            let component = *self.components.iter().find(|component| component.id == *id)?;
            parts.push((component, usize::from(tables >> 4), usize::from(tables & 15)));
            self.seen.push(*id);
        }
        if !self.sequential || self.size.contains(&0) {
            return Some(self.restarts_follow());
        }
        let most = |side: fn(&Component) -> usize| self.components.iter().map(side).max();
        let (across, down) = (most(|c| c.across)?, most(|c| c.down)?);
        let [width, height] = self.size;
        let alone = parts.len() == 1;
        // A component alone comes block by block, without those that only fill up.
        let units = match parts.as_slice() {
            [(one, ..)] => {
                (width * one.across).div_ceil(across).div_ceil(8) * (height * one.down).div_ceil(down).div_ceil(8)
            }
            _ => width.div_ceil(8 * across) * height.div_ceil(8 * down),
        };
        let mut blocks = Vec::new();
        for (component, dc, ac) in parts {
            let [for_dc, for_ac] = &self.tables;
            let tables = (for_dc.get(dc)?.as_deref()?, for_ac.get(ac)?.as_deref()?);
            let times = if alone { 1 } else { component.across * component.down };
            blocks.extend(std::iter::repeat_n(tables, times));
        }
        let mut bits = Bits { rest: self.rest, held: 0, count: 0 };
        for unit in 0..units {
            if self.restart > 0 && unit > 0 && unit % self.restart == 0 && !bits.restart(unit / self.restart - 1) {
                return Some(false);
            }
            for (dc, ac) in &blocks {
                bits.block(dc, ac)?;
            }
        }
        self.rest = bits.rest;
        Some(bits.is_used_up())
    }

    /// Passes over the data of a scan; whether its restart markers come in their order.
    fn restarts_follow(&mut self) -> bool {
        let mut next = 0;
        while let Some(at) = self.rest.iter().position(|byte| *byte == 0xFF) {
            match self.rest.get(at + 1) {
                Some(0) => {}
                Some(marker @ 0xD0..=0xD7) if *marker == 0xD0 + next => next = (next + 1) % 8,
                Some(0xD0..=0xD7) => return false,
                _ => {
                    self.rest = self.rest.get(at..).unwrap_or_default();
                    return true;
                }
            }
            self.rest = self.rest.get(at + 2..).unwrap_or_default();
        }
        self.rest = &[];
        true
    }
}

/// A table of codes: by their first bits, or by the greatest code of each length.
struct Table {
    /// Length and symbol of the code that these bits begin with; length 0 where it is longer.
    fast: [(u8, u8); 1 << FAST],
    /// Of each length: the first code, the codes, and where their symbols begin.
    lengths: [(u32, u32, usize); 16],
    symbols: Vec<u8>,
}

impl Table {
    /// `None` where there are more codes than their lengths allow.
    fn new(counts: &[u8; 16], symbols: &[u8]) -> Option<Table> {
        let mut table = Table { fast: [(0, 0); 1 << FAST], lengths: [(0, 0, 0); 16], symbols: symbols.to_vec() };
        let (mut code, mut at) = (0u32, 0usize);
        for ((length, count), place) in (1usize..).zip(counts).zip(&mut table.lengths) {
            let count = u32::from(*count);
            if code + count > 1 << length {
                return None;
            }
            *place = (code, count, at);
            if length <= FAST {
                for (code, symbol) in (code..code + count).zip(symbols.get(at..)?) {
                    let from = (code as usize) << (FAST - length);
                    let entries = table.fast.get_mut(from..from + (1 << (FAST - length)))?;
                    entries.fill((u8::try_from(length).ok()?, *symbol));
                }
            }
            at += count as usize;
            code = (code + count) << 1;
        }
        Some(table)
    }
}

/// The bits of a scan, up to the next marker.
struct Bits<'a> {
    rest: &'a [u8],
    held: u64,
    count: usize,
}

impl Bits<'_> {
    /// Holds bits for a code and its number, as far as there are any.
    fn fill(&mut self) {
        while self.count <= 48 {
            let byte = match self.rest {
                [0xFF, 0, tail @ ..] => {
                    self.rest = tail;
                    0xFF
                }
                [0xFF, ..] | [] => return,
                [byte, tail @ ..] => {
                    self.rest = tail;
                    *byte
                }
            };
            self.held = self.held << 8 | u64::from(byte);
            self.count += 8;
        }
    }

    /// The next bits, with zeros behind the last.
    fn peek(&self, count: usize) -> usize {
        let bits = match self.count.checked_sub(count) {
            Some(behind) => self.held >> behind,
            None => self.held << (count - self.count),
        };
        usize::try_from(bits & ((1 << count) - 1)).unwrap_or(0)
    }

    fn pass(&mut self, count: usize) -> Option<()> {
        self.count = self.count.checked_sub(count)?;
        Some(())
    }

    fn symbol(&mut self, table: &Table) -> Option<u8> {
        let (length, symbol) = *table.fast.get(self.peek(FAST))?;
        if length > 0 {
            self.pass(usize::from(length))?;
            return Some(symbol);
        }
        let word = self.peek(16);
        for (length, (first, count, at)) in (1usize..).zip(&table.lengths).skip(FAST) {
            let code = (word >> (16 - length)).wrapping_sub(*first as usize);
            if code < *count as usize {
                self.pass(length)?;
                return table.symbols.get(at + code).copied();
            }
        }
        None
    }

    /// One block; `None` where it breaks off or a code is none.
    fn block(&mut self, dc: &Table, ac: &Table) -> Option<()> {
        self.fill();
        let size = self.symbol(dc)?;
        if size > 15 {
            return None;
        }
        self.pass(usize::from(size))?;
        let mut at = 1;
        while at < BLOCK {
            self.fill();
            let symbol = self.symbol(ac)?;
            let (run, size) = (usize::from(symbol >> 4), usize::from(symbol & 15));
            match (run, size) {
                (15, 0) => at += 16,
                (_, 0) => return Some(()),
                _ => {
                    at += run;
                    if at >= BLOCK {
                        return None;
                    }
                    self.pass(size)?;
                    at += 1;
                }
            }
        }
        (at == BLOCK).then_some(())
    }

    /// Whether nothing but filling stands before the next marker.
    fn is_used_up(&self) -> bool {
        let whole = self.count / 8 * 8;
        let held = self.held & ((1 << whole) - 1);
        held == 0 && self.rest.iter().take_while(|byte| **byte != 0xFF).all(|byte| *byte == 0)
    }

    /// Takes the restart marker of this number, which must be next.
    fn restart(&mut self, number: usize) -> bool {
        (self.held, self.count) = (0, 0);
        while let [0xFF, 0xFF, ..] = self.rest {
            self.rest = self.rest.get(1..).unwrap_or_default();
        }
        match self.rest {
            [0xFF, marker, tail @ ..] if usize::from(*marker) == 0xD0 + number % 8 => {
                self.rest = tail;
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
#[allow(clippy::cast_possible_truncation)] // numbers of the tests' own
mod tests;
