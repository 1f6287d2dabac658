use super::super::tests::{TinyFont, tiny};
use super::*;

#[test]
fn a_character_set_is_read_with_all_its_rotations() {
    let set = CharacterSet::read(&tiny(&TinyFont::default())).unwrap();
    assert_eq!((set.typeface.as_str(), set.size, set.weight), ("TINY SANS", 100, 5));
    assert_eq!(set.technology, Technology::Raster);
    assert_eq!(set.metrics, Unit::PerInch(240.0));
    assert_eq!(set.resolution, [240.0, 240.0]);
    assert_eq!(set.orientations.len(), 2);
    assert_eq!(set.characters.len(), 2);
    assert_eq!(set.orientation(90).rotation, 90);
    assert_eq!(set.orientation(270).rotation, 0, "the first one in place of one it lacks");
    assert_eq!(set.at(set.orientation(0)).len(), 2);
    assert_eq!(set.patterns.len(), 2);
}

#[test]
fn relative_metrics_and_a_resolution_of_their_own_are_read() {
    let font = TinyFont { relative: true, ..TinyFont::default() };
    let set = CharacterSet::read(&tiny(&font)).unwrap();
    assert_eq!((set.metrics, set.resolution), (Unit::PerEm(1000.0), [300.0, 300.0]));
}

#[test]
fn short_index_groups_and_split_fields_are_read() {
    let whole = tiny(&TinyFont::default());
    let mut split = Fields::default();
    for field in whole.iter() {
        if field.id == FNI {
            let (head, tail) = field.data.split_at(5);
            split.push(crate::decode::afp::field::Field { data: head, ..field });
            split.push(crate::decode::afp::field::Field { data: tail, ..field });
        } else {
            split.push(field);
        }
    }
    assert_eq!(CharacterSet::read(&split).unwrap().characters, CharacterSet::read(&whole).unwrap().characters);
    let groups = runs(&[0xC1; 10], 10);
    assert_eq!(groups.len(), 1);
    assert_eq!((groups[0][0].increment, groups[0][0].b_space), (0xC1C1, 0));
}

#[test]
fn names_stand_behind_the_pairs_that_point_at_them() {
    let name = |letter: u8| [0xD3, letter, 0xF0, 0xF1, 0xF0, 0xF0, 0xF0, 0xF0];
    let mut map = vec![2, 3];
    map.extend(name(0xC1));
    map.extend(26_u32.to_be_bytes());
    map.extend(name(0xC2));
    map.extend(28_u32.to_be_bytes());
    map.extend(b"\x02a\x03bb");
    let mut control = vec![0; 42];
    control[35] = 12;
    control[41] = 2;
    let names = names(&map, &control);
    assert_eq!(names.len(), 2);
    assert_eq!(names[&name(0xC1)], b"a");
    assert_eq!(names[&name(0xC2)], b"bb");
    assert!(super::names(&[2, 3], &[]).is_empty());
}

#[test]
fn parts_of_outline_data_are_told_apart() {
    let mut data = 14_u32.to_be_bytes().to_vec();
    data.extend([0, 0, 0, 0, 0, 2]);
    data.extend(b"PFB!");
    data.extend(16_u32.to_be_bytes());
    data.extend([0, 0, 0, 0, 0, 2, 0, 3, 5]);
    data.extend(b"CID");
    assert_eq!(objects(&data, false)[0].data, b"PFB!");
    let parts = objects(&data[14..], true);
    assert_eq!((parts.len(), parts[0].kind, parts[0].data), (1, 5, b"CID".as_slice()));
    assert!(objects(&[0xFF; 9], false).is_empty());
}
