use super::*;

/// Characters placed one by one, each by AMI.
fn one_by_one(letters: &[(u16, u8)]) -> Vec<u8> {
    letters.iter().flat_map(|(at, letter)| stream(&[(0xC6, &at.to_be_bytes()), (0xDA, &[*letter])])).collect()
}

#[test]
fn characters_placed_one_by_one_are_words() {
    let drawn = drawn(&one_by_one(&[(100, b'A'), (220, b'i'), (260, b'B'), (420, b'C'), (541, b'D')]));
    assert_eq!(drawn.placed(), [("AiB", 1000, 0), ("CD", 4200, 0)]);
    assert_eq!(advances(drawn.texts()[0]), [1200, 400, 1200]);
    assert_eq!(advances(drawn.texts()[1]), [1210, 1200]);
}

#[test]
fn equal_advances_are_uniform() {
    assert_eq!(
        drawn(&one_by_one(&[(0, b'A'), (121, b'B')])).texts()[0].advances,
        Advances::Each(vec![Lu(1210), Lu(1200)])
    );
    assert_eq!(drawn(&one_by_one(&[(0, b'A'), (120, b'B')])).texts()[0].advances, Advances::Uniform(Lu(1200)));
}

#[test]
fn kerning_continues_a_word_but_going_back_does_not() {
    assert_eq!(drawn(&one_by_one(&[(0, b'A'), (90, b'V')])).placed(), [("AV", 0, 0)]);
    assert_eq!(drawn(&one_by_one(&[(500, b'A'), (90, b'V')])).placed(), [("A", 5000, 0), ("V", 900, 0)]);
}

#[test]
fn rounding_does_not_add_up() {
    // 7 units per inch: each is 2057 and a bit.
    let letters: Vec<(u16, u8)> = (0..40).map(|at| (at, b'A')).collect();
    let units = |env: &mut TextEnvironment<'_>| env.units = [7.0; 2];
    let drawn = draw_with(&one_by_one(&letters), units, &mut Carried::default());
    for run in drawn.texts() {
        let start = f64::from(run.x.0) * 7.0 / 14_400.0;
        assert!((start - start.round()).abs() < 0.001);
    }
    assert_eq!(drawn.texts().last().unwrap().x.0, 80_229);
}

#[test]
fn runs_of_blanks_are_not_drawn() {
    let data = stream(&[(0xDA, b"A"), (0xD2, &[0, 50]), (0xDA, b"   "), (0xD2, &[0, 90]), (0xDA, b"B")]);
    assert_eq!(drawn(&data).placed(), [("A", 0, 0), ("B", 3000, 900)]);
    let underscored = stream(&[(0x76, &[1]), (0xDA, b"   ")]);
    assert_eq!(drawn(&underscored).placed(), [("   ", 0, 0)]);
}

#[test]
fn text_does_not_grow_across_what_may_hide_it() {
    let thin = stream(&[(0xDA, b"A"), (0xE4, &[0, 90, 0, 5, 0]), (0xDA, b"B")]);
    assert_eq!(drawn(&thin).placed(), [("AB", 0, 0)]);
    let box_ = stream(&[(0xDA, b"A"), (0xE4, &[0, 90, 0, 90, 0]), (0xDA, b"B")]);
    assert_eq!(drawn(&box_).placed(), [("A", 0, 0), ("B", 1200, 0)]);
}

#[test]
fn letters_struck_twice_for_bold_are_read_once() {
    let drawn = drawn(&one_by_one(&[(0, b'A'), (2, b'A'), (120, b'B'), (122, b'B')]));
    let found: Vec<(&str, bool)> = drawn.texts().iter().map(|run| (run.text.as_str(), run.shadow)).collect();
    assert_eq!(found, [("AB", false), ("AB", true)]);
}

#[test]
fn lines_are_numbered_down_the_page_and_pieces_share_theirs() {
    let place =
        |x: u16, y: u16, text: &[u8]| stream(&[(0xC6, &x.to_be_bytes()), (0xD2, &y.to_be_bytes()), (0xDA, text)]);
    let data = [
        place(800, 300, b"total"),
        place(0, 100, b"head"),
        place(0, 300, b"sum"),
        place(0, 600, b"foot"),
        place(900, 103, b"date"),
    ];
    let mut drawn = drawn(&data.concat());
    number_lines(&mut drawn.elements);
    let lines: Vec<(&str, u32)> = drawn.texts().iter().map(|run| (run.text.as_str(), run.line)).collect();
    assert_eq!(lines, [("total", 2), ("head", 1), ("sum", 2), ("foot", 3), ("date", 1)]);
}

#[test]
fn turned_text_follows_the_direction_that_most_have() {
    let data = [
        stream(&[(0xF6, &[0x2D, 0, 0x5A, 0]), (0xC6, &[0, 9]), (0xD2, &[0, 200]), (0xDA, b"second line")]),
        stream(&[(0xC6, &[0, 9]), (0xD2, &[0, 100]), (0xDA, b"first line")]),
        stream(&[(0xF6, &[0, 0, 0x2D, 0]), (0xC6, &[0, 9]), (0xD2, &[0, 50]), (0xDA, b"edge")]),
    ];
    let mut drawn = drawn(&data.concat());
    number_lines(&mut drawn.elements);
    let lines: Vec<(&str, u32)> = drawn.texts().iter().map(|run| (run.text.as_str(), run.line)).collect();
    assert_eq!(lines, [("second line", 2), ("first line", 1), ("edge", 3)]);
}

#[test]
fn lines_struck_twice_are_read_once() {
    let twice = stream(&[
        (0xDA, b"TOTAL DUE"),
        (0xC6, &[0, 3]),
        (0xDA, b"TOTAL DUE"),
        (0xC6, &[0x0F, 0]),
        (0xDA, b"TOTAL DUE"),
    ]);
    let mut drawn = drawn(&twice);
    number_lines(&mut drawn.elements);
    let shadows: Vec<bool> = drawn.texts().iter().map(|run| run.shadow).collect();
    assert_eq!(shadows, [false, true, false]);
}
