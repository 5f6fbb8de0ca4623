// A tile: some columns carried through the network by one workgroup, and the products of a layer with them.
//
// A column is one channel of one sample. Columns go in fours, so that a vec4 holds one neuron in four columns, and a
// block of `width` neurons (a multiple of 4) lies in `scratch` as [column quads][width]. Each workgroup has a region of
// its own in `scratch`; `region` is where it begins.
//
// An invocation owns 4 neurons x 4 columns. Neighbouring lanes own neighbouring neurons, so weights are read coalesced
// from [inputs][outputs] order; columns are staged through workgroup memory and read as broadcasts. Where a layer has
// fewer neurons than lanes, the lanes left over split the sum, and the parts are added in a fixed order.
// Reference: src/engine/cpu/block.rs. Needs: lib/layer.wgsl, WORKGROUP, QUADS, `net`, `weights`, `scratch`.

const_assert WORKGROUP % QUADS == 0u;
const_assert 0u == (QUADS & (QUADS - 1u));

// Rows of a block that are staged at a time.
const ROWS: u32 = WORKGROUP / QUADS;
// One more row than needed keeps the columns out of each other's memory banks.
const STAGE_STRIDE: u32 = ROWS + 1u;

var<workgroup> stage: array<vec4<f32>, QUADS * STAGE_STRIDE>;
var<private> local: u32;
var<private> region: u32;

// Makes what the workgroup has written to storage visible to all of it.
fn sync() {
    storageBarrier();
}

// The same number, in a way that no compiler knows when it compiles: a loop with barriers inside must not be unrolled,
// since every copy of a barrier costs (software drivers cut the kernel in two at each).
fn opaque(count: u32) -> u32 {
    return select(0u, count, net[0].inputs > 0u);
}

// Lanes that own neuron quads of a layer: the least power of two that holds its width, at most ROWS. What is left of
// ROWS splits sums. A function of uniform values alone, since barriers depend on it.
fn lanes_for(width: u32) -> u32 {
    let bits = select(32u - countLeadingZeros(width - 1u), 0u, width == 1u);
    return min(1u << bits, ROWS);
}

// What an invocation owns of a product: a neuron quad of the block of lanes, a column quad, a part of the sum.
struct Share {
    neuron: u32,
    column: u32,
    part: u32,
}

fn share_of(lanes: u32) -> Share {
    let rest = local / lanes;
    return Share(local % lanes, rest % QUADS, rest / QUADS);
}

// Four neurons in four columns, a row for each neuron.
struct Block {
    a: vec4<f32>,
    b: vec4<f32>,
    c: vec4<f32>,
    d: vec4<f32>,
}

fn row_of(block: Block, i: u32) -> vec4<f32> {
    return select(select(block.a, block.b, i == 1u), select(block.c, block.d, i == 3u), i >= 2u);
}

// Adds what the parts of a split sum have, a row at a time; the result is right in part 0.
fn join(block: Block, share: Share, lanes: u32) -> Block {
    var sums = block;
    for (var i = 0u; i < opaque(4u); i++) {
        var sum = row_of(block, i);
        workgroupBarrier();
        stage[local] = sum;
        workgroupBarrier();
        if share.part == 0u {
            for (var other = local + lanes * QUADS; other < WORKGROUP; other += lanes * QUADS) {
                sum += stage[other];
            }
        }
        sums = Block(
            select(sums.a, sum, i == 0u), select(sums.b, sum, i == 1u),
            select(sums.c, sum, i == 2u), select(sums.d, sum, i == 3u));
    }
    return sums;
}

// The block at neuron quad `neuron` of M X, with M [count][width] at `matrix` in `weights` (transposed: sums run over its
// rows) and X the QUADS column quads at `x` in `scratch`, [column quads][x_width].
fn product(
    matrix: u32, count: u32, width: u32, x: u32, x_width: u32, neuron: u32, share: Share, lanes: u32,
) -> Block {
    var a = vec4<f32>(0.0);
    var b = vec4<f32>(0.0);
    var c = vec4<f32>(0.0);
    var d = vec4<f32>(0.0);
    let parts = ROWS / lanes;
    let lane = matrix + min(neuron, width - 1u);
    let row = local % ROWS;
    let quad = local / ROWS;
    for (var first = 0u; first < count; first += ROWS) {
        let rows = min(ROWS, count - first);
        workgroupBarrier();
        stage[quad * STAGE_STRIDE + row] = scratch[x + quad * x_width + min(first + row, x_width - 1u)];
        workgroupBarrier();
        for (var r = share.part; r < rows; r += parts) {
            let w = weights[lane + (first + r) * width];
            let v = stage[share.column * STAGE_STRIDE + r];
            a = fma(vec4<f32>(w.x), v, a);
            b = fma(vec4<f32>(w.y), v, b);
            c = fma(vec4<f32>(w.z), v, c);
            d = fma(vec4<f32>(w.w), v, d);
        }
    }
    var sums = Block(a, b, c, d);
    if parts > 1u {
        sums = join(sums, share, lanes);
    }
    return sums;
}

// The sum over the ROWS invocations with the same column quad (local / ROWS); right in those with local % ROWS == 0.
fn column_sum(value: vec4<f32>) -> vec4<f32> {
    workgroupBarrier();
    stage[local] = value;
    workgroupBarrier();
    var sum = vec4<f32>(0.0);
    if local % ROWS == 0u {
        for (var r = 0u; r < opaque(ROWS); r++) {
            sum += stage[local + r];
        }
    }
    return sum;
}

// 1 for those of four neurons that there are, 0 for padding.
fn present(quad: u32, width: u32) -> vec4<f32> {
    return select(vec4<f32>(0.0), vec4<f32>(1.0), vec4<u32>(4u * quad) + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(width));
}
