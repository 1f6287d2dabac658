//! Calls the modules that draw one kind of object each.

use super::{Artist, owned};
use crate::decode::afp::Report;
use crate::decode::afp::field::Field;
use crate::decode::afp::object::container::{self, Container};
use crate::decode::afp::object::{ObjectArea, ObjectFonts, barcode, graphics, im, image};
use crate::page::{Element, Lu};

impl Artist<'_> {
    /// Draws with what is survived noted.
    fn noting(&self, draw: impl FnOnce(&mut Report<'_>) -> Vec<Element>) -> Vec<Element> {
        draw(&mut |code, detail| self.note(code, detail))
    }

    pub(super) fn im_image(&self, x: Lu, y: Lu, turns: u8, fields: &[Field<'_>]) -> Vec<Element> {
        let fields = owned(fields);
        self.noting(|report| im::im_image(x, y, turns, &fields, &self.store.limits, report))
    }

    pub(super) fn image(&self, area: &ObjectArea, descriptor: &[u8], data: &[u8]) -> Vec<Element> {
        self.noting(|report| image::image(area, descriptor, data, &self.store.limits, report))
    }

    pub(super) fn graphics(
        &self,
        area: &ObjectArea,
        descriptor: &[u8],
        data: &[u8],
        fonts: &dyn ObjectFonts,
    ) -> Vec<Element> {
        self.noting(|report| graphics::graphics(area, descriptor, data, fonts, &self.store.limits, report))
    }

    pub(super) fn bar_code(
        &self,
        area: &ObjectArea,
        descriptor: &[u8],
        symbols: &[&[u8]],
        fonts: &dyn ObjectFonts,
    ) -> Vec<Element> {
        self.noting(|report| barcode::bar_code(area, descriptor, symbols, fonts, &self.store.limits, report))
    }

    pub(super) fn container(&self, area: &ObjectArea, object: &Container<'_>) -> Vec<Element> {
        self.noting(|report| container::container(area, object, &self.store.limits, report))
    }
}
