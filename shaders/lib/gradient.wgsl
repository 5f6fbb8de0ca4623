// The parameter gradient of a tile, added to the workgroup's own slab:
//
//     dW += R a^T + Q da^T + beta phi' h^T,   db += R
//
// some channels at a time. A slab is laid out as the weights are: [4 output][input] vec4 for each W, [output] vec4 for each
// bias. An invocation owns 4 outputs x 4 inputs and sums over all columns. Slabs are summed later, in a fixed order.
// Reference: src/engine/cpu/tile.rs (add_weights). Needs: lib/jet.wgsl, `slabs`.

fn clear_slab(slab: u32, size: u32) {
    for (var i = local; i < size; i += WORKGROUP) {
        slabs[slab + i] = vec4<f32>(0.0);
    }
}

// Four dot products: one output with four inputs, in four columns.
fn dots(r: vec4<f32>, a: Block) -> vec4<f32> {
    return vec4<f32>(dot(r, a.a), dot(r, a.b), dot(r, a.c), dot(r, a.d));
}

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

// Adds four outputs x four inputs of a weight. Padding holds whatever it holds: it must not reach the gradient.
fn add_block(slab: u32, layer: Layer, o: u32, i: u32, sums: Block) {
    let outputs = present(o, layer.outputs);
    let zero = vec4<f32>(0.0);
    let keep = present(i, layer.inputs) > zero;
    let at = slab + layer.weight + 4u * o * layer.input + i;
    slabs[at] += select(zero, sums.a, keep);
    slabs[at + layer.input] += select(zero, sums.b, keep & vec4<bool>(outputs.y > 0.0));
    slabs[at + 2u * layer.input] += select(zero, sums.c, keep & vec4<bool>(outputs.z > 0.0));
    slabs[at + 3u * layer.input] += select(zero, sums.d, keep & vec4<bool>(outputs.w > 0.0));
}

// The sums of four neurons, of which the first lies at `y` in a block of `width`, over the column quads of a channel.
fn row_sums(y: u32, width: u32) -> vec4<f32> {
    let one = vec4<f32>(1.0);
    var sum = vec4<f32>(0.0);
    for (var quad = 0u; quad < opaque(QUADS); quad++) {
        let at = y + quad * width;
        sum += vec4<f32>(
            dot(scratch[at], one), dot(scratch[at + width / 4u], one),
            dot(scratch[at + width / 2u], one), dot(scratch[at + 3u * width / 4u], one));
    }
    return sum;
}

// Adds the biases' part of values `first` up to `last`.
fn add_biases(slab: u32, first: u32, last: u32) {
    for (var l = 0u; l < opaque(LAYERS); l++) {
        let layer = net[l];
        for (var o = local; o < layer.output; o += WORKGROUP) {
            var sum = vec4<f32>(0.0);
            for (var channel = first; channel < last; channel++) {
                sum += row_sums(place(layer.outgoing, 4u * layer.output, 4u * o, channel, 0u), 4u * layer.output);
            }
            let keep = present(o, layer.outputs) > vec4<f32>(0.0);
            slabs[slab + layer.weight + 4u * layer.output * layer.input + o] += select(vec4<f32>(0.0), sum, keep);
        }
    }
}
