//! A page as it looks on paper: one SVG drawing with real text.
//!
//! What is drawn comes first, then the text in reading order, one `<text>` for each row, so that selection, search and
//! screen readers go row by row. Every run is as long as the page model says (`textLength`), whatever font the browser
//! has. Text that something painted later lies over is drawn in its turn, and stands unseen in the text; so does text of scripts
//! that browsers order and join themselves, whose glyphs stand already as the page has them. Pictures and the drawn parts of forms stand once in the file and are used by their ids.

use std::collections::HashMap;
use std::fmt::Write;

use super::cover::covered;
use super::picture;
use super::webfont::{WebFonts, data_uri};
use super::{escape, lower, push_escaped};
use crate::page::bidi;
use crate::page::reading::{self, Spot, advance};
use crate::page::walk::{ELEMENT_LIMIT, FORM_DEPTH, Place};
use crate::page::{
    Barcode, Cap, Color, ContentId, Element, Family, Form, Image, Join, Lu, Page, Path, PlacedForm, PlacedImage, Rule,
    Step, TextRun,
};
use crate::render::font::{FontId, FontSet, Fonts};
use crate::render::path;
use crate::render::pdf::place::Missing;
use crate::render::shadow;

/// Characters may stand this far (in 1/1000 of the letters' size) from where equal spacing puts them; beyond it each
/// gets its own place.
const UNEVEN: i64 = 60;
/// Sizes of paper that are shown, in units: up to 200 inches.
const PAPER: (i32, i32) = (Lu::PER_INCH / 10, 200 * Lu::PER_INCH);

/// What the pages of a file have in common.
pub struct Shared {
    /// Fonts of the stream.
    pub web: WebFonts,
    fonts: Fonts,
    /// By picture: the number of its definition; none when it cannot be shown.
    pictures: HashMap<ContentId, Option<usize>>,
    forms: HashMap<ContentId, usize>,
    /// By form: whether something of it lies over text of it.
    layered: HashMap<ContentId, bool>,
}

impl Shared {
    /// Nothing yet.
    pub fn new(fonts: &'static FontSet) -> Shared {
        let (pictures, forms, layered) = Default::default();
        Shared { web: WebFonts::default(), fonts: Fonts::new(fonts), pictures, forms, layered }
    }
}

/// Words to highlight as they are compared: in lower case, without blanks around them.
pub fn words(highlight: &[String]) -> Vec<Vec<char>> {
    highlight.iter().map(|word| super::folded(word)).filter(|word| !word.is_empty()).collect()
}

/// Whether a page must be shown as it looks: a grid of cells would lose something.
pub fn is_needed(page: &Page) -> bool {
    page.elements.iter().any(|element| match element {
        // What is struck over to be hidden is seen, and not read.
        Element::Text(run) => {
            run.shadow || run.embedded.is_some() || run.face.family != Family::Mono || !run.turns.is_multiple_of(4)
        }
        Element::Rule(rule) => !rule.decoration,
        _ => true,
    })
}

/// Writes the drawing of a page; `marks` are folded words to highlight.
pub fn draw(html: &mut String, page: &Page, shared: &mut Shared, marks: &[Vec<char>]) {
    let [width, height] = [page.width, page.height].map(|side| Lu(side.0.clamp(PAPER.0, PAPER.1)));
    let mut drawing = Drawing {
        shared,
        defs: String::new(),
        body: String::new(),
        texts: Vec::new(),
        covered: covered(&page.elements).into_iter(),
        left: ELEMENT_LIMIT,
    };
    drawing.elements(&page.elements, Place::PAGE, 0, false);
    let Drawing { shared, defs, body, texts, .. } = drawing;
    let _ = write!(
        html,
        "<svg class=\"sheet\" viewBox=\"0 0 {0} {1}\" width=\"{0}pt\" height=\"{1}pt\">",
        n(width),
        n(height)
    );
    if !defs.is_empty() {
        let _ = write!(html, "<defs>{defs}</defs>");
    }
    html.push_str(&body);
    for row in reading::rows(texts) {
        let row: Vec<Shown> = row.into_iter().map(|(_, shown)| shown).collect();
        text_row(html, &row, shared, marks);
    }
    html.push_str("</svg>");
}

struct Drawing<'d> {
    shared: &'d mut Shared,
    defs: String,
    body: String,
    texts: Vec<(Spot, Shown)>,
    /// Of each run that is still to come.
    covered: std::vec::IntoIter<bool>,
    left: usize,
}

/// A run in the text.
struct Shown {
    run: TextRun,
    /// It is drawn already, under something: here it is only read and selected.
    covered: bool,
    /// It is only drawn, by characters of private use.
    private: bool,
}

impl Shown {
    /// A copy to be read of a run that is drawn by characters of private use: by the browser's own font, in the order of
    /// reading.
    fn copy(run: TextRun) -> Shown {
        let text = bidi::logical(&run.text).into_owned();
        Shown { run: TextRun { text, embedded: None, ..run }, covered: true, private: false }
    }
}

/// Whether a browser orders or joins letters of this script itself. Rule: Unicode Standard, blocks of scripts from right to left
/// and of those with syllables or joined letters; marks.
fn is_laid_out_by_browsers(ch: char) -> bool {
    matches!(ch,
        '\u{300}'..='\u{36F}' | '\u{590}'..='\u{109F}' | '\u{1700}'..='\u{18AF}' | '\u{1900}'..='\u{1CFF}'
        | '\u{200C}'..='\u{200F}' | '\u{A840}'..='\u{ABFF}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFE}'
        | '\u{10800}'..='\u{11FFF}')
}

impl Drawing<'_> {
    /// Draws elements at a place. `drawn`: what is no content is drawn already.
    fn elements(&mut self, elements: &[Element], place: Place, depth: usize, drawn: bool) {
        for element in elements {
            if self.left == 0 {
                return;
            }
            self.left -= 1;
            match element {
                Element::Text(run) if !run.shadow => {
                    let run = place.text(run);
                    if run.underline {
                        underline(&mut self.body, &run);
                    }
                    let covered = self.covered.next().unwrap_or(false);
                    let private = run.embedded.is_some() && run.text.chars().any(is_laid_out_by_browsers);
                    if covered || private {
                        self.only_drawn(&run, private);
                    }
                    let spot = Spot::of(run.turns, run.x, run.y, run.size);
                    let shown = if private { Shown::copy(run) } else { Shown { run, covered, private } };
                    self.texts.push((spot, shown));
                }
                Element::Barcode(code) => barcode(&mut self.body, code, place),
                Element::Image(image) if !image.alt.trim().is_empty() => {
                    let _ = write!(self.body, "<g role=\"img\" aria-label=\"{}\">", escape(image.alt.trim()));
                    self.image(&place.image(image));
                    self.body.push_str("</g>");
                }
                Element::Form(form) if depth < FORM_DEPTH => {
                    let shared = !self.is_layered(&form.form);
                    if !drawn && shared {
                        self.form(form, place, depth);
                    }
                    self.elements(&form.form.elements, place.of_form(form), depth + 1, drawn || shared);
                }
                element if !drawn => self.plain(element, place, depth),
                _ => {}
            }
        }
    }

    /// What is drawn but says nothing.
    fn plain(&mut self, element: &Element, place: Place, depth: usize) {
        match element {
            Element::Text(run) if run.shadow => {
                let shapes = shadow::shapes(&place.text(run), &mut self.shared.fonts, &mut Missing::default());
                draw_path(&mut self.body, &shapes);
            }
            Element::Rule(rule) => draw_rule(&mut self.body, &place.rule(rule)),
            Element::Path(path) => draw_path(&mut self.body, &place.path(path)),
            Element::Image(image) if image.alt.trim().is_empty() => self.image(&place.image(image)),
            Element::Form(form) if depth < FORM_DEPTH => self.form(form, place, depth),
            _ => {}
        }
    }

    /// Text that is seen here, and not read.
    fn only_drawn(&mut self, run: &TextRun, private: bool) {
        self.body.push_str("<g aria-hidden=\"true\" class=\"shadow\">");
        text_row(&mut self.body, &[Shown { run: run.clone(), covered: false, private }], self.shared, &[]);
        self.body.push_str("</g>");
    }

    /// Whether something of a form lies over its text: then it cannot be drawn first and written afterwards.
    fn is_layered(&mut self, form: &Form) -> bool {
        *self.shared.layered.entry(form.id).or_insert_with(|| covered(&form.elements).contains(&true))
    }

    /// Uses the definition of what a form draws.
    fn form(&mut self, placed: &PlacedForm, place: Place, depth: usize) {
        let number = match self.shared.forms.get(&placed.form.id) {
            Some(number) => *number,
            None => self.define(&placed.form, depth),
        };
        let Place { x, y, turns } = place.of_form(placed);
        let turn = if turns == 0 { String::new() } else { format!(" rotate({})", u32::from(turns) * 90) };
        let _ = write!(self.body, "<use href=\"#o{number}\" transform=\"translate({} {}){turn}\"/>", n(x), n(y));
    }

    fn define(&mut self, form: &Form, depth: usize) -> usize {
        let outside = std::mem::take(&mut self.body);
        for element in &form.elements {
            if self.left == 0 {
                break;
            }
            self.left -= 1;
            self.plain(element, Place::PAGE, depth + 1);
        }
        let inside = std::mem::replace(&mut self.body, outside);
        let number = self.shared.forms.len();
        self.shared.forms.insert(form.id, number);
        let _ = write!(self.defs, "<g id=\"o{number}\">{inside}</g>");
        number
    }

    fn image(&mut self, image: &PlacedImage) {
        if image.width.0 <= 0 || image.height.0 <= 0 {
            return;
        }
        let Some(number) = self.picture(&image.image) else { return };
        let (width, height) = (image.width, image.height);
        let (across, down) = match image.turns % 4 {
            0 => ([width.0, 0], [0, height.0]),
            1 => ([0, width.0], [-height.0, 0]),
            2 => ([-width.0, 0], [0, -height.0]),
            _ => ([0, -width.0], [height.0, 0]),
        };
        let [a, b, c, d] = [across[0], across[1], down[0], down[1]].map(|value| n(Lu(value)));
        let placed =
            format!("<use href=\"#p{number}\" transform=\"matrix({a} {b} {c} {d} {} {})\"/>", n(image.x), n(image.y));
        match image.clip {
            None => self.body.push_str(&placed),
            // A drawing inside the drawing clips what it shows.
            Some([x, y, width, height]) => {
                let [x, y, width, height] = [x, y, Lu(width.0.max(0)), Lu(height.0.max(0))].map(n);
                let _ = write!(
                    self.body,
                    "<svg x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" viewBox=\"{x} {y} {width} {height}\">{placed}</svg>"
                );
            }
        }
    }

    fn picture(&mut self, image: &Image) -> Option<usize> {
        if let Some(known) = self.shared.pictures.get(&image.id()) {
            return *known;
        }
        let number = self.shared.pictures.len();
        let known = picture::file(image).map(|(kind, bytes)| {
            let _ = write!(
                self.defs,
                "<image id=\"p{number}\" width=\"1\" height=\"1\" preserveAspectRatio=\"none\" href=\""
            );
            data_uri(&mut self.defs, kind, &bytes);
            self.defs.push_str("\"/>");
            number
        });
        self.shared.pictures.insert(image.id(), known);
        known
    }
}

/// Writes one row of runs.
fn text_row(html: &mut String, runs: &[Shown], shared: &mut Shared, marks: &[Vec<char>]) {
    let Some(Shown { run: first, .. }) = runs.first() else { return };
    highlight(html, runs, marks);
    html.push_str("<text");
    if !first.turns.is_multiple_of(4) {
        let _ = write!(html, " transform=\"rotate({})\"", u32::from(first.turns % 4) * 90);
    }
    html.push('>');
    let mut end = None;
    for shown in runs {
        let run = &shown.run;
        let from = Spot::of(run.turns, run.x, run.y, run.size).column;
        // A blank between what stands apart, for readers who only hear or copy.
        if end.is_some_and(|end: i64| from.saturating_sub(end) > i64::from(run.size.0) / 8) {
            html.push(' ');
        }
        end = Some(from.saturating_add(length(run)));
        text_run(html, shown, shared);
    }
    html.push_str("</text>");
}

/// A piece of a run: characters in one font.
struct Piece {
    class: String,
    text: String,
    from: usize,
    count: usize,
}

fn text_run(html: &mut String, shown: &Shown, shared: &mut Shared) {
    let run = &shown.run;
    let mut pieces: Vec<Piece> = Vec::new();
    let program = run.embedded.as_ref().map(|own| &own.font);
    let font = program.and_then(|program| shared.fonts.embed(program));
    for (number, c) in run.text.chars().enumerate() {
        let glyph = font.and_then(|font| own_glyph(run, &shared.fonts, font, number, c));
        let (class, c) = match (program, glyph) {
            (Some(program), Some(glyph)) => {
                let web = &mut shared.web;
                let (number, c) =
                    if shown.private { web.private(program, glyph) } else { web.character(program, c, glyph) };
                (format!("f{number}"), c)
            }
            _ => (family(run), c),
        };
        match pieces.last_mut() {
            Some(piece) if piece.class == class => {
                piece.text.push(c);
                piece.count += 1;
            }
            _ => pieces.push(Piece { class, text: c.into(), from: number, count: 1 }),
        }
    }
    for piece in &pieces {
        span(html, shown, piece);
    }
}

fn own_glyph(run: &TextRun, fonts: &Fonts, font: FontId, number: usize, c: char) -> Option<u16> {
    let face = fonts.face(font)?;
    let ids = &run.embedded.as_ref()?.glyphs;
    let id = if ids.is_empty() { face.glyph(c)? } else { *ids.get(number)? };
    face.has(id).then_some(id)
}

fn span(html: &mut String, Shown { run, covered, private }: &Shown, piece: &Piece) {
    let spot = Spot::of(run.turns, run.x, run.y, run.size);
    let before: i64 = (0..piece.from).map(|number| advance(run, number)).fold(0, i64::saturating_add);
    let start = spot.column.saturating_add(before);
    let advances: Vec<i64> = (piece.from..piece.from + piece.count).map(|number| advance(run, number)).collect();
    let whole = advances.iter().copied().fold(0, i64::saturating_add);
    let own = piece.class.starts_with('f');
    let _ = write!(html, "<tspan class=\"{}", piece.class);
    let styles = [(run.face.bold && !own, " b"), (run.face.italic && !own, " i")];
    styles.iter().filter(|(wanted, _)| *wanted).for_each(|(_, class)| html.push_str(class));
    let size = Lu(run.size.0.saturating_abs().min(100 * Lu::PER_INCH));
    let _ = write!(html, "\" font-size=\"{}\" y=\"{}\" x=\"", n(size), wide(spot.row));
    if own && run.stretch == 1000 && (*private || is_uneven(&advances, size, &piece.text)) {
        let mut pen = start;
        for (number, advance) in advances.iter().enumerate() {
            let _ = write!(html, "{}{}", if number > 0 { " " } else { "" }, wide(pen));
            pen = pen.saturating_add(*advance);
        }
        html.push('"');
    } else {
        let _ = write!(html, "{}\"", wide(start));
        if whole > 0 && piece.count > 1 {
            let adjust = if own && run.stretch == 1000 { "" } else { " lengthAdjust=\"spacingAndGlyphs\"" };
            let _ = write!(html, " textLength=\"{}\"{adjust}", wide(whole));
        }
    }
    if *covered {
        html.push_str(" fill-opacity=\"0\"");
    } else if run.color != Color::BLACK {
        let _ = write!(html, " fill=\"{}\"", hex(run.color));
    }
    html.push('>');
    piece.text.chars().for_each(|c| push_escaped(html, c));
    html.push_str("</tspan>");
}

/// Whether single blanks are much wider or narrower than the others (justified or columned text), or characters stand on
/// one another: equal spacing would put letters in wrong places.
fn is_uneven(advances: &[i64], size: Lu, text: &str) -> bool {
    let blanks: Vec<i64> = text.chars().zip(advances).filter(|(c, _)| *c == ' ').map(|(_, advance)| *advance).collect();
    let limit = i64::from(size.0) * UNEVEN / 1000;
    let (least, most) = (blanks.iter().min(), blanks.iter().max());
    let uneven = least.zip(most).is_some_and(|(least, most)| most - least > limit || *most > i64::from(size.0) * 2 / 5);
    uneven || advances.iter().any(|advance| *advance <= 0)
}

fn length(run: &TextRun) -> i64 {
    (0..run.text.chars().count()).map(|number| advance(run, number)).fold(0, i64::saturating_add)
}

fn family(run: &TextRun) -> String {
    match run.face.family {
        Family::Mono => "m",
        Family::Sans => "s",
        Family::Serif => "r",
    }
    .into()
}

/// Marks the words to highlight behind the text; over text that is drawn already the mark lets it through.
fn highlight(html: &mut String, runs: &[Shown], marks: &[Vec<char>]) {
    if marks.is_empty() {
        return;
    }
    // The characters of the row and where each begins and ends; a blank where runs stand apart.
    let mut letters: Vec<(char, i64, i64)> = Vec::new();
    for Shown { run, .. } in runs {
        let mut pen = Spot::of(run.turns, run.x, run.y, run.size).column;
        if letters.last().is_some_and(|(_, _, end)| pen.saturating_sub(*end) > i64::from(run.size.0) / 8) {
            letters.push((' ', pen, pen));
        }
        for (number, c) in run.text.chars().enumerate() {
            let end = pen.saturating_add(advance(run, number));
            letters.push((lower(c), pen, end));
            pen = end;
        }
    }
    let Some(Shown { run: first, .. }) = runs.first() else { return };
    let through = if runs.iter().any(|shown| shown.covered) { " fill-opacity=\"0.5\"" } else { "" };
    let spot = Spot::of(first.turns, first.x, first.y, first.size);
    for word in marks {
        for found in letters.windows(word.len()).filter(|part| part.iter().map(|(c, ..)| *c).eq(word.iter().copied())) {
            let (from, to) = (found.first().map_or(0, |l| l.1), found.last().map_or(0, |l| l.2));
            let turn = if first.turns.is_multiple_of(4) { 0 } else { u32::from(first.turns % 4) * 90 };
            let _ = write!(
                html,
                "<rect class=\"mark\"{through} x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" transform=\"rotate({turn})\"/>",
                wide(from),
                wide(spot.row.saturating_sub(spot.size * 4 / 5)),
                wide(to.saturating_sub(from).max(0)),
                wide(spot.size),
            );
        }
    }
}

fn underline(html: &mut String, run: &TextRun) {
    if let Some(rule) = path::underline_rule(run) {
        draw_rule(html, &rule);
    }
}

fn barcode(html: &mut String, code: &Barcode, place: Place) {
    let label = [code.symbology.as_str(), code.value.as_str()].map(escape);
    let _ = write!(html, "<g role=\"img\" aria-label=\"{}\">", label.join(" ").trim());
    draw_path(html, &place.path(&code.bars));
    html.push_str("</g>");
}

fn draw_rule(html: &mut String, rule: &Rule) {
    let [x, y, width, height] = [rule.x, rule.y, Lu(rule.width.0.max(0)), Lu(rule.height.0.max(0))].map(n);
    let _ =
        write!(html, "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"{}\"/>", hex(rule.color));
}

fn draw_path(html: &mut String, path: &Path) {
    let steps = path::sound(&path.steps);
    if steps.is_empty() || (path.fill.is_none() && path.stroke.is_none()) {
        return;
    }
    html.push_str("<path d=\"");
    for step in steps {
        let _ = match step {
            Step::Move([x, y]) => write!(html, "M{} {}", n(x), n(y)),
            Step::Line([x, y]) => write!(html, "L{} {}", n(x), n(y)),
            Step::Curve(all) => {
                let [a, b, c, d, e, f] = all.map(n);
                write!(html, "C{a} {b} {c} {d} {e} {f}")
            }
            Step::Close => write!(html, "Z"),
        };
    }
    let _ = write!(html, "\" fill=\"{}\"", path.fill.map_or("none".into(), hex));
    if path.even_odd {
        html.push_str(" fill-rule=\"evenodd\"");
    }
    if let Some(stroke) = &path.stroke {
        let _ = write!(html, " stroke=\"{}\" stroke-width=\"{}\"", hex(stroke.color), n(Lu(stroke.width.0.max(0))));
        let dashes: Vec<String> = path::dashes(stroke).into_iter().map(n).collect();
        if !dashes.is_empty() {
            let _ = write!(html, " stroke-dasharray=\"{}\"", dashes.join(" "));
        }
        html.push_str(match stroke.cap {
            Cap::Flat => "",
            Cap::Round => " stroke-linecap=\"round\"",
            Cap::Square => " stroke-linecap=\"square\"",
        });
        html.push_str(match stroke.join {
            // As long as in a PDF.
            Join::Miter => " stroke-miterlimit=\"10\"",
            Join::Round => " stroke-linejoin=\"round\"",
            Join::Bevel => " stroke-linejoin=\"bevel\"",
        });
    }
    html.push_str("/>");
}

fn hex(color: Color) -> String {
    format!("#{:02x}{:02x}{:02x}", color.r, color.g, color.b)
}

/// A length in points, no longer than it must be.
fn n(length: Lu) -> String {
    wide(i64::from(length.0))
}

fn wide(length: i64) -> String {
    // Hundredths of a point are finer than any screen or printer.
    let hundredths = length.clamp(-(1 << 40), 1 << 40) / 2;
    let (sign, rest) = (if hundredths < 0 { "-" } else { "" }, hundredths.unsigned_abs());
    match (rest / 100, rest % 100) {
        (whole, 0) => format!("{sign}{whole}"),
        (whole, part) if part % 10 == 0 => format!("{sign}{whole}.{}", part / 10),
        (whole, part) => format!("{sign}{whole}.{part:02}"),
    }
}
