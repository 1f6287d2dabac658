//! What was made of resources, so that it is made once: it can be dropped and made again at any time.

use std::collections::HashMap;
use std::sync::Arc;

use super::Found;
use crate::decode::afp::font::{ActiveFont, FontRequest};
use crate::decode::afp::fontmap::{FontMap, Opened};
use crate::page::{Element, Form};

/// Things of one kind that are kept at most.
const CACHED: usize = 4096;
/// Open fonts, and mappings of them: they may hold programs and patterns.
pub(super) const FONTS_CACHED: usize = 512;
/// Bytes of library files, and of what was drawn once and kept, above which all of it is forgotten and made again.
const CACHE_BYTES: usize = 64 << 20;
/// Bytes of an element in memory, about.
const ELEMENT_BYTES: usize = 256;

/// An overlay as a form, and what was reported while it was drawn.
pub struct Drawn {
    /// The form.
    pub form: Arc<Form>,
    /// How many elements it draws, those of forms in it included.
    pub weight: usize,
    /// Reported whenever it is used.
    pub reports: Vec<(&'static str, String)>,
    /// It is the same for every page.
    pub keep: bool,
}

/// Elements of an object that several pages include, drawn at the origin.
pub struct Included {
    /// The elements.
    pub elements: Vec<Element>,
    /// Reported whenever they are used.
    pub reports: Vec<(&'static str, String)>,
    /// They are the same for every page.
    pub keep: bool,
}

/// What an included object depends on: resource, resources seen, what the include says, and whether pictures are drawn.
pub type IncludeKey = (u64, usize, Vec<u8>, bool);
/// What a form depends on: resource, resources seen, suppressions, and whether pictures are drawn.
pub type FormKey = (u64, usize, Vec<u8>, bool);

/// What was made of resources.
#[derive(Default)]
pub(super) struct Caches {
    pub library: HashMap<(u8, String), Option<Found>>,
    pub library_keys: u64,
    pub files: HashMap<u64, Arc<Vec<u8>>>,
    pub fonts: HashMap<(FontRequest, usize), Arc<Opened>>,
    pub maps: HashMap<(Vec<u8>, usize), Arc<FontMap>>,
    pub forms: HashMap<FormKey, Arc<Drawn>>,
    pub includes: HashMap<IncludeKey, Arc<Included>>,
    pub default_font: Option<Arc<ActiveFont>>,
    /// Bytes in `library` and `files`.
    pub library_bytes: usize,
    /// Bytes in `forms` and `includes`, about.
    pub drawn_bytes: usize,
}

impl Caches {
    /// Makes room for more of the libraries' files.
    pub fn take_file(&mut self, bytes: usize) {
        if self.library.len() >= CACHED || self.library_bytes.saturating_add(bytes) > CACHE_BYTES {
            self.library.clear();
            self.files.clear();
            self.library_bytes = 0;
        }
        self.library_bytes = self.library_bytes.saturating_add(bytes);
    }

    /// Makes room for more of what was drawn; false when it is too much to be kept.
    pub fn take_drawn(&mut self, elements: &[Element]) -> bool {
        let bytes = bytes_of(elements).saturating_add(ELEMENT_BYTES);
        if bytes > CACHE_BYTES {
            return false;
        }
        let kept = self.forms.len() + self.includes.len();
        if kept >= CACHED || self.drawn_bytes.saturating_add(bytes) > CACHE_BYTES {
            self.forms.clear();
            self.includes.clear();
            self.drawn_bytes = 0;
        }
        self.drawn_bytes = self.drawn_bytes.saturating_add(bytes);
        true
    }
}

/// Bytes of elements in memory, about. Forms in them count again: they stay as long as what they are in.
fn bytes_of(elements: &[Element]) -> usize {
    let one = |element: &Element| match element {
        Element::Image(placed) => placed.image.held_bytes(),
        Element::Form(placed) => bytes_of(&placed.form.elements),
        _ => 0,
    };
    elements.iter().map(|element| one(element).saturating_add(ELEMENT_BYTES)).sum()
}
