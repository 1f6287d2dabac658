//! Pages for tests.

use std::sync::Arc;

use super::{
    Advances, Barcode, Cap, Color, ContentId, Element, Embedded, Face, Family, FontProgram, Form, Image, Join, Lu,
    Page, Path, PlacedForm, PlacedImage, Rule, Samples, Step, Stroke, TextRun,
};

/// Cell and pitch of 10 characters and 6 lines per inch.
const CELL: i32 = Lu::PER_INCH / 10;
const PITCH: i32 = Lu::PER_INCH / 6;

/// Left edge of 132 columns in the middle of the paper.
const LEFT: i32 = (Lu::PER_INCH * 1475 / 100 - 132 * CELL) / 2;

/// A run at a column and row (from 0), two cells for each wide character.
pub fn run(text: &str, column: i32, row: i32) -> TextRun {
    let cell = |c: char| Lu(if u32::from(c) >= 0x2E80 { 2 * CELL } else { CELL });
    let wide = text.chars().any(|c| cell(c) != Lu(CELL));
    let advances = if wide { Advances::Each(text.chars().map(cell).collect()) } else { Advances::Uniform(Lu(CELL)) };
    TextRun {
        x: Lu(LEFT + column * CELL),
        y: Lu(Lu::PER_INCH / 2 + (row + 1) * PITCH),
        turns: 0,
        face: Face::default(),
        size: Lu::from_points(12.0),
        color: Color::BLACK,
        text: text.into(),
        advances,
        embedded: None,
        stretch: 1000,
        underline: false,
        line: row as u32 + 1,
        shadow: false,
    }
}

/// A page of 132 columns and 66 rows with these lines.
pub fn page(lines: &[&str]) -> Page {
    let elements = lines
        .iter()
        .enumerate()
        .filter(|(_, text)| !text.is_empty())
        .map(|(row, text)| Element::Text(run(text, 0, row as i32)))
        .collect();
    Page { width: Lu(Lu::PER_INCH * 1475 / 100), height: Lu(Lu::PER_INCH * 11), elements }
}

/// A bank statement page with bold, underlined, Chinese and overprinted text.
pub fn statement(number: u32) -> Page {
    let account =
        format!("      ACCOUNT NUMBER:  8618-2565-{:06}       STATEMENT DATE: 03/31/2024", number % 1_000_000);
    let mut lines = vec![
        "      FIRST CASCADE BANK                      STATEMENT OF ACCOUNT          PAGE    1".to_owned(),
        account,
        String::new(),
        "      DATE    DESCRIPTION                                       AMOUNT           BALANCE".to_owned(),
    ];
    for row in 0..40_u32 {
        let (amount, balance) = ((row * 7919 + number * 31) % 90_000, (row * 104_729 + number * 77) % 900_000);
        lines.push(format!(
            "      03/{:02}   POS PURCHASE GREENLEAF GROCERY #{:04}        {:>10}.{:02}        {:>9}.{:02}",
            row % 31 + 1,
            (row * 37 + number) % 9999,
            amount / 100,
            amount % 100,
            balance / 100,
            balance % 100
        ));
    }
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let mut page = page(&lines);
    let mut bold = run("FIRST CASCADE BANK", 6, 0);
    bold.face.bold = true;
    bold.shadow = true;
    let mut heading = run("DATE    DESCRIPTION", 6, 3);
    heading.underline = true;
    heading.shadow = true;
    page.elements.push(Element::Text(bold));
    page.elements.push(Element::Text(heading));
    page
}

const RED: Color = Color { r: 200, g: 16, b: 32 };
const BLUE: Color = Color { r: 20, g: 60, b: 160 };
const YELLOW: Color = Color { r: 255, g: 240, b: 170 };
const WHITE: Color = Color { r: 255, g: 255, b: 255 };

/// An oval with letters, 64 x 48, coded by Group 4; black of the coding is the ground.
const OVAL: &[u8] = include_bytes!("sample/oval.g4");

fn pt(points: f64) -> Lu {
    Lu::from_points(points)
}

/// A font of `glyf` outlines.
pub fn font() -> FontProgram {
    FontProgram::new("Sample-Sans", include_bytes!("../../templates/fonts/DejaVuSans-Latin.ttf").to_vec(), 0)
}

/// A font of `CFF ` outlines: `I`, `H` and `M` are one, two and three bars, 400, 600 and 800/1000 em wide.
pub fn bars_font() -> FontProgram {
    FontProgram::new("TestBars", include_bytes!("sample/bars.otf").to_vec(), 0)
}

/// Text in a font of its own at a place in points, each letter as wide as its glyph at natural stretch.
pub fn own(font: &FontProgram, text: &str, (x, y): (f64, f64), size: f64) -> TextRun {
    use skrifa::MetadataProvider;
    let file = skrifa::FontRef::new(font.bytes()).expect("a font");
    let metrics =
        file.glyph_metrics(skrifa::instance::Size::new(size as f32), skrifa::instance::LocationRef::default());
    let ids: Vec<_> = text.chars().map(|c| file.charmap().map(c).unwrap_or_default()).collect();
    let advances = ids.iter().map(|id| pt(f64::from(metrics.advance_width(*id).unwrap_or(0.0)))).collect();
    TextRun {
        x: pt(x),
        y: pt(y),
        face: Face { family: Family::Sans, ..Face::default() },
        embedded: Some(Embedded { font: font.clone(), glyphs: ids.iter().map(|id| id.to_u32() as u16).collect() }),
        size: pt(size),
        advances: Advances::Each(advances),
        line: 0,
        ..run(text, 0, 0)
    }
}

fn picture(samples: Samples, (width, height): (u32, u32), (x, y): (f64, f64), turns: u8) -> Element {
    let image = Image::new(width, height, samples);
    let (x, y) = (pt(x), pt(y));
    Element::Image(PlacedImage {
        x,
        y,
        width: pt(64.0),
        height: pt(48.0),
        turns,
        image,
        clip: None,
        alt: String::new(),
    })
}

/// The oval as a JBIG2 stream: its page, and one region in MMR coding.
fn jbig2() -> Vec<u8> {
    let segment = |number: u8, kind: u8, data: &[u8]| {
        [&[0, 0, 0, number, kind, 0, 1][..], &(data.len() as u32).to_be_bytes(), data].concat()
    };
    let size = [0, 0, 0, 64, 0, 0, 0, 48];
    let page = segment(0, 48, &[&size[..], &[0; 11]].concat());
    let region = segment(1, 38, &[&size[..], &[0; 9], &[1], OVAL].concat());
    [page, region].concat()
}

/// Every kind of picture, in two rows.
pub fn pictures() -> Vec<Element> {
    let bits: Vec<u8> = (0..48_u8).flat_map(|row| [if row / 6 % 2 == 0 { 0xF0 } else { 0x0F }; 8]).collect();
    let fax =
        |ink, paper| Samples::Ccitt { data: OVAL.to_vec(), k: -1, aligned: false, black_is_ink: false, ink, paper };
    let ramp: Vec<u8> = (0..16_u16 * 12).map(|at| (at % 16 * 17) as u8).collect();
    let colours: Vec<u8> = (0..16_u16 * 12).flat_map(|at| [(at % 16 * 17) as u8, 90, (at / 16 * 20) as u8]).collect();
    let jpeg = |data: &[u8]| Samples::Jpeg(data.to_vec());
    let all = [
        (Samples::Bits { data: bits.clone(), ink: RED, paper: None }, (64, 48), 0),
        (Samples::Bits { data: bits, ink: BLUE, paper: Some(YELLOW) }, (64, 48), 0),
        (fax(Color::BLACK, None), (64, 48), 0),
        (fax(RED, None), (64, 48), 2),
        (fax(Color::BLACK, Some(WHITE)), (64, 48), 0),
        (Samples::Jbig2 { data: jbig2(), globals: Vec::new(), ink: Color::BLACK, paper: Some(YELLOW) }, (64, 48), 0),
        (Samples::Gray(ramp), (16, 12), 0),
        (Samples::Rgb(colours), (16, 12), 0),
        (jpeg(include_bytes!("sample/grey.jpg")), (16, 16), 0),
        (jpeg(include_bytes!("sample/colour.jpg")), (16, 16), 0),
        (jpeg(include_bytes!("sample/cmyk.jpg")), (16, 16), 0),
        (jpeg(include_bytes!("sample/colour.jpg")), (16, 16), 1),
    ];
    let mut elements = Vec::new();
    for (number, (samples, size, turns)) in all.into_iter().enumerate() {
        let (x, y) = (40.0 + 90.0 * (number % 6) as f64, 430.0 + 70.0 * (number / 6) as f64);
        // Turned ones are placed so that they lie like the others.
        let (dx, dy) = [(0.0, 0.0), (48.0, 0.0), (64.0, 48.0), (0.0, 64.0)][usize::from(turns)];
        elements.push(picture(samples, size, (x + dx, y + dy), turns));
    }
    elements
}

/// Paths: a star, a curve in dashes, a round line.
pub fn paths() -> Vec<Element> {
    let at = |x: f64, y: f64| [pt(x), pt(y)];
    let star: Vec<Step> = [(60.0, 300.0), (84.0, 370.0), (24.0, 326.0), (96.0, 326.0), (36.0, 370.0)]
        .iter()
        .enumerate()
        .map(|(number, (x, y))| if number == 0 { Step::Move(at(*x, *y)) } else { Step::Line(at(*x, *y)) })
        .chain([Step::Close])
        .collect();
    let stroke = |color, width, dash: &[f64], (cap, join)| {
        Some(Stroke { color, width: pt(width), dash: dash.iter().map(|length| pt(*length)).collect(), cap, join })
    };
    let [from, to] = [at(130.0, 370.0), at(330.0, 310.0)];
    let curve = Step::Curve([pt(180.0), pt(250.0), pt(260.0), pt(430.0), to[0], to[1]]);
    let line = vec![Step::Move(at(360.0, 320.0)), Step::Line(at(400.0, 360.0)), Step::Line(at(440.0, 320.0))];
    vec![
        Element::Path(Path {
            steps: star,
            fill: Some(YELLOW),
            even_odd: true,
            stroke: stroke(BLUE, 1.0, &[], (Cap::Flat, Join::Miter)),
        }),
        Element::Path(Path {
            steps: vec![Step::Move(from), curve],
            fill: None,
            even_odd: false,
            stroke: stroke(RED, 2.0, &[6.0, 3.0], (Cap::Square, Join::Bevel)),
        }),
        Element::Path(Path {
            steps: line,
            fill: None,
            even_odd: false,
            stroke: stroke(BLUE, 8.0, &[], (Cap::Round, Join::Round)),
        }),
    ]
}

/// A bar code of 20 bars.
pub fn barcode() -> Element {
    let bars = (0..20).flat_map(|number| {
        let (left, width) = (470.0 + 5.0 * f64::from(number), if number % 3 == 0 { 3.0 } else { 1.5 });
        [(left, 300.0), (left + width, 300.0), (left + width, 340.0), (left, 340.0)]
            .into_iter()
            .enumerate()
            .map(|(corner, (x, y))| if corner == 0 { Step::Move([pt(x), pt(y)]) } else { Step::Line([pt(x), pt(y)]) })
            .chain([Step::Close])
    });
    let bars = Path { steps: bars.collect(), fill: Some(Color::BLACK), even_odd: false, stroke: None };
    Element::Barcode(Barcode { symbology: "Code 128".into(), value: "A-4711 (x)".into(), bars })
}

/// An overlay: a frame, a label, lines enough to be shared, a picture and a form inside.
pub fn overlay() -> Arc<Form> {
    let rule = |x: f64, y: f64, width: f64, height: f64, color| {
        Element::Rule(Rule { x: pt(x), y: pt(y), width: pt(width), height: pt(height), color, decoration: false })
    };
    let inner = Form {
        id: ContentId([1; 32]),
        name: "S1INNER".into(),
        width: pt(60.0),
        height: pt(20.0),
        elements: vec![rule(0.0, 0.0, 60.0, 20.0, YELLOW), Element::Text(own(&font(), "inside", (6.0, 14.0), 10.0))],
    };
    let mut elements = vec![rule(0.0, 0.0, 180.0, 1.0, BLUE), rule(0.0, 79.0, 180.0, 1.0, BLUE)];
    elements.extend((0..9).map(|line| rule(4.0, 24.0 + 6.0 * f64::from(line), 80.0, 0.5, RED)));
    elements.push(Element::Text(own(&font(), "Amount due", (6.0, 16.0), 12.0)));
    elements.push(Element::Form(PlacedForm { x: pt(110.0), y: pt(40.0), turns: 0, form: Arc::new(inner) }));
    Arc::new(Form { id: ContentId([2; 32]), name: "O1FRAME".into(), width: pt(180.0), height: pt(80.0), elements })
}

/// A letter-sized page with all that a page can hold: fonts of its own, turned and stretched text, paths, every kind of
/// picture, a bar code, and an overlay in two directions.
pub fn everything() -> Page {
    let (sans, bars) = (font(), bars_font());
    let mut elements = vec![
        Element::Rule(Rule {
            x: pt(36.0),
            y: pt(40.0),
            width: pt(540.0),
            height: pt(24.0),
            color: YELLOW,
            decoration: true,
        }),
        Element::Text(own(&sans, "Quarterly Statement", (40.0, 58.0), 18.0)),
        Element::Text(TextRun { stretch: 600, ..own(&sans, "narrow", (300.0, 58.0), 18.0) }),
        Element::Text(own(&bars, "IHM HI", (420.0, 58.0), 18.0)),
    ];
    let TextRun { advances: Advances::Each(natural), .. } = own(&sans, "narrow", (0.0, 0.0), 18.0) else {
        return page(&[]);
    };
    if let Some(Element::Text(run)) = elements.get_mut(2) {
        run.advances = Advances::Each(natural.iter().map(|advance| Lu(advance.0 * 6 / 10)).collect());
    }
    for (number, (text, amount)) in
        [("Opening balance", "1,204.50"), ("Fee", "3.00"), ("Interest", "0.12")].iter().enumerate()
    {
        let y = 100.0 + 14.0 * number as f64;
        elements.push(Element::Text(own(&sans, text, (40.0, y), 10.0)));
        let mut amount = own(&sans, amount, (0.0, y), 10.0);
        let Advances::Each(advances) = &amount.advances else { continue };
        amount.x = Lu(pt(300.0).0 - advances.iter().map(|advance| advance.0).sum::<i32>());
        amount.underline = number == 2;
        elements.push(Element::Text(amount));
    }
    let face = |family, bold, italic| Face { family, bold, italic };
    for (number, face) in [face(Family::Sans, true, false), face(Family::Serif, false, true)].into_iter().enumerate() {
        let mut run = own(&sans, "Set in a face of the machine", (40.0, 160.0 + 16.0 * number as f64), 11.0);
        (run.embedded, run.face, run.color) = (None, face, BLUE);
        elements.push(Element::Text(run));
    }
    for turns in 1..4 {
        let mut run = own(&sans, "turned", (500.0, 170.0), 12.0);
        (run.turns, run.color) = (turns, RED);
        elements.push(Element::Text(run));
    }
    let form = |x, y, turns| Element::Form(PlacedForm { x: pt(x), y: pt(y), turns, form: overlay() });
    elements.extend([form(40.0, 200.0, 0), form(330.0, 185.0, 1)]);
    elements.extend(paths());
    elements.push(barcode());
    elements.extend(pictures());
    let mut seen = picture(Samples::Gray(vec![128; 4]), (2, 2), (40.0, 600.0), 0);
    if let Element::Image(image) = &mut seen {
        (image.alt, image.clip) = ("A grey square".into(), Some([pt(50.0), pt(610.0), pt(30.0), pt(20.0)]));
    }
    elements.push(seen);
    Page { width: pt(612.0), height: pt(792.0), elements }
}
