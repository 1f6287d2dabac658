//! Run Length 4: runs in code words of four bits and their multiples, row by row.
//!
//! Rule: IOCA reference, appendix A, table 27. A row is a two-byte line number, a two-byte length, runs that begin white,
//! and an End Of Line that fills up to a byte. Rows without black may be left out.

use super::rows::Rows;

/// Decodes rows of `width` samples; `height` 0 takes as many as there are, as far as `limit` bytes go.
pub fn rows(data: &[u8], width: u32, height: u32, limit: usize) -> Rows {
    let stride = width.div_ceil(8) as usize;
    let most = if height == 0 { limit / stride.max(1) } else { height as usize };
    let first = lowest_line(data);
    let mut out = vec![0; if height == 0 { 0 } else { stride * most }];
    let mut rest = data;
    let mut damaged = false;
    while let [high, low, _, _, runs @ ..] = rest {
        let line = usize::from(u16::from_be_bytes([*high, *low])).saturating_sub(first);
        if line >= most {
            damaged = height > 0;
            break;
        }
        if out.len() < (line + 1) * stride {
            out.resize((line + 1) * stride, 0);
        }
        let row = out.get_mut(line * stride..(line + 1) * stride).unwrap_or_default();
        let Some((used, fits)) = row_runs(runs, width, Some(row)) else {
            damaged = true;
            break;
        };
        damaged |= !fits;
        rest = runs.get(used..).unwrap_or_default();
    }
    let height = if height == 0 { u32::try_from(out.len() / stride.max(1)).unwrap_or(0) } else { height };
    Rows { width, height, data: out, damaged }
}

/// Lines are numbered from 0 or from 1: from 0 when one says so.
fn lowest_line(data: &[u8]) -> usize {
    match data {
        [0, 0, ..] | [] => 0,
        _ => 1,
    }
}

/// Reads the runs of one row up to its End Of Line; gives the bytes they take, and whether the row is no longer than it may be.
fn row_runs(data: &[u8], width: u32, mut row: Option<&mut [u8]>) -> Option<(usize, bool)> {
    let nibble =
        |at: usize| data.get(at / 2).map(|byte| u32::from(if at.is_multiple_of(2) { byte >> 4 } else { byte & 15 }));
    let (mut at, mut x, mut black, mut all) = (0, 0u32, false, 0u32);
    // Rows may be coded with their padding.
    let most = width.div_ceil(32).saturating_mul(32);
    loop {
        let first = nibble(at)?;
        let number = |count: usize| (at..at + count).try_fold(0u32, |all, at| Some(all << 4 | nibble(at)?));
        let (run, count) = match first {
            0..8 => (first + 1, 1),
            8..12 => ((number(2)? & 0x3F) + 9, 2),
            12 | 13 => ((number(3)? & 0x1FF) + 73, 3),
            14 => ((number(4)? & 0xFFF) + 585, 4),
            _ => match nibble(at + 1)? {
                0..8 => ((number(5)? & 0x7FFF) + 4681, 5),
                14 => (0, 2),
                15 => return Some(((at + 2).div_ceil(2), all <= most)),
                _ => return None,
            },
        };
        at += count;
        all = all.saturating_add(run);
        let end = x.saturating_add(run).min(width);
        if black && let Some(row) = row.as_deref_mut() {
            for x in x..end {
                if let Some(byte) = row.get_mut(x as usize / 8) {
                    *byte |= 0x80 >> (x % 8);
                }
            }
        }
        x = end;
        black = !black;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_all_lengths_and_rows_left_out() {
        // Line 0: white 0, black 8, End Of Line at a byte (12 bits from an odd nibble).
        let first = [0, 0, 0, 4, 0xFE, 0x7F, 0xFF];
        // Line 2: white 9, black 1, End Of Line.
        let third = [0, 2, 0, 4, 0x80, 0x0F, 0xFF];
        let read = rows(&[&first[..], &third].concat(), 16, 4, 1000);
        assert_eq!(read.data, [0xFF, 0, 0, 0, 0, 0x40, 0, 0]);
        assert!(!read.damaged);
        assert_eq!(rows(&[&first[..], &third].concat(), 16, 0, 1000).height, 3);
    }

    #[test]
    fn long_runs_have_their_offsets() {
        for (run, code) in [
            (9, vec![0x80]),
            (72, vec![0xBF]),
            (73, vec![0xC0, 0x00]),
            (584, vec![0xDF, 0xF0]),
            (585, vec![0xE0, 0x00]),
            (4680, vec![0xEF, 0xFF]),
            (4681, vec![0xF0, 0x00, 0x00]),
        ] {
            let mut nibbles: Vec<u8> = code.iter().flat_map(|byte| [byte >> 4, byte & 15]).collect();
            if matches!(run, 73 | 584 | 4681) {
                nibbles.pop();
            }
            nibbles.extend([0, 15, 15]);
            if nibbles.len() % 2 == 1 {
                nibbles.push(15);
            }
            let mut data = vec![0, 0, 0, 0];
            data.extend(nibbles.chunks(2).map(|pair| pair[0] << 4 | pair[1]));
            let read = rows(&data, 5000, 1, 100_000);
            let black: Vec<usize> = (0..5000).filter(|x| read.data[x / 8] >> (7 - x % 8) & 1 == 1).collect();
            assert_eq!(black, [run], "{run}");
        }
    }

    #[test]
    fn data_that_end_early_keep_their_rows() {
        let read = rows(&[0, 0, 0, 2, 0x07, 0xFF, 0, 1, 0, 9, 0x07], 16, 2, 1000);
        assert!(read.damaged);
        assert_eq!(read.data[..2], [0x7F, 0x80]);
        assert!(!rows(&[0xFF; 9], 16, 2, 1000).data.is_empty());
    }
}
