// A pass over the layers of a network for some channels of a tile.
//
// A sample has CHANNELS columns. In a block the channels follow one another, QUADS column quads each. What becomes of the
// rows of a product is for `store_forward` and `store_reverse` of the kind of pass; what an invocation needs for one channel
// it has computed itself for another, so nothing waits between a product and what follows from it.
// Reference: src/engine/cpu/tile.rs. Needs: lib/tile.wgsl, lib/product.wgsl or what takes its place, lib/jet.wgsl or
// lib/odd_even.wgsl, LAYERS, VALUES, SECOND, TANGENTS, FIELD.

const CHANNELS: u32 = VALUES + SECOND + TANGENTS;

// Where neuron n of a block [channels][QUADS][4][width / 4] lies.
fn place(block: u32, width: u32, n: u32, channel: u32, s: u32) -> u32 {
    return region + block + (channel * QUADS + s) * width + row_place(n, width);
}

// phi', phi'' or phi''' (order 1 to 3) of neuron n of a layer at a value.
fn derivative(layer: Layer, order: u32, n: u32, channel: u32, s: u32) -> vec4<f32> {
    return scratch[place(layer.derivative, 4u * layer.output, n, (order - 1u) * VALUES + channel, s)];
}

fn pre(layer: Layer, n: u32, channel: u32, s: u32) -> vec4<f32> {
    return scratch[place(layer.pre, 4u * layer.output, n, channel, s)];
}

// What this invocation has of the energy in one channel, in four columns of column quad local / ROWS.
fn output_part(channel: u32) -> vec4<f32> {
    let layer = net[LAYERS - 1u];
    var sum = vec4<f32>(0.0);
    for (var n = local % ROWS; n < layer.inputs; n += ROWS) {
        sum = fma(vec4<f32>(weights[layer.weight + n / 4u][n % 4u]), scratch[place(layer.forward, 4u * layer.input, n, channel, local / ROWS)], sum);
    }
    if channel < BIASED && local % ROWS == 0u {
        sum += weights[layer.weight + 4u * layer.output * layer.input].x;
    }
    return sum;
}

// Sets the derivative of the loss by output n of the network in one channel, for column quad s.
fn seed_reverse(channel: u32, n: u32, s: u32, value: vec4<f32>) {
    let layer = net[LAYERS - 1u];
    scratch[place(layer.outgoing, 4u * layer.output, n, channel, s)] = value;
}

// One pass over the layers for channels `first` up to `last`: forward from layer `bottom` on (through the last only if it
// gives a field), or backward, the last channel first, down to layer `bottom` (0 leaves the adjoint of the input, 1 stops at
// the adjoint of the first layer's z). Both directions share one product, since compilers inline it.
fn sweep(backward: bool, first: u32, last: u32, bottom: u32) {
    let steps = opaque(select(LAYERS - 1u + FIELD, LAYERS, backward) - bottom);
    for (var i = 0u; i < steps; i++) {
        let l = select(bottom + i, LAYERS - 1u - i, backward);
        let layer = net[l];
        let matrix = select(layer.transposed, layer.weight, backward);
        let count = 4u * select(layer.input, layer.output, backward);
        let width = select(layer.output, layer.input, backward);
        let origin = region + select(layer.forward, layer.outgoing, backward);
        let bits = lane_bits(width);
        let share = share_of(bits);
        for (var turn = first; turn < last; turn++) {
            let channel = select(turn, first + last - 1u - turn, backward);
            for (var block = 0u; block < width; block += 1u << bits) {
                let quad = block + share.neuron;
                let v = product(matrix, count, width, origin + channel * QUADS * count, quad, share, bits);
                // read once for all rows: software drivers read it anew in every turn of a loop
                let here = net[l];
                let beyond = net[select(min(l + 1u, LAYERS - 1u), max(l, 1u) - 1u, backward)];
                // in a loop that stays one, so that what follows is there once
                for (var half = 0u; half < opaque(COLUMN_QUADS); half++) {
                    if owns(share, bits, half) && quad < width {
                        let column = COLUMN_QUADS * share.group + half;
                        for (var r = 0u; r < row_turns(4u); r++) {
                            let row = product_row(v, half, r);
                            if backward {
                                store_reverse(l, here, beyond, 4u * quad + r, channel, column, row);
                            } else {
                                store_forward(l, here, beyond, 4u * quad + r, channel, column, row);
                            }
                        }
                    }
                }
            }
        }
        sync();
    }
}
