//! Font character sets as they stand in the stream: metrics and patterns, before anything is drawn from them.
//!
//! Source of the layouts: FOCA reference, "Font character sets" (FND, FNC, FNM, FNO, FNP, FNI, FNN, FNG).

use std::collections::HashMap;

use super::gcgid::Gcgid;
use crate::decode::afp::bytes::{array, i16_at, u8_at, u16_at, u32_at};
use crate::decode::afp::field::{FieldId, Fields};
use crate::frame::codepage::CodePage as Charset;

const FND: FieldId = FieldId([0xD3, 0xA6, 0x89]);
const FNC: FieldId = FieldId([0xD3, 0xA7, 0x89]);
const FNM: FieldId = FieldId([0xD3, 0xA2, 0x89]);
const FNO: FieldId = FieldId([0xD3, 0xAE, 0x89]);
const FNP: FieldId = FieldId([0xD3, 0xAC, 0x89]);
const FNI: FieldId = FieldId([0xD3, 0x8C, 0x89]);
const FNN: FieldId = FieldId([0xD3, 0xAB, 0x89]);
const FNG: FieldId = FieldId([0xD3, 0xEE, 0x89]);

/// Glyph ids of a font program take two bytes; more characters than that are not read.
const CHARACTERS_LIMIT: usize = 65_000;
/// Rotations beyond the four that exist are not read.
const ORIENTATIONS_LIMIT: usize = 8;

/// How characters are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Technology {
    /// Bitmaps.
    Raster,
    /// A Type 1 font (PFB).
    Type1,
    /// A CID-keyed font.
    Cid,
}

/// What the numbers of a character set count.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Unit {
    /// This many make an inch.
    PerInch(f64),
    /// This many make an em.
    PerEm(f64),
}

/// One rotation of a character set, for all characters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Orientation {
    /// Rotation of characters, clockwise, in degrees.
    pub rotation: u16,
    /// Which run of FNI groups holds its characters.
    pub index: usize,
    /// The greatest height above the baseline.
    pub ascent: i16,
    /// The greatest increment.
    pub increment: u16,
    /// The increment of the space.
    pub space: u16,
    /// Height of all character boxes together.
    pub extent: u16,
    /// Distance of baselines that the designer recommends.
    pub baseline: u16,
    /// All characters have `increment`.
    pub uniform: bool,
    /// The greatest depth below the baseline; from FNP.
    pub descent: i16,
}

/// One character at one rotation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Character {
    /// Its name.
    pub name: Gcgid,
    /// How far it moves the pen.
    pub increment: u16,
    /// Height of its box above the baseline.
    pub ascent: i16,
    /// Depth of its box below the baseline.
    pub descent: i16,
    /// Which pattern of the map it shows.
    pub pattern: u16,
    /// From the pen to the left side of its box.
    pub a_space: i16,
    /// Width of its box.
    pub b_space: u16,
    /// From the baseline up to the top of its box.
    pub offset: i16,
}

/// A bitmap, by its place among all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pattern {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Where its first row starts in [`CharacterSet::shapes`].
    pub start: usize,
}

/// A font character set.
#[derive(Debug, Clone)]
pub struct CharacterSet {
    /// The typeface's name in the descriptor.
    pub typeface: String,
    /// Weight class, 1 to 9; 5 is medium, 7 bold.
    pub weight: u8,
    /// Italic by its design flags.
    pub italic: bool,
    /// Nominal size in tenths of a point; 0 when it has none (outlines).
    pub size: u16,
    /// How characters are stored.
    pub technology: Technology,
    /// What metrics count.
    pub metrics: Unit,
    /// Dots of bitmaps in an inch, across and down.
    pub resolution: [f64; 2],
    /// The rotations it has.
    pub orientations: Vec<Orientation>,
    /// The characters of each run of FNI groups.
    pub characters: Vec<Vec<Character>>,
    /// The bitmaps.
    pub patterns: Vec<Pattern>,
    /// Bitmaps, or the font program.
    pub shapes: Vec<u8>,
    /// The name of each character in the font program.
    pub names: HashMap<Gcgid, Vec<u8>>,
}

impl CharacterSet {
    /// Reads a character set; `None` when it has no control field or no characters.
    pub fn read(fields: &Fields) -> Option<CharacterSet> {
        let one = |id: FieldId| fields.iter().find(|field| field.id == id).map(|field| field.data);
        let about = one(FND).unwrap_or_default();
        let control = one(FNC)?;
        let technology = match u8_at(control, 1)? {
            0x1E => Technology::Cid,
            0x1F => Technology::Type1,
            _ => Technology::Raster,
        };
        let metrics = metric_unit(control);
        let index = fields.joined(FNI);
        let characters = runs(&index, group_length(control, 15, 28));
        if characters.is_empty() {
            return None;
        }
        Some(CharacterSet {
            typeface: words(about.get(..32).unwrap_or_default()),
            weight: u8_at(about, 32).unwrap_or(0),
            italic: u16_at(about, 64).unwrap_or(0) & 0x8000 != 0,
            size: u16_at(about, 36).unwrap_or(0),
            technology,
            metrics,
            resolution: resolution(control, metrics),
            orientations: orientations(&fields.joined(FNO), &fields.joined(FNP), control),
            characters,
            patterns: patterns(&fields.joined(FNM), control),
            shapes: fields.joined(FNG),
            names: names(&fields.joined(FNN), control),
        })
    }

    /// The rotation asked for, or the first one it has.
    pub fn orientation(&self, rotation: u16) -> Orientation {
        let found = self.orientations.iter().find(|orientation| orientation.rotation == rotation);
        found.or(self.orientations.first()).copied().unwrap_or_default()
    }

    /// The characters of a rotation; of the first one where the index has fewer runs than the orientations say.
    pub fn at(&self, orientation: Orientation) -> &[Character] {
        let run = self.characters.get(orientation.index).or(self.characters.first());
        run.map(Vec::as_slice).unwrap_or_default()
    }
}

/// Text of a descriptor without padding.
fn words(data: &[u8]) -> String {
    let mut text = String::new();
    if let Some(ebcdic) = Charset::find("ibm-500") {
        ebcdic.decode(data, &mut text);
    }
    text.trim_matches(|ch: char| ch.is_whitespace() || ch.is_control()).into()
}

fn group_length(control: &[u8], at: usize, usual: usize) -> usize {
    u8_at(control, at).map(usize::from).filter(|length| *length > 0).unwrap_or(usual)
}

fn metric_unit(control: &[u8]) -> Unit {
    let units = f64::from(u16_at(control, 6).unwrap_or(0));
    match u8_at(control, 4) {
        Some(2) => Unit::PerEm(if units > 0.0 { units } else { 1000.0 }),
        base => Unit::PerInch(per_inch(base.unwrap_or(0), units).unwrap_or(240.0)),
    }
}

/// Units for 10 inches (base 0) or 10 centimetres (base 1) as units for one inch.
fn per_inch(base: u8, units: f64) -> Option<f64> {
    if units < 1.0 {
        return None;
    }
    Some(if base == 1 { units * 0.254 } else { units / 10.0 })
}

/// Dots of bitmaps in an inch: stated, or the unit of the metrics when that is one, or 300.
fn resolution(control: &[u8], metrics: Unit) -> [f64; 2] {
    let usual = if let Unit::PerInch(units) = metrics { units } else { 300.0 };
    let one = |base, units| per_inch(u8_at(control, base)?, f64::from(u16_at(control, units)?));
    let across = one(22, 24);
    let down = one(23, 26);
    [across.or(down).unwrap_or(usual), down.or(across).unwrap_or(usual)]
}

fn orientations(fno: &[u8], fnp: &[u8], control: &[u8]) -> Vec<Orientation> {
    let positions: Vec<&[u8]> = fnp.chunks(group_length(control, 20, 22)).collect();
    let groups = fno.chunks(group_length(control, 14, 26)).take(ORIENTATIONS_LIMIT).enumerate();
    groups
        .filter_map(|(number, group)| orientation(group, positions.get(number).copied().unwrap_or_default()))
        .collect()
}

fn orientation(group: &[u8], position: &[u8]) -> Option<Orientation> {
    let flags = u8_at(group, 12)?;
    Some(Orientation {
        // Degrees stand in the first nine bits.
        rotation: u16_at(group, 2)? >> 7,
        index: usize::from(flags >> 5),
        ascent: i16_at(group, 4)?,
        increment: u16_at(group, 6)?,
        space: u16_at(group, 8)?,
        extent: u16_at(group, 10)?,
        baseline: u16_at(group, 22).unwrap_or(0),
        uniform: flags & 0x01 != 0,
        descent: i16_at(position, 8).unwrap_or(0),
    })
}

/// The groups of all rotations. Where a name comes again, the next rotation starts: the fields themselves may be
/// split anywhere.
fn runs(index: &[u8], length: usize) -> Vec<Vec<Character>> {
    let mut runs: Vec<Vec<Character>> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for group in index.chunks_exact(length.max(10)).take(CHARACTERS_LIMIT) {
        let Some(character) = character(group) else { continue };
        if runs.is_empty() || seen.contains(&character.name) {
            if runs.len() == ORIENTATIONS_LIMIT {
                break;
            }
            runs.push(Vec::new());
            seen.clear();
        }
        seen.insert(character.name);
        if let Some(run) = runs.last_mut() {
            run.push(character);
        }
    }
    runs
}

fn character(group: &[u8]) -> Option<Character> {
    Some(Character {
        name: array(group, 0)?,
        increment: u16_at(group, 8)?,
        ascent: i16_at(group, 10).unwrap_or(0),
        descent: i16_at(group, 12).unwrap_or(0),
        pattern: u16_at(group, 16).unwrap_or(0),
        a_space: i16_at(group, 18).unwrap_or(0),
        b_space: u16_at(group, 20).unwrap_or(0),
        offset: i16_at(group, 26).unwrap_or(0),
    })
}

fn patterns(map: &[u8], control: &[u8]) -> Vec<Pattern> {
    // The alignment of patterns is a power of two, given by its exponent.
    let alignment = 1_usize.checked_shl(u32::from(u8_at(control, 16).unwrap_or(0).min(8))).unwrap_or(1);
    let pattern = |group: &[u8]| {
        Some(Pattern {
            width: u32::from(u16_at(group, 0)?) + 1,
            height: u32::from(u16_at(group, 2)?) + 1,
            start: usize::try_from(u32_at(group, 4)?).ok()?.checked_mul(alignment)?,
        })
    };
    let length = group_length(control, 21, 8).max(8);
    // A pattern that cannot be read keeps its number, so that others keep theirs.
    let none = Pattern { width: 0, height: 0, start: 0 };
    map.chunks_exact(length).take(CHARACTERS_LIMIT).map(|group| pattern(group).unwrap_or(none)).collect()
}

/// The name map: pairs of character names and places, and at these places the names in the font program.
fn names(map: &[u8], control: &[u8]) -> HashMap<Gcgid, Vec<u8>> {
    let length = group_length(control, 35, 12).max(12);
    let count = u16_at(control, 40).map_or(usize::MAX, usize::from);
    let mut names = HashMap::new();
    let mut end = map.len();
    let mut at = 2;
    while names.len() < count && names.len() < CHARACTERS_LIMIT && at + length <= end {
        let (Some(name), Some(place)) = (array::<8>(map, at), u32_at(map, at + 8)) else { break };
        at += length;
        let Ok(place) = usize::try_from(place) else { continue };
        // The pairs end where the first name stands.
        end = end.min(place.max(at));
        let Some(size) = u8_at(map, place) else { continue };
        let Some(text) = map.get(place + 1..place.saturating_add(usize::from(size))) else { continue };
        names.insert(name, text.to_vec());
    }
    names
}

/// The parts of the outline data: each with its length, a checksum and its name, and a descriptor where `described`.
pub fn objects(shapes: &[u8], described: bool) -> Vec<Object<'_>> {
    let mut objects = Vec::new();
    let mut rest = shapes;
    while let Some(object) = object(rest, described) {
        let (object, taken) = object;
        objects.push(object);
        rest = rest.get(taken..).unwrap_or_default();
    }
    objects
}

/// A part of the outline data.
#[derive(Debug, Clone, Copy)]
pub struct Object<'a> {
    /// 1 character map, 5 CID font, 6 Type 1 font, 7 metrics, 8 file names; 0 when nothing says it.
    pub kind: u8,
    /// The part itself.
    pub data: &'a [u8],
}

fn object(data: &[u8], described: bool) -> Option<(Object<'_>, usize)> {
    let stated = usize::try_from(u32_at(data, 0)?).ok()?;
    let whole = if stated < 10 { data.len() } else { stated.min(data.len()) };
    let mut at = 8 + usize::from(u16_at(data, 8)?).max(2);
    let mut kind = 0;
    if described {
        kind = u8_at(data, at + 2).unwrap_or(0);
        at += usize::from(u16_at(data, at)?).max(2);
    }
    Some((Object { kind, data: data.get(at..whole)? }, whole))
}

#[cfg(test)]
mod tests;
