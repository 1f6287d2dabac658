//! Calls the modules that draw one kind of object each.

use super::{Artist, owned};
use crate::decode::afp::field::Field;
use crate::decode::afp::object::{ObjectArea, ObjectFonts};
use crate::page::{Element, Lu};

impl Artist<'_> {
    pub(super) fn im_image(&self, _x: Lu, _y: Lu, fields: &[Field<'_>]) -> Vec<Element> {
        let _fields = owned(fields);
        Vec::new()
    }

    pub(super) fn image(&self, _area: &ObjectArea, _descriptor: &[u8], _data: &[u8]) -> Vec<Element> {
        Vec::new()
    }

    pub(super) fn graphics(
        &self,
        _area: &ObjectArea,
        _descriptor: &[u8],
        _data: &[u8],
        _fonts: &dyn ObjectFonts,
    ) -> Vec<Element> {
        Vec::new()
    }

    pub(super) fn bar_code(
        &self,
        _area: &ObjectArea,
        _descriptor: &[u8],
        _symbols: &[&[u8]],
        _fonts: &dyn ObjectFonts,
    ) -> Vec<Element> {
        Vec::new()
    }

    pub(super) fn container(&self, _area: &ObjectArea, _oid: &[u8], _data: &[u8], _page: u32) -> Vec<Element> {
        Vec::new()
    }
}
