//! Files changed at random places, as a failing disk or a hostile sender would.

use rand::{Rng, RngExt as _};

/// Numbers that sizes and counts break at, little-endian.
const EDGES: [u64; 10] =
    [0, 1, 0x7F, 0x80, 0xFF, 0x7FFF_FFFF, 0xFFFF_FFFF, 0x8000_0000_0000_0000, 0x7FFF_FFFF_FFFF_FFFF, u64::MAX];
/// Bytes that separate, quote and count in text.
const TEXT: &[u8] = b",;\t\n\r\"'()[]{}:-+.eE0159nNaAiI \0\xEF\xBB\xBF\xFF";

/// A file with one to four changes.
pub(crate) fn mutated(good: &[u8], rng: &mut impl Rng) -> Vec<u8> {
    let mut bytes = good.to_vec();
    for _ in 0..rng.random_range(1..5) {
        change(&mut bytes, rng);
    }
    bytes
}

fn change(bytes: &mut Vec<u8>, rng: &mut impl Rng) {
    let length = bytes.len();
    if length == 0 {
        bytes.push(rng.random());
        return;
    }
    // headers stand at the beginning: half of all changes are made there
    let reach = if rng.random() { length } else { length.min(128) };
    let at = rng.random_range(0..reach);
    match rng.random_range(0..9) {
        0 => bytes[at] ^= 1 << rng.random_range(0..8),
        1 => bytes[at] = rng.random(),
        2 => bytes[at] = TEXT[rng.random_range(0..TEXT.len())],
        3 => bytes.insert(at, TEXT[rng.random_range(0..TEXT.len())]),
        4 => bytes.truncate(at),
        5 => drop(bytes.drain(at..(at + rng.random_range(1..9)).min(length))),
        6 => {
            let copy = bytes[at..(at + rng.random_range(1..65)).min(length)].to_vec();
            let to = rng.random_range(0..length);
            bytes.splice(to..to, copy);
        }
        _ => {
            let (edge, width) = (EDGES[rng.random_range(0..EDGES.len())], 1 << rng.random_range(0..4));
            let mut number = edge.to_le_bytes()[..width].to_vec();
            if rng.random() {
                number.reverse();
            }
            let end = (at + width).min(length);
            bytes[at..end].copy_from_slice(&number[..end - at]);
        }
    }
}
