//! AFP (MO:DCA): structured fields, pages with their environments, and the objects on them.

pub mod color;
pub mod field;
pub mod font;
pub mod object;
pub mod ptoca;

/// What a hostile stream may make us do at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Structured fields of one page, overlay or other object, and bytes of all of them.
    pub object_bytes: usize,
    /// Overlays and page segments inside one another.
    pub nesting: usize,
    /// Samples of one image, after decompression.
    pub image_samples: usize,
    /// Elements drawn on one page, overlays counted once.
    pub page_elements: usize,
    /// Bytes of resources that one stream may bring.
    pub resource_bytes: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            object_bytes: 64 << 20,
            nesting: 8,
            image_samples: 128 << 20,
            page_elements: 400_000,
            resource_bytes: 256 << 20,
        }
    }
}

/// Takes what was survived: a stable code (such as `afp-missing-font`) and a detail that holds no document text.
pub type Report<'r> = dyn FnMut(&'static str, String) + 'r;
