// The product of a layer's weights with the columns of a tile.
//
// An invocation has 4 neurons x 8 columns: twice as many multiply-adds for each weight that it loads as 4 x 4 would give. Where
// a layer has fewer neurons than that takes, it has one part of the sum; parts are added in a fixed order, after which it owns
// 4 x 4. OWNED is the most column quads that one owns: 1, where what follows needs the registers, makes it two parts at least.
// Neighbouring lanes have neighbouring neuron quads, so weights are read coalesced from [inputs][outputs] order, and so are
// rows of blocks written and read; columns are staged through workgroup memory and read as broadcasts.
// Reference: src/engine/cpu/block.rs. Needs: lib/tile.wgsl, OWNED, `weights`, `scratch`.

// Column quads of an invocation.
const COLUMN_QUADS: u32 = 2u;
// Rows of a block that are staged at a time, a multiple of ROWS: two an invocation, in small workgroups 4 KiB.
const STAGED: u32 = max(2u * ROWS, 256u / QUADS);
// One more row than needed keeps the columns out of each other's memory banks.
const STAGE_STRIDE: u32 = STAGED + 1u;
const STAGE: u32 = QUADS * STAGE_STRIDE;

// The logarithm of how many lanes have neuron quads of a layer: the least power of two that holds its width, at most OWNED
// ROWS. What is left of the workgroup splits sums. A function of uniform values alone, since barriers depend on it.
fn lane_bits(width: u32) -> u32 {
    let bits = select(32u - countLeadingZeros(width - 1u), 0u, width == 1u);
    return min(bits, firstTrailingBit(OWNED * ROWS));
}

// Rows that a part of a sum takes at least: exchanging the parts costs as much.
const FEWEST_ROWS: u32 = 16u;

// Parts of a sum, and whether there are several (which a compiler should know of OWNED = 1): uniform, as lane_bits is.
fn parts_for(bits: u32) -> u32 {
    return (2u * ROWS) >> bits;
}

fn is_split(bits: u32) -> bool {
    return OWNED == 1u || parts_for(bits) > 1u;
}

// Does an invocation own half 0 or 1, a column quad, of its product once the parts of the sum are added?
fn owns(share: Share, bits: u32, half: u32) -> bool {
    return !is_split(bits) || share.part == half;
}

// What an invocation has of a product: four neurons in two column quads.
struct Product {
    near: Block,
    far: Block,
}

// The turns of the loop over a product's rows: known, so that it may be unrolled.
fn row_turns(count: u32) -> u32 {
    return count;
}

// Row i of a product in one of its column quads.
fn product_row(v: Product, half: u32, i: u32) -> vec4<f32> {
    return select(row_of(v.near, i), row_of(v.far, i), half == 1u);
}

// Adds what the parts of a sum have, as many rows at a time as there is room for: part 0 gets the first column quad of its
// pair, part 1 the second, in both places.
fn join(own: Product, share: Share, bits: u32, parts: u32) -> Product {
    let zero = vec4<f32>(0.0);
    var sums = Block(zero, zero, zero, zero);
    let apart = (QUADS / 2u) << bits;
    let working = apart * parts;
    let rows = min(4u, WORKGROUP / working);
    for (var first = 0u; first < opaque(4u); first += rows) {
        let end = min(first + rows, 4u);
        workgroupBarrier();
        if share.part < parts {
            for (var i = first; i < end; i++) {
                let at = 2u * (i - first) * working + local;
                stage[at] = row_of(own.near, i);
                stage[at + working] = row_of(own.far, i);
            }
        }
        workgroupBarrier();
        if share.part < 2u {
            for (var i = first; i < end; i++) {
                let at = (2u * (i - first) + share.part) * working;
                var sum = zero;
                for (var other = local & (apart - 1u); other < working; other += apart) {
                    sum += stage[at + other];
                }
                sums = Block(
                    select(sums.a, sum, i == 0u), select(sums.b, sum, i == 1u),
                    select(sums.c, sum, i == 2u), select(sums.d, sum, i == 3u));
            }
        }
    }
    return Product(sums, sums);
}

// Four neurons (quad `neuron`) in column quads 2 g and 2 g + 1 of M X, with M [count][width] at `matrix` in `weights`
// (transposed: sums run over its rows) and X the QUADS column quads of the block at `x` in `scratch`; `count`, its width, is a
// multiple of 4. Where sums are split, the half that is owned stands in both; short ones each part has to itself.
fn product(matrix: u32, count: u32, width: u32, x: u32, neuron: u32, share: Share, bits: u32) -> Product {
    let zero = vec4<f32>(0.0);
    var near = Block(zero, zero, zero, zero);
    var far = near;
    // a power of two, so that how many rows are staged at a time changes no sum
    let parts = 1u << firstLeadingBit(clamp(count / FEWEST_ROWS, 1u, min(parts_for(bits), STAGED / 4u)));
    let alone = parts == 1u;
    let start = select(4u * share.part, 0u, alone);
    let step = 4u * parts;
    let lane = matrix + min(neuron, width - 1u);
    let row = local % ROWS;
    let quad = local / ROWS;
    let column = 2u * share.group * STAGE_STRIDE;
    for (var first = 0u; first < count; first += STAGED) {
        let rows = min(STAGED, count - first);
        let end = select(0u, rows, alone || share.part < parts);
        let from_row = x + quad * count;
        // a row of weights is loaded anew once it has been used: it is on its way while the others are summed, and at the start
        // while columns are staged
        var m = lane + (first + min(start, rows - 4u)) * width;
        var w = Block(weights[m], weights[m + width], weights[m + 2u * width], weights[m + 3u * width]);
        workgroupBarrier();
        for (var r = row; r < STAGED; r += ROWS) {
            stage[quad * STAGE_STRIDE + r] = scratch[from_row + row_place(min(first + r, count - 1u), count)];
        }
        workgroupBarrier();
        // four rows in a turn: what a turn costs beside its sums is paid once
        for (var r = start; r < end; r += step) {
            m = lane + (first + min(r + step, rows - 4u)) * width;
            let s = column + r;
            near = grown(near, w.a, stage[s]);
            far = grown(far, w.a, stage[s + STAGE_STRIDE]);
            w.a = weights[m];
            near = grown(near, w.b, stage[s + 1u]);
            far = grown(far, w.b, stage[s + STAGE_STRIDE + 1u]);
            w.b = weights[m + width];
            near = grown(near, w.c, stage[s + 2u]);
            far = grown(far, w.c, stage[s + STAGE_STRIDE + 2u]);
            w.c = weights[m + 2u * width];
            near = grown(near, w.d, stage[s + 3u]);
            far = grown(far, w.d, stage[s + STAGE_STRIDE + 3u]);
            w.d = weights[m + 3u * width];
        }
    }
    if !alone {
        return join(Product(near, far), share, bits, parts);
    }
    if OWNED == 1u {
        let second = share.part == 1u;
        let half = Block(
            select(near.a, far.a, second), select(near.b, far.b, second),
            select(near.c, far.c, second), select(near.d, far.d, second));
        return Product(half, half);
    }
    return Product(near, far);
}
