// The weights' part of the gradient of a tile, for a software driver with subgroups of 8 lanes (lib/product_subgroups.wgsl says
// why): a subgroup has 16 outputs x 32 inputs, and sums over all columns; an invocation has all those outputs with its 4 inputs,
// and of them each lane loads two for all.
// Reference: src/engine/cpu/tile.rs (add_weights). In place of lib/outer.wgsl. Needs: lib/gradient.wgsl.

// Adds the weights' part of channels `first` up to `last`, from layer `bottom` on.
fn add_weights(slab: u32, first: u32, last: u32, bottom: u32) {
    for (var l = bottom; l < opaque(LAYERS); l++) {
        let layer = net[l];
        // 16 outputs x 32 inputs a subgroup
        let across = (layer.input + SUBGROUP - 1u) / SUBGROUP;
        let tasks = across * ((layer.output + 3u) / 4u);
        // a software driver goes through a loop once even if no lane does, but past a condition
        if local / SUBGROUP < tasks {
            for (var task = local / SUBGROUP; task < tasks; task += WORKGROUP / SUBGROUP) {
                let i = SUBGROUP * (task % across) + local % SUBGROUP;
                add_outputs(slab, layer, first * QUADS, last * QUADS, 4u * (task / across), i);
            }
        }
    }
}

// The same for output quads o to o + 3 and input quad i of a layer, over column quads `first` up to `last`.
fn add_outputs(slab: u32, layer: Layer, first: u32, last: u32, o: u32, i: u32) {
    let zero = vec4<f32>(0.0);
    var a = Block(zero, zero, zero, zero);
    var b = a;
    var c = a;
    var d = a;
    let row = region + layer.outgoing + local % 4u * layer.output;
    let near_quad = min(o + local / 4u % 2u, layer.output - 1u);
    let far_quad = min(o + 2u + local / 4u % 2u, layer.output - 1u);
    for (var quad = first; quad < last; quad++) {
        let y = row + quad * 4u * layer.output;
        let near = scratch[y + near_quad];
        let far = scratch[y + far_quad];
        let x = region + layer.forward + quad * 4u * layer.input + i;
        var f = Block(zero, zero, zero, zero);
        if i < layer.input {
            f = Block(scratch[x], scratch[x + layer.input], scratch[x + 2u * layer.input], scratch[x + 3u * layer.input]);
        }
        a.a += dots(subgroupBroadcast(near, 0u), f);
        a.b += dots(subgroupBroadcast(near, 1u), f);
        a.c += dots(subgroupBroadcast(near, 2u), f);
        a.d += dots(subgroupBroadcast(near, 3u), f);
        b.a += dots(subgroupBroadcast(near, 4u), f);
        b.b += dots(subgroupBroadcast(near, 5u), f);
        b.c += dots(subgroupBroadcast(near, 6u), f);
        b.d += dots(subgroupBroadcast(near, 7u), f);
        c.a += dots(subgroupBroadcast(far, 0u), f);
        c.b += dots(subgroupBroadcast(far, 1u), f);
        c.c += dots(subgroupBroadcast(far, 2u), f);
        c.d += dots(subgroupBroadcast(far, 3u), f);
        d.a += dots(subgroupBroadcast(far, 4u), f);
        d.b += dots(subgroupBroadcast(far, 5u), f);
        d.c += dots(subgroupBroadcast(far, 6u), f);
        d.d += dots(subgroupBroadcast(far, 7u), f);
    }
    for (var k = 0u; k < opaque(4u); k++) {
        if i < layer.input && o + k < layer.output {
            add_block(slab, layer, o + k, i, Block(
                row_of(Block(a.a, b.a, c.a, d.a), k), row_of(Block(a.b, b.b, c.b, d.b), k),
                row_of(Block(a.c, b.c, c.c, d.c), k), row_of(Block(a.d, b.d, c.d, d.d), k)));
        }
    }
}
