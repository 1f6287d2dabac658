//! Calls the modules that draw one kind of object each.

use std::sync::Arc;

use super::{Artist, joined, owned};
use crate::decode::afp::environment::Environment;
use crate::decode::afp::field::Field;
use crate::decode::afp::object::{ObjectArea, ObjectFonts, barcode, container, graphics, im, image};
use crate::decode::afp::store::kind;
use crate::decode::afp::{Limits, Report, id, references};
use crate::page::{Element, Lu};

/// What a tile resource may be.
const TILES: &[u8] = &[kind::CONTAINER, kind::IMAGE];

impl Artist<'_> {
    /// Draws with what is survived noted, within what the page has left for pictures.
    fn noting(&self, draw: impl FnOnce(&Limits, &mut Report<'_>) -> Vec<Element>) -> Vec<Element> {
        let limits = Limits { image_samples: self.room.left(), ..self.store.limits };
        let elements = draw(&limits, &mut |code, detail| {
            if code == "afp-image-too-large" {
                self.room.refused();
            }
            self.note(code, detail);
        });
        if self.has_room(&elements) { elements } else { Vec::new() }
    }

    pub(super) fn im_image(&self, x: Lu, y: Lu, turns: u8, fields: &[Field<'_>]) -> Vec<Element> {
        let fields = owned(fields);
        self.noting(|limits, report| im::im_image(x, y, turns, &fields, limits, report))
    }

    /// An IO image; tile resources are mapped by its own environment or by that of the page.
    pub(super) fn image(&self, area: &ObjectArea, fields: &[Field<'_>], env: &Environment) -> Vec<Element> {
        let descriptor = fields.iter().find(|field| field.id == id::IDD).map_or(&[][..], |field| field.data);
        let own = references::tiles(fields.iter().copied(), self.charset);
        let tile = |number: u32| {
            let names = own.iter().chain(&env.tiles).filter(|(known, _)| *known == number);
            let found = names.map(|(_, name)| name).find_map(|name| self.store.find(TILES, name, self.visible))?;
            Some(Arc::from([found.fields.joined(id::OCD), found.fields.joined(id::IPD)].concat()))
        };
        let data = joined(fields, id::IPD);
        self.noting(|limits, report| image::image(area, descriptor, &data, &tile, limits, report))
    }

    pub(super) fn graphics(
        &self,
        area: &ObjectArea,
        descriptor: &[u8],
        data: &[u8],
        fonts: &dyn ObjectFonts,
    ) -> Vec<Element> {
        self.noting(|limits, report| graphics::graphics(area, descriptor, data, fonts, limits, report))
    }

    pub(super) fn bar_code(
        &self,
        area: &ObjectArea,
        descriptor: &[u8],
        symbols: &[&[u8]],
        fonts: &dyn ObjectFonts,
    ) -> Vec<Element> {
        self.noting(|limits, report| barcode::bar_code(area, descriptor, symbols, fonts, limits, report))
    }

    pub(super) fn container(&self, area: &ObjectArea, object: &container::Container<'_>) -> Vec<Element> {
        self.noting(|limits, report| container::container(area, object, limits, report))
    }
}
