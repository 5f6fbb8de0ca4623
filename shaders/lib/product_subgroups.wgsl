// The product of a layer's weights with the columns of a tile, for a software driver with subgroups of 8 lanes, invocation i of a
// workgroup being lane i % 8.
//
// Such a driver runs the subgroups one after another, passes over those that have nothing to do, and loads every lane by itself,
// which takes it longer than a dozen multiply-adds. So an invocation has 4 neurons x 16 columns, the lanes of a subgroup have the
// same columns, each loads some of them for all, and invocations that are left over rest. Nothing is staged and nothing waits:
// blocks that are read have been written before the last sync().
// Reference: src/engine/cpu/block.rs. In place of lib/product.wgsl. Needs: lib/tile.wgsl, `weights`, `scratch`.

const_assert QUADS >= 4u;

// Column quads of an invocation.
const COLUMN_QUADS: u32 = 4u;
const STAGE: u32 = WORKGROUP;

// The lanes of a subgroup.
const SUBGROUP: u32 = 8u;

// The logarithm of how many lanes have neuron quads of a layer: the least power of two that holds its width, a subgroup at
// least, at most those that there are for four column quads. A function of uniform values alone.
fn lane_bits(width: u32) -> u32 {
    let bits = select(32u - countLeadingZeros(width - 1u), 0u, width == 1u);
    return min(max(bits, firstTrailingBit(SUBGROUP)), firstTrailingBit(COLUMN_QUADS * ROWS));
}

// Does an invocation own column quad `half` of its product? Of all or none, unlike where sums are split.
fn owns(share: Share, bits: u32, half: u32) -> bool {
    return share.part == 0u;
}

// What an invocation has of a product: four neurons in four column quads.
struct Product {
    a: Block,
    b: Block,
    c: Block,
    d: Block,
}

// The turns of the loop over a product's rows: not known, since code takes longer to read than to run.
fn row_turns(count: u32) -> u32 {
    return opaque(count);
}

// Row i of a product in one of its column quads.
fn product_row(v: Product, half: u32, i: u32) -> vec4<f32> {
    return row_of(Block(row_of(v.a, i), row_of(v.b, i), row_of(v.c, i), row_of(v.d, i)), half);
}

// Four neurons (quad `neuron`) in column quads 4 g to 4 g + 3 of M X, with M [count][width] at `matrix` in `weights`
// (transposed: sums run over its rows) and X the QUADS column quads of the block at `x` in `scratch`; `count`, its width, is a
// multiple of 4. Of four rows lane i % 4 + 4 k loads row i in column quads k and 2 + k.
fn product(matrix: u32, count: u32, width: u32, x: u32, neuron: u32, share: Share, bits: u32) -> Product {
    let zero = vec4<f32>(0.0);
    var a = Block(zero, zero, zero, zero);
    var b = a;
    var c = a;
    var d = a;
    let lane = matrix + min(neuron, width - 1u);
    let column = x + (4u * share.group + local / 4u % 2u) * count + row_place(local % 4u, count);
    // a condition around the loop: without it those that rest would go through it once
    if share.part == 0u {
        for (var r = 0u; r < count; r += 4u) {
            let m = lane + r * width;
            let near = scratch[column + r / 4u];
            let far = scratch[column + 2u * count + r / 4u];
            var w = weights[m];
            a = grown(a, w, subgroupBroadcast(near, 0u));
            b = grown(b, w, subgroupBroadcast(near, 4u));
            c = grown(c, w, subgroupBroadcast(far, 0u));
            d = grown(d, w, subgroupBroadcast(far, 4u));
            w = weights[m + width];
            a = grown(a, w, subgroupBroadcast(near, 1u));
            b = grown(b, w, subgroupBroadcast(near, 5u));
            c = grown(c, w, subgroupBroadcast(far, 1u));
            d = grown(d, w, subgroupBroadcast(far, 5u));
            w = weights[m + 2u * width];
            a = grown(a, w, subgroupBroadcast(near, 2u));
            b = grown(b, w, subgroupBroadcast(near, 6u));
            c = grown(c, w, subgroupBroadcast(far, 2u));
            d = grown(d, w, subgroupBroadcast(far, 6u));
            w = weights[m + 3u * width];
            a = grown(a, w, subgroupBroadcast(near, 3u));
            b = grown(b, w, subgroupBroadcast(near, 7u));
            c = grown(c, w, subgroupBroadcast(far, 3u));
            d = grown(d, w, subgroupBroadcast(far, 7u));
        }
    }
    return Product(a, b, c, d);
}
