// The parameter gradient of a tile, added to the workgroup's own slab:
//
//     dW += R a^T + Q da^T + beta phi' h^T,   db += R
//
// some channels at a time. A slab is laid out as the weights are: [4 output][input] vec4 for each W, [output] vec4 for each
// bias. Slabs are summed later, in a fixed order. What is of the weights is in lib/outer.wgsl.
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

// Adds the part of values `first` up to `last` of four biases.
fn add_bias(slab: u32, layer: Layer, o: u32, first: u32, last: u32) {
    var sum = vec4<f32>(0.0);
    for (var channel = first; channel < last; channel++) {
        sum += row_sums(place(layer.outgoing, 4u * layer.output, 4u * o, channel, 0u), 4u * layer.output);
    }
    let keep = present(o, layer.outputs) > vec4<f32>(0.0);
    slabs[slab + layer.weight + 4u * layer.output * layer.input + o] += select(vec4<f32>(0.0), sum, keep);
}

// Adds the biases' part of values `first` up to `last`.
fn add_biases(slab: u32, first: u32, last: u32) {
    for (var l = 0u; l < opaque(LAYERS); l++) {
        let layer = net[l];
        // a software driver goes through a loop once even if no lane does, but past a condition
        if local < layer.output {
            for (var o = local; o < layer.output; o += WORKGROUP) {
                add_bias(slab, layer, o, first, last);
            }
        }
    }
}
