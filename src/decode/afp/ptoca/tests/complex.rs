use super::*;
use crate::decode::afp::field::Fields;
use crate::decode::afp::font::{FontRequest, FontSource};
use crate::page::FontProgram;

/// UTF-16; the glyph of a character is its code, but for the ligature X'FB01', which only glyph runs name. Without a program
/// it has no Arabic presentation forms.
struct Unicode(Option<FontProgram>);

impl SetsText for Unicode {
    fn next(&self, bytes: &[u8]) -> Option<(usize, Glyph)> {
        let code = u16::from_be_bytes(*bytes.first_chunk()?);
        let ch = char::from_u32(code.into()).unwrap_or('\u{FFFD}');
        let missing = self.0.is_none() && code >= 0xFB50;
        Some((2, Glyph { ch, part: 0, id: code, advance: Lu(1000), space: ch == ' ', missing }))
    }

    fn part(&self, _: u8) -> Part<'_> {
        Part { program: self.0.as_ref(), face: Face::default(), size: Lu(2000), stretch: 1000 }
    }

    fn space(&self) -> Lu {
        Lu(500)
    }
}

fn drawn_with(font: Unicode, data: &[u8]) -> Drawn {
    let font: Arc<dyn SetsText> = Arc::new(font);
    let (mut elements, mut codes) = (Vec::new(), Vec::new());
    draw(data, &environment(&font), &mut Carried::default(), &mut elements, &mut |code, _| codes.push(code));
    Drawn { elements, codes }
}

fn program() -> Option<FontProgram> {
    Some(FontProgram::new("Test", vec![0], 0))
}

fn numbers(numbers: &[u16]) -> Vec<u8> {
    [0, 0].into_iter().chain(numbers.iter().flat_map(|number| number.to_be_bytes())).collect()
}

fn chained(kind: u8, data: &[u8]) -> Vec<u8> {
    [&[u8::try_from(data.len() + 2).unwrap(), kind][..], data].concat()
}

fn glc(advance: u8) -> Vec<u8> {
    [&[0x2B, 0xD3][..], &chained(0x6D, &[0, advance, 0, 0, 0, 0, 0, 0])].concat()
}

/// UCT, chained: the control and the text behind it.
fn uct(text: &str, flags: u8, direction: u8) -> Vec<u8> {
    let text: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let count = u8::try_from(text.len()).unwrap();
    let control = chained(0x6A, &[1, 0, 0, count, flags, 0, direction, 0x20, 0, 0, 0, 0, 0, 0]);
    [control, text].concat()
}

#[test]
fn glyphs_stand_at_their_advances_and_say_their_text() {
    let data = [
        glc(250),
        chained(0x8B, &numbers(&[0x61, 0xFB01, 0x62])),
        chained(0x8D, &numbers(&[0, 90, 150])),
        uct("afib", 0, 0x20),
        b"\0+\0d".to_vec(),
    ];
    let drawn = drawn_with(Unicode(program()), &data.concat());
    assert_eq!(drawn.placed(), [("afib+d", 0, 0)]);
    let run = drawn.texts()[0];
    assert_eq!(run.embedded.as_ref().unwrap().glyphs, [0x61, 0xFB01, 0x20, 0x62, 0x2B, 0x64]);
    assert_eq!(advances(run), [900, 600, 0, 1000, 1000, 1000]);
}

#[test]
fn a_glyph_off_the_baseline_is_drawn_there_and_read_in_the_line() {
    let data = [
        glc(200),
        chained(0x8B, &numbers(&[0x61, 0x62])),
        chained(0x8D, &numbers(&[0, 100])),
        chained(0x8F, &numbers(&[0, 30])),
        uct("ab", 0, 0x20),
    ];
    let drawn = drawn_with(Unicode(program()), &data.concat());
    let found: Vec<(&str, i32, bool)> =
        drawn.texts().iter().map(|run| (run.text.as_str(), run.y.0, run.shadow)).collect();
    assert_eq!(found, [("ab", 0, false), ("b", -300, true)]);
}

#[test]
fn the_position_behind_a_chain_is_what_it_says() {
    let data = [
        glc(77),
        chained(0x8B, &numbers(&[0x61])),
        chained(0x8C, &numbers(&[0])),
        stream(&[(0xD2, &[0, 9])]),
        b"\0z".to_vec(),
    ];
    let drawn = drawn_with(Unicode(program()), &data.concat());
    // No text and no readable font: the glyph is shown, its character is unknown.
    assert_eq!(drawn.placed(), [("\u{FFFD}", 0, 0), ("z", 770, 90)]);
}

#[test]
fn without_the_font_the_text_is_set_to_the_same_length() {
    let data = [
        glc(150),
        chained(0x8B, &numbers(&[1, 2, 3])),
        chained(0x8D, &numbers(&[0, 50, 100])),
        uct("abc", 0, 0x20),
        b"\0d".to_vec(),
    ];
    let drawn = drawn_with(Unicode(None), &data.concat());
    assert_eq!(drawn.placed(), [("abcd", 0, 0)]);
    assert_eq!(advances(drawn.texts()[0]), [500, 500, 500, 1000]);
    assert_eq!(drawn.codes, ["afp-text-substitute"]);
    let silent = [glc(150), chained(0x8B, &numbers(&[1])), chained(0x8C, &numbers(&[0]))];
    assert_eq!(drawn_with(Unicode(None), &silent.concat()).codes, ["afp-text-glyphs"]);
}

#[test]
fn glyphs_of_a_substitute_that_never_agree_are_not_shown() {
    let data = [
        glc(200),
        chained(0x8B, &numbers(&[1, 2, 3, 4])),
        chained(0x8D, &numbers(&[0, 50, 100, 150])),
        uct("abcd", 0, 0x20),
    ];
    let drawn = drawn_with(Unicode(program()), &data.concat());
    assert_eq!(drawn.texts()[0].embedded.as_ref().unwrap().glyphs, [0x61, 0x62, 0x63, 0x64]);
}

#[test]
fn complex_text_alone_is_set_and_may_keep_the_position() {
    let alone = |flags, direction, text: &str| {
        let data = [vec![0x2B, 0xD3], uct(text, flags, direction), b"\0z".to_vec()].concat();
        drawn_with(Unicode(program()), &data)
    };
    assert_eq!(alone(0, 0x20, "ab").placed(), [("abz", 0, 0)]);
    assert_eq!(alone(0x10, 0x20, "ab").placed(), [("ab", 0, 0), ("z", 0, 0)]);
    let hebrew = alone(0, 0x23, "\u{5D0}\u{5D1}");
    assert_eq!((hebrew.placed(), hebrew.codes.len()), (vec![("\u{5D1}\u{5D0}z", 0, 0)], 0));
}

#[test]
fn arabic_letters_are_joined_where_the_font_has_the_forms() {
    let salam = [vec![0x2B, 0xD3], uct("\u{633}\u{644}\u{627}\u{645}", 0, 0x05)].concat();
    let joined = drawn_with(Unicode(program()), &salam);
    assert_eq!((joined.placed(), joined.codes.len()), (vec![("\u{FEE1}\u{FEFC}\u{FEB3}", 0, 0)], 0));
    let apart = drawn_with(Unicode(None), &salam);
    assert_eq!(apart.placed(), [("\u{645}\u{627}\u{644}\u{633}", 0, 0)]);
    assert_eq!(apart.codes, ["afp-text-complex"]);
}

#[test]
fn complex_text_is_laid_out_by_the_direction_of_its_paragraph() {
    let alone = |flags: u8, control: u8, alternate: [u8; 2], text: &str| {
        let mut sequence = uct(text, flags, control);
        let at = 2 + 12;
        sequence[at..at + 2].copy_from_slice(&alternate);
        let data = [vec![0x2B, 0xD3], sequence, b"\0z".to_vec()].concat();
        drawn_with(Unicode(program()), &data)
            .placed()
            .into_iter()
            .map(|(text, x, _)| (text.to_owned(), x))
            .collect::<Vec<_>>()
    };
    let text = "\u{5D0}\u{5D1} LM";
    assert_eq!(alone(0, 0x05, [0; 2], text), [("LM \u{5D1}\u{5D0}z".into(), 0)]);
    assert_eq!(alone(0, 0x04, [0; 2], text), [("\u{5D1}\u{5D0} LMz".into(), 0)]);
    assert_eq!(alone(0, 0x02, [0; 2], text), alone(0, 0x05, [0; 2], text));
    // The text ends at the alternate position, 900 units from the origin, and what follows starts where it begins.
    let ended = alone(0x40, 0x05, [3, 0x84], "\u{5D0}\u{5D1}");
    assert_eq!(ended, [("\u{5D1}\u{5D0}".to_owned(), 7000), ("z".to_owned(), 7000)]);
}

#[test]
fn glyph_runs_of_hebrew_show_the_text_from_right_to_left() {
    let data = [
        glc(200),
        chained(0x8B, &numbers(&[0x5D1, 0x5D0])),
        chained(0x8D, &numbers(&[0, 100])),
        uct("\u{5D0}\u{5D1}", 0, 0x20),
    ];
    assert_eq!(drawn_with(Unicode(program()), &data.concat()).placed(), [("\u{5D1}\u{5D0}", 0, 0)]);
}

#[test]
fn glyphs_outside_a_chain_are_reported() {
    let drawn = drawn_with(Unicode(program()), &stream(&[(0x8C, &numbers(&[1]))]));
    assert_eq!((drawn.elements.len(), drawn.codes), (0, vec!["afp-text-glyphs"]));
}

/// A data-object font in the stream: a few letters of Devanagari, 12 points high.
fn devanagari() -> Arc<dyn SetsText> {
    struct Stream;
    impl FontSource for Stream {
        fn font_resource(&self, _: u8, _: &str) -> Option<Arc<Fields>> {
            None
        }

        fn font_file(&self, _: &str) -> Option<Arc<Vec<u8>>> {
            Some(Arc::new(include_bytes!("../../font/tests/devanagari.ttf").to_vec()))
        }
    }
    let request =
        FontRequest { data_object: Some("Deva".into()), data_descriptor: Some((240, 0)), ..FontRequest::default() };
    Arc::new(ActiveFont::open(&request, &Stream, &mut |_, _| {}))
}

fn shaped(text: &str) -> Drawn {
    let font = devanagari();
    let (mut elements, mut codes) = (Vec::new(), Vec::new());
    let data = [vec![0x2B, 0xD3], uct(text, 0, 0x04)].concat();
    draw(&data, &environment(&font), &mut Carried::default(), &mut elements, &mut |code, _| codes.push(code));
    Drawn { elements, codes }
}

/// What is read, and the glyphs of it; then the glyphs that are only drawn.
fn read_and_drawn(drawn: &Drawn) -> (String, Vec<u16>, Vec<u16>) {
    let glyphs = |shadow: bool| {
        let runs = drawn.texts().into_iter().filter(|run| run.shadow == shadow).collect::<Vec<_>>();
        runs.iter().flat_map(|run| run.embedded.as_ref().unwrap().glyphs.clone()).collect::<Vec<u16>>()
    };
    let read = drawn.texts().into_iter().filter(|run| !run.shadow).map(|run| run.text.as_str()).collect();
    (read, glyphs(false), glyphs(true))
}

#[test]
fn complex_text_is_shaped_by_the_tables_of_its_font_and_read_as_it_was_written() {
    let font = devanagari();
    let glyph = |ch: char| font.next(&u16::try_from(u32::from(ch)).unwrap().to_be_bytes()).unwrap().1.id;
    let [ka, blank] = [glyph('\u{915}'), glyph(' ')];
    // KA and the vowel sign I, which stands before it.
    let (read, glyphs, beside) = read_and_drawn(&shaped("\u{915}\u{93F}"));
    assert_eq!((read.as_str(), glyphs.len(), beside.len()), ("\u{915}\u{93F}", 2, 0));
    assert!(glyphs[0] != ka && glyphs[1] == ka, "{glyphs:?}");
    // Karma: RA and its virama are one sign over MA; three characters are read at two glyphs and blanks.
    let karma = "\u{915}\u{930}\u{94D}\u{92E}";
    let (read, glyphs, beside) = read_and_drawn(&shaped(karma));
    assert_eq!((read.as_str(), glyphs.len()), (karma, 4));
    assert_eq!(glyphs[..2], [ka, glyph('\u{92E}')]);
    assert!(glyphs[2..].contains(&blank) && !glyphs.contains(&glyph('\u{930}')), "{glyphs:?} and {beside:?}");
    // Words stay words, and nothing is wider than the font makes it.
    let text = "\u{939}\u{93F}\u{928}\u{94D}\u{926}\u{940} \u{928}\u{92E}\u{938}\u{94D}\u{924}\u{947} 1";
    let drawn = shaped(text);
    assert_eq!((read_and_drawn(&drawn).0.as_str(), drawn.codes.len()), (text, 0));
}

/// Programs that read PDFs tell words by the widths of glyphs: a gap inside of one, or none between two, would part or join them.
#[test]
fn what_a_character_is_read_at_is_as_wide_as_its_share_of_the_line() {
    use skrifa::MetadataProvider;
    use skrifa::instance::{LocationRef, Size};
    let drawn = shaped(
        "\u{915}\u{930}\u{94D}\u{92E} \u{939}\u{93F}\u{928}\u{94D}\u{926}\u{940} \u{928}\u{92E}\u{938}\u{94D}\u{924}\u{947}",
    );
    // Each character with how much wider it is drawn than its share, in sizes.
    let mut wider: Vec<(char, f64)> = Vec::new();
    for run in drawn.texts().into_iter().filter(|run| !run.shadow) {
        let embedded = run.embedded.as_ref().unwrap();
        let font = skrifa::FontRef::from_index(embedded.font.bytes(), embedded.font.index()).unwrap();
        let em = f64::from(font.metrics(Size::unscaled(), LocationRef::default()).units_per_em);
        let widths = font.glyph_metrics(Size::unscaled(), LocationRef::default());
        let size = f64::from(run.size.0);
        for ((ch, glyph), advance) in run.text.chars().zip(&embedded.glyphs).zip(advances(run)) {
            let own = f64::from(widths.advance_width((*glyph).into()).unwrap()) / em * f64::from(run.stretch) / 1000.0;
            wider.push((ch, own - f64::from(advance) / size));
        }
    }
    assert!(wider.iter().all(|(_, wider)| *wider > -0.09), "a gap in a word: {wider:?}");
    let before_blank = wider.windows(2).filter(|pair| pair[1].0 == ' ').map(|pair| pair[0]);
    assert!(before_blank.clone().count() == 2 && before_blank.clone().all(|(_, wider)| wider < 0.09), "{wider:?}");
}

#[test]
fn what_the_font_cannot_shape_is_set_letter_by_letter_and_reported() {
    let bengali = "\u{9AC}\u{9BE}";
    let drawn = shaped(bengali);
    assert!(drawn.codes.contains(&"afp-text-complex"), "{:?}", drawn.codes);
    let read: String = drawn.texts().iter().map(|run| run.text.as_str()).collect();
    assert_eq!(read, bengali);
}
