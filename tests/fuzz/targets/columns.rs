//! Blocks as columns: two blocks of records, and what is changed in their forms. Every form gives its block back; a form that was
//! changed, and one that was never made by anybody, gives a block of its length or an error.
#![no_main]

use greenbar_fuzz::{decoded, encoded, parts};

/// Longest block that a form is said to stand for.
const LENGTH: usize = 1 << 20;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let [first, second, changes, form] = parts(input);
    let mut block = Vec::new();
    for (raw, form) in [first, second].iter().zip(encoded(&[first, second])) {
        let Some(mut form) = form else { continue };
        decoded(&form, raw.len(), &mut block).expect("a form of ours");
        assert!(block == *raw, "another block");
        change(&mut form, changes);
        hostile(&form, raw.len(), &mut block);
    }
    let length = changes.first_chunk::<4>().map_or(0, |four| u32::from_le_bytes(*four) as usize % LENGTH);
    hostile(form, length, &mut block);
});

/// Bytes of a form become others, or go, or come twice: place, what, byte.
fn change(form: &mut Vec<u8>, changes: &[u8]) {
    for change in changes.chunks_exact(4) {
        let at = usize::from(u16::from_le_bytes([change[0], change[1]]));
        let Some(byte) = form.get(at).copied() else { continue };
        match change[2] % 4 {
            0 => drop(form.remove(at)),
            1 => form.insert(at, byte),
            _ => form[at] = change[3],
        }
    }
}

fn hostile(form: &[u8], length: usize, block: &mut Vec<u8>) {
    block.clear();
    if decoded(form, length, block).is_ok() {
        assert_eq!(block.len(), length);
    }
    assert!(block.len() <= length, "more than it may hold");
}
