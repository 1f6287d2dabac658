//! Blocks as columns: written by a load, read by the archive and by the reference decoder in Python.

use std::process::Command;

use super::*;
use crate::archive::block::{Needs, Packed};

/// An archive whose definition asks for columns.
fn small_archive(sizes: Sizes) -> Archive {
    let archive = archive_on(Arc::new(Memory::default()), sizes);
    let source = format!("compression = \"small\"\n{STATEMENTS}");
    archive.add_definition(&Definition::parse(&source, "great-lakes-statement.toml").expect("sound")).expect("added");
    archive
}

/// The contents of a load's block rows, in order.
fn contents(archive: &Archive) -> Vec<Vec<u8>> {
    let content = |(key, value): &(Vec<u8>, Vec<u8>)| rows::unseal("block", key, value).expect("sound").to_vec();
    rows_of(archive, Family::Blocks).iter().map(content).collect()
}

fn python(contents: &[Vec<u8>], name: &str) -> Vec<u8> {
    let folder = std::env::temp_dir().join(format!("greenbar-columns-{name}-{}", std::process::id()));
    let rows = folder.join("rows");
    std::fs::create_dir_all(&rows).expect("a folder");
    for (number, content) in contents.iter().enumerate() {
        std::fs::write(rows.join(number.to_string()), content).expect("written");
    }
    let decoder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/block/decode.py");
    let out = folder.join("out");
    let status = Command::new("/usr/bin/python3").arg(decoder).arg(&rows).arg(&out).status().expect("python3 runs");
    assert!(status.success(), "the reference decoder failed");
    let bytes = std::fs::read(&out).expect("reads");
    std::fs::remove_dir_all(&folder).expect("removed");
    bytes
}

#[test]
fn a_reader_written_from_the_description_reads_the_blocks() {
    for (name, count, sizes, many) in [("small", 300, SIZES, false), ("big", 3_000, TINY, true)] {
        let archive = small_archive(sizes);
        let stream = statements(count);
        load(&archive, &stream);
        let contents = contents(&archive);
        let codecs: Vec<u8> = contents.iter().filter_map(|content| content.first().copied()).collect();
        assert_eq!(codecs.first(), Some(&4), "{name}");
        assert!(codecs.iter().skip(1).all(|codec| *codec == 5), "{name}: {codecs:?}");
        assert_eq!(codecs.len() > 1, many);
        assert!(python(&contents, name) == stream, "{name}");
        assert_eq!(export(&archive, LoadId(1)), stream);
        assert_sound(&archive);
    }
}

#[test]
fn a_block_that_fits_nothing_learned_is_stored_in_rows_between_the_others() {
    let archive = small_archive(TINY);
    let mut stream = statements(3_000);
    let middle = stream.len() / 2;
    let middle = middle + stream[middle..].iter().position(|byte| *byte == b'\n').expect("a line") + 1;
    let noise: Vec<u8> = (0..400_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    stream.splice(middle..middle, noise);
    load(&archive, &stream);
    let contents = contents(&archive);
    let codecs: Vec<u8> = contents.iter().filter_map(|content| content.first().copied()).collect();
    assert!(codecs.contains(&5) && codecs.iter().any(|codec| [0, 3].contains(codec)), "{codecs:?}");
    assert!(python(&contents, "mixed") == stream);
    assert_eq!(export(&archive, LoadId(1)), stream);
    assert_sound(&archive);
}

#[test]
fn damaged_contents_of_columns_are_errors_and_not_panics() {
    let archive = small_archive(TINY);
    load(&archive, &statements(2_000));
    let contents = contents(&archive);
    let first = Packed::parse("first", &contents[0]).expect("parses").form("first", &[]).expect("a form");
    let mut seed = 7_usize;
    for content in &contents {
        for _ in 0..40 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let mut damaged = content.clone();
            let at = if seed & 1 == 0 { (seed >> 33) % 40 } else { (seed >> 33) % damaged.len() };
            damaged[at] = (seed >> 16) as u8;
            let Ok(packed) = Packed::parse("block", &damaged) else { continue };
            let context = if packed.needs() == Needs::FirstForm { first.as_slice() } else { &[] };
            if let Ok(bytes) = packed.unpack("block", context) {
                assert!(bytes.len() <= 32 << 20);
            }
        }
    }
}
