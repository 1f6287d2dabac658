//! What a hostile stream may make a decoder do at most.
//!
//! The limits belong to the machine, not to a report: they come from `GREENBAR_LIMITS` (`docs/formats/afp.md`, "Limits"), and
//! every decoder is given them in its [`Context`](super::Context). What goes beyond one is an error or a note
//! that says where.

/// The limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one page, overlay or other object, and of one file of a resource library.
    pub object_bytes: usize,
    /// Overlays and page segments inside one another.
    pub nesting: usize,
    /// Bytes of one image after decompression, and of all images of one page that are laid out in memory because no coding
    /// that a page can hold fits them.
    pub image_samples: usize,
    /// Bytes of all different images of one page after decompression, those included that stay in their coding.
    pub page_samples: usize,
    /// Elements drawn on one page, overlays included.
    pub page_elements: usize,
    /// Bytes of resources that one stream may bring.
    pub resource_bytes: usize,
    /// Bytes of the entries of one index object.
    pub index_bytes: usize,
    /// Pages of one stream; a stream with more is refused.
    pub pages: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            object_bytes: 64 << 20,
            nesting: 8,
            image_samples: 128 << 20,
            page_samples: 512 << 20,
            page_elements: 100_000,
            resource_bytes: 256 << 20,
            index_bytes: 128 << 20,
            pages: 100_000_000,
        }
    }
}

/// A text that sets no limits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{part:?} sets no limit; write name=number, separated by commas, with the names {names}")]
pub struct BadLimit {
    /// The part that is wrong.
    pub part: String,
    /// What may be set.
    pub names: String,
}

/// The highest value of every limit: lengths above it do not fit everywhere.
const MOST: usize = 1 << 31;
/// Deeper nesting costs stack.
const NESTING_MOST: usize = 32;

impl Limits {
    fn named(&mut self) -> [(&'static str, &mut usize, usize); 8] {
        let Limits {
            object_bytes,
            nesting,
            image_samples,
            page_samples,
            page_elements,
            resource_bytes,
            index_bytes,
            pages,
        } = self;
        [
            ("object_bytes", object_bytes, MOST),
            ("nesting", nesting, NESTING_MOST),
            ("image_samples", image_samples, MOST),
            ("page_samples", page_samples, MOST),
            ("page_elements", page_elements, MOST),
            ("resource_bytes", resource_bytes, MOST),
            ("index_bytes", index_bytes, MOST),
            ("pages", pages, MOST),
        ]
    }

    /// The defaults, with what `text` sets: `nesting=4, image_samples=50000000`. Limits are at least 1; those above what can be
    /// are what can be.
    pub fn of_text(text: &str) -> Result<Limits, BadLimit> {
        let mut limits = Limits::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let wrong = |mut limits: Limits| BadLimit {
                part: part.into(),
                names: limits.named().map(|(name, ..)| name).join(", "),
            };
            let Some((name, value)) = part.split_once('=') else { return Err(wrong(limits)) };
            let value = value.trim().replace('_', "").parse::<usize>().ok().filter(|value| *value > 0);
            let at = limits.named().into_iter().find(|(known, ..)| *known == name.trim());
            let (Some(value), Some((_, limit, most))) = (value, at) else { return Err(wrong(Limits::default())) };
            *limit = value.min(most);
        }
        Ok(limits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_sets_some_limits_and_mistakes_are_named() {
        let set = Limits::of_text("nesting=4, image_samples = 50_000_000,").unwrap();
        assert_eq!(set, Limits { nesting: 4, image_samples: 50_000_000, ..Limits::default() });
        assert_eq!(Limits::of_text("").unwrap(), Limits::default());
        assert_eq!(Limits::of_text("nesting=5000,pages=99999999999").unwrap().nesting, NESTING_MOST);
        for wrong in ["nesting", "depth=3", "nesting=0", "nesting=-1", "pages=many"] {
            let error = Limits::of_text(wrong).unwrap_err();
            assert_eq!(error.part, wrong);
            assert!(error.to_string().contains("resource_bytes"), "{error}");
        }
    }
}
