//! Coded fonts: pairs of a character set and a code page. Source: FOCA reference, "Coded fonts" (CFC, CFI).

use super::names::Scale;
use crate::decode::afp::bytes::{u8_at, u16_at};
use crate::decode::afp::field::{FieldId, Fields};
use crate::frame::codepage::CodePage as Charset;

const CFC: FieldId = FieldId([0xD3, 0xA7, 0x8A]);
const CFI: FieldId = FieldId([0xD3, 0x8C, 0x8A]);
/// Sections of a double-byte font: one for each first byte.
const SECTIONS_LIMIT: usize = 256;

/// A character set and a code page, for the codes of one section.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Section {
    /// Name of the character set.
    pub character_set: Option<String>,
    /// Name of the code page.
    pub code_page: Option<String>,
    /// Size and width of outlines.
    pub scale: Scale,
    /// First byte of its codes; 0 in single-byte fonts.
    pub section: u8,
}

/// The sections of a coded font.
pub fn read(fields: &Fields) -> Vec<Section> {
    let control = fields.iter().find(|field| field.id == CFC).map(|field| field.data).unwrap_or_default();
    let length = usize::from(u8_at(control, 0).unwrap_or(25)).max(16);
    let data = fields.joined(CFI);
    data.chunks_exact(length).take(SECTIONS_LIMIT).map(section).collect()
}

fn section(group: &[u8]) -> Section {
    Section {
        character_set: name(group.get(..8)),
        code_page: name(group.get(8..16)),
        scale: Scale { height: u16_at(group, 16).unwrap_or(0), width: u16_at(group, 18).unwrap_or(0) },
        section: u8_at(group, 24).unwrap_or(0),
    }
}

/// A name of eight characters; `None` when it is the null name.
fn name(bytes: Option<&[u8]>) -> Option<String> {
    let bytes = bytes.filter(|bytes| !bytes.starts_with(&[0xFF, 0xFF]))?;
    let mut text = String::new();
    Charset::find("ibm-500")?.decode(bytes, &mut text);
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::afp::field::Field;

    #[test]
    fn sections_have_their_character_set_page_and_scale() {
        let mut group = Vec::new();
        let ebcdic = Charset::find("ibm-500").unwrap();
        group.extend(ebcdic.encode("CZH200  T1V10500").unwrap());
        group.extend([0, 240, 0, 0, 0, 0, 0, 0, 0x41]);
        let mut fields = Fields::default();
        fields.push(Field { id: CFC, data: &[25, 1], offset: 0 });
        fields.push(Field { id: CFI, data: &[group.clone(), group].concat(), offset: 0 });
        let sections = read(&fields);
        assert_eq!(sections.len(), 2);
        assert_eq!(sections[0].character_set.as_deref(), Some("CZH200"));
        assert_eq!(sections[0].code_page.as_deref(), Some("T1V10500"));
        assert_eq!((sections[0].scale.height, sections[0].section), (240, 0x41));
        assert_eq!(read(&Fields::default()), Vec::new());
    }
}
