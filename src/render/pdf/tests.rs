//! What both writers promise, asked of the finished files.

use std::io::Write as _;
use std::process::{Command, Stdio};

use proptest::prelude::*;

use super::*;
use crate::page::{Advances, Color, Element, Face, Family, Rule, TextRun};
use crate::render::font::FontSet;
use crate::render::sample;

/// The bytes of `pages` by the tagged and by the streaming writer.
fn both(info: &DocumentInfo, pages: &[Page]) -> [(Vec<u8>, Rendered); 2] {
    let (mut one, mut two) = (Vec::new(), Vec::new());
    let write = |mut writer: Box<dyn PdfWriter + '_>| {
        pages.iter().for_each(|page| writer.page(page).expect("a page"));
        writer.finish().expect("a file")
    };
    let rendered = [write(tagged(&mut one, info).expect("start")), write(streamed(&mut two, info).expect("start"))];
    let [first, second] = rendered;
    [(one, first), (two, second)]
}

/// Runs a program on a PDF; `None` (and a line that says so) when it is not installed.
fn ask(program: &str, arguments: &[&str], pdf: &[u8]) -> Option<(bool, String)> {
    let child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = child else {
        eprintln!("skipped: {program} is not installed");
        return None;
    };
    let mut stdin = child.stdin.take().expect("a pipe");
    let bytes = pdf.to_vec();
    let feeder = std::thread::spawn(move || stdin.write_all(&bytes));
    let output = child.wait_with_output().expect("its answer");
    let _ = feeder.join();
    Some((output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned()))
}

fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

#[test]
fn qpdf_finds_nothing_to_object_to() {
    let mut info = sample::info();
    info.paper = Paper { form: Some("telecom-bill".into()), green_bars: true };
    for (pdf, _) in both(&info, &[sample::statement(1), sample::page(&[]), sample::statement(2)]) {
        let folder = std::env::temp_dir().join(format!("greenbar-qpdf-{}-{}", std::process::id(), pdf.len()));
        std::fs::write(&folder, &pdf).expect("a temporary file");
        let answer = ask("qpdf", &["--check", folder.to_str().expect("UTF-8")], &[]);
        let _ = std::fs::remove_file(&folder);
        if let Some((good, words)) = answer {
            assert!(good, "{words}");
        }
    }
}

/// Words, fonts and pictures of a page with everything.
#[test]
fn a_page_of_everything_is_sound_whole_and_small() {
    let pages = vec![sample::everything(); 3];
    for (pdf, rendered) in both(&sample::info(), &pages) {
        assert_eq!(rendered.missing_glyphs, Vec::<char>::new());
        let file = std::env::temp_dir().join(format!("greenbar-everything-{}-{}.pdf", std::process::id(), pdf.len()));
        std::fs::write(&file, &pdf).expect("a temporary file");
        let name = file.to_str().expect("UTF-8");
        let answers = [
            ask("qpdf", &["--check", name], &[]),
            ask("pdftotext", &["-layout", name, "-"], &[]),
            ask("pdffonts", &[name], &[]),
            ask("pdfimages", &["-list", "-f", "1", "-l", "1", name], &[]),
            ask("pdfimages", &["-list", name], &[]),
        ];
        let _ = std::fs::remove_file(&file);
        let [Some((good, said)), Some((_, text)), Some((_, fonts)), Some((_, one)), Some((_, all))] = answers else {
            return;
        };
        assert!(good, "{said}");
        for words in ["Quarterly Statement", "narrow", "IHM HI", "1,204.50", "turned", "Amount due", "inside"] {
            assert!(text.contains(words), "{words} in {text}");
        }
        assert!(fonts.contains("CID Type 0C") && fonts.contains("CID TrueType"), "{fonts}");
        assert!(fonts.lines().skip(2).all(|line| line.contains("yes yes yes")), "{fonts}");
        for coding in ["ccitt", "jbig2", "jpeg"] {
            assert!(one.contains(coding), "{coding} in {one}");
        }
        let objects = |list: &str| {
            let mut ids: Vec<String> =
                list.lines().skip(2).filter_map(|line| line.split_whitespace().nth(10).map(str::to_owned)).collect();
            ids.sort();
            ids.dedup();
            ids
        };
        assert_eq!(objects(&one), objects(&all), "pictures are in the file once");
        assert!(pdf.len() < 120_000, "{} bytes", pdf.len());
    }
}

#[test]
fn pictures_with_words_and_bar_codes_are_figures() {
    let [(pdf, _), _] = both(&sample::info(), &[sample::everything()]);
    let document = lopdf::Document::load_mem(&pdf).expect("a PDF");
    let mut figures: Vec<String> = document
        .objects
        .values()
        .filter_map(|object| object.as_dict().ok())
        .filter(|element| element.get(b"S").and_then(lopdf::Object::as_name).is_ok_and(|kind| kind == b"Figure"))
        .filter_map(|figure| figure.get(b"Alt").and_then(lopdf::Object::as_str).ok())
        .map(|alt| String::from_utf8_lossy(alt).into_owned())
        .collect();
    figures.sort();
    assert_eq!(figures, ["A grey square", "Code 128: A-4711 (x)"]);
}

#[test]
fn an_overlay_is_drawn_once_and_read_on_every_page() {
    let overlay = |y: f64| {
        let form = sample::overlay();
        Element::Form(crate::page::PlacedForm { x: Lu::from_points(40.0), y: Lu::from_points(y), turns: 0, form })
    };
    let page = Page { width: Lu(122_400), height: Lu(158_400), elements: vec![overlay(100.0), overlay(300.0)] };
    let sizes = |count: usize| both(&sample::info(), &vec![page.clone(); count]).map(|(pdf, _)| pdf.len());
    let [one, many] = [sizes(1), sizes(21)];
    assert!(many[1] < one[1] + 20 * 300, "streamed: {one:?} {many:?}");
    assert!(many[0] < one[0] + 20 * 1_500, "tagged: {one:?} {many:?}");
    for (pdf, _) in both(&sample::info(), &vec![page.clone(); 3]) {
        let Some((_, text)) = ask("pdftotext", &["-", "-"], &pdf) else { return };
        assert_eq!(text.matches("Amount due").count(), 6, "{text}");
    }
}

#[test]
fn the_printed_text_comes_back_in_reading_order() {
    let lines = [
        "  ACCOUNT (A\\B)  8618-2565    1,234.56-",
        "",
        "H\u{F4}tel \u{2500}\u{2500} \u{20AC}",
        "\u{534E}\u{4E1C}\u{901A}\u{4FE1}  \u{8BDD}\u{8D39}\u{8D26}\u{5355}  42",
    ];
    let chinese = FontSet::system().has_cjk();
    let shown = if chinese { &lines[..] } else { &lines[..3] };
    for (pdf, rendered) in both(&sample::info(), &[sample::page(shown)]) {
        assert_eq!(rendered.missing_glyphs, Vec::<char>::new());
        let Some((good, text)) = ask("pdftotext", &["-layout", "-", "-"], &pdf) else { return };
        assert!(good);
        assert_eq!(words(&text), words(&shown.join("\n")));
    }
}

#[test]
fn overprinted_layers_are_no_text_for_readers() {
    // Struck twice for bold: the shadow run must not make the words come twice from the tagged file.
    let mut info = sample::info();
    info.title = "x".into();
    let [(pdf, _), _] = both(&info, &[sample::statement(1)]);
    let document = lopdf::Document::load_mem(&pdf).expect("a PDF");
    let page = *document.get_pages().get(&1).expect("page 1");
    let content = document.get_page_content(page);
    let artifacts = String::from_utf8_lossy(&content).matches("/Artifact").count();
    assert!(artifacts >= 3, "two shadow runs and the underline: {artifacts}");
}

#[test]
fn the_same_document_gives_the_same_bytes() {
    let mut info = sample::info();
    info.paper.form = Some("bank-statement".into());
    let make = || both(&info, &[sample::statement(1), sample::statement(2)]);
    assert_eq!(make(), make());
}

#[test]
fn short_documents_are_tagged_and_long_ones_streamed() {
    let pages = |count: u32| vec![sample::page(&["x"]); count as usize];
    let has = |pdf: &[u8], needle: &str| pdf.windows(needle.len()).any(|part| part == needle.as_bytes());
    let (short, _) = sample::render("pdf", &sample::info(), pages(2), &RenderOptions::default());
    let document = lopdf::Document::load_mem(&short).expect("a PDF");
    let catalog = document.catalog().expect("a catalog");
    let metadata = catalog.get(b"Metadata").and_then(lopdf::Object::as_reference).expect("metadata");
    let stream = document.get_object(metadata).and_then(lopdf::Object::as_stream).expect("a stream");
    let xmp = stream.decompressed_content().expect("its packet");
    assert!(has(&xmp, "pdfuaid:part") && catalog.has(b"MarkInfo") && catalog.has(b"StructTreeRoot"));
    let (long, _) = sample::render("pdf", &sample::info(), pages(TAGGED_PAGES + 1), &RenderOptions::default());
    assert!(has(&long, "<pdfaid:conformance>B<") && !has(&long, "pdfuaid"));
    assert_eq!(lopdf::Document::load_mem(&long).expect("a PDF").get_pages().len(), TAGGED_PAGES as usize + 1);
}

#[test]
fn only_the_pages_asked_for_are_written() {
    let pages = vec![sample::page(&["one"]), sample::page(&["two"]), sample::page(&["three"])];
    let how = RenderOptions { pages: Some((1, 1)), ..RenderOptions::default() };
    let (pdf, _) = sample::render("pdf", &sample::info(), pages, &how);
    assert_eq!(lopdf::Document::load_mem(&pdf).expect("a PDF").get_pages().len(), 1);
    if let Some((_, text)) = ask("pdftotext", &["-", "-"], &pdf) {
        assert_eq!(words(&text), ["two"]);
    }
}

#[test]
fn a_character_without_a_glyph_is_reported_once_and_drawn() {
    for (pdf, rendered) in both(&sample::info(), &[sample::page(&["A\u{E000}B\u{E000}\u{1}C"])]) {
        assert_eq!(rendered.missing_glyphs, vec!['\u{E000}', '\u{1}']);
        if let Some((_, text)) = ask("pdftotext", &["-", "-"], &pdf) {
            assert_eq!(words(&text).concat(), "A\u{25A1}B\u{25A1}\u{25A1}C");
        }
    }
}

#[test]
fn an_unknown_form_leaves_its_page_as_it_is_and_is_told() {
    let mut info = sample::info();
    info.paper.form = Some("no-such-form".into());
    for (pdf, _) in both(&info, &[sample::page(&["x"])]) {
        assert_eq!(lopdf::Document::load_mem(&pdf).expect("a PDF").get_pages().len(), 1);
    }
    let how = crate::render::RenderOptions::default();
    let mut pages = sample::Stack(vec![sample::page(&["x"])]);
    let renderer = crate::render::renderer("pdf").expect("a rendition");
    let rendered = crate::render::render(renderer, &info, &mut pages, &how, &mut Vec::new()).expect("a PDF");
    assert!(rendered.missing_form.is_some_and(|why| why.contains("no-such-form")));
}

#[test]
fn a_document_without_pages_or_title_is_still_a_pdf() {
    for (pdf, _) in both(&DocumentInfo::default(), &[sample::page(&[])]) {
        assert_eq!(lopdf::Document::load_mem(&pdf).expect("a PDF").get_pages().len(), 1);
    }
}

#[test]
fn one_statement_page_stays_under_20_kb() {
    let (pdf, _) = sample::render("pdf", &sample::info(), vec![sample::statement(1)], &RenderOptions::default());
    assert!(pdf.len() < 20_000, "{} bytes", pdf.len());
}

fn any_run() -> impl Strategy<Value = Element> {
    let length = prop_oneof![Just(0), Just(i32::MIN), Just(i32::MAX), any::<i32>(), -200_000..200_000];
    let advances = prop_oneof![
        length.clone().prop_map(|advance| Advances::Uniform(Lu(advance))),
        prop::collection::vec(length.clone().prop_map(Lu), 0..6).prop_map(Advances::Each),
    ];
    let text = prop_oneof!["[ -~]{0,12}", "\\PC{0,6}", any::<String>().prop_map(|text| text.chars().take(8).collect())];
    let numbers = (length.clone(), length.clone(), length);
    let face = (any::<bool>(), any::<bool>(), prop_oneof![Just(Family::Mono), Just(Family::Sans), Just(Family::Serif)]);
    (numbers, any::<u8>(), text, advances, face, any::<[u8; 3]>(), any::<(bool, bool)>()).prop_map(
        |((x, y, size), turns, text, advances, (bold, italic, family), [r, g, b], (underline, shadow))| {
            Element::Text(TextRun {
                x: Lu(x),
                y: Lu(y),
                turns,
                face: Face { family, bold, italic },
                size: Lu(size),
                color: Color { r, g, b },
                text,
                advances,
                embedded: None,
                stretch: 1000,
                underline,
                line: u32::from(turns),
                shadow,
            })
        },
    )
}

/// Elements of the page of everything, moved anywhere.
fn any_graphic() -> impl Strategy<Value = Element> {
    let all = sample::everything().elements;
    let place = (any::<i32>(), any::<i32>(), any::<u8>());
    (prop::sample::select(all), prop_oneof![place, (-99_999..99_999, -99_999..99_999, any::<u8>())])
        .prop_map(|(element, (x, y, turns))| crate::page::walk::Place { x: Lu(x), y: Lu(y), turns }.element(&element))
}

fn any_rule() -> impl Strategy<Value = Element> {
    any::<([i32; 4], bool)>().prop_map(|([x, y, width, height], decoration)| {
        let [x, y, width, height] = [x, y, width, height].map(Lu);
        Element::Rule(Rule { x, y, width, height, color: Color::BLACK, decoration })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn no_page_makes_a_writer_panic_or_write_a_broken_file(
        elements in prop::collection::vec(prop_oneof![3 => any_run(), 1 => any_rule(), 2 => any_graphic()], 0..12),
        sides in any::<[i32; 2]>(),
        green_bars in any::<bool>(),
    ) {
        let [width, height] = sides.map(Lu);
        let page = Page { width, height, elements };
        let mut info = sample::info();
        info.paper.green_bars = green_bars;
        for (pdf, _) in both(&info, &[page]) {
            let document = lopdf::Document::load_mem(&pdf).expect("a readable PDF");
            prop_assert_eq!(document.get_pages().len(), 1);
        }
    }
}
