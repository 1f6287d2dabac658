use super::*;

fn bits(pixels: &Pixels<'_>) -> Vec<u8> {
    match &pixels.values {
        Values::Bits { data, .. } => data.to_vec(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_missing_is_paper() {
    let image = Image::new(9, 2, Samples::Bits { data: vec![0xff], ink: Color::BLACK, paper: None });
    let pixels = pixels(&image, 1000).unwrap();
    assert_eq!(bits(&pixels), [0xff, 0, 0, 0]);
    assert_eq!((pixels.rgba(7, 0), pixels.rgba(8, 0), pixels.rgba(9, 0)), ([0, 0, 0, 255], [0; 4], [0; 4]));
    let image = Image::new(2, 1, Samples::Gray(vec![7]));
    let mut row = Vec::new();
    super::pixels(&image, 1000).unwrap().row_rgba(0, &mut row);
    assert_eq!(row, [7, 7, 7, 255, 255, 255, 255, 255]);
}

#[test]
fn a_picture_with_more_samples_than_allowed_is_refused() {
    let image = Image::new(u32::MAX, u32::MAX, Samples::Rgb(Vec::new()));
    assert_eq!(pixels(&image, 1000), Err(PixelError::TooLarge(1000)));
}

#[test]
fn group_4_gives_its_rows_and_says_when_they_end_early() {
    // One row of 16: 4 white, 4 black, the rest white; horizontal mode, then vertical 0.
    let data = vec![0b0011_0110, 0b1110_0000, 0b0000_0010, 0b0000_0000, 0b0010_0000];
    let fax = Fax { width: 16, height: 1, k: -1, aligned: false };
    let read = fax.decode(&data);
    assert_eq!((read.rows, read.count), (vec![0x0f, 0x00], 1));
    let samples = Samples::Ccitt {
        data: data.clone(),
        k: -1,
        aligned: false,
        black_is_ink: false,
        ink: Color::BLACK,
        paper: None,
    };
    let image = Image::new(16, 2, samples);
    let pixels = pixels(&image, 1000).unwrap();
    assert!(pixels.damaged);
    assert_eq!(bits(&pixels), [0xf0, 0xff, 0xff, 0xff]);
}

#[test]
fn runs_are_set_to_the_bit() {
    for from in 0..24u32 {
        for to in from..=24 {
            let mut row = [0u8; 3];
            blacken(&mut row, from, to);
            let set: Vec<u32> = (0..24).filter(|x| row[(x / 8) as usize] >> (7 - x % 8) & 1 == 1).collect();
            assert_eq!(set, (from..to).collect::<Vec<_>>());
        }
    }
}

#[test]
fn cmyk_is_light_where_there_is_no_ink() {
    assert_eq!(cmyk_to_rgb(vec![255, 0, 0, 0, 0, 0, 0, 255], false), [0, 255, 255, 0, 0, 0]);
    assert_eq!(cmyk_to_rgb(vec![255, 255, 255, 255], true), [255, 255, 255]);
}

#[test]
fn broken_codings_are_errors_and_not_panics() {
    let ink = Color::BLACK;
    let jbig2 = Samples::Jbig2 { data: vec![1, 2, 3], globals: Vec::new(), ink, paper: None };
    assert!(pixels(&Image::new(8, 8, jbig2), 1000).is_err());
    assert!(pixels(&Image::new(8, 8, Samples::Jpeg(vec![0xff, 0xd8, 0xff])), 1000).is_err());
}
