// A tile: some columns carried through the network by one workgroup.
//
// A column is one channel of one sample. Columns go in fours, so that a vec4 holds one neuron in four columns, and a
// block of `width` neurons (a multiple of 4) lies in `scratch` as [column quads][4][width / 4]: neuron 4 q + r at [r][q]. Each
// workgroup has a region of its own in `scratch`; `region` is where it begins. (Spare blocks, which no product takes, lie as
// [column quads][width].)
// Reference: src/engine/cpu/block.rs. Needs: lib/layer.wgsl, WORKGROUP, QUADS, `net`, and STAGE and COLUMN_QUADS of
// lib/product.wgsl or what takes its place.

const_assert WORKGROUP % QUADS == 0u;
const_assert QUADS >= 2u && 0u == (QUADS & (QUADS - 1u));
const_assert STAGE >= WORKGROUP;

// Invocations of a column quad.
const ROWS: u32 = WORKGROUP / QUADS;

var<workgroup> stage: array<vec4<f32>, STAGE>;
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

// The workgroup of a tile, tile mod groups, without a division: software drivers compute anew, after every barrier and wherever
// it is used, what is made by arithmetic alone, and divisions take them longest. As many turns as the workgroup has had tiles.
fn owner_of(tile: u32, groups: u32) -> u32 {
    var owner = tile;
    while owner >= groups {
        owner -= groups;
    }
    return owner;
}

// Where neuron n lies in a row of a block of so many.
fn row_place(n: u32, width: u32) -> u32 {
    return n % 4u * (width / 4u) + n / 4u;
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

// What one row more adds to a block: four weights times four columns.
fn grown(block: Block, w: vec4<f32>, v: vec4<f32>) -> Block {
    return Block(
        fma(vec4<f32>(w.x), v, block.a), fma(vec4<f32>(w.y), v, block.b),
        fma(vec4<f32>(w.z), v, block.c), fma(vec4<f32>(w.w), v, block.d));
}

// What an invocation has of a product: a neuron quad of the block of lanes, the group of COLUMN_QUADS column quads,
// a part of the sum.
struct Share {
    neuron: u32,
    group: u32,
    part: u32,
}

fn share_of(bits: u32) -> Share {
    let rest = local >> bits;
    return Share(
        local & ((1u << bits) - 1u), rest % (QUADS / COLUMN_QUADS), rest / (QUADS / COLUMN_QUADS));
}

// The sum of so many places of `stage`, so far apart.
fn stage_sum(first: u32, apart: u32, count: u32) -> vec4<f32> {
    var sum = vec4<f32>(0.0);
    for (var i = 0u; i < opaque(count); i++) {
        sum += stage[first + i * apart];
    }
    return sum;
}

// The sum over the ROWS invocations with the same column quad (local / ROWS), for each of them.
fn column_sum(value: vec4<f32>) -> vec4<f32> {
    workgroupBarrier();
    stage[local] = value;
    workgroupBarrier();
    // of many, eight invocations add up every eighth first
    let many = ROWS > 16u;
    if many {
        if local % ROWS < 8u {
            stage[local] = stage_sum(local, 8u, ROWS / 8u);
        }
        workgroupBarrier();
    }
    return stage_sum(local - local % ROWS, 1u, select(ROWS, 8u, many));
}

// 1 for those of four neurons that there are, 0 for padding.
fn present(quad: u32, width: u32) -> vec4<f32> {
    return select(vec4<f32>(0.0), vec4<f32>(1.0), vec4<u32>(4u * quad) + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(width));
}
