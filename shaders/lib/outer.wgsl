// The weights' part of the gradient of a tile: sums of outer products of its columns. An invocation owns 4 outputs x 4 inputs and
// sums over all columns.
// Reference: src/engine/cpu/tile.rs (add_weights). Needs: lib/gradient.wgsl.

// Adds the weights' part of channels `first` up to `last`, from layer `bottom` on.
fn add_weights(slab: u32, first: u32, last: u32, bottom: u32) {
    for (var l = bottom; l < opaque(LAYERS); l++) {
        let layer = net[l];
        let forward = region + layer.forward;
        let outgoing = region + layer.outgoing;
        for (var item = local; item < layer.output * layer.input; item += WORKGROUP) {
            let o = item / layer.input;
            let i = item % layer.input;
            var a = vec4<f32>(0.0);
            var b = vec4<f32>(0.0);
            var c = vec4<f32>(0.0);
            var d = vec4<f32>(0.0);
            for (var quad = first * QUADS; quad < last * QUADS; quad++) {
                let x = forward + quad * 4u * layer.input + i;
                let y = outgoing + quad * 4u * layer.output + o;
                let f = Block(
                    scratch[x], scratch[x + layer.input], scratch[x + 2u * layer.input], scratch[x + 3u * layer.input]);
                a += dots(scratch[y], f);
                b += dots(scratch[y + layer.output], f);
                c += dots(scratch[y + 2u * layer.output], f);
                d += dots(scratch[y + 3u * layer.output], f);
            }
            add_block(slab, layer, o, i, Block(a, b, c, d));
        }
    }
}
