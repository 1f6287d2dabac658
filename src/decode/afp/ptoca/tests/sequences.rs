use super::*;

const RED: Color = Color { r: 255, g: 0, b: 0 };
const BLUE: Color = Color { r: 0, g: 0, b: 255 };

#[test]
fn moves_place_text_in_units_of_the_page() {
    // AMI 100, AMB 200, A; RMI 10, RMB -50, B.
    let data = stream(&[
        (0xC6, &[0, 100]),
        (0xD2, &[0, 200]),
        (0xDA, b"A"),
        (0xC8, &[0, 10]),
        (0xD4, &[0xFF, 0xCE]),
        (0xDA, b"B"),
    ]);
    assert_eq!(drawn(&data).placed(), [("A", 1000, 2000), ("B", 2300, 1500)]);
}

#[test]
fn a_chain_goes_on_across_the_place_where_two_fields_were_joined() {
    let data = [0x2B, 0xD3, 4, 0xC7, 0, 100, 4, 0xD3, 0, 200, 3, 0xDA, b'A'];
    assert_eq!(drawn(&data).placed(), [("A", 1000, 2000)]);
}

#[test]
fn code_points_outside_control_sequences_are_text() {
    let data = [b"ab".as_slice(), &stream(&[(0xD2, &[0, 10])]), b"c+d"].concat();
    assert_eq!(drawn(&data).placed(), [("ab", 0, 0), ("c+d", 2400, 100)]);
}

#[test]
fn a_character_that_the_font_does_not_have_moves_and_is_reported() {
    let drawn = drawn(&stream(&[(0xDA, b"A\0B")]));
    assert_eq!(drawn.placed(), [("A", 0, 0), ("B", 2400, 0)]);
    assert_eq!(drawn.codes, ["afp-text-character"]);
}

#[test]
fn lines_begin_at_the_margin_one_increment_below() {
    let data = stream(&[(0xC0, &[0, 50]), (0xD0, &[0, 30]), (0xD8, &[]), (0xDA, b"A"), (0xD9, &[])]);
    let data = [data, vec![2, 0xD8], stream(&[(0xDA, b"B")])].concat();
    assert_eq!(drawn(&data).placed(), [("A", 500, 300), ("B", 500, 900)]);
}

#[test]
fn six_lines_an_inch_are_the_default_increment() {
    let data = stream(&[(0xD0, &[0, 30]), (0xD0, &[0xFF, 0xFF]), (0xD8, &[]), (0xDA, b"A")]);
    assert_eq!(drawn(&data).placed(), [("A", 0, 2400)]);
}

#[test]
fn the_adjustment_stands_between_the_characters_of_a_word_only() {
    let data = stream(&[(0xC2, &[0, 10]), (0xDA, b"AB C"), (0xC8, &[0, 0]), (0xDA, b"D")]);
    let drawn = drawn(&data);
    assert_eq!(drawn.placed(), [("AB CD", 0, 0)]);
    // A and B are 100 apart; neither the space nor the move has any.
    assert_eq!(advances(drawn.texts()[0]), [1300, 1200, 600, 1200, 1200]);
}

#[test]
fn the_adjustment_may_be_subtracted_and_returns_to_none() {
    let data = stream(&[(0xC2, &[0, 10, 1]), (0xDA, b"AB"), (0xC2, &[0xFF, 0xFF]), (0xDA, b"C")]);
    assert_eq!(advances(drawn(&data).texts()[0]), [1100, 1200, 1200]);
}

#[test]
fn a_character_without_increment_couples_with_the_next() {
    let data = stream(&[(0xC2, &[0, 10]), (0xDA, b"A~B")]);
    let drawn = drawn(&data);
    // The accent stands where B stands: 100 behind the end of A.
    assert_eq!(advances(drawn.texts()[0]), [1300, 0, 1200]);
}

#[test]
fn the_variable_space_is_set_and_carried_to_the_next_object_of_the_page() {
    let mut carried = Carried::default();
    let first = stream(&[(0xDA, b"A B"), (0xC4, &[0, 100]), (0xDA, b"A B")]);
    let first = draw_with(&first, |_| {}, &mut carried);
    assert_eq!(advances(first.texts()[0]), [1200, 600, 1200, 1200, 1000, 1200]);
    let second = draw_with(&stream(&[(0xDA, b"A B"), (0xC4, &[0xFF, 0xFF]), (0xDA, b" C")]), |_| {}, &mut carried);
    assert_eq!(advances(second.texts()[0]), [1200, 1000, 1200, 600, 1200]);
}

#[test]
fn a_repeated_string_fills_its_bytes() {
    assert_eq!(drawn(&stream(&[(0xEE, &[0, 5, b'a', b'b'])])).placed(), [("ababa", 0, 0)]);
    assert_eq!(drawn(&stream(&[(0xEE, &[0, 1, b'a', b'b'])])).placed(), [("a", 0, 0)]);
    assert!(drawn(&stream(&[(0xEE, &[0, 0])])).codes.is_empty());
    assert_eq!(drawn(&stream(&[(0xEE, &[0, 9])])).codes, ["afp-text-short"]);
}

#[test]
fn rules_reach_from_the_position_and_leave_it() {
    let at = [(0xC6, &[0, 100][..]), (0xD2, &[0, 200])];
    let rules = |kind: u8, data: &[u8]| drawn(&stream(&[at[0], at[1], (kind, data)])).rules();
    assert_eq!(rules(0xE4, &[0, 50, 0, 20, 0]), [[1000, 2000, 500, 200]]);
    assert_eq!(rules(0xE6, &[0, 50, 0, 20, 0]), [[1000, 2000, 200, 500]]);
    // Half a unit more; then the other way in both directions.
    assert_eq!(rules(0xE4, &[0, 50, 0, 20, 0x80]), [[1000, 2000, 500, 205]]);
    assert_eq!(rules(0xE4, &[0xFF, 0xCE, 0xFF, 0xEC, 0]), [[500, 1800, 500, 200]]);
    assert_eq!(rules(0xE6, &[0xFF, 0xCE, 0, 20, 0]), [[1000, 1500, 200, 500]]);
    // One pel of 1/240 inch when no width is given; nothing for zero; never invisible.
    assert_eq!(rules(0xE4, &[0, 50]), [[1000, 2000, 500, 60]]);
    assert_eq!(rules(0xE4, &[0, 50, 0xFF, 0xFF, 0xFF]), [[1000, 2000, 500, 60]]);
    assert_eq!(rules(0xE4, &[0, 50, 0, 0, 0]), Vec::<[i32; 4]>::new());
    assert_eq!(rules(0xE4, &[0, 50, 0, 0, 1]), [[1000, 2000, 500, 24]]);
    let text = drawn(&stream(&[(0xE4, &[0, 50]), (0xDA, b"A")]));
    assert_eq!(text.placed(), [("A", 0, 0)]);
}

#[test]
fn fonts_are_selected_by_local_id_and_fall_back_to_the_default() {
    let data = stream(&[(0xF0, &[2]), (0xDA, b"A"), (0xF0, &[0xFF]), (0xDA, b"B"), (0xF0, &[9]), (0xDA, b"C")]);
    let drawn = drawn(&data);
    let sizes: Vec<i32> = drawn.texts().iter().map(|run| run.size.0).collect();
    assert_eq!(sizes, [4000, 2000]);
    assert_eq!(drawn.placed()[1].0, "BC");
    assert_eq!(drawn.codes, ["afp-text-font"]);
}

#[test]
fn what_is_suppressed_moves_but_is_not_drawn() {
    let rule: (u8, &[u8]) = (0xE4, &[0, 50, 0, 20, 0]);
    let data = stream(&[
        (0xF2, &[7]),
        (0xDA, b"AB"),
        rule,
        (0xF4, &[8]),
        (0xDA, b"C"),
        (0xF4, &[7]),
        (0xDA, b"D"),
        (0xF2, &[8]),
        (0xDA, b"E"),
    ]);
    let hidden = draw_with(&data, |env| env.suppressed = &[7], &mut Carried::default());
    assert_eq!(hidden.placed(), [("DE", 3600, 0)]);
    assert!(hidden.rules().is_empty());
    assert_eq!(drawn(&data).placed(), [("ABCDE", 0, 0)]);
}

#[test]
fn a_suppression_in_force_holds_inside_one_that_is_not() {
    let data = stream(&[(0xF2, &[8]), (0xF2, &[7]), (0xDA, b"A"), (0xF4, &[8]), (0xDA, b"B")]);
    assert!(draw_with(&data, |env| env.suppressed = &[7], &mut Carried::default()).elements.is_empty());
}

#[test]
fn colours_are_named_extended_and_default() {
    let data = stream(&[
        (0x74, &[0, 2]),
        (0xDA, b"A"),
        (0x74, &[0xFF, 0x01, 0]),
        (0xDA, b"B"),
        (0x74, &[0xFF, 0xFF]),
        (0xDA, b"C"),
        (0x80, &[0, 1, 0, 0, 0, 0, 8, 8, 8, 0, 255, 0, 0]),
        (0xDA, b"D"),
        (0x80, &[0, 9, 0, 0, 0, 0, 8, 8, 8, 0, 255, 0, 0]),
        (0xDA, b"E"),
    ]);
    let drawn = drawn(&data);
    let colors: Vec<Color> = drawn.texts().iter().map(|run| run.color).collect();
    assert_eq!(colors, [RED, BLUE, Color::BLACK, RED, Color::BLACK]);
    assert_eq!(drawn.codes, ["afp-text-color"]);
}

#[test]
fn an_orientation_keeps_the_point_on_the_page() {
    // 1,1 inch; 90,180: text runs down from there, the next line is to the left.
    let data = stream(&[
        (0xC6, &[0x05, 0xA0]),
        (0xD2, &[0x05, 0xA0]),
        (0xF6, &[0x2D, 0, 0x5A, 0]),
        (0xDA, b"AB"),
        (0xD4, &[0, 100]),
        (0xDA, b"C"),
        (0xE4, &[0, 50, 0, 20, 0]),
    ]);
    let drawn = drawn(&data);
    assert_eq!(drawn.placed(), [("AB", 14_400, 14_400), ("C", 13_400, 16_800)]);
    assert!(drawn.texts().iter().all(|run| run.turns == 1));
    assert_eq!(drawn.rules(), [[13_200, 18_000, 200, 500]]);
}

#[test]
fn every_orientation_starts_at_its_corner() {
    let expected: [([u8; 4], [i32; 2], u8, [i32; 4]); 8] = [
        ([0, 0, 0x2D, 0], [1000, 2000], 0, [1000, 2000, 500, 200]),
        ([0x2D, 0, 0x5A, 0], [142_000, 1000], 1, [141_800, 1000, 200, 500]),
        ([0x5A, 0, 0x87, 0], [143_000, 286_000], 2, [142_500, 285_800, 500, 200]),
        ([0x87, 0, 0, 0], [2000, 287_000], 3, [2000, 286_500, 200, 500]),
        ([0x2D, 0, 0, 0], [2000, 1000], 1, [2000, 1000, 200, 500]),
        ([0x5A, 0, 0x2D, 0], [143_000, 2000], 2, [142_500, 2000, 500, 200]),
        ([0x87, 0, 0x5A, 0], [142_000, 287_000], 3, [141_800, 286_500, 200, 500]),
        ([0, 0, 0x87, 0], [1000, 286_000], 0, [1000, 285_800, 500, 200]),
    ];
    for (axes, [x, y], turns, rule) in expected {
        let data =
            stream(&[(0xF6, &axes), (0xC6, &[0, 100]), (0xD2, &[0, 200]), (0xE4, &[0, 50, 0, 20, 0]), (0xDA, b"A")]);
        let drawn = drawn(&data);
        assert_eq!(drawn.placed(), [("A", x, y)], "{axes:02X?}");
        assert_eq!(drawn.texts()[0].turns, turns, "{axes:02X?}");
        assert_eq!(drawn.rules(), [rule], "{axes:02X?}");
    }
}

#[test]
fn oblique_and_parallel_axes_become_the_usual_ones() {
    for axes in [[0, 0, 0, 0], [0x16, 0x80, 0x2D, 0], [0, 0, 0x5A, 0]] {
        let drawn = drawn(&stream(&[(0xF6, &[0x2D, 0, 0x5A, 0]), (0xF6, &axes), (0xC6, &[0, 9]), (0xDA, b"A")]));
        assert_eq!((drawn.texts()[0].turns, drawn.texts()[0].x.0), (0, 90));
        assert_eq!(drawn.codes, ["afp-text-orientation"]);
    }
}

#[test]
fn underscored_text_and_the_white_space_in_it() {
    // USC no bypass; AB, RMI 100, C, AMI away, AMB: the jump to the next line is not underscored; D; end.
    let data = stream(&[
        (0x76, &[1]),
        (0xDA, b"AB"),
        (0xC8, &[0, 100]),
        (0xDA, b"C"),
        (0xC6, &[0x03, 0xE8]),
        (0xD2, &[0, 100]),
        (0xDA, b"D"),
        (0x76, &[0]),
        (0xDA, b"E"),
    ]);
    let drawn = drawn(&data);
    let underlined: Vec<(&str, bool)> = drawn.texts().iter().map(|run| (run.text.as_str(), run.underline)).collect();
    assert_eq!(underlined, [("AB", true), ("C", true), ("D", true), ("E", false)]);
    assert_eq!(drawn.rules(), [[2400, 200, 1000, 111]]);
}

#[test]
fn an_underscore_can_bypass_moves_and_spaces() {
    let data = stream(&[(0x76, &[0x0A]), (0xDA, b"A B"), (0xC8, &[0, 100]), (0xDA, b"C"), (0x76, &[0])]);
    let drawn = drawn(&data);
    let underlined: Vec<(&str, bool)> = drawn.texts().iter().map(|run| (run.text.as_str(), run.underline)).collect();
    assert_eq!(underlined, [("A", true), ("B", true), ("C", true)]);
    assert!(drawn.rules().is_empty());
}

#[test]
fn an_underscored_blank_to_write_on_is_a_rule() {
    let data = stream(&[(0x76, &[1]), (0xC8, &[0, 100]), (0x76, &[0])]);
    assert_eq!(drawn(&data).rules(), [[0, 200, 1000, 111]]);
}

#[test]
fn overstrikes_fill_the_area_side_by_side() {
    let data = stream(&[
        (0x72, &[1, 0, b'-']),
        (0xDA, b"AB"),
        (0xC8, &[0, 120]),
        (0xDA, b"C"),
        (0x72, &[0, 0, 0]),
        (0xDA, b"D"),
    ]);
    let drawn = drawn(&data);
    let found: Vec<(&str, i32, bool)> =
        drawn.texts().iter().map(|run| (run.text.as_str(), run.x.0, run.shadow)).collect();
    assert_eq!(found, [("AB", 0, false), ("CD", 3600, false), ("----", 0, true)]);
}

#[test]
fn overstrikes_can_bypass_spaces() {
    let data = stream(&[(0x73, &[2, 0, b'/']), (0xDA, b"A B"), (0x72, &[0, 0, 0])]);
    let data = [&data[..4], &data[4..]].concat();
    let shadows: Vec<(String, i32)> =
        drawn(&data).texts().iter().filter(|run| run.shadow).map(|run| (run.text.clone(), run.x.0)).collect();
    assert_eq!(shadows, [("/".to_owned(), 0), ("/".to_owned(), 1800)]);
}

#[test]
fn temporary_baselines_go_down_up_and_back() {
    let data = stream(&[
        (0xD2, &[0, 200]),
        (0xDA, b"A"),
        (0x78, &[2]),
        (0xDA, b"B"),
        (0x78, &[3, 0, 0, 10]),
        (0xDA, b"C"),
        (0xD4, &[0, 50]),
        (0xDA, b"D"),
        (0x78, &[1]),
        (0xDA, b"E"),
        (0x78, &[0]),
        (0xDA, b"F"),
    ]);
    // Half of the usual increment is 1200; 100 back up; the established baseline moves underneath.
    let expected = [("A", 0, 2000), ("B", 1200, 3200), ("C", 2400, 3100), ("D", 3600, 3600), ("EF", 4800, 2500)];
    assert_eq!(drawn(&data).placed(), expected);
}

#[test]
fn what_stands_on_a_temporary_baseline_is_underscored_on_the_established_one() {
    let data = stream(&[(0x76, &[1]), (0xDA, b"A"), (0x78, &[3, 0, 0, 70]), (0xDA, b"B"), (0x76, &[0])]);
    let drawn = drawn(&data);
    let underlined: Vec<(&str, i32, bool)> =
        drawn.texts().iter().map(|run| (run.text.as_str(), run.y.0, run.underline)).collect();
    assert_eq!(underlined, [("A", 0, true), ("B", -700, false)]);
    assert_eq!(drawn.rules(), [[1200, 200, 1200, 111]]);
}

#[test]
fn no_operations_and_unknown_sequences_are_skipped_by_their_length() {
    let data = stream(&[(0xF8, b"+\xD3"), (0x10, b"xyz"), (0x10, b""), (0xDA, b"A"), (0x9A, &[0, 0, 0, 0, 1])]);
    let drawn = drawn(&data);
    assert_eq!(drawn.placed(), [("A", 0, 0)]);
    assert_eq!(drawn.codes, ["afp-text-unknown"]);
}

#[test]
fn a_chained_unknown_sequence_keeps_the_chain() {
    assert_eq!(drawn(&[0x2B, 0xD3, 3, 0x11, 9, 3, 0xDA, b'A']).placed(), [("A", 0, 0)]);
}

#[test]
fn sequences_without_what_they_must_have_are_reported_and_skipped() {
    for kind in
        [0xC0, 0xC2, 0xC4, 0xC6, 0xC8, 0xD0, 0xD2, 0xD4, 0xE4, 0xE6, 0xF0, 0xF2, 0xF4, 0x72, 0x74, 0x76, 0x78, 0x80]
    {
        let drawn = drawn(&stream(&[(kind, &[]), (0xDA, b"A")]));
        assert_eq!((drawn.placed(), drawn.codes.clone()), (vec![("A", 0, 0)], vec!["afp-text-short"]), "{kind:02X}");
    }
}

#[test]
fn encrypted_text_shows_its_alternate() {
    let data = stream(&[(0x9C, &[0, 0, 0, 0, b'n', b'o']), (0x9D, &[0, 0, 0, 0, b'n', b'e'])]);
    let tail = [&[9, 0x99, 0, 0, 0, 0, 1, 2, 3][..], &[7, 0x98, 0, 0, 0, 0, 9]].concat();
    let drawn = drawn(&[data, tail].concat());
    assert_eq!(drawn.placed(), [("none", 0, 0)]);
    assert_eq!(drawn.codes, ["afp-text-encrypted"]);
}

#[test]
fn the_descriptor_gives_units_extents_and_conditions() {
    // 240 and 300 units per inch, 2400 by 6000; margin 10, increment 30, font 2, red, 10,20, 0 and 270 degrees.
    let fixed = [0, 0, 0x09, 0x60, 0x0B, 0xB8, 0, 0x09, 0x60, 0, 0x17, 0x70, 0, 0];
    let chain = [
        &[4, 0xC1, 0, 10][..],
        &[4, 0xD1, 0, 30],
        &[3, 0xF1, 2],
        &[4, 0x75, 0, 2],
        &[4, 0xC7, 0, 10],
        &[4, 0xD3, 0, 20],
        &[5, 0xC3, 0, 2, 1],
        &[6, 0xF6, 0, 0, 0x87, 0],
    ]
    .concat();
    let descriptor = [&fixed[..], &chain].concat();
    let data =
        stream(&[(0xDA, b"AB"), (0xD8, &[]), (0xDA, b"C"), (0x74, &[0, 1]), (0x74, &[0xFF, 0xFF]), (0xDA, b"D")]);
    let drawn = described(&data, &descriptor);
    assert_eq!(drawn.placed(), [("AB", 600, 288_000 - 960), ("CD", 600, 288_000 - 2400)]);
    assert_eq!(advances(drawn.texts()[0]), [1080, 1200]);
    assert!(drawn.texts().iter().all(|run| run.color == RED && run.size == Lu(4000)));
    assert!(drawn.codes.is_empty());
}

#[test]
fn descriptors_of_format_1_and_short_ones() {
    let old = [1, 1, 0x16, 0x26, 0x16, 0x26, 0x10, 0, 0x10, 0];
    let data =
        stream(&[(0xC6, &[0, 100]), (0xDA, b"A"), (0xF6, &[0x5A, 0, 0x87, 0]), (0xC6, &[0, 0]), (0xD2, &[0, 0])]);
    let data = [data, stream(&[(0xDA, b"B")])].concat();
    let drawn = described(&data, &old);
    assert_eq!(described(&data, &[&old[..], &[0, 0]].concat()).placed(), drawn.placed());
    // Format 2 without flags.
    let new = [1, 1, 0x16, 0x26, 0x16, 0x26, 0, 0x10, 0, 0, 0x10, 0];
    assert_eq!(described(&data, &new).placed()[0], ("A", 1000, 0));
    // 5670 units in 10 cm: 0.254 of them in an inch make 1440.18; 4096 of those are 40955.
    assert_eq!(drawn.placed(), [("A", 1000, 0), ("B", 40_955, 40_955)]);
    let short = described(&stream(&[(0xDA, b"A")]), &[0, 0, 9]);
    assert_eq!((short.placed(), short.codes.clone()), (vec![("A", 0, 0)], vec!["afp-text-descriptor"]));
}

#[test]
fn a_rotated_area_turns_about_its_origin() {
    let data = stream(&[(0xC6, &[0, 100]), (0xD2, &[0, 200]), (0xE4, &[0, 50, 0, 20, 0]), (0xDA, b"A")]);
    let expected: [(i32, i32, [i32; 4]); 4] = [
        (11_000, 22_000, [11_000, 22_000, 500, 200]),
        (8_000, 21_000, [7_800, 21_000, 200, 500]),
        (9_000, 18_000, [8_500, 17_800, 500, 200]),
        (12_000, 19_000, [12_000, 18_500, 200, 500]),
    ];
    for (turns, (x, y, rule)) in (0..).zip(expected) {
        let place = |env: &mut TextEnvironment<'_>| (env.turns, env.origin) = (turns, [Lu(10_000), Lu(20_000)]);
        let drawn = draw_with(&data, place, &mut Carried::default());
        assert_eq!((drawn.placed(), drawn.texts()[0].turns), (vec![("A", x, y)], turns));
        assert_eq!(drawn.rules(), [rule]);
    }
}
