//! The IO images of the corpus.

use std::path::PathBuf;

use super::*;
use crate::page::pixels::pixels;

/// Begin Image Object, Image Data Descriptor, Image Picture Data, End Image Object.
const BIM: [u8; 3] = [0xD3, 0xA8, 0xFB];
const IDD: [u8; 3] = [0xD3, 0xA6, 0xFB];
const IPD: [u8; 3] = [0xD3, 0xEE, 0xFB];
const EIM: [u8; 3] = [0xD3, 0xA9, 0xFB];

fn corpus() -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    let folder = std::env::var_os("GREENBAR_CORPUS").map_or(beside, PathBuf::from).join("afp");
    if !folder.is_dir() {
        eprintln!("skipped: no corpus; set GREENBAR_CORPUS");
        return None;
    }
    Some(folder)
}

/// Descriptor and data of each image; fields are found by their carriage control byte and length.
fn images(data: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut all = Vec::new();
    let mut open: Option<(Vec<u8>, Vec<u8>)> = None;
    let mut at = 0;
    while let Some([0x5A, high, low, class, kind, category, flags, _, _, ..]) = data.get(at..) {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let padding = if flags & 8 == 0 { 0 } else { usize::from(data[at + length]) };
        let body = &data[at + 9..at + 1 + length - padding];
        match ([*class, *kind, *category], &mut open) {
            (BIM, _) => open = Some(Default::default()),
            (IDD, Some((idd, _))) => idd.extend_from_slice(body),
            (IPD, Some((_, ipd))) => ipd.extend_from_slice(body),
            (EIM, _) => all.extend(open.take()),
            _ => {}
        }
        at += 1 + length;
    }
    all.extend(open);
    all
}

#[test]
fn every_image_of_the_corpus_shows_something_and_nothing_is_reported() {
    let Some(folder) = corpus() else { return };
    let area = ObjectArea::AT_ORIGIN;
    for (name, count) in [
        ("afplib-bim.afp", 1),
        ("cmyip-bank-statement.afp", 50),
        ("cmyip-img.afp", 1),
        ("cmyip-x80-2c.afp", 24),
        ("fop-expected_resource.afp", 1),
        ("fop-resource_any_name.afp", 1),
        ("power-bw.afp", 27),
        ("power-goca.afp", 2),
        ("shaosil-sample1.afp", 1),
    ] {
        let data = std::fs::read(folder.join(name)).unwrap();
        let images = images(&data);
        assert_eq!(images.len(), count, "{name}");
        for (idd, ipd) in images {
            let mut notes = Vec::new();
            let elements = image(&area, &idd, &ipd, &|_| None, &Limits::default(), &mut |code, _| notes.push(code));
            assert!(notes.is_empty(), "{name}: {notes:?}");
            assert!(!elements.is_empty(), "{name}");
            for element in elements {
                let Element::Image(placed) = element else { panic!("{name}: {element:?}") };
                let pixels = pixels(&placed.image, 1 << 27).unwrap();
                assert!(!pixels.damaged, "{name}");
                let mut first = None;
                let varied = (0..pixels.height)
                    .any(|y| (0..pixels.width).any(|x| *first.get_or_insert(pixels.rgba(x, y)) != pixels.rgba(x, y)));
                assert!(varied, "{name}: all of one colour");
            }
        }
    }
}
