//! Blocks: consecutive bytes of a stream, compressed so that any one of them opens on its own.
//!
//! A block is compressed plainly, with the dictionary of its report definition, or with the first block of its own
//! load as context. The third is for big loads: their first block holds some megabytes, and every later one finds the
//! report's layout and its recurring lines there. Blocks of line data are sorted into columns before that
//! ([`super::columns`], `docs/formats/block.md`), if the definition asks for it and that makes the first of them smaller. See `docs/decisions/0002-archive-layout.md` for the figures.

use std::sync::Arc;

use zstd::bulk::Compressor;
use zstd::zstd_safe::{CParameter, DCtx, DictAttachPref};

use super::columns::{self, Encoder};
use super::error::ArchiveError;
use super::rows::{put_varint, take_varint};
use crate::index::definition::Compression;

/// Bytes of a block without a context, as near as document and page boundaries allow.
pub(super) const BLOCK_BYTES: usize = 512 << 10;
/// Bytes of a block that has the first block of its load as context: little to unpack for one document, and hardly
/// larger in all, because the context holds what a longer block would repeat.
pub(super) const CONTEXT_BLOCK_BYTES: usize = 128 << 10;
/// A load of at least this many bytes has a big first block that serves the others as context.
pub(super) const CONTEXT_BYTES: usize = 4 << 20;
/// No block holds more; checked before memory is taken for one.
pub(super) const BLOCK_LIMIT: usize = 32 << 20;

/// Compression level without a context: fast enough to keep up with decoding.
const LEVEL: i32 = 3;
/// Compression level with a big context: most of a block is found there, and level 3 makes it no smaller for more time.
const CONTEXT_LEVEL: i32 = 1;
/// log2 of the window: covers a whole first block and the block behind it.
const WINDOW_LOG: u32 = 23;
/// log2 of the match table with a big context, at most: one entry for each 16 bytes of it. Twice as many make blocks 0.2 to
/// 0.4 % smaller, and a sixth slower (tables of the context and of the block stay in the processor's cache): so it is when blocks
/// are encoded anew.
const CONTEXT_HASH_LOG: u32 = 18;
/// A load's blocks are sorted into columns when that makes the first one this much smaller (in hundredths).
pub(super) const COLUMNS_GAIN: usize = 5;
/// A context that starts like a trained dictionary would be taken for one.
const DICTIONARY_MAGIC: [u8; 4] = [0x37, 0xA4, 0x30, 0xEC];

const STORED: u8 = 0;
const PLAIN: u8 = 1;
const WITH_DICTIONARY: u8 = 2;
const WITH_FIRST: u8 = 3;
/// Columnar form, no context.
const COLUMNS: u8 = 4;
/// Columnar form, with that of the load's first block as context.
const COLUMNS_WITH_FIRST: u8 = 5;

/// What a block is compressed with.
#[derive(Debug, Clone)]
pub(super) enum Context {
    /// Nothing.
    Plain,
    /// A trained dictionary of the definition, and its version.
    Dictionary(u32, Arc<Vec<u8>>),
    /// The first block of the load.
    First(Arc<Vec<u8>>),
    /// What was learned from the load's first block.
    Columns(Arc<Encoder>),
    /// The same, the columnar form of the first block, and that block for what fits no column.
    ColumnsWithFirst { encoder: Arc<Encoder>, form: Arc<Vec<u8>>, first: Arc<Vec<u8>> },
}

impl Context {
    /// The first block of a load as context, if it can serve as one.
    pub fn first(bytes: Arc<Vec<u8>>) -> Context {
        if bytes.starts_with(&DICTIONARY_MAGIC) { Context::Plain } else { Context::First(bytes) }
    }

    /// The context of all other blocks of a load, and the content of the first one's row.
    pub fn open(first: &Arc<Vec<u8>>, compression: Compression) -> Result<(Context, Vec<u8>), ArchiveError> {
        let plain = Packer::new(&Context::Plain)?.pack(first)?;
        let learned = if compression == Compression::Small { Encoder::learn(first) } else { None };
        if let Some((encoder, form)) = learned.filter(|(_, form)| is_proven(form, first)) {
            let encoder = Arc::new(encoder);
            let content = Packer::new(&Context::Columns(encoder.clone()))?.pack_form(first.len(), &form)?;
            if content.len() * 100 <= plain.len() * (100 - COLUMNS_GAIN) {
                let context = Context::ColumnsWithFirst { encoder, form: Arc::new(form), first: first.clone() };
                return Ok((context, content));
            }
        }
        Ok((Context::first(first.clone()), plain))
    }
}

/// Compresses blocks with one context.
pub(super) struct Packer {
    /// Other than a load's.
    level: Option<i32>,
    compressor: Compressor<'static>,
    codec: u8,
    dictionary: u32,
    frame: Vec<u8>,
    encoder: Option<Encoder>,
    form: Vec<u8>,
    /// For blocks that have no columnar form.
    plain: Context,
    plain_packer: Option<Box<Packer>>,
}

impl Packer {
    pub fn new(context: &Context) -> Result<Packer, ArchiveError> {
        Packer::at_level(context, None)
    }

    /// The same at another compression level than that of a load; what reads the blocks does not depend on it.
    pub fn at_level(context: &Context, wanted: Option<i32>) -> Result<Packer, ArchiveError> {
        let big = matches!(context, Context::First(_) | Context::ColumnsWithFirst { .. });
        let level = wanted.unwrap_or(if big { CONTEXT_LEVEL } else { LEVEL });
        let mut packer = Packer {
            level: wanted,
            compressor: Compressor::new(level).map_err(zstd_failed)?,
            codec: PLAIN,
            dictionary: 0,
            frame: Vec::new(),
            encoder: None,
            form: Vec::new(),
            plain: Context::Plain,
            plain_packer: None,
        };
        match context {
            Context::Plain => packer.set(CParameter::WindowLog(WINDOW_LOG))?,
            Context::Dictionary(version, bytes) => {
                packer.compressor.set_dictionary(level, bytes).map_err(zstd_failed)?;
                (packer.codec, packer.dictionary) = (WITH_DICTIONARY, *version);
            }
            Context::First(bytes) => {
                packer.set_context(bytes)?;
                packer.codec = WITH_FIRST;
            }
            Context::Columns(encoder) => {
                packer.set(CParameter::WindowLog(WINDOW_LOG))?;
                (packer.codec, packer.encoder) = (COLUMNS, Some(encoder.as_ref().clone()));
            }
            Context::ColumnsWithFirst { encoder, form, first } => {
                packer.set_context(form)?;
                (packer.codec, packer.encoder) = (COLUMNS_WITH_FIRST, Some(encoder.as_ref().clone()));
                packer.plain = Context::first(first.clone());
            }
        }
        Ok(packer)
    }

    fn set(&mut self, parameter: CParameter) -> Result<(), ArchiveError> {
        self.compressor.set_parameter(parameter).map_err(zstd_failed)
    }

    fn set_context(&mut self, bytes: &[u8]) -> Result<(), ArchiveError> {
        self.set(CParameter::WindowLog(WINDOW_LOG))?;
        let entries = (bytes.len() / 8).next_power_of_two().trailing_zeros();
        let most = CONTEXT_HASH_LOG + u32::from(self.level.is_some());
        self.set(CParameter::HashLog(entries.clamp(14, most)))?;
        // zstd drops the front of a context of more than eight bytes for each entry of its longer table. The fast levels of a load
        // have no chains, so that this costs nothing; those above need none longer than the context.
        let places = bytes.len().next_power_of_two().trailing_zeros();
        self.set(CParameter::ChainLog(places.clamp(14, WINDOW_LOG)))?;
        // Blocks look up the context's table where it is. Copied for each block, as zstd would do for blocks of
        // this size, it costs more than the matching.
        self.set(CParameter::ForceAttachDict(DictAttachPref::ForceAttach))?;
        let loaded = self.compressor.context_mut().load_dictionary(bytes);
        loaded.map_err(|code| ArchiveError::damaged("a first block", zstd::zstd_safe::get_error_name(code)))?;
        Ok(())
    }

    /// The content of a block row.
    pub fn pack(&mut self, raw: &[u8]) -> Result<Vec<u8>, ArchiveError> {
        if let Some(encoder) = &mut self.encoder {
            if encoder.encode(raw, &mut self.form).is_none() || !is_proven(&self.form, raw) {
                return self.pack_plain(raw);
            }
            let form = std::mem::take(&mut self.form);
            let content = self.pack_form(raw.len(), &form);
            self.form = form;
            return content;
        }
        self.compress(raw)?;
        let pays = self.frame.len() < raw.len();
        let body = if pays { self.frame.as_slice() } else { raw };
        let mut content = Vec::with_capacity(body.len() + 12);
        content.push(if pays { self.codec } else { STORED });
        put_varint(&mut content, raw.len() as u64);
        put_varint(&mut content, u64::from(self.dictionary));
        content.extend(body);
        Ok(content)
    }

    /// The content of the row of a block whose columnar form is there already.
    pub fn pack_form(&mut self, length: usize, form: &[u8]) -> Result<Vec<u8>, ArchiveError> {
        self.compress(form)?;
        let mut content = Vec::with_capacity(self.frame.len() + 16);
        content.push(self.codec);
        put_varint(&mut content, length as u64);
        put_varint(&mut content, 0);
        put_varint(&mut content, form.len() as u64);
        content.extend(&self.frame);
        Ok(content)
    }

    fn pack_plain(&mut self, raw: &[u8]) -> Result<Vec<u8>, ArchiveError> {
        match &mut self.plain_packer {
            Some(packer) => packer.pack(raw),
            None => self.plain_packer.insert(Box::new(Packer::at_level(&self.plain, self.level)?)).pack(raw),
        }
    }

    fn compress(&mut self, bytes: &[u8]) -> Result<(), ArchiveError> {
        self.frame.clear();
        self.frame.reserve(zstd::zstd_safe::compress_bound(bytes.len()));
        self.compressor.compress_to_buffer(bytes, &mut self.frame).map_err(zstd_failed)?;
        Ok(())
    }
}

/// Whether a columnar form gives the block back. It is asked of every form that is kept: the stream itself is not.
pub(super) fn is_proven(form: &[u8], raw: &[u8]) -> bool {
    let mut bytes = Vec::new();
    let proven = columns::decode_into(form, raw.len(), &mut bytes).is_ok() && bytes == raw;
    if !proven {
        tracing::error!(bytes = raw.len(), "a block's columns do not give it back; it is kept in rows");
    }
    proven
}

fn zstd_failed(error: std::io::Error) -> ArchiveError {
    ArchiveError::damaged("a block", format!("zstd: {error}"))
}

/// A block row taken apart.
pub(super) struct Packed<'v> {
    codec: u8,
    length: usize,
    dictionary: u32,
    body: &'v [u8],
}

/// What [`Packed::unpack`] needs besides the row.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Needs {
    Nothing,
    Dictionary(u32),
    First,
    /// The columnar form of the first block ([`Packed::form`]).
    FirstForm,
}

impl<'v> Packed<'v> {
    /// `what` names the block in errors.
    pub fn parse(what: &str, content: &'v [u8]) -> Result<Packed<'v>, ArchiveError> {
        let fields = || -> Option<Packed<'v>> {
            let (&codec, mut body) = content.split_first()?;
            let length = usize::try_from(take_varint(&mut body)?).ok()?;
            let dictionary = u32::try_from(take_varint(&mut body)?).ok()?;
            Some(Packed { codec, length, dictionary, body })
        };
        let packed = fields().ok_or_else(|| ArchiveError::damaged(what, "its head is cut short"))?;
        if packed.length > BLOCK_LIMIT {
            return Err(ArchiveError::damaged(what, format!("it says it holds {} bytes", packed.length)));
        }
        if packed.codec > COLUMNS_WITH_FIRST {
            return Err(ArchiveError::damaged(what, format!("codec {} is not known to this greenbar", packed.codec)));
        }
        Ok(packed)
    }

    /// Whether it is a columnar form that others may lean on: their prefix.
    pub fn is_own_form(&self) -> bool {
        self.codec == COLUMNS
    }

    pub fn needs(&self) -> Needs {
        match self.codec {
            WITH_DICTIONARY => Needs::Dictionary(self.dictionary),
            WITH_FIRST => Needs::First,
            COLUMNS_WITH_FIRST => Needs::FirstForm,
            _ => Needs::Nothing,
        }
    }

    /// The bytes; `context` is what [`Packed::needs`] asked for, or empty.
    pub fn unpack(&self, what: &str, context: &[u8]) -> Result<Vec<u8>, ArchiveError> {
        let mut raw = Vec::new();
        self.unpack_into(what, context, &mut Unpacker::new()?, &mut raw)?;
        Ok(raw)
    }

    /// The same with memory that is there already; `raw` holds the bytes and nothing else afterwards.
    pub fn unpack_into(
        &self,
        what: &str,
        context: &[u8],
        unpacker: &mut Unpacker,
        raw: &mut Vec<u8>,
    ) -> Result<(), ArchiveError> {
        raw.clear();
        match self.codec {
            STORED => raw.extend_from_slice(self.body),
            COLUMNS | COLUMNS_WITH_FIRST => {
                let mut form = std::mem::take(&mut unpacker.form);
                self.form_into(what, context, unpacker, &mut form)?;
                let decoded = columns::decode_into(&form, self.length, raw);
                unpacker.form = form;
                decoded.map_err(|wrong| ArchiveError::damaged(what, wrong))?;
            }
            _ => unpacker.decompress(what, self.body, (self.length, self.context(context)), raw)?,
        }
        if raw.len() != self.length {
            return Err(ArchiveError::damaged(what, format!("it holds {} bytes, not {}", raw.len(), self.length)));
        }
        Ok(())
    }

    /// The columnar form, if the block has one.
    pub fn form(&self, what: &str, context: &[u8]) -> Result<Vec<u8>, ArchiveError> {
        let mut form = Vec::new();
        self.form_into(what, context, &mut Unpacker::new()?, &mut form)?;
        Ok(form)
    }

    fn form_into(
        &self,
        what: &str,
        context: &[u8],
        unpacker: &mut Unpacker,
        form: &mut Vec<u8>,
    ) -> Result<(), ArchiveError> {
        let mut body = self.body;
        let length = take_varint(&mut body).and_then(|length| usize::try_from(length).ok());
        // A form is never longer than the block: it would not have been made.
        let fits = length.filter(|length| *length <= self.length && self.codec >= COLUMNS);
        let length = fits.ok_or_else(|| ArchiveError::damaged(what, "it has no columnar form"))?;
        unpacker.decompress(what, body, (length, self.context(context)), form)?;
        if form.len() != length {
            return Err(ArchiveError::damaged(what, format!("its form has {} bytes, not {length}", form.len())));
        }
        Ok(())
    }

    /// What the frame is unpacked with: a plain one with nothing, whatever the caller has at hand.
    fn context<'c>(&self, context: &'c [u8]) -> &'c [u8] {
        if self.needs() == Needs::Nothing { &[] } else { context }
    }
}

/// What unpacking uses again from block to block: zstd's own memory, and that of columnar forms.
pub(super) struct Unpacker {
    zstd: DCtx<'static>,
    form: Vec<u8>,
}

impl Unpacker {
    pub fn new() -> Result<Unpacker, ArchiveError> {
        let zstd = DCtx::try_create().ok_or_else(|| ArchiveError::damaged("a block", "out of memory"))?;
        Ok(Unpacker { zstd, form: Vec::new() })
    }

    /// Unpacks a frame of at most `length` bytes (a few more where `out` has room for them) with a context, which is read where it is.
    pub fn decompress(
        &mut self,
        what: &str,
        frame: &[u8],
        (length, context): (usize, &[u8]),
        out: &mut Vec<u8>,
    ) -> Result<(), ArchiveError> {
        out.clear();
        out.reserve(length);
        let unpacked = self.zstd.decompress_using_dict(out, frame, context);
        unpacked.map(|_| ()).map_err(|code| {
            out.clear();
            ArchiveError::damaged(what, format!("zstd: {}", zstd::zstd_safe::get_error_name(code)))
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn round_trip(context: Context, bytes: &[u8], raw: &[u8]) {
        let content = Packer::new(&context).expect("a packer").pack(raw).expect("packs");
        let packed = Packed::parse("block", &content).expect("parses");
        assert_eq!(packed.unpack("block", bytes).expect("unpacks"), raw);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn blocks_come_back_with_every_context(raw in prop::collection::vec(any::<u8>(), 0..3000), first in prop::collection::vec(any::<u8>(), 0..3000)) {
            let raw = raw.repeat(3);
            round_trip(Context::Plain, &[], &raw);
            let context = Context::first(Arc::new(first.clone()));
            round_trip(context, &first, &raw);
        }

        #[test]
        fn hostile_content_is_an_error_and_not_a_panic(content in prop::collection::vec(any::<u8>(), 0..200), context in prop::collection::vec(any::<u8>(), 0..50)) {
            if let Ok(packed) = Packed::parse("block", &content) {
                let _ = packed.unpack("block", &context);
            }
        }
    }

    #[test]
    fn a_first_block_makes_like_blocks_small() {
        let line = |n: u32| {
            format!(
                " 2024-05-{:02} CARD PURCHASE {:08} {:>12}\n",
                n % 28,
                n.wrapping_mul(2_654_435_761) % 99_999_999,
                n * 37
            )
        };
        let text: String = (0..40_000).map(line).collect();
        let (first, rest) = text.as_bytes().split_at(1 << 20);
        let repeat = &first[100_000..300_000];
        let alone = Packer::new(&Context::Plain).expect("a packer").pack(repeat).expect("packs").len();
        let context = Context::first(Arc::new(first.to_vec()));
        let with = Packer::new(&context).expect("a packer").pack(repeat).expect("packs").len();
        assert!(with * 20 < alone, "{with} of {alone}");
        round_trip(context, first, rest);
    }

    #[test]
    fn a_first_block_that_looks_like_a_dictionary_is_not_used_as_context() {
        let mut bytes = DICTIONARY_MAGIC.to_vec();
        bytes.extend([0; 5000]);
        assert!(matches!(Context::first(Arc::new(bytes)), Context::Plain));
    }

    #[test]
    fn unknown_codecs_and_absurd_lengths_are_refused() {
        assert!(Packed::parse("b", &[9, 1, 0]).is_err());
        let mut content = vec![PLAIN];
        put_varint(&mut content, u64::MAX);
        assert!(Packed::parse("b", &content).is_err());
    }
}
