// Whole numbers in the order of f32: bits that compare as the numbers do, -0 as 0. Reference: src/sampler/diagnostics/rank.rs.

fn key_of(value: f32) -> u32 {
    let bits = bitcast<u32>(value);
    let plain = select(bits, 0u, bits == 0x80000000u);
    return select(plain | 0x80000000u, ~plain, plain >= 0x80000000u);
}

fn value_of(key: u32) -> f32 {
    return bitcast<f32>(select(~key, key & 0x7fffffffu, key >= 0x80000000u));
}
