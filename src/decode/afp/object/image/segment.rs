//! The self-defining fields of an image segment, sorted into the pieces that are painted: image contents and tiles.
//!
//! Rule: IOCA reference, chapter 5, "IOCA Self-defining Fields".

const BEGIN_SEGMENT: u16 = 0x70;
const END_SEGMENT: u16 = 0x71;
const BEGIN_TILE: u16 = 0x8C;
const END_TILE: u16 = 0x8D;
const BEGIN_MASK: u16 = 0x8E;
const END_MASK: u16 = 0x8F;
const BEGIN_CONTENT: u16 = 0x91;
const END_CONTENT: u16 = 0x93;
const IMAGE_SIZE: u16 = 0x94;
const ENCODING: u16 = 0x95;
const IDE_SIZE: u16 = 0x96;
const BANDS: u16 = 0x98;
const STRUCTURE: u16 = 0x9B;
const TILE_POSITION: u16 = 0xB5;
const TILE_SIZE: u16 = 0xB6;
const TILE_COLOR: u16 = 0xB7;
const IMAGE_DATA: u16 = 0xFE92;
const BAND_DATA: u16 = 0xFE9C;
const COLOR_NAMES: u16 = 0xFEB3;
const INCLUDE_TILE: u16 = 0xFEB8;
const SUBSAMPLING: u16 = 0xFECE;

/// Pieces of one segment that are looked at.
const MAX_PIECES: usize = 65_536;

/// How the samples of a piece are coded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coding {
    /// Compression, as in the Image Encoding parameter.
    pub compression: u8,
    /// Recording: 01 rows padded to bytes, 03 from the bottom up and padded to 32 bits, 04 not padded.
    pub recording: u8,
    /// The first sample is in the least significant bit of a byte.
    pub reversed: bool,
    /// Bits of one image data element.
    pub bits: u8,
    /// Bits of each band; empty when there are none.
    pub bands: Vec<u8>,
    /// How an element is made up.
    pub structure: Option<Structure>,
    /// The first component is sampled twice as often across as the others.
    pub halved: bool,
    /// Names of the colorants of an nColor image.
    pub colorants: Vec<String>,
}

impl Default for Coding {
    fn default() -> Coding {
        Coding {
            compression: 0x03,
            recording: 0x01,
            reversed: false,
            bits: 1,
            bands: Vec::new(),
            structure: None,
            halved: false,
            colorants: Vec::new(),
        }
    }
}

/// The IDE Structure parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Structure {
    /// Low values are full intensity.
    pub subtractive: bool,
    /// Elements are Gray coded.
    pub gray_code: bool,
    /// Colour model: 01 RGB, 02 YCrCb, 04 CMYK, 12 YCbCr, 8n nColor.
    pub model: u8,
    /// Bits of each component.
    pub sizes: Vec<u8>,
}

/// A transparency mask.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mask<'a> {
    /// Points across and down, in points of the presentation space.
    pub size: [u32; 2],
    /// Its coding.
    pub coding: Coding,
    /// Its data.
    pub data: Vec<&'a [u8]>,
}

/// An image content without tiles, or a tile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece<'a> {
    /// It is a tile; otherwise it is a whole image content.
    pub tile: bool,
    /// Where it lies in the presentation space, in its points.
    pub origin: [u32; 2],
    /// Samples across and down; 0 where the data say it.
    pub size: [u32; 2],
    /// Points of the presentation space that one sample covers along each axis.
    pub relative: u8,
    /// Resolution of the Image Size parameter: base, across, down. Counts only where the presentation space has none.
    pub resolution: Option<(u8, u16, u16)>,
    /// Its coding.
    pub coding: Coding,
    /// The colour specification of a tile, from the colour space on.
    pub color: Option<&'a [u8]>,
    /// The tile resource that stands for it.
    pub include: Option<u32>,
    /// Which points are painted; all without one.
    pub mask: Option<Mask<'a>>,
    /// Image data.
    pub data: Vec<&'a [u8]>,
    /// Band image data: band number from 1.
    pub bands: Vec<(u8, &'a [u8])>,
}

impl<'a> Piece<'a> {
    fn new(coding: Coding) -> Piece<'a> {
        Piece {
            tile: false,
            origin: [0, 0],
            size: [0, 0],
            relative: 1,
            resolution: None,
            coding,
            color: None,
            include: None,
            mask: None,
            data: Vec::new(),
            bands: Vec::new(),
        }
    }

    fn is_empty(&self) -> bool {
        self.data.is_empty() && self.bands.is_empty()
    }
}

/// What stands in an image segment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Segment<'a> {
    /// What is painted, in order.
    pub pieces: Vec<Piece<'a>>,
    /// A field said that it is longer than what is left; what came before is kept.
    pub cut: bool,
}

/// Takes a segment apart.
pub fn segment(data: &[u8]) -> Segment<'_> {
    segment_from(data, Coding::default())
}

/// Takes the data of a tile resource apart: a tile for which the including content sets how it is coded.
pub fn tile(data: &[u8], coding: Coding) -> Option<Piece<'_>> {
    segment_from(data, coding).pieces.into_iter().next()
}

fn segment_from(data: &[u8], coding: Coding) -> Segment<'_> {
    let mut reader = Reader { content: Piece::new(coding), ..Reader::default() };
    let mut rest = data;
    let mut cut = false;
    while let Some(&first) = rest.first() {
        let Some((code, body, tail)) = field(rest) else {
            cut = true;
            // The end of image data that lost its end is still worth showing.
            if first == 0xFE
                && let Some((code, body)) = rest.get(..2).zip(rest.get(4..))
            {
                reader.take(u16::from_be_bytes([first, code.get(1).copied().unwrap_or(0)]), body);
            }
            break;
        };
        rest = tail;
        if code == END_SEGMENT || reader.pieces.len() >= MAX_PIECES {
            break;
        }
        reader.take(code, body);
    }
    reader.end_tile();
    reader.end_content();
    Segment { pieces: reader.pieces, cut }
}

/// The next self-defining field: code, data, and what follows it.
fn field(data: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    match data {
        [0xFE, code, high, low, rest @ ..] => {
            let (body, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes([*high, *low])))?;
            Some((u16::from_be_bytes([0xFE, *code]), body, rest))
        }
        [0xFE, ..] => None,
        [code, length, rest @ ..] => {
            let (body, rest) = rest.split_at_checked(usize::from(*length))?;
            Some((u16::from(*code), body, rest))
        }
        _ => None,
    }
}

impl Default for Piece<'_> {
    fn default() -> Self {
        Piece::new(Coding::default())
    }
}

#[derive(Default)]
struct Reader<'a> {
    content: Piece<'a>,
    tile: Option<Piece<'a>>,
    tiled: bool,
    in_mask: bool,
    pieces: Vec<Piece<'a>>,
}

impl<'a> Reader<'a> {
    fn take(&mut self, code: u16, body: &'a [u8]) {
        match code {
            BEGIN_SEGMENT => {}
            BEGIN_CONTENT => {
                self.end_tile();
                self.end_content();
            }
            END_CONTENT => {
                self.end_tile();
                self.end_content();
            }
            BEGIN_TILE => {
                self.end_tile();
                self.tiled = true;
                self.tile = Some(Piece { tile: true, ..Piece::new(self.content.coding.clone()) });
            }
            END_TILE => self.end_tile(),
            BEGIN_MASK => {
                self.in_mask = true;
                self.piece().mask = Some(Mask::default());
            }
            END_MASK => self.in_mask = false,
            _ if self.in_mask => self.mask_field(code, body),
            _ => self.piece_field(code, body),
        }
    }

    fn piece(&mut self) -> &mut Piece<'a> {
        self.tile.as_mut().unwrap_or(&mut self.content)
    }

    fn end_tile(&mut self) {
        self.in_mask = false;
        self.pieces.extend(self.tile.take());
    }

    fn end_content(&mut self) {
        self.in_mask = false;
        let content = std::mem::take(&mut self.content);
        if !self.tiled && !content.is_empty() {
            self.pieces.push(content);
        }
        self.tiled = false;
    }

    fn mask_field(&mut self, code: u16, body: &'a [u8]) {
        let Some(mask) = self.piece().mask.as_mut() else { return };
        match code {
            IMAGE_SIZE => mask.size = [u16_at(body, 5), u16_at(body, 7)],
            ENCODING => encoding(&mut mask.coding, body),
            IMAGE_DATA => mask.data.push(body),
            _ => {}
        }
    }

    fn piece_field(&mut self, code: u16, body: &'a [u8]) {
        let piece = self.piece();
        match code {
            IMAGE_SIZE => {
                piece.size = [u16_at(body, 5), u16_at(body, 7)];
                if let [base, rest @ ..] = body {
                    let narrow = |at| u16::try_from(u16_at(rest, at)).unwrap_or(0);
                    piece.resolution = Some((*base, narrow(0), narrow(2)));
                }
            }
            ENCODING => encoding(&mut piece.coding, body),
            IDE_SIZE => piece.coding.bits = body.first().copied().unwrap_or(1).max(1),
            BANDS => piece.coding.bands = body.get(1..).unwrap_or_default().to_vec(),
            STRUCTURE => piece.coding.structure = structure(body),
            COLOR_NAMES => piece.coding.colorants = colorants(body),
            SUBSAMPLING => piece.coding.halved = matches!(body, [1, _, 2, 1, ..]),
            TILE_POSITION => piece.origin = [u32_at(body, 0), u32_at(body, 4)],
            TILE_SIZE => {
                piece.size = [u32_at(body, 0), u32_at(body, 4)];
                piece.relative = body.get(8).copied().unwrap_or(1).max(1);
            }
            TILE_COLOR => piece.color = Some(body),
            INCLUDE_TILE => piece.include = Some(u32_at(body, 0)),
            IMAGE_DATA => piece.data.push(body),
            BAND_DATA => {
                if let [band, _, _, data @ ..] = body {
                    piece.bands.push((*band, data));
                }
            }
            // Tile TOC repeats what the tiles say; External Algorithm what JPEG data say; LUT-ID is retired.
            _ => {}
        }
    }
}

fn encoding(coding: &mut Coding, body: &[u8]) {
    if let [compression, recording, rest @ ..] = body {
        coding.compression = *compression;
        coding.recording = *recording;
        coding.reversed = rest.first() == Some(&1);
    }
}

fn structure(body: &[u8]) -> Option<Structure> {
    let [flags, model, _, _, _, sizes @ ..] = body else { return None };
    Some(Structure {
        subtractive: flags & 0x80 != 0,
        gray_code: flags & 0x40 != 0,
        model: *model,
        sizes: sizes.iter().copied().take(15).collect(),
    })
}

/// Two reserved bytes, then a reserved byte, a length and a UTF-16BE name each.
fn colorants(body: &[u8]) -> Vec<String> {
    let mut rest = body.get(2..).unwrap_or_default();
    let mut names = Vec::new();
    while let [_, length, tail @ ..] = rest {
        let Some((name, tail)) = tail.split_at_checked(usize::from(*length)) else { break };
        let units: Vec<u16> = name.chunks_exact(2).map(|pair| u16::try_from(u16_at(pair, 0)).unwrap_or(0)).collect();
        names.push(String::from_utf16_lossy(&units));
        rest = tail;
    }
    names
}

/// A two-byte number; 0 where the field is too short for it.
pub fn u16_at(data: &[u8], at: usize) -> u32 {
    let bytes = data.get(at..).and_then(<[u8]>::first_chunk::<2>);
    bytes.map_or(0, |bytes| u32::from(u16::from_be_bytes(*bytes)))
}

fn u32_at(data: &[u8], at: usize) -> u32 {
    data.get(at..).and_then(<[u8]>::first_chunk::<4>).map_or(0, |bytes| u32::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_content_is_one_piece() {
        let data = [
            &[0x70, 0x00, 0x91, 0x01, 0xFF, 0x94, 0x09, 0x00, 0x09, 0x60, 0x09, 0x60, 0x00, 0x10, 0x00, 0x02][..],
            &[0x95, 0x02, 0x82, 0x01, 0x96, 0x01, 0x01, 0xFE, 0x92, 0x00, 0x02, 1, 2, 0xFE, 0x92, 0x00, 0x01, 3],
            &[0x93, 0x00, 0x71, 0x00, 0xAA, 0xBB],
        ]
        .concat();
        let segment = segment(&data);
        assert!(!segment.cut);
        let [piece] = segment.pieces.as_slice() else { panic!("{segment:?}") };
        assert_eq!((piece.size, piece.coding.compression), ([16, 2], 0x82));
        assert_eq!(piece.data, [&[1, 2][..], &[3]]);
    }

    #[test]
    fn tiles_take_what_the_content_sets_and_may_set_their_own() {
        let data = [
            &[0x70, 0, 0x91, 1, 0xFF, 0xFE, 0xBB, 0, 2, 0, 0, 0x95, 2, 0x0D, 1, 0x96, 1, 8][..],
            &[0x8C, 0, 0xB5, 8, 0, 0, 0, 1, 0, 0, 0, 2, 0xB6, 9, 0, 0, 0, 3, 0, 0, 0, 4, 2],
            &[0xFE, 0x92, 0, 1, 7, 0x8D, 0],
            &[0x8C, 0, 0x95, 2, 0x20, 1, 0x96, 1, 1, 0xB7, 1, 0x40, 0x8D, 0, 0x8C, 0, 0xFE, 0xB8, 0, 4, 0, 0, 0, 9],
            &[0x8D, 0, 0x93, 0, 0x71, 0],
        ]
        .concat();
        let pieces = segment(&data).pieces;
        assert_eq!(pieces.len(), 3);
        assert_eq!((pieces[0].origin, pieces[0].size, pieces[0].relative), ([1, 2], [3, 4], 2));
        assert_eq!((pieces[0].coding.compression, pieces[0].coding.bits), (0x0D, 8));
        assert_eq!(
            (pieces[1].coding.compression, pieces[1].coding.bits, pieces[1].color),
            (0x20, 1, Some(&[0x40][..]))
        );
        assert_eq!(pieces[2].include, Some(9));
    }

    #[test]
    fn a_mask_has_its_own_size_and_coding() {
        let data = [
            &[0x91, 1, 0xFF, 0x94, 9, 0, 0, 0, 0, 0, 0, 4, 0, 4, 0x95, 2, 0x0D, 1, 0x8E, 0][..],
            &[0x94, 9, 0, 0, 0, 0, 0, 0, 8, 0, 8, 0x95, 2, 0x82, 1, 0xFE, 0x92, 0, 1, 5, 0x8F, 0],
            &[0xFE, 0x92, 0, 1, 6],
        ]
        .concat();
        let pieces = segment(&data).pieces;
        let [piece] = pieces.as_slice() else { panic!("{pieces:?}") };
        let mask = piece.mask.as_ref().unwrap();
        assert_eq!((piece.size, mask.size), ([4, 4], [8, 8]));
        assert_eq!((piece.coding.compression, mask.coding.compression), (0x0D, 0x82));
        assert_eq!((piece.data.as_slice(), mask.data.as_slice()), (&[&[6][..]][..], &[&[5][..]][..]));
    }

    #[test]
    fn data_that_lost_their_end_are_kept() {
        let data = [0x91, 1, 0xFF, 0xFE, 0x92, 0xFF, 0xFF, 1, 2, 3];
        let segment = segment(&data);
        assert!(segment.cut);
        assert_eq!(segment.pieces[0].data, [&[1, 2, 3][..]]);
    }

    #[test]
    fn colorants_are_utf_16() {
        assert_eq!(colorants(&[0, 0, 0, 4, 0, b'G', 0, b'o', 0, 0]), ["Go", ""]);
    }
}
