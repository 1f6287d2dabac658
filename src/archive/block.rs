//! Blocks: consecutive bytes of a stream, compressed so that any one of them opens on its own.
//!
//! A block is compressed plainly, with the dictionary of its report definition, or with the first block of its own
//! load as context. The third is for big loads: their first block holds some megabytes, and every later one finds the
//! report's layout and its recurring lines there. See `docs/decisions/0002-archive-layout.md` for the figures.

use std::sync::Arc;

use zstd::bulk::Compressor;
use zstd::zstd_safe::{CParameter, DCtx, DictAttachPref};

use super::error::ArchiveError;
use super::rows::{put_varint, take_varint};

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
/// log2 of the match table with a big context: one entry for each 8 bytes, so that the whole context is indexed
/// (zstd drops what its table cannot hold).
const CONTEXT_HASH_LOG: u32 = 19;
/// A context that starts like a trained dictionary would be taken for one.
const DICTIONARY_MAGIC: [u8; 4] = [0x37, 0xA4, 0x30, 0xEC];

const STORED: u8 = 0;
const PLAIN: u8 = 1;
const WITH_DICTIONARY: u8 = 2;
const WITH_FIRST: u8 = 3;

/// What a block is compressed with.
#[derive(Debug, Clone)]
pub(super) enum Context {
    /// Nothing.
    Plain,
    /// A trained dictionary of the definition, and its version.
    Dictionary(u32, Arc<Vec<u8>>),
    /// The first block of the load.
    First(Arc<Vec<u8>>),
}

impl Context {
    /// The first block of a load as context, if it can serve as one.
    pub fn first(bytes: Arc<Vec<u8>>) -> Context {
        if bytes.starts_with(&DICTIONARY_MAGIC) { Context::Plain } else { Context::First(bytes) }
    }
}

/// Compresses blocks with one context.
pub(super) struct Packer {
    compressor: Compressor<'static>,
    codec: u8,
    dictionary: u32,
    frame: Vec<u8>,
}

impl Packer {
    pub fn new(context: &Context) -> Result<Packer, ArchiveError> {
        let level = if matches!(context, Context::First(_)) { CONTEXT_LEVEL } else { LEVEL };
        let mut compressor = Compressor::new(level).map_err(zstd_failed)?;
        let set =
            |compressor: &mut Compressor<'static>, parameter| compressor.set_parameter(parameter).map_err(zstd_failed);
        let (codec, dictionary) = match context {
            Context::Plain => {
                set(&mut compressor, CParameter::WindowLog(WINDOW_LOG))?;
                (PLAIN, 0)
            }
            Context::Dictionary(version, bytes) => {
                compressor.set_dictionary(level, bytes).map_err(zstd_failed)?;
                (WITH_DICTIONARY, *version)
            }
            Context::First(bytes) => {
                set(&mut compressor, CParameter::WindowLog(WINDOW_LOG))?;
                set(&mut compressor, CParameter::HashLog(CONTEXT_HASH_LOG))?;
                // Blocks look up the context's table where it is. Copied for each block, as zstd would do for blocks of
                // this size, it costs more than the matching.
                set(&mut compressor, CParameter::ForceAttachDict(DictAttachPref::ForceAttach))?;
                let loaded = compressor.context_mut().load_dictionary(bytes);
                loaded.map_err(|code| ArchiveError::damaged("a first block", zstd::zstd_safe::get_error_name(code)))?;
                (WITH_FIRST, 0)
            }
        };
        Ok(Packer { compressor, codec, dictionary, frame: Vec::new() })
    }

    /// The content of a block row.
    pub fn pack(&mut self, raw: &[u8]) -> Result<Vec<u8>, ArchiveError> {
        self.frame.clear();
        self.frame.reserve(zstd::zstd_safe::compress_bound(raw.len()));
        self.compressor.compress_to_buffer(raw, &mut self.frame).map_err(zstd_failed)?;
        let pays = self.frame.len() < raw.len();
        let body = if pays { self.frame.as_slice() } else { raw };
        let mut content = Vec::with_capacity(body.len() + 12);
        content.push(if pays { self.codec } else { STORED });
        put_varint(&mut content, raw.len() as u64);
        put_varint(&mut content, u64::from(self.dictionary));
        content.extend(body);
        Ok(content)
    }
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
        if packed.codec > WITH_FIRST {
            return Err(ArchiveError::damaged(what, format!("codec {} is not known to this greenbar", packed.codec)));
        }
        Ok(packed)
    }

    pub fn needs(&self) -> Needs {
        match self.codec {
            WITH_DICTIONARY => Needs::Dictionary(self.dictionary),
            WITH_FIRST => Needs::First,
            _ => Needs::Nothing,
        }
    }

    /// The bytes; `context` is what [`Packed::needs`] asked for, or empty.
    pub fn unpack(&self, what: &str, context: &[u8]) -> Result<Vec<u8>, ArchiveError> {
        let mut raw = Vec::with_capacity(self.length);
        if self.codec == STORED {
            raw.extend(self.body);
        } else {
            let failed = |code| ArchiveError::damaged(what, format!("zstd: {}", zstd::zstd_safe::get_error_name(code)));
            let mut zstd = DCtx::try_create().ok_or_else(|| ArchiveError::damaged(what, "out of memory"))?;
            match self.codec {
                WITH_DICTIONARY => zstd.load_dictionary(context).map_err(failed)?,
                WITH_FIRST => zstd.ref_prefix(context).map_err(failed)?,
                _ => 0,
            };
            zstd.decompress(&mut raw, self.body).map_err(failed)?;
        }
        if raw.len() != self.length {
            return Err(ArchiveError::damaged(what, format!("it holds {} bytes, not {}", raw.len(), self.length)));
        }
        Ok(raw)
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
