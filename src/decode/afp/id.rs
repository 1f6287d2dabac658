//! The structured fields by the letters of their manuals (MO:DCA, FOCA, IOCA, GOCA, BCOCA, PTOCA; `docs/formats/afp.md`).

use super::field::FieldId;

macro_rules! ids {
    ($($name:ident $kind:literal $category:literal $what:literal;)*) => {
        $(#[doc = $what] pub const $name: FieldId = FieldId([0xD3, $kind, $category]);)*
    };
}

ids! {
    BPF 0xA8 0xA5 "Begin Print File."; EPF 0xA9 0xA5 "End Print File.";
    BDT 0xA8 0xA8 "Begin Document."; EDT 0xA9 0xA8 "End Document.";
    BDI 0xA8 0xA7 "Begin Document Index."; EDI 0xA9 0xA7 "End Document Index.";
    BNG 0xA8 0xAD "Begin Named Page Group."; ENG 0xA9 0xAD "End Named Page Group.";
    BPG 0xA8 0xAF "Begin Page."; EPG 0xA9 0xAF "End Page.";
    BAG 0xA8 0xC9 "Begin Active Environment Group."; EAG 0xA9 0xC9 "End Active Environment Group.";
    BOG 0xA8 0xC7 "Begin Object Environment Group."; EOG 0xA9 0xC7 "End Object Environment Group.";
    BDG 0xA8 0xC4 "Begin Document Environment Group."; EDG 0xA9 0xC4 "End Document Environment Group.";
    BSG 0xA8 0xD9 "Begin Resource Environment Group."; ESG 0xA9 0xD9 "End Resource Environment Group.";
    BRG 0xA8 0xC6 "Begin Resource Group."; ERG 0xA9 0xC6 "End Resource Group.";
    BRS 0xA8 0xCE "Begin Resource."; ERS 0xA9 0xCE "End Resource.";
    BMO 0xA8 0xDF "Begin Overlay."; EMO 0xA9 0xDF "End Overlay.";
    BPS 0xA8 0x5F "Begin Page Segment."; EPS 0xA9 0x5F "End Page Segment.";
    BFM 0xA8 0xCD "Begin Form Map."; EFM 0xA9 0xCD "End Form Map.";
    BMM 0xA8 0xCC "Begin Medium Map."; EMM 0xA9 0xCC "End Medium Map.";
    BPM 0xA8 0xCB "Begin Page Map."; EPM 0xA9 0xCB "End Page Map.";
    BFN 0xA8 0x89 "Begin Font."; EFN 0xA9 0x89 "End Font.";
    BCP 0xA8 0x87 "Begin Code Page."; ECP 0xA9 0x87 "End Code Page.";
    BCF 0xA8 0x8A "Begin Coded Font."; ECF 0xA9 0x8A "End Coded Font.";
    BPT 0xA8 0x9B "Begin Presentation Text."; EPT 0xA9 0x9B "End Presentation Text.";
    BIM 0xA8 0xFB "Begin Image."; EIM 0xA9 0xFB "End Image.";
    BII 0xA8 0x7B "Begin IM Image."; EII 0xA9 0x7B "End IM Image.";
    BGR 0xA8 0xBB "Begin Graphics."; EGR 0xA9 0xBB "End Graphics.";
    BBC 0xA8 0xEB "Begin Bar Code."; EBC 0xA9 0xEB "End Bar Code.";
    BOC 0xA8 0x92 "Begin Object Container."; EOC 0xA9 0x92 "End Object Container.";
    PGD 0xA6 0xAF "Page Descriptor."; OBD 0xA6 0x6B "Object Area Descriptor."; OBP 0xAC 0x6B "Object Area Position.";
    PTD 0xB1 0x9B "Presentation Text Descriptor, format 2."; PTD1 0xA6 0x9B "Presentation Text Descriptor, format 1.";
    PTX 0xEE 0x9B "Presentation Text Data."; PEC 0xA7 0xA8 "Presentation Environment Control.";
    IDD 0xA6 0xFB "Image Data Descriptor."; IPD 0xEE 0xFB "Image Picture Data.";
    GDD 0xA6 0xBB "Graphics Data Descriptor."; GAD 0xEE 0xBB "Graphics Data.";
    BDD 0xA6 0xEB "Bar Code Data Descriptor."; BDA 0xEE 0xEB "Bar Code Data.";
    CDD 0xA6 0x92 "Container Data Descriptor."; OCD 0xEE 0x92 "Object Container Data.";
    MCF 0xAB 0x8A "Map Coded Font, format 2."; MCF1 0xB1 0x8A "Map Coded Font, format 1.";
    MDR 0xAB 0xC3 "Map Data Resource."; MPO 0xAB 0xD8 "Map Page Overlay."; MPS 0xB1 0x5F "Map Page Segment.";
    MPG 0xAB 0xAF "Map Page.";
    MCD 0xAB 0x92 "Map Container Data."; MGO 0xAB 0xBB "Map Graphics Object."; MIO 0xAB 0xFB "Map Image Object.";
    MBC 0xAB 0xEB "Map Bar Code Object."; MPT 0xAB 0x9B "Map Presentation Text.";
    MMO 0xB1 0xDF "Map Medium Overlay."; MSU 0xAB 0xEA "Map Suppression."; MMT 0xAB 0x88 "Map Media Type.";
    MMD 0xAB 0xCD "Map Media Destination."; MDD 0xA6 0x88 "Medium Descriptor.";
    PGP 0xB1 0xAF "Page Position, format 2."; PGP1 0xAC 0xAF "Page Position, format 1.";
    MCC 0xA2 0x88 "Medium Copy Count."; MMC 0xA7 0x88 "Medium Modification Control.";
    PMC 0xA7 0xAF "Page Modification Control."; MFC 0xA0 0x88 "Medium Finishing Control.";
    PFC 0xB2 0x88 "Presentation Fidelity Control.";
    IMM 0xAB 0xCC "Invoke Medium Map."; IDM 0xAB 0xCA "Invoke Data Map.";
    IPO 0xAF 0xD8 "Include Page Overlay."; IPS 0xAF 0x5F "Include Page Segment."; IOB 0xAF 0xC3 "Include Object.";
    IPG 0xAF 0xAF "Include Page."; PPO 0xAD 0xC3 "Preprocess Presentation Object.";
    TLE 0xA0 0x90 "Tag Logical Element."; IEL 0xB2 0xA7 "Index Element."; LLE 0xB4 0x90 "Link Logical Element.";
    NOP 0xEE 0xEE "No Operation.";
    CFI 0x8C 0x8A "Coded Font Index.";
}

/// Class of Begin fields.
pub const BEGIN: u8 = 0xA8;
/// Class of End fields.
pub const END: u8 = 0xA9;

/// The End field that belongs to a Begin field.
pub fn end_of(begin: FieldId) -> FieldId {
    let [class, _, category] = begin.0;
    FieldId([class, END, category])
}

/// Whether this is a Begin field.
pub fn is_begin(id: FieldId) -> bool {
    id.0[1] == BEGIN
}

/// Whether `id` has the form of a structured field id: class X'D3', a type that some architecture defines.
pub fn is_plausible(id: FieldId) -> bool {
    let [class, kind, _] = id.0;
    class == 0xD3 && matches!(kind, 0xA0 | 0xA2 | 0xA6..=0xAF | 0xB0..=0xB2 | 0xB4 | 0x8C | 0xEE)
}

/// All constants, ordered by id.
#[rustfmt::skip]
const NAMED: &[(FieldId, &str)] = &[
    (CFI, "CFI"), (MFC, "MFC"), (TLE, "TLE"), (MCC, "MCC"), (OBD, "OBD"), (MDD, "MDD"), (CDD, "CDD"), (PTD1, "PTD1"),
    (PGD, "PGD"), (GDD, "GDD"), (BDD, "BDD"), (IDD, "IDD"), (MMC, "MMC"), (PEC, "PEC"), (PMC, "PMC"), (BPS, "BPS"),
    (BII, "BII"), (BCP, "BCP"), (BFN, "BFN"), (BCF, "BCF"), (BOC, "BOC"), (BPT, "BPT"), (BPF, "BPF"), (BDI, "BDI"),
    (BDT, "BDT"), (BNG, "BNG"), (BPG, "BPG"), (BGR, "BGR"), (BDG, "BDG"), (BRG, "BRG"), (BOG, "BOG"), (BAG, "BAG"),
    (BPM, "BPM"), (BMM, "BMM"), (BFM, "BFM"), (BRS, "BRS"), (BSG, "BSG"), (BMO, "BMO"), (BBC, "BBC"), (BIM, "BIM"),
    (EPS, "EPS"), (EII, "EII"), (ECP, "ECP"), (EFN, "EFN"), (ECF, "ECF"), (EOC, "EOC"), (EPT, "EPT"), (EPF, "EPF"),
    (EDI, "EDI"), (EDT, "EDT"), (ENG, "ENG"), (EPG, "EPG"), (EGR, "EGR"), (EDG, "EDG"), (ERG, "ERG"), (EOG, "EOG"),
    (EAG, "EAG"), (EPM, "EPM"), (EMM, "EMM"), (EFM, "EFM"), (ERS, "ERS"), (ESG, "ESG"), (EMO, "EMO"), (EBC, "EBC"),
    (EIM, "EIM"), (MMT, "MMT"), (MCF, "MCF"), (MCD, "MCD"), (MPT, "MPT"), (MPG, "MPG"), (MGO, "MGO"), (MDR, "MDR"),
    (IDM, "IDM"), (IMM, "IMM"), (MMD, "MMD"), (MPO, "MPO"), (MSU, "MSU"), (MBC, "MBC"), (MIO, "MIO"), (OBP, "OBP"),
    (PGP1, "PGP1"), (PPO, "PPO"), (IPS, "IPS"), (IPG, "IPG"), (IOB, "IOB"), (IPO, "IPO"), (MPS, "MPS"),
    (MCF1, "MCF1"), (PTD, "PTD"), (PGP, "PGP"), (MMO, "MMO"), (PFC, "PFC"), (IEL, "IEL"), (LLE, "LLE"), (OCD, "OCD"),
    (PTX, "PTX"), (GAD, "GAD"), (BDA, "BDA"), (NOP, "NOP"), (IPD, "IPD"),
];

/// Fields of fonts, line data and metafiles that have no constant here.
const fn is_known_elsewhere(id: FieldId) -> bool {
    let [_, kind, category] = id.0;
    matches!(
        (kind, category),
        (0xA6 | 0xA7 | 0xAE | 0xAC | 0x8C | 0xA2 | 0xAB | 0xEE, 0x89)
            | (0xA6 | 0xA7 | 0x8C, 0x87)
            | (0xA7 | 0x8C, 0x8A)
            | (0xA8 | 0xA9, 0xC5 | 0xCA | 0xE3 | 0x77)
            | (0xA6, 0xC5 | 0xE7 | 0x8D | 0x8E | 0xE3)
            | (0xAA, 0xE7 | 0xEC)
            | (0xEE, 0xEC | 0x7B)
            | (0xA7, 0x9B | 0xCA | 0x7B)
            | (0xA6 | 0xAC, 0x7B)
            | (0xB0 | 0xAB, 0x77)
    )
}

/// Whether some architecture defines this field.
pub fn is_known(id: FieldId) -> bool {
    let [class, kind, category] = id.0;
    let categories = KNOWN.get(usize::from(kind)).map_or(&[0; 4], |row| row);
    let word = categories.get(usize::from(category / 64)).copied().unwrap_or(0);
    class == 0xD3 && word >> (category % 64) & 1 != 0
}

/// A bit for each category of each type that is known: every field of a stream is asked for.
static KNOWN: [[u64; 4]; 256] = known();

#[allow(clippy::indexing_slicing, clippy::cast_possible_truncation)] // Runs when this is compiled.
const fn known() -> [[u64; 4]; 256] {
    let mut table = [[0; 4]; 256];
    let mut at = 0;
    while at < NAMED.len() {
        let [_, kind, category] = NAMED[at].0.0;
        table[kind as usize][category as usize / 64] |= 1 << (category % 64);
        at += 1;
    }
    let mut at = 0;
    while at < 0x1_0000 {
        let (kind, category) = ((at >> 8) as u8, at as u8);
        if is_known_elsewhere(FieldId([0xD3, kind, category])) {
            table[kind as usize][category as usize / 64] |= 1 << (category % 64);
        }
        at += 1;
    }
    table
}

/// The letters of a field, or its id in hexadecimal.
pub fn letters(id: FieldId) -> String {
    match NAMED.iter().find(|(known, _)| *known == id) {
        Some((_, letters)) => format!("{letters} {id:?}"),
        None => format!("{id:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_known_by_their_letters() {
        assert!(NAMED.windows(2).all(|pair| pair[0].0 < pair[1].0), "ordered for the search");
        assert_eq!(letters(BPG), "BPG X'D3A8AF'");
        assert_eq!(letters(FieldId([0xD3, 0xA7, 0x01])), "X'D3A701'");
        assert!(is_known(TLE) && is_known(FieldId([0xD3, 0xA7, 0xCA])) && !is_known(FieldId([0xD3, 0xA7, 0x01])));
        assert_eq!(end_of(BPT), EPT);
    }
}
