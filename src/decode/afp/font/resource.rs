//! Character sets as font programs: bitmaps traced, Type 1 and CID outlines taken over, turned where characters are.

use std::collections::HashMap;

use super::charset::{Character, CharacterSet, Orientation, Technology, Unit, objects};
use super::cid::Cid;
use super::codepage::{CodePage, Entry};
use super::gcgid::{self, Gcgid};
use super::glyphname;
use super::outline::{Outline, turned_box};
use super::program::{self, Plan, Shape, short};
use super::raster::{self, Bitmap};
use super::type1::Type1;
use crate::page::{Face, Family, FontProgram, Lu};

/// Points are stored in tenths, and 200 logical units make a point.
const LU_PER_DECIPOINT: f64 = 20.0;
/// Logical units in an inch.
const LU_PER_INCH: f64 = 14_400.0;
/// Units of an em that give fine enough steps.
const EM: u16 = 1000;
/// The greatest em of an OpenType font.
const EM_LIMIT: u16 = 16_384;
/// Coordinates of a program beyond this do not fit.
const COORDINATE_LIMIT: f64 = 32_000.0;
/// Bitmap dots of one character set that are looked at, all characters together.
const DOTS_LIMIT: usize = 64 << 20;

/// Steps of charstrings, all characters of a font together. A Chinese font of 20,000 characters takes less.
const WORK_LIMIT: usize = 16 << 20;

/// What is asked of a character set besides its characters.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Use {
    /// Rotation of characters, clockwise, in degrees.
    pub rotation: u16,
    /// Height of the em for outlines; `None`: as the character set says.
    pub size: Option<Lu>,
    /// Width of letters in 1/1000 of natural, for outlines.
    pub stretch: u16,
}

/// A character set that can be shown.
#[derive(Debug, Clone)]
pub struct Built {
    /// Its program.
    pub program: FontProgram,
    /// Height of the em.
    pub size: Lu,
    /// Width of letters in 1/1000 of natural.
    pub stretch: u16,
    /// The typeface it is like.
    pub face: Face,
    /// The increment of the space, as the character set says; 0 when it does not.
    pub space: Lu,
    /// Some shapes were left out because the data are damaged or without measure.
    pub damaged: bool,
    glyphs: HashMap<Gcgid, Placed>,
    chars: HashMap<char, Gcgid>,
}

/// A glyph of a built character set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// Its id in the program.
    pub id: u16,
    /// How far it moves the pen.
    pub advance: Lu,
    /// Its Unicode character, where its names tell it.
    pub ch: Option<char>,
}

impl Built {
    /// Builds a program for one rotation; `None` when there is nothing to show.
    pub fn build(set: &CharacterSet, page: &CodePage, wanted: Use) -> Option<Built> {
        match set.technology {
            Technology::Raster => Some(Raster::of(set, wanted).build(page)),
            Technology::Type1 | Technology::Cid => build_outlines(set, page, wanted),
        }
    }

    /// The glyph of a code page's entry: by its name, or by its character where the code page has no names.
    pub fn glyph(&self, entry: &Entry) -> Option<Placed> {
        let named = entry.name.and_then(|name| self.glyphs.get(&name));
        let by_char = || entry.ch.and_then(|ch| self.glyphs.get(self.chars.get(&ch)?));
        named.or_else(by_char).copied()
    }

    fn new(set: &CharacterSet, page: &CodePage, wanted: Use, made: Made) -> Built {
        let known = chars_of(page);
        let mut glyphs = HashMap::new();
        let mut chars = HashMap::new();
        let mut plan = made.plan;
        let ids = program::FIRST..;
        for (((id, shape), character), exact) in ids.zip(&mut plan.shapes).zip(&made.characters).zip(&made.advances) {
            let ch = character_of(set, &character.name).or_else(|| known.get(&character.name).copied());
            shape.ch = ch;
            glyphs.insert(character.name, Placed { id, advance: Lu(lu(*exact)), ch });
            if let Some(ch) = ch {
                chars.entry(ch).or_insert(character.name);
            }
        }
        let program = plan.write();
        Built {
            program,
            size: Lu(lu(made.lu * f64::from(plan.em))),
            stretch: if made.scalable { wanted.stretch } else { 1000 },
            face: Face { family: family(set, &made.characters), bold: plan.bold, italic: plan.italic },
            space: Lu(lu(made.space)),
            damaged: made.damaged,
            glyphs,
            chars,
        }
    }
}

/// A plan, and what the page needs to know of it.
struct Made {
    plan: Plan,
    characters: Vec<Character>,
    /// The advance of each, in logical units.
    advances: Vec<f64>,
    /// Logical units of one font unit.
    lu: f64,
    space: f64,
    scalable: bool,
    damaged: bool,
}

/// The character a name stands for, by its own meaning or by the name the font program has for it.
fn character_of(set: &CharacterSet, name: &Gcgid) -> Option<char> {
    let inner = || glyphname::to_char(std::str::from_utf8(set.names.get(name)?).ok()?);
    gcgid::to_char(name).or_else(inner)
}

fn chars_of(page: &CodePage) -> HashMap<Gcgid, char> {
    page.iter().filter_map(|(_, entry)| Some((entry.name?, entry.ch?))).collect()
}

fn family(set: &CharacterSet, characters: &[Character]) -> Family {
    let widths: std::collections::BTreeSet<u16> =
        characters.iter().map(|character| character.increment).filter(|increment| *increment > 0).collect();
    if widths.len() == 1 && characters.len() > 2 {
        return Family::Mono;
    }
    super::names::family_of(&set.typeface).unwrap_or(Family::Sans)
}

fn lu(value: f64) -> i32 {
    #[expect(clippy::cast_possible_truncation, reason = "a cast of this kind saturates")]
    let lu = value.round() as i32;
    lu
}

fn plan(set: &CharacterSet, orientation: Orientation, em: u16, units: f64) -> Plan {
    Plan {
        name: if set.typeface.is_empty() { "AFP".into() } else { set.typeface.clone() },
        em,
        ascent: short(f64::from(orientation.ascent) * units).max(1),
        descent: short(-f64::from(orientation.descent.saturating_abs()) * units).min(0),
        bold: set.weight >= 7,
        italic: set.italic || set.typeface.to_ascii_lowercase().contains("italic"),
        fixed: orientation.uniform,
        shapes: Vec::new(),
    }
}

fn advance_units(value: f64) -> u16 {
    u16::try_from(short(value).max(0)).unwrap_or(0)
}

/// A raster character set, with the scale of its program.
struct Raster<'a> {
    set: &'a CharacterSet,
    orientation: Orientation,
    rotation: u16,
    em: u16,
    /// Inches of the em.
    inches: f64,
}

impl<'a> Raster<'a> {
    fn of(set: &'a CharacterSet, wanted: Use) -> Raster<'a> {
        let orientation = set.orientation(wanted.rotation);
        let mut inches = em_inches(set, orientation, wanted);
        // An em is only a scale. Where bitmaps are much greater than it (a logo as a font), a greater one serves.
        let largest = largest(set, inches);
        if largest > 16.0 {
            inches *= (largest / 16.0).ceil();
        }
        let mut raster = Raster { set, orientation, rotation: wanted.rotation, em: EM, inches };
        raster.em = raster.best_em(self::largest(set, inches));
        raster
    }

    /// The em in which a dot and a unit of the metrics are whole numbers of units, or most nearly so.
    fn best_em(&self, largest: f64) -> u16 {
        let [across, down] = self.set.resolution;
        let per_em = match self.set.metrics {
            Unit::PerEm(units) => units,
            Unit::PerInch(units) => units * self.inches,
        };
        let parts = [across * self.inches, down * self.inches, per_em];
        let error = |em: u16| {
            let one = |part: &f64| {
                let unit = f64::from(em) / part;
                // Less than one unit for a dot would lose it.
                if unit < 0.75 { 1.0 } else { (unit - unit.round()).abs() }
            };
            parts.iter().map(one).fold(0.0, f64::max)
        };
        let limit = (COORDINATE_LIMIT / largest.max(1.0)).clamp(f64::from(EM), f64::from(EM_LIMIT));
        let limit = u16::try_from(short(limit)).unwrap_or(EM);
        let mut best = (EM, error(EM));
        for em in EM..=limit {
            if best.1 < 1e-6 {
                break;
            }
            let error = error(em);
            if error < best.1 - 1e-9 {
                best = (em, error);
            }
        }
        best.0
    }

    /// Font units of one dot, across and down.
    fn dot(&self) -> [f64; 2] {
        self.set.resolution.map(|resolution| f64::from(self.em) / (self.inches * resolution))
    }

    /// Font units of one unit of the metrics.
    fn unit(&self) -> f64 {
        match self.set.metrics {
            Unit::PerInch(units) => f64::from(self.em) / (self.inches * units),
            // Relative metrics count parts of the nominal em, which may be smaller than the program's.
            Unit::PerEm(units) => self.nominal() / units * f64::from(self.em) / self.inches,
        }
    }

    /// Inches of the nominal em.
    fn nominal(&self) -> f64 {
        if self.set.size > 0 { f64::from(self.set.size) / 720.0 } else { self.inches }
    }

    fn build(&self, page: &CodePage) -> Built {
        let unit = self.unit();
        let lu = self.inches * LU_PER_INCH / f64::from(self.em);
        let characters: Vec<Character> = self.set.at(self.orientation).to_vec();
        let mut made = Made {
            plan: plan(self.set, self.orientation, self.em, unit),
            advances: Vec::new(),
            lu,
            space: f64::from(self.orientation.space) * unit * lu,
            scalable: false,
            damaged: false,
            characters,
        };
        let (mut dots, mut steps) = (DOTS_LIMIT, raster::STEPS_LIMIT);
        for character in &made.characters {
            let outline = self.outline(character, &mut dots, &mut steps);
            made.damaged |= outline.is_none();
            let outline = outline.unwrap_or_default();
            let advance = self.advance(character, &outline) * unit;
            made.advances.push(advance * lu);
            made.plan.shapes.push(Shape { ch: None, advance: advance_units(advance), outline });
        }
        Built::new(self.set, page, Use::default(), made)
    }

    /// In units of the metrics.
    fn advance(&self, character: &Character, outline: &Outline) -> f64 {
        if self.orientation.rotation != self.rotation && matches!(self.rotation, 90 | 270) {
            // The character set has no metrics for this rotation: the box decides.
            return outline.bounds().map_or(0.0, |[left, _, right, _]| (right - left) / self.unit());
        }
        if character.increment == 0 && self.orientation.uniform {
            return f64::from(self.orientation.increment);
        }
        f64::from(character.increment)
    }

    /// The bitmap of a character, turned and in its place; `None` when the data do not hold it.
    fn outline(&self, character: &Character, dots: &mut usize, steps: &mut usize) -> Option<Outline> {
        let Some(pattern) = self.set.patterns.get(usize::from(character.pattern)) else {
            return self.set.patterns.is_empty().then(Outline::default);
        };
        let (width, height) = (usize::try_from(pattern.width).ok()?, usize::try_from(pattern.height).ok()?);
        let rows = self.set.shapes.get(pattern.start..)?;
        let needed = width.div_ceil(8).checked_mul(height)?;
        if rows.len() < needed {
            return None;
        }
        *dots = dots.checked_sub(needed.checked_mul(8)?)?;
        let traced = Bitmap { width, height, rows }.outline(*steps)?;
        *steps = steps.saturating_sub(traced.0.len());
        let [dx, dy] = self.dot();
        let scaled = traced.mapped(|[x, y]| [x * dx, y * dy]).turned(self.rotation);
        let frame = [0.0, -f64::from(pattern.height) * dy, f64::from(pattern.width) * dx, 0.0];
        let [left, bottom, _, top] = turned_box(frame, self.rotation);
        let unit = self.unit();
        if self.orientation.rotation == self.rotation {
            let corner = [f64::from(character.a_space) * unit, f64::from(character.offset) * unit];
            return Some(scaled.moved([corner[0] - left, corner[1] - top]));
        }
        // No metrics for this rotation: centred on the baseline.
        Some(scaled.moved([-left, -(bottom + top) / 2.0]))
    }
}

/// Inches of the nominal em of a raster character set.
fn em_inches(set: &CharacterSet, orientation: Orientation, wanted: Use) -> f64 {
    if set.size > 0 {
        return f64::from(set.size) / 720.0;
    }
    let extent = f64::from(orientation.extent.max(orientation.baseline));
    match (set.metrics, wanted.size) {
        (Unit::PerInch(units), _) if extent > 0.0 => extent / units,
        (_, Some(size)) => f64::from(size.0.max(200)) / LU_PER_INCH,
        _ => 10.0 / 72.0,
    }
}

/// The greatest extent of anything in a raster character set, in ems.
fn largest(set: &CharacterSet, inches: f64) -> f64 {
    let [across, down] = set.resolution;
    let per_em = match set.metrics {
        Unit::PerEm(units) => units,
        Unit::PerInch(units) => units * inches,
    };
    let patterns = set
        .patterns
        .iter()
        .map(|pattern| (f64::from(pattern.width) / (across * inches)).max(f64::from(pattern.height) / (down * inches)));
    let metrics = set.characters.iter().flatten().map(|character| {
        let most =
            [i32::from(character.increment), i32::from(character.a_space).abs(), i32::from(character.offset).abs()];
        f64::from(most.into_iter().max().unwrap_or(0)) / per_em
    });
    let sum = |values: f64, value: f64| values.max(value);
    patterns.fold(0.0, sum) + metrics.fold(0.0, sum)
}

/// Where shapes of an outline character set come from.
enum Source {
    Type1(Box<Type1>),
    Cid(Box<Cid>),
}

impl Source {
    fn of(set: &CharacterSet) -> Option<Source> {
        let cid = set.technology == Technology::Cid;
        let parts = objects(&set.shapes, cid);
        if cid && let Some(cid) = Cid::read(&parts) {
            return Some(Source::Cid(Box::new(cid)));
        }
        parts.iter().find_map(|part| Type1::read(part.data)).map(|font| Source::Type1(Box::new(font)))
    }

    fn em(&self) -> u16 {
        match self {
            Source::Type1(font) => font.em(),
            Source::Cid(font) => font.em(),
        }
    }

    /// The shape of a character: by the name map, or by its own name, or by what both mean.
    fn draw(
        &self,
        set: &CharacterSet,
        name: &Gcgid,
        by_char: &HashMap<char, Vec<u8>>,
        work: &mut usize,
    ) -> Option<Outline> {
        let inner = set.names.get(name);
        match self {
            Source::Cid(font) => font.draw(inner?, work),
            Source::Type1(font) => {
                let own = gcgid::text(name).into_bytes();
                let meant = character_of(set, name).and_then(|ch| by_char.get(&ch));
                let names = [inner, Some(&own), meant];
                names.into_iter().flatten().find_map(|name| font.draw(name, work)).map(|drawn| drawn.outline)
            }
        }
    }

    fn by_char(&self) -> HashMap<char, Vec<u8>> {
        let Source::Type1(font) = self else { return HashMap::new() };
        let named = |name: &[u8]| Some((glyphname::to_char(std::str::from_utf8(name).ok()?)?, name.to_vec()));
        let mut list: Vec<(char, Vec<u8>)> = font.names().filter_map(named).collect();
        // Of several names for one character the shortest, then the first in order, is the plain one.
        list.sort_by(|(a, x), (b, y)| (a, x.len(), x).cmp(&(b, y.len(), y)));
        list.reverse();
        list.into_iter().collect()
    }
}

fn build_outlines(set: &CharacterSet, page: &CodePage, wanted: Use) -> Option<Built> {
    let source = Source::of(set)?;
    let em = source.em();
    let orientation = set.orientation(wanted.rotation);
    let per_em = match set.metrics {
        Unit::PerEm(units) => units,
        Unit::PerInch(_) => 1000.0,
    };
    let unit = f64::from(em) / per_em;
    let nominal = (set.size > 0).then(|| f64::from(set.size) * LU_PER_DECIPOINT);
    let size = wanted.size.map(|size| f64::from(size.0)).or(nominal).unwrap_or(2000.0);
    let lu = size / f64::from(em);
    let stretch = f64::from(wanted.stretch) / 1000.0;
    let by_char = source.by_char();
    let characters = set.at(orientation).to_vec();
    let upright = set.at(set.orientation(0));
    let mut made = Made {
        plan: plan(set, orientation, em, unit),
        advances: Vec::new(),
        lu,
        space: f64::from(orientation.space) * unit * lu * stretch,
        scalable: true,
        damaged: false,
        characters,
    };
    let mut work = WORK_LIMIT;
    let boxes: HashMap<Gcgid, Character> = upright.iter().map(|character| (character.name, *character)).collect();
    for character in &made.characters {
        let drawn = source.draw(set, &character.name, &by_char, &mut work);
        made.damaged |= drawn.is_none() && character.b_space > 0;
        let mut outline = drawn.unwrap_or_default();
        let mut advance = f64::from(if character.increment == 0 && orientation.uniform {
            orientation.increment
        } else {
            character.increment
        });
        if wanted.rotation != 0 {
            let placed = boxes.get(&character.name).unwrap_or(character);
            let own = (orientation.rotation == wanted.rotation).then_some(character);
            (outline, advance) = turn(&outline, placed, own, wanted.rotation, unit, advance);
        }
        made.advances.push(advance * unit * lu * stretch);
        made.plan.shapes.push(Shape { ch: None, advance: advance_units(advance * unit), outline });
    }
    Some(Built::new(set, page, wanted, made))
}

/// A turned outline in the place that the metrics of the rotation give its box, and its advance. `upright` has the box
/// before turning; without metrics of the rotation (`own`), the box stands in the middle of the baseline.
fn turn(
    outline: &Outline,
    upright: &Character,
    own: Option<&Character>,
    rotation: u16,
    unit: f64,
    advance: f64,
) -> (Outline, f64) {
    let [a, b] = [f64::from(upright.a_space), f64::from(upright.b_space)];
    let frame = [a, -f64::from(upright.descent), a + b, f64::from(upright.ascent)];
    let [left, bottom, right, top] = turned_box(frame, rotation);
    let by = |x: f64, y: f64| outline.turned(rotation).moved([x * unit, y * unit]);
    match own {
        Some(own) => (by(f64::from(own.a_space) - left, f64::from(own.offset) - top), advance),
        None if rotation == 180 => (by(f64::from(upright.increment), 0.0), advance),
        None => (by(-left, -(bottom + top) / 2.0), right - left),
    }
}

#[cfg(test)]
mod tests;
