// Standard normals and random signs for a tile, in the layout of its blocks.
//
// Coordinates come in chunks of ROWS. In chunk c, invocation i gets neuron c ROWS + i % ROWS in column quad i / ROWS;
// the numbers are drawn by whole Philox blocks (4 coordinates of one sample) and exchanged through workgroup memory.
// Reference: src/engine/cpu/draws.rs. Needs: lib/philox.wgsl, lib/tile.wgsl.

// The numbers of chunk `chunk` at `step` of `stream`, from block `base` on; the tile's first sample draws at index `first`.
fn chunk_of(
    chunk: u32, first: u32, step: u32, stream: u32, key: vec2<u32>, base: u32, signs: bool,
) -> vec4<f32> {
    let samples = 4u * QUADS;
    let block = base + chunk * (ROWS / 4u) + local / samples;
    let words = philox4x32_10(vec4<u32>(first + local % samples, step, block, stream), key);
    let sign = select(vec4<f32>(1.0), vec4<f32>(-1.0), (words >> vec4<u32>(31u)) == vec4<u32>(1u));
    let drawn = select(normals(words), sign, signs);
    workgroupBarrier();
    stage[local] = drawn;
    workgroupBarrier();
    let row = local % ROWS;
    let from_row = (row / 4u) * samples + 4u * (local / ROWS);
    let n = row % 4u;
    let value = vec4<f32>(
        stage[from_row][n], stage[from_row + 1u][n], stage[from_row + 2u][n], stage[from_row + 3u][n]);
    return value;
}

// Standard normals of a chunk.
fn normal_chunk(chunk: u32, first: u32, step: u32, stream: u32, key: vec2<u32>) -> vec4<f32> {
    return chunk_of(chunk, first, step, stream, key, 0u, false);
}
const_assert ROWS % 4u == 0u;
