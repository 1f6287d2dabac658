use super::*;
use crate::page::pixels::Fax;

/// Writes fax codings for tests.
#[derive(Default)]
pub struct Writer {
    sink: Sink,
}

impl Writer {
    pub fn code(&mut self, code: &str) -> &mut Writer {
        self.sink.push_code(code);
        self
    }

    pub fn align(&mut self) -> &mut Writer {
        self.sink.used = 0;
        self
    }

    fn run(&mut self, mut length: usize, black: bool) {
        while length >= 2560 {
            self.code(LONG_64S[12]);
            length -= 2560;
        }
        if length >= 1792 {
            self.code(LONG_64S[length / 64 - 28]);
        } else if length >= 64 {
            self.code(if black { BLACK_64S } else { WHITE_64S }[length / 64 - 1]);
        }
        self.code(if black { BLACK } else { WHITE }[length % 64]);
    }

    /// A one-dimensional row.
    pub fn row_1d(&mut self, row: &[bool]) -> &mut Writer {
        let mut at = 0;
        let mut black = false;
        while at < row.len() {
            let length = row[at..].iter().take_while(|bit| **bit == black).count();
            self.run(length, black);
            at += length;
            black = !black;
        }
        self
    }

    /// A two-dimensional row by the rules of T.4 and T.6.
    pub fn row_2d(&mut self, row: &[bool], above: &[bool]) -> &mut Writer {
        let width = row.len();
        let next = |line: &[bool], from: usize, color: bool| {
            let mut at = from;
            while at < width && line[at] == color {
                at += 1;
            }
            at
        };
        let (mut a0, mut started, mut black) = (0, false, false);
        while a0 < width || !started {
            let a1 = next(row, a0, black);
            // The first change above, right of a0, to the other colour.
            let mut b1 = if started { a0 + 1 } else { 0 };
            while b1 < width
                && !(above[b1] != black && (b1 == 0 && black != above[b1] || b1 > 0 && above[b1 - 1] == black))
            {
                b1 += 1;
            }
            let b1 = b1.min(width);
            let b2 = next(above, b1, !black);
            let shift = a1 as i64 - b1 as i64;
            if b2 < a1 {
                self.code("0001");
                a0 = b2;
            } else if (-3..=3).contains(&shift) {
                self.code(["0000010", "000010", "010", "1", "011", "000011", "0000011"][(shift + 3) as usize]);
                a0 = a1;
                black = !black;
            } else {
                let a2 = next(row, a1, !black);
                self.code(HORIZONTAL);
                self.run(a1 - a0, black);
                self.run(a2 - a1, !black);
                a0 = a2;
            }
            started = true;
        }
        self
    }

    pub fn bytes(&self) -> Vec<u8> {
        self.sink.bytes.clone()
    }
}

/// A picture with long and short runs: `width` x `height`.
pub fn picture(width: usize, height: usize) -> Vec<Vec<bool>> {
    let pixel =
        |x: usize, y: usize| (x * x / 7 + y * y / 3 + x * y / 11) % 23 < 6 && !(x / 40 + y / 9).is_multiple_of(3);
    (0..height).map(|y| (0..width).map(|x| pixel(x, y)).collect()).collect()
}

/// Rows of bits padded to bytes.
pub fn packed(rows: &[Vec<bool>]) -> Vec<u8> {
    let byte = |bits: &[bool]| bits.iter().enumerate().fold(0u8, |byte, (at, bit)| byte | u8::from(*bit) << (7 - at));
    rows.iter().flat_map(|row| row.chunks(8).map(byte)).collect()
}

const END: &str = "000000000001";

pub fn group_4(rows: &[Vec<bool>]) -> Vec<u8> {
    let mut writer = Writer::default();
    let mut above = vec![false; rows[0].len()];
    for row in rows {
        writer.row_2d(row, &above);
        above = row.clone();
    }
    writer.code(END).code(END).bytes()
}

pub fn ibm_mmr(rows: &[Vec<bool>], tagged: bool) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.row_1d(&rows[0]).code(END);
    if tagged {
        writer.code("0");
    }
    for pair in rows.windows(2) {
        writer.row_2d(&pair[1], &pair[0]);
    }
    writer.code(END).code(END).bytes()
}

fn decoded(data: &[u8], width: usize, height: usize) -> Vec<u8> {
    let fax = Fax { width: width as u32, height: height as u32, k: -1, aligned: false };
    let read = fax.decode(data);
    assert!(!read.damaged, "{} rows", read.count);
    read.rows
}

#[test]
fn the_writer_of_these_tests_writes_group_4() {
    for (width, height) in [(1, 1), (8, 3), (77, 40), (1700, 11), (6000, 4)] {
        let rows = picture(width, height);
        assert_eq!(decoded(&group_4(&rows), width, height), packed(&rows), "{width} x {height}");
    }
}

#[test]
fn ibm_mmr_says_the_same_in_group_4() {
    for tagged in [false, true] {
        for (width, height) in [(1, 1), (16, 2), (77, 40), (1700, 11), (6000, 4)] {
            let rows = picture(width, height);
            let (read, data) = ibm_mmr_as_group_4(&ibm_mmr(&rows, tagged), tagged).unwrap();
            assert_eq!(read as usize, width);
            assert_eq!(decoded(&data, width, height), packed(&rows), "{width} x {height}");
        }
    }
}

#[test]
fn every_run_code_is_that_of_the_decoder() {
    for black in [false, true] {
        for length in (0..=64).chain((1..=45).map(|step| step * 64)) {
            let mut row = vec![!black; 3000];
            row[..length].fill(black);
            if black {
                row.insert(0, false);
            }
            let data = Writer::default().row_1d(&row).bytes();
            let fax = Fax { width: row.len() as u32, height: 1, k: 0, aligned: false };
            assert_eq!(fax.decode(&data).rows, packed(&[row]), "{length}");
        }
    }
}

#[test]
fn what_is_no_first_row_is_refused() {
    assert_eq!(ibm_mmr_as_group_4(&[], false), None);
    assert_eq!(ibm_mmr_as_group_4(&[0; 9], false), None);
    assert_eq!(ibm_mmr_as_group_4(&[0, 0x10, 0x01], false), None);
}
