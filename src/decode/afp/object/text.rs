//! Strings in objects: text runs along a baseline of any direction.
//!
//! Rule: AFP GOCA Reference, "Character Strings": the string starts at its point and does not move the current position. Of the
//! two methods that the book shows, characters are placed by the metrics of their font, scaled to the character cell. A page's
//! text runs know quarter turns only: characters at other angles, slanted or mirrored ones are runs of their own, of a
//! program with their outlines taken through a matrix ([`ActiveFont::reshaped`]); without a program they stand upright.

use super::place::{Place, lu};
use crate::decode::afp::font::{ActiveFont, Glyph, Reshaped};
use crate::frame::codepage::CodePage;
use crate::page::{Advances, Color, Embedded, Face, FontProgram, Lu, TextRun};
use std::sync::Arc;

/// A point or vector, in logical units.
type Point = [f64; 2];

/// The em square where nothing says a size: 10 pt.
const PLAIN_SIZE: f64 = 2000.0;
/// Width of a character of a fixed-pitch font in em squares.
pub const PLAIN_PITCH: f64 = 0.6;
/// The EBCDIC code page where no font says one: US and Western Europe.
pub const PLAIN_CODE_PAGE: &str = "ibm-500";
/// Height of the top of a cell above the baseline, in cells.
const CELL_TOP: f64 = 0.8;
/// How far letters may be widened, narrowed and sheared.
const WIDENED: f64 = 20.0;

/// Where and how a string is set.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Where it starts on the page, in logical units.
    pub at: Point,
    /// The baseline and the strokes of upright letters on the page (y downwards), for a logical unit of the content.
    pub axes: [Point; 2],
    /// Character direction: 1 along the baseline, 2 downwards, 3 backwards, 4 upwards.
    pub direction: u8,
    /// Width and height of the character cell in logical units of the content, mirrored where negative; 0: as the font has it.
    pub cell: Point,
    /// Colour.
    pub color: Color,
}

impl Setting {
    /// The axes of letters whose baseline has an angle and whose upright strokes have a shear, both as vectors of the content
    /// with y upwards. Where no cell scales them, letters keep the size of their font whatever the scale of the place.
    pub fn axes(angle: Point, shear: Point, has_cell: bool, place: &Place) -> [Point; 2] {
        let [dx, dy] = unit(angle);
        let slope = match shear {
            [_, 0.0] => 0.0,
            [x, y] => (x / y).clamp(-WIDENED, WIDENED),
        };
        let [origin_x, origin_y] = place.exact(0.0, 0.0);
        let [scale_x, scale_y] = place.scale;
        let mean = if has_cell { 1.0 } else { (scale_x * scale_y).abs().sqrt().max(f64::MIN_POSITIVE) };
        [[dx, dy], [slope * dx - dy, slope * dy + dx]].map(|[x, y]| {
            let [x, y] = place.exact(x, -y);
            [(x - origin_x) / mean, (y - origin_y) / mean]
        })
    }

    /// Upright text along the content's x axis.
    pub fn upright(place: &Place) -> [Point; 2] {
        Setting::axes([1.0, 0.0], [0.0, 1.0], false, place)
    }
}

fn unit([x, y]: Point) -> Point {
    let length = x.hypot(y);
    if length > 0.0 { [x / length, y / length] } else { [1.0, 0.0] }
}

/// A character that is to be placed.
#[derive(Clone, Copy)]
struct Character {
    ch: char,
    id: u16,
    part: u8,
    /// In parts of the cell's height, before the cell widens it.
    advance: f64,
}

/// How the characters of a part are shown, in a cell of one em.
struct Shown<'f> {
    program: Option<&'f FontProgram>,
    face: Face,
    size: f64,
    stretch: f64,
}

/// Sets a string in a font. The flag: its letters are as the setting says.
pub fn set(font: &ActiveFont, bytes: &[u8], setting: &Setting) -> (Vec<TextRun>, bool) {
    let natural = f64::from(font.size().0).max(1.0);
    let (mut characters, mut glyphs) = (Vec::new(), Vec::new());
    let mut rest = bytes;
    while let Some((taken, glyph)) = font.next(rest) {
        let Glyph { ch, part, id, advance, .. } = glyph;
        characters.push(Character { ch, id, part, advance: f64::from(advance.0) / natural });
        glyphs.push(glyph);
        rest = rest.get(taken.max(1)..).unwrap_or_default();
    }
    let turned = setting.follows(font.rotation());
    let letters = turned.as_ref().unwrap_or(setting).letters(natural, f64::from(font.pitch().0) / natural);
    let shown = |part: u8| {
        let part = font.part(part);
        let (size, stretch) = (f64::from(part.size.0) / natural, f64::from(part.stretch));
        Shown { program: part.program, face: part.face, size, stretch }
    };
    if letters.is_straight() {
        return (letters.runs(&characters, shown, None), true);
    }
    let reshaped = font.reshaped(letters.matrix(), &glyphs);
    let is_exact = reshaped.is_some();
    (letters.runs(&characters, shown, reshaped), is_exact)
}

/// Sets a string without a font: EBCDIC, fixed pitch. The flag: its letters are as the setting says.
pub fn set_plain(bytes: &[u8], setting: &Setting) -> (Vec<TextRun>, bool) {
    let mut text = String::new();
    if let Some(page) = CodePage::find(PLAIN_CODE_PAGE) {
        page.decode(bytes, &mut text);
    }
    set_text(&text, setting)
}

/// Sets text without a font, in a fixed pitch. The flag: its letters are as the setting says.
pub fn set_text(text: &str, setting: &Setting) -> (Vec<TextRun>, bool) {
    let characters: Vec<Character> =
        text.chars().map(|ch| Character { ch, id: 0, part: 0, advance: PLAIN_PITCH }).collect();
    let shown = |_| Shown { program: None, face: Face::default(), size: 1.0, stretch: 1000.0 };
    let letters = setting.letters(PLAIN_SIZE, PLAIN_PITCH);
    (letters.runs(&characters, shown, None), letters.is_straight())
}

impl Setting {
    /// A font whose characters are turned for this direction sets them along it as along a baseline.
    fn follows(&self, rotation: u16) -> Option<Setting> {
        let [[x, y], [up_x, up_y]] = self.axes;
        let axes = match (self.direction, rotation) {
            (2, 270) => [[-up_x, -up_y], [x, y]],
            (3, 180) => [[-x, -y], [-up_x, -up_y]],
            (4, 90) => [[up_x, up_y], [-x, -y]],
            _ => return None,
        };
        Some(Setting { axes, direction: 1, ..*self })
    }

    /// Letters of a font of this size, whose characters are so many ems wide in the mean.
    fn letters(&self, natural: f64, pitch: f64) -> Letters<'_> {
        let [width, height] = self.cell;
        let em = if height == 0.0 { natural } else { height };
        // A string takes as much room as with its cells side by side.
        let widen = if width == 0.0 || pitch <= 0.0 { 1.0 } else { width / (pitch * em.abs()) };
        let along = widen.abs().clamp(1.0 / WIDENED, WIDENED).copysign(widen) * em.abs();
        let [[x, y], [up_x, up_y]] = self.axes;
        Letters { setting: self, em: [[x * along, y * along], [up_x * em, up_y * em]] }
    }
}

/// The letters of a string: the sides of their em square on the page.
struct Letters<'s> {
    setting: &'s Setting,
    em: [Point; 2],
}

impl Letters<'_> {
    fn turns(&self) -> u8 {
        let [[x, y], _] = self.em;
        quarter(x, y)
    }

    /// The size of runs: that of the longer side.
    fn size(&self) -> f64 {
        let [[x, y], [up_x, up_y]] = self.em;
        x.hypot(y).max(up_x.hypot(up_y))
    }

    /// The sides in the directions of the run's own baseline and of what is above it, in sizes.
    fn own(&self) -> [Point; 2] {
        let size = self.size().max(f64::MIN_POSITIVE);
        self.em.map(|[x, y]| {
            let (along, up) = match self.turns() {
                0 => (x, -y),
                1 => (y, x),
                2 => (-x, y),
                _ => (-y, -x),
            };
            [along / size, up / size]
        })
    }

    fn is_straight(&self) -> bool {
        let [[_, rise], [lean, up]] = self.own();
        rise.abs() < 0.03 && lean.abs() < 0.03 && up > 0.0
    }

    fn matrix(&self) -> [f64; 4] {
        let [[a, b], [c, d]] = self.own();
        [a, b, c, d]
    }

    fn runs<'f>(
        &self,
        characters: &[Character],
        shown: impl Fn(u8) -> Shown<'f>,
        reshaped: Option<Arc<Reshaped>>,
    ) -> Vec<TextRun> {
        let Setting { at: [mut x, mut y], direction, color, .. } = *self.setting;
        let [[ex, ey], [ux, uy]] = self.em;
        let (width, height, turns) = (ex.hypot(ey), ux.hypot(uy), self.turns());
        // A slant that only a face shows.
        let is_slanted = reshaped.is_none() && self.own()[1][0] > 0.03;
        let together = direction <= 1 && reshaped.is_none() && self.is_straight();
        let mut all: Vec<TextRun> = Vec::new();
        let mut advances: Vec<Lu> = Vec::new();
        let mut part = None;
        for Character { ch, id, part: of, advance } in characters.iter().copied() {
            let show = shown(of);
            if !together || part != Some(of) {
                finish(all.last_mut(), &mut advances);
                part = Some(of);
                // Where the character's own point lies from where the string is.
                let (back, up) = match direction {
                    2 => (advance / 2.0, -CELL_TOP),
                    3 => (advance, 0.0),
                    4 => (advance / 2.0, 0.0),
                    _ => (0.0, 0.0),
                };
                let own = reshaped.as_ref().and_then(|own| Some((own.program.clone(), own.glyph(of, id)?)));
                let (size, stretch) = match own {
                    Some(_) => (self.size(), 1000.0),
                    None => (height * show.size, show.stretch * width / height.max(f64::MIN_POSITIVE)),
                };
                let embedded = match &own {
                    Some((program, _)) => Some(program),
                    None => show.program,
                };
                all.push(TextRun {
                    x: lu(x - back * ex + up * ux),
                    y: lu(y - back * ey + up * uy),
                    turns,
                    face: Face { italic: show.face.italic || is_slanted, ..show.face },
                    embedded: embedded.map(|font| Embedded { font: font.clone(), glyphs: Vec::new() }),
                    size: lu(size),
                    color,
                    text: String::new(),
                    advances: Advances::Uniform(Lu(0)),
                    stretch: u16::try_from(lu(stretch).0.max(1)).unwrap_or(u16::MAX),
                    underline: false,
                    line: 0,
                    shadow: false,
                });
            }
            if let Some(run) = all.last_mut() {
                run.text.push(ch);
                if let Some(embedded) = &mut run.embedded {
                    let own = reshaped.as_ref().and_then(|own| own.glyph(of, id));
                    embedded.glyphs.push(own.unwrap_or(id));
                }
            }
            advances.push(lu(advance * width));
            let (along, up) = match direction {
                2 => (0.0, -1.0),
                3 => (-advance, 0.0),
                4 => (0.0, 1.0),
                _ => (advance, 0.0),
            };
            x += along * ex + up * ux;
            y += along * ey + up * uy;
        }
        finish(all.last_mut(), &mut advances);
        all
    }
}

fn finish(run: Option<&mut TextRun>, advances: &mut Vec<Lu>) {
    if let Some(run) = run {
        run.advances = Advances::Each(std::mem::take(advances));
    }
}

/// The nearest quarter turn of a direction (y downwards).
fn quarter(dx: f64, dy: f64) -> u8 {
    match (dx.abs() >= dy.abs(), dx >= 0.0, dy >= 0.0) {
        (true, true, _) => 0,
        (true, false, _) => 2,
        (false, _, true) => 1,
        (false, _, false) => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::afp::font::{FontRequest, FontSource};
    use crate::page::Advances::Each;

    const PLACE: Place = Place { origin: [100.0, 200.0], scale: [1.0, 1.0], turns: 0, clip: None };
    const AB: [u8; 2] = [0xC1, 0xC2];
    const UPRIGHT: Point = [0.0, 1.0];

    fn setting(angle: Point, shear: Point, direction: u8) -> Setting {
        let axes = Setting::axes(angle, shear, true, &PLACE);
        Setting { at: [100.0, 200.0], axes, direction, cell: [0.0, 100.0], color: Color::BLACK }
    }

    fn places(runs: &[TextRun]) -> Vec<(i32, i32)> {
        runs.iter().map(|run| (run.x.0, run.y.0)).collect()
    }

    #[test]
    fn a_straight_string_is_one_run() {
        let (runs, is_exact) = set_plain(&AB, &setting([0.0, 1.0], UPRIGHT, 1));
        assert_eq!((runs.len(), is_exact), (1, true));
        assert_eq!((runs[0].text.as_str(), runs[0].turns, runs[0].x, runs[0].y), ("AB", 3, Lu(100), Lu(200)));
        assert_eq!((&runs[0].advances, runs[0].size, runs[0].stretch), (&Each(vec![Lu(60), Lu(60)]), Lu(100), 1000));
    }

    #[test]
    fn a_cell_widens_letters_so_that_a_string_is_as_long_as_its_cells() {
        let wide = Setting { cell: [120.0, 100.0], ..setting([1.0, 0.0], UPRIGHT, 1) };
        let (runs, _) = set_plain(&AB, &wide);
        assert_eq!((&runs[0].advances, runs[0].size, runs[0].stretch), (&Each(vec![Lu(120), Lu(120)]), Lu(100), 2000));
        // As the place scales the object, its cells are scaled; letters without a cell keep their size.
        let place = Place { scale: [3.0, 3.0], ..PLACE };
        let scaled = |has_cell, cell| Setting {
            axes: Setting::axes([1.0, 0.0], UPRIGHT, has_cell, &place),
            cell,
            ..setting([1.0, 0.0], UPRIGHT, 1)
        };
        assert_eq!(set_plain(&AB, &scaled(true, [0.0, 100.0])).0[0].size, Lu(300));
        assert_eq!(set_plain(&AB, &scaled(false, [0.0, 0.0])).0[0].size, lu(PLAIN_SIZE));
    }

    #[test]
    fn each_direction_starts_at_its_own_point_of_the_first_character() {
        let set = |direction| places(&set_plain(&AB, &setting([1.0, 0.0], UPRIGHT, direction)).0);
        assert_eq!(set(1), [(100, 200)]);
        // Downwards at the middle of the top, backwards at the end, upwards at the middle of the baseline.
        assert_eq!(set(2), [(70, 280), (70, 380)]);
        assert_eq!(set(3), [(40, 200), (-20, 200)]);
        assert_eq!(set(4), [(70, 200), (70, 100)]);
    }

    struct Nothing;
    impl FontSource for Nothing {
        fn font_resource(&self, _: u8, _: &str) -> Option<Arc<crate::decode::afp::field::Fields>> {
            None
        }
        fn font_file(&self, _: &str) -> Option<Arc<Vec<u8>>> {
            None
        }
    }

    fn helvetica(rotation: u16) -> ActiveFont {
        let (set, page) = (Some("C0H200A0".into()), Some("T1V10500".into()));
        let request = FontRequest { character_set: set, code_page: page, rotation, ..FontRequest::default() };
        ActiveFont::open(&request, &Nothing, &mut |_, _| {})
    }

    /// Left, bottom, right, top of the only letter of a run, in sizes.
    fn ink(run: &TextRun) -> [f64; 4] {
        let embedded = run.embedded.as_ref().unwrap();
        crate::decode::afp::font::outline(&embedded.font, embedded.glyphs[0]).unwrap().bounds().unwrap()
    }

    #[test]
    fn letters_at_an_angle_slanted_and_mirrored_ones_are_reshaped() {
        let font = helvetica(0);
        let upright = set(&font, &[0xD3], &setting([1.0, 0.0], UPRIGHT, 1)).0;
        let [left, bottom, right, top] = ink(&upright[0]);
        let (width, height) = (right - left, top - bottom);
        // At 45 degrees an L is as wide as its arms allow.
        let (runs, is_exact) = set(&font, &[0xD3, 0xD3], &setting([1.0, 1.0], UPRIGHT, 1));
        assert!(is_exact && runs.len() == 2 && runs[0].turns % 4 == 0 && runs[0].text == "L");
        let [(x, y), (next_x, next_y)] = places(&runs)[..] else { panic!() };
        assert!(next_x > x && y - next_y == next_x - x, "{:?}", places(&runs));
        let turned = ink(&runs[0]);
        assert!((turned[2] - turned[0] - (width + height) * 0.5_f64.sqrt()).abs() < 0.03, "{turned:?}");
        // Slanted: its top lies further to the right, by half of its height.
        let (runs, _) = set(&font, &[0xC9], &setting([1.0, 0.0], [1.0, 2.0], 1));
        let [left, _, right, top] = ink(&runs[0]);
        let size = f64::from(runs[0].size.0);
        assert!((size - 100.0 * 1.25_f64.sqrt()).abs() < 1.0, "{size}");
        assert!((right - left) * size > top * size / 2.0);
        // Mirrored: to the left of its point.
        let mirrored = Setting { cell: [-60.0, 100.0], ..setting([1.0, 0.0], UPRIGHT, 1) };
        let (runs, is_exact) = set(&font, &[0xD3], &mirrored);
        assert!(is_exact && runs[0].turns == 2 || ink(&runs[0])[2] <= 0.0, "{runs:?}");
    }

    #[test]
    fn a_font_turned_for_a_direction_is_set_along_it() {
        let (down, _) = set(&helvetica(270), &AB, &setting([1.0, 0.0], UPRIGHT, 2));
        assert_eq!((down.len(), down[0].turns, places(&down)), (1, 1, vec![(100, 200)]));
    }

    #[test]
    fn letters_without_a_program_stay_upright_and_that_is_told() {
        let (runs, is_exact) = set_plain(&AB, &setting([4.0, 3.0], UPRIGHT, 1));
        assert!(!is_exact);
        assert_eq!(places(&runs), [(100, 200), (148, 164)]);
        assert!(!set_plain(&AB, &setting([1.0, 0.0], [1.0, 1.0], 1)).1, "a shear");
    }
}
