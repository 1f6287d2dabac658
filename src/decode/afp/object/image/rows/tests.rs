use super::super::fax::tests as writer;
use super::*;

fn shape(compression: u8, width: u32, height: u32) -> Shape {
    Shape { compression, recording: 1, width, height, bits: 1, components: 1 }
}

const LIMIT: usize = 1 << 20;

#[test]
fn uncompressed_rows_in_all_recordings() {
    let padded = shape(NONE, 10, 2).rows(&[0xFF, 0xC0, 0x80, 0x40], LIMIT).unwrap();
    assert_eq!(padded.data, [0xFF, 0xC0, 0x80, 0x40]);
    let bottom = Shape { recording: BOTTOM_TO_TOP, ..shape(NONE, 10, 2) };
    let read = bottom.rows(&[1, 0x80, 0, 0, 2, 0x40, 0, 0], LIMIT).unwrap();
    assert_eq!(read.data, [2, 0x40, 1, 0x80]);
    let unpadded = Shape { recording: UNPADDED, ..shape(NONE, 10, 2) };
    assert_eq!(unpadded.rows(&[0xFF, 0xE0, 0x10], LIMIT).unwrap().data, [0xFF, 0xC0, 0x80, 0x40]);
}

#[test]
fn an_unstated_height_is_that_of_the_data() {
    let read = shape(NONE, 10, 0).rows(&[0; 7], LIMIT).unwrap();
    assert_eq!((read.height, read.data.len(), read.damaged), (3, 6, false));
    let rows = writer::picture(80, 12);
    let read = shape(G4_MMR, 80, 0).rows(&writer::group_4(&rows), LIMIT).unwrap();
    assert_eq!((read.height, read.data), (12, writer::packed(&rows)));
}

#[test]
fn group_4_padded_to_bytes_and_not() {
    for width in [77, 80] {
        let mut rows = writer::picture(width, 30);
        let data = writer::group_4(&rows);
        let exact = shape(G4_MMR, width as u32, 30).keep(&data).unwrap();
        assert_eq!((exact.fax.width as usize, exact.damaged), (width, false));
        assert_eq!(shape(G4_MMR, width as u32, 30).rows(&data, LIMIT).unwrap().data, writer::packed(&rows));
        rows.iter_mut().for_each(|row| row.resize(80, false));
        let data = writer::group_4(&rows);
        let padded = shape(G4_MMR, width as u32, 30).keep(&data).unwrap();
        assert_eq!((padded.fax.width, padded.damaged), (80, false));
        assert_eq!(shape(G4_MMR, width as u32, 30).rows(&data, LIMIT).unwrap().data, writer::packed(&rows));
    }
}

#[test]
fn ibm_mmr_with_and_without_tag_bits_or_really_group_4() {
    let rows = writer::picture(77, 30);
    for data in [writer::ibm_mmr(&rows, false), writer::ibm_mmr(&rows, true), writer::group_4(&rows)] {
        let read = shape(IBM_MMR, 77, 30).rows(&data, LIMIT).unwrap();
        assert_eq!((read.data, read.damaged), (writer::packed(&rows), false));
    }
    let read = shape(IBM_MMR, 0, 0).rows(&writer::ibm_mmr(&rows, false), LIMIT).unwrap();
    assert_eq!((read.width, read.height, read.data), (77, 30, writer::packed(&rows)));
}

#[test]
fn one_dimensional_rows_with_ends_of_line_and_with_bytes() {
    let rows = writer::picture(80, 9);
    let (mut lines, mut bytes) = (writer::Writer::default(), writer::Writer::default());
    for row in &rows {
        lines.code("000000000001").row_1d(row);
        bytes.row_1d(row).align();
    }
    for _ in 0..6 {
        lines.code("000000000001");
    }
    assert_eq!(shape(G3_MH, 80, 9).rows(&lines.bytes(), LIMIT).unwrap().data, writer::packed(&rows));
    assert_eq!(shape(TIFF_2, 80, 9).rows(&bytes.bytes(), LIMIT).unwrap().data, writer::packed(&rows));
}

#[test]
fn group_3_with_two_dimensional_rows() {
    let rows = writer::picture(80, 9);
    let mut lines = writer::Writer::default();
    for (at, row) in rows.iter().enumerate() {
        match at % 4 {
            0 => lines.code("0000000000011").row_1d(row),
            _ => lines.code("0000000000010").row_2d(row, &rows[at - 1]),
        };
    }
    assert_eq!(shape(G3_MR, 80, 9).rows(&lines.bytes(), LIMIT).unwrap().data, writer::packed(&rows));
}

#[test]
fn what_breaks_off_keeps_its_rows() {
    let rows = writer::picture(80, 30);
    let data = writer::group_4(&rows);
    let read = shape(G4_MMR, 80, 30).rows(&data[..data.len() / 2], LIMIT).unwrap();
    assert!(read.damaged);
    assert_eq!((read.data.len(), &read.data[..50]), (300, &writer::packed(&rows)[..50]));
}

#[test]
fn pack_bits_and_lzw_and_differences() {
    let packed = [2, 1, 2, 3, 0xFD, 9, 128, 0, 7];
    assert_eq!(pack_bits(&packed, 100), [1, 2, 3, 9, 9, 9, 9, 7]);
    assert_eq!(pack_bits(&packed, 5).len(), 5);
    let plain: Vec<u8> = (0..5000u32).map(|at| (at * at / 97) as u8).collect();
    let msb = weezl::encode::Encoder::with_tiff_size_switch(BitOrder::Msb, 8).encode(&plain).unwrap();
    let lsb = weezl::encode::Encoder::new(BitOrder::Lsb, 8).encode(&plain).unwrap();
    assert_eq!((lzw(&msb, 5000), lzw(&lsb, 5000)), (plain.clone(), plain));
    let mut row = vec![1, 2, 3, 1, 1, 1, 10, 0, 0, 255, 0, 1];
    undo_differences(&mut row, 6, 3);
    assert_eq!(row, [1, 2, 3, 2, 3, 4, 10, 0, 0, 9, 0, 1]);
}

#[test]
fn lzw_that_ends_early_is_filled_with_zeros_and_told() {
    let data = weezl::encode::Encoder::with_tiff_size_switch(BitOrder::Msb, 8).encode(&[5; 3]).unwrap();
    let read = Shape { bits: 8, ..shape(LZW, 4, 2) }.rows(&data, LIMIT).unwrap();
    assert_eq!((read.data, read.damaged), (vec![5, 5, 5, 0, 0, 0, 0, 0], true));
}

#[test]
fn more_than_the_limit_is_refused_before_anything_is_laid_out() {
    for compression in [IBM_MMR, NONE, RL4, TIFF_2, PACK_BITS, LZW, LZW_DIFFERENCES, G3_MH, G3_MR, G4_MMR] {
        assert!(shape(compression, u32::MAX, 65_535).rows(&[0x26, 0xA1], 1000).is_err(), "{compression:02X}");
    }
    assert_eq!(shape(0x08, 8, 8).rows(&[1], 1000), Err(Fault::Compression(0x08)));
}

#[test]
fn absurd_sizes_are_too_large_and_nothing_overflows() {
    for recording in [BOTTOM_TO_TOP, UNPADDED, 1] {
        for compression in [NONE, PACK_BITS, LZW] {
            let shape = Shape { recording, bits: 32, ..shape(compression, u32::MAX, u32::MAX) };
            assert_eq!(shape.rows(&[0; 64], LIMIT), Err(Fault::TooLarge), "{recording} {compression:02X}");
        }
    }
}
