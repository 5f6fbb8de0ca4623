// The rows of a batch: which row of the data each sample of a tile is.
//
// data [rows][dim]. Sample i draws its row, or is row i, or, where the host has placed the batch, row params.rows + i.
// Reference: src/engine/cpu/source.rs.
// Needs: lib/tile.wgsl, lib/philox.wgsl, `data`, `params` with a seed, `step`, `batch`, `rows` and `dim`.

var<workgroup> rows: array<u32, 4u * QUADS>;

fn key() -> vec2<u32> {
    return vec2<u32>(params.key_low, params.key_high);
}

// The words that choose the row and the noise level of a sample.
fn choices(sample: u32) -> vec4<u32> {
    return philox4x32_10(vec4<u32>(sample, params.step, 0u, STREAM_BATCH), key());
}

// How samples have their rows.
const ROWS_DRAWN: u32 = 0u;
const ROWS_GIVEN: u32 = 1u;
const ROWS_PLACED: u32 = 2u;

fn choose_rows(first: u32, how: u32) {
    if local < 4u * QUADS {
        let sample = min(first + local, params.batch - 1u);
        let in_order = sample + select(0u, params.rows, how == ROWS_PLACED);
        rows[local] = select(in_order, pick(choices(sample).x, params.rows), how == ROWS_DRAWN);
    }
    workgroupBarrier();
}

// Coordinate n of the four rows of a column quad.
fn data_row(quad: u32, n: u32) -> vec4<f32> {
    return vec4<f32>(
        data[rows[4u * quad] * params.dim + n], data[rows[4u * quad + 1u] * params.dim + n],
        data[rows[4u * quad + 2u] * params.dim + n], data[rows[4u * quad + 3u] * params.dim + n]);
}
