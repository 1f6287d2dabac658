//! How much the pictures of one page may take.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;

use crate::decode::afp::Limits;
use crate::page::{ContentId, Element, Image};

/// What is left for the pictures of a page, its overlays and includes among them. A picture that stands there more than once
/// counts once.
pub(super) struct Room {
    /// Bytes of pictures that are laid out.
    laid_out: Cell<usize>,
    /// Bytes of all pictures when they are laid out.
    all: Cell<usize>,
    counted: RefCell<HashSet<ContentId>>,
    limit: usize,
    /// Something was refused that another page might have room for.
    is_short: Cell<bool>,
}

impl Room {
    pub(super) fn new(limits: &Limits) -> Room {
        Room {
            laid_out: Cell::new(limits.image_samples),
            all: Cell::new(limits.page_samples),
            counted: RefCell::default(),
            limit: limits.image_samples,
            is_short: Cell::new(false),
        }
    }

    /// What one more object may lay out.
    pub(super) fn left(&self) -> usize {
        self.laid_out.get().min(self.all.get())
    }

    /// Whether something was refused only because of what stood on the page before it: then it is not kept for other pages.
    pub(super) fn is_short(&self) -> bool {
        self.is_short.get()
    }

    /// An object was refused for its size.
    pub(super) fn refused(&self) {
        self.is_short.set(self.is_short.get() || self.left() < self.limit);
    }

    /// Takes the pictures among elements from what is left; false when they are too many.
    pub(super) fn take(&self, elements: &[Element]) -> bool {
        elements.iter().all(|element| match element {
            Element::Image(placed) => self.take_image(&placed.image),
            Element::Form(placed) => self.take(&placed.form.elements),
            _ => true,
        })
    }

    fn take_image(&self, image: &Image) -> bool {
        if !self.counted.borrow_mut().insert(image.id()) {
            return true;
        }
        let all = self.all.get().checked_sub(image.laid_out_bytes());
        let held = if image.is_coded() { 0 } else { image.held_bytes() };
        let laid_out = self.laid_out.get().checked_sub(held);
        self.all.set(all.unwrap_or(0));
        self.laid_out.set(laid_out.unwrap_or(0));
        let fits = all.is_some() && laid_out.is_some();
        if !fits {
            self.is_short.set(true);
        }
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::{Lu, PlacedImage, Samples};

    fn picture(width: u32, samples: Samples) -> Element {
        let image = Image::new(width, 1, samples);
        let [x, y, width, height] = [Lu(0); 4];
        Element::Image(PlacedImage { x, y, width, height, turns: 0, clip: None, image, alt: String::new() })
    }

    #[test]
    fn a_picture_counts_once_and_coded_ones_only_where_all_are_counted() {
        let room = Room::new(&Limits { image_samples: 100, page_samples: 250, ..Limits::default() });
        let gray = |value| picture(60, Samples::Gray(vec![value; 60]));
        assert!(room.take(&[gray(1), gray(1)]) && room.left() == 40 && !room.is_short());
        assert!(room.take(&[picture(50, Samples::Jpeg(vec![1]))]) && room.left() == 40);
        assert!(!room.take(&[gray(2)]) && room.left() == 0 && room.is_short());
    }
}
