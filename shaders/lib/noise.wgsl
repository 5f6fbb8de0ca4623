// Standard normals and random signs for a tile, in the layout of its blocks.
//
// Coordinates come in chunks of ROWS. In chunk c, invocation i gets neuron c ROWS + i % ROWS in column quad i / ROWS;
// the numbers are drawn by whole Philox blocks (4 coordinates of one sample) and exchanged through workgroup memory.
// Reference: src/engine/cpu/draws.rs. Needs: lib/philox.wgsl, lib/tile.wgsl, `params` with `dim`.

// The words of chunk `chunk` that this invocation draws: for coordinates 4 b .. 4 b + 4 of sample local % (4 QUADS) of the
// tile, b = local / (4 QUADS) counted from the chunk's first block.
fn chunk_words(chunk: u32, first: u32, step: u32, stream: u32, key: vec2<u32>, base: u32) -> vec4<u32> {
    let samples = 4u * QUADS;
    let block = base + chunk * (ROWS / 4u) + local / samples;
    return philox4x32_10(vec4<u32>(first + local % samples, step, block, stream), key);
}

// The neuron in four columns that this invocation gets of what all have drawn.
fn exchange(drawn: vec4<f32>) -> vec4<f32> {
    workgroupBarrier();
    stage[local] = drawn;
    workgroupBarrier();
    let row = local % ROWS;
    let from_row = (row / 4u) * (4u * QUADS) + 4u * (local / ROWS);
    let n = row % 4u;
    return vec4<f32>(
        stage[from_row][n], stage[from_row + 1u][n], stage[from_row + 2u][n], stage[from_row + 3u][n]);
}

// The numbers of chunk `chunk` at `step` of `stream`, from block `base` on; the tile's first sample draws at index `first`.
fn chunk_of(
    chunk: u32, first: u32, step: u32, stream: u32, key: vec2<u32>, base: u32, signs: bool,
) -> vec4<f32> {
    var drawn = vec4<f32>(0.0);
    // a chunk has more coordinates than points of few dimensions
    if chunk * ROWS + local / (4u * QUADS) * 4u < params.dim {
        let words = chunk_words(chunk, first, step, stream, key, base);
        let sign = select(vec4<f32>(1.0), vec4<f32>(-1.0), (words >> vec4<u32>(31u)) == vec4<u32>(1u));
        drawn = select(normals(words), sign, signs);
    }
    return exchange(drawn);
}

// Standard normals of a chunk.
fn normal_chunk(chunk: u32, first: u32, step: u32, stream: u32, key: vec2<u32>) -> vec4<f32> {
    return chunk_of(chunk, first, step, stream, key, 0u, false);
}
const_assert ROWS % 4u == 0u;
