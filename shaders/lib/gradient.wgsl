// The parameter gradient of a tile, added to the workgroup's own slab:
//
//     dW += R a^T + sum_k Q_k da_k^T + P c^T,   db += R
//
// A slab is laid out as the weights are: [4 output][input] vec4 for each W, [output] vec4 for each bias. An invocation
// owns 4 outputs x 4 inputs and sums over all columns. Slabs are summed later, in a fixed order.
// Reference: src/engine/cpu/tile.rs (add_gradient). Needs: lib/jet.wgsl, `slabs`.

fn slab_store(at: u32, value: vec4<f32>, accumulate: bool) {
    if accumulate {
        slabs[at] += value;
    } else {
        slabs[at] = value;
    }
}

// Four dot products: one output with four inputs, in four columns.
fn dots(r: vec4<f32>, a: Block) -> vec4<f32> {
    return vec4<f32>(dot(r, a.a), dot(r, a.b), dot(r, a.c), dot(r, a.d));
}

fn add_gradient(slab: u32, accumulate: bool) {
    for (var l = 0u; l < opaque(LAYERS); l++) {
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
            for (var quad = 0u; quad < opaque(CHANNELS * QUADS); quad++) {
                let x = forward + quad * 4u * layer.input + 4u * i;
                let y = outgoing + quad * 4u * layer.output + 4u * o;
                let f = Block(scratch[x], scratch[x + 1u], scratch[x + 2u], scratch[x + 3u]);
                a += dots(scratch[y], f);
                b += dots(scratch[y + 1u], f);
                c += dots(scratch[y + 2u], f);
                d += dots(scratch[y + 3u], f);
            }
            // padding holds whatever it holds: it must not reach the gradient
            let inputs = present(i, layer.inputs);
            let outputs = present(o, layer.outputs);
            let zero = vec4<f32>(0.0);
            let keep = inputs > zero;
            let at = slab + layer.weight + 4u * o * layer.input + i;
            slab_store(at, select(zero, a, keep), accumulate);
            slab_store(at + layer.input, select(zero, b, keep & vec4<bool>(outputs.y > 0.0)), accumulate);
            slab_store(at + 2u * layer.input, select(zero, c, keep & vec4<bool>(outputs.z > 0.0)), accumulate);
            slab_store(at + 3u * layer.input, select(zero, d, keep & vec4<bool>(outputs.w > 0.0)), accumulate);
        }
        for (var o = local; o < layer.output; o += WORKGROUP) {
            var sum = vec4<f32>(0.0);
            for (var quad = 0u; quad < opaque(QUADS); quad++) {
                let y = outgoing + quad * 4u * layer.output + 4u * o;
                let one = vec4<f32>(1.0);
                sum += vec4<f32>(
                    dot(scratch[y], one), dot(scratch[y + 1u], one), dot(scratch[y + 2u], one), dot(scratch[y + 3u], one));
            }
            let keep = present(o, layer.outputs) > vec4<f32>(0.0);
            let at = slab + layer.weight + 4u * layer.output * layer.input + o;
            slab_store(at, select(vec4<f32>(0.0), sum, keep), accumulate);
        }
    }
}
