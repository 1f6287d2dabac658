//! How large symbols are: what holds where a descriptor states nothing, and the symbologies whose size is fixed.
//!
//! Rules: BCOCA Reference, "Default Value Recommendations" (table 13), "Sizing Targets for Fixed-Size Bar Code Types" (table
//! 12) and the notes on the desired symbol width. Lengths in logical units unless they say mils.

use super::descriptor::{Descriptor, MIL, kind};

/// Module widths in mils that a desired symbol width may lead to (BCOCA: "commonly in the range 7 to 254 mils").
const MODULES: [f64; 2] = [7.0, 254.0];
/// The part of its width that a linear symbol is high by default.
const HEIGHT_SHARE: f64 = 0.15;
/// MaxiCode: how much smaller the small symbol is.
const SMALL_MAXICODE: f64 = 24.03 / 25.5;

/// Default module width.
pub fn default_module(kind: u8, modifier: u8) -> f64 {
    let mils = match kind {
        kind::CODE128 if modifier == 5 => 25.0,
        kind::CODE128 if modifier == 6 => 16.0,
        kind::JAPAN => 24.0,
        kind::DATA_MATRIX => 21.0,
        kind::PDF417 | kind::AZTEC => 14.0,
        kind::QR => 12.0,
        kind::DATA_BAR => 10.0,
        _ => 13.0,
    };
    mils * MIL
}

/// The module width of a symbol of `modules` modules: the widest that keeps to the desired width, or the descriptor's.
pub fn module(descriptor: &Descriptor, modules: f64) -> f64 {
    let [least, most] = MODULES.map(|mils| mils * MIL);
    let target = descriptor.desired / modules.max(1.0);
    if descriptor.desired > 0.0 && target >= least { target.min(most) } else { descriptor.module }
}

/// The height of bars: as stated, or the default of the symbology for this module and this width of the symbol.
pub fn height(descriptor: &Descriptor, module: f64, width: f64) -> f64 {
    let Descriptor { kind, modifier, .. } = *descriptor;
    let alone = modifier == 0;
    let linear = |mils: f64| (mils * MIL).max(width * HEIGHT_SHARE);
    let least = if kind == kind::DATA_BAR { data_bar_rows(modifier) * module } else { 0.0 };
    let default = match kind {
        kind::MSI => linear(300.0),
        kind::UPC_A | kind::UPC_E | kind::EAN_13 => 1020.0 * MIL,
        kind::UPC_2 | kind::UPC_5 => MIL * if alone { 770.0 } else { 1020.0 },
        kind::EAN_2 | kind::EAN_5 => MIL * if alone { 840.0 } else { 1020.0 },
        kind::EAN_8 => 840.0 * MIL,
        kind::CODE128 if modifier == 5 => 925.0 * MIL,
        kind::CODE128 if modifier == 6 => 750.0 * MIL,
        kind::PDF417 => 4.0 * module,
        kind::DATA_BAR => least,
        _ => linear(250.0),
    };
    descriptor.height.unwrap_or(default).max(least)
}

/// Modules that the bars of a DataBar symbol are high at least.
fn data_bar_rows(modifier: u8) -> f64 {
    match modifier {
        1 => 13.0,
        4 => 10.0,
        0x11..=0x1B => 34.0,
        _ => 33.0,
    }
}

/// The measures of a row of postal bars.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Postal {
    /// From one bar to the next.
    pub pitch: f64,
    /// Width of a bar.
    pub bar: f64,
    /// Height of a full bar.
    pub height: f64,
    /// The part of the height that a tracker takes (POSTNET: a short bar).
    pub share: f64,
}

impl Postal {
    /// Bars in an inch, and width and height of a bar in mils.
    fn of(per_inch: f64, bar: f64, height: f64, share: f64) -> Postal {
        Postal { pitch: 1000.0 / per_inch * MIL, bar: bar * MIL, height: height * MIL, share }
    }
}

/// Postal codes have one size that is best and a small one, which any stated module width asks for, or a desired width that
/// the best does not keep to. Only Japan Post's grows with the module.
pub fn postal(descriptor: &Descriptor, bars: f64) -> Postal {
    let sizes = match descriptor.kind {
        kind::JAPAN => {
            let module = module(descriptor, bars * 2.0 - 1.0);
            return Postal { pitch: 2.0 * module, bar: module, height: 6.0 * module, share: 1.0 / 3.0 };
        }
        kind::POSTNET => [Postal::of(22.0, 20.0, 125.0, 0.4), Postal::of(24.0, 15.0, 115.0, 0.4)],
        kind::AUSTRALIA => [Postal::of(23.5, 20.0, 197.0, 0.255), Postal::of(25.0, 16.0, 165.0, 0.255)],
        kind::INTELLIGENT_MAIL => [Postal::of(22.0, 20.0, 145.0, 0.33), Postal::of(24.0, 15.0, 125.0, 0.33)],
        kind::MAILMARK => [Postal::of(21.2, 21.0, 201.0, 0.255), Postal::of(24.0, 15.0, 166.0, 0.255)],
        _ => [Postal::of(22.0, 20.0, 198.0, 0.255), Postal::of(24.0, 15.0, 166.0, 0.255)],
    };
    let [best, small] = sizes;
    if is_small(descriptor, (bars - 1.0).max(0.0) * best.pitch + best.bar) { small } else { best }
}

/// The scale of a MaxiCode symbol whose best size has this width.
pub fn maxicode(descriptor: &Descriptor, width: f64) -> f64 {
    if is_small(descriptor, width) { SMALL_MAXICODE } else { 1.0 }
}

fn is_small(descriptor: &Descriptor, best: f64) -> bool {
    if descriptor.desired > 0.0 { descriptor.desired < best } else { descriptor.module_stated }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn descriptor(kind: u8, modifier: u8, desired: u16, module: u8, height: u16) -> Descriptor {
        let mut bdd = vec![0, 0, 0x38, 0x40, 0x38, 0x40, 0xFF, 0xFF, 0xFF, 0xFF];
        bdd.extend(desired.to_be_bytes());
        bdd.extend([kind, modifier, 0xFF, 0xFF, 0xFF, module]);
        bdd.extend(height.to_be_bytes());
        bdd.extend([1, 0xFF, 0xFF]);
        Descriptor::read(&bdd, None).unwrap()
    }

    #[test]
    fn a_desired_width_sets_the_module_unless_it_would_be_too_fine() {
        assert_eq!(module(&descriptor(kind::CODE39, 1, 2000, 13, 0xFFFF), 100.0), 200.0);
        assert_eq!(module(&descriptor(kind::CODE39, 1, 500, 13, 0xFFFF), 100.0).round(), 187.0);
        assert_eq!(module(&descriptor(kind::CODE39, 1, 0, 10, 0xFFFF), 100.0), 144.0);
    }

    #[test]
    fn wide_linear_symbols_are_high_and_data_bar_counts_modules() {
        let plain = descriptor(kind::CODE39, 1, 0, 0xFF, 0xFFFF);
        assert_eq!([height(&plain, 187.0, 10_000.0), height(&plain, 187.0, 40_000.0)], [3600.0, 6000.0]);
        assert_eq!(height(&descriptor(kind::MSI, 1, 0, 0xFF, 0xFFFF), 187.0, 0.0), 4320.0);
        assert_eq!(height(&descriptor(kind::CODE39, 1, 0, 0xFF, 100), 187.0, 40_000.0), 1000.0);
        assert_eq!(height(&descriptor(kind::DATA_BAR, 1, 0, 0xFF, 0xFFFF), 100.0, 0.0), 1300.0);
        assert_eq!(height(&descriptor(kind::DATA_BAR, 0, 0, 0xFF, 10), 100.0, 0.0), 3300.0);
    }

    #[test]
    fn postal_codes_have_two_sizes_and_no_stated_height() {
        let best = postal(&descriptor(kind::INTELLIGENT_MAIL, 0, 0, 0xFF, 5000), 65.0);
        assert_eq!((best.height.round(), ((64.0 * best.pitch + best.bar) / 144.0).round()), (2088.0, 293.0));
        let small = postal(&descriptor(kind::INTELLIGENT_MAIL, 0, 0, 20, 0xFFFF), 65.0);
        assert_eq!((small.height.round(), ((64.0 * small.pitch + small.bar) / 144.0).round()), (1800.0, 268.0));
        assert_eq!(postal(&descriptor(kind::INTELLIGENT_MAIL, 0, 4000, 0xFF, 0), 65.0), small);
        let japan = postal(&descriptor(kind::JAPAN, 0, 0, 10, 0xFFFF), 67.0);
        assert_eq!((japan.bar, japan.pitch, japan.height), (144.0, 288.0, 864.0));
    }
}
