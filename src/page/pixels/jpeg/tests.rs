use super::*;

macro_rules! fixture {
    ($name:literal) => {
        ($name, &include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/pictures/", $name))[..])
    };
}

/// Where the data of the first scan begin.
fn scan_start(file: &[u8]) -> usize {
    let at = file.windows(2).position(|two| two == [0xFF, 0xDA]).unwrap();
    at + 2 + usize::from(u16::from_be_bytes([file[at + 2], file[at + 3]]))
}

#[test]
fn whole_files_are_whole_and_every_cut_is_found() {
    for (name, file) in [fixture!("rgb.jpg"), fixture!("gray.jpg"), fixture!("cmyk.jpg"), fixture!("progressive.jpg")] {
        assert!(jpeg_is_whole(file), "{name}");
        assert!(jpeg_is_whole(&[file, b"behind"].concat()), "{name}");
        for end in (0..file.len() - 4).step_by(7) {
            assert!(!jpeg_is_whole(&file[..end]), "{name} cut at {end}");
            // An end put on does not heal it.
            let mended = [&file[..end], &[0xFF, 0xD9]].concat();
            assert!(name == "progressive.jpg" || !jpeg_is_whole(&mended), "{name} cut at {end} and ended");
        }
    }
    let (_, file) = fixture!("rgb.jpg");
    assert!(jpeg_is_whole(&file[..file.len() - 2]), "only the mark of the end lacks");
}

#[test]
fn noise_in_a_scan_is_found() {
    for (name, file) in [fixture!("rgb.jpg"), fixture!("gray.jpg"), fixture!("cmyk.jpg")] {
        let mut damaged = file.to_vec();
        let mut state = 0x9E37_79B9_u32;
        for byte in damaged.iter_mut().skip(scan_start(file) + 20) {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *byte = (state >> 24) as u8 & 0xFE;
        }
        assert!(!jpeg_is_whole(&damaged), "{name}");
        // Zeros may be a code of a picture; they are too few or too many.
        damaged[scan_start(file)..].fill(0);
        assert!(!jpeg_is_whole(&damaged), "{name}: zeros");
    }
}

#[test]
fn any_bytes_are_survived() {
    let (_, file) = fixture!("rgb.jpg");
    for at in 0..file.len() {
        for value in [0, 0xFF, 0x11, 0xD0] {
            let mut changed = file.to_vec();
            changed[at] = value;
            jpeg_is_whole(&changed);
        }
    }
}
