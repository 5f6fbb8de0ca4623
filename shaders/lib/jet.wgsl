// The two passes of collapsed Taylor mode over a tile: forward, and back through it.
//
// A sample has CHANNELS columns: the value a, TANGENTS tangents da_k, and, if any tangent is curved, one second-order
// channel c. In a block the channels follow one another, QUADS column quads each. Per layer, with z = W a + b,
// dz_k = W da_k, y = W c:
//
//     forward   a <- phi(z),  da_k <- phi' dz_k,  c <- phi'' sum_k dz_k^2 + phi' y
//     reverse   P = p phi',  Q_k = q_k phi' + 2 p phi'' dz_k,
//               R = r phi' + sum_k q_k phi'' dz_k + p (phi''' sum_k dz_k^2 + phi'' y),
//               then r, q_k, p <- W^T (R, Q_k, P)
//
// where sums of squares and the term 2 p phi'' dz run over the first CURVED tangents only. Without curvature, what an
// invocation needs for one channel it has computed itself for another (q_k does not depend on r), so nothing waits between
// a product and what follows from it.
// Reference: src/engine/cpu/tile.rs. Needs: lib/tile.wgsl, an activation, LAYERS, TANGENTS, CURVED, ORDER.

const SECOND: u32 = TANGENTS + 1u;
const CHANNELS: u32 = 1u + TANGENTS + select(0u, 1u, CURVED > 0u);
const_assert CURVED <= TANGENTS;
const_assert ORDER <= 3u;

// phi', phi'' or phi''' (order 1 to 3) of neuron n of a layer in column quad s of the value.
fn derivative(layer: Layer, order: u32, n: u32, s: u32) -> vec4<f32> {
    return scratch[region + layer.derivative + ((order - 1u) * QUADS + s) * 4u * layer.output + n];
}

fn pre(layer: Layer, n: u32, channel: u32, s: u32) -> vec4<f32> {
    return scratch[region + layer.pre + (channel * QUADS + s) * 4u * layer.output + n];
}

// The adjoint of what layer + 1 takes in, which is what this layer gives out.
fn incoming(layer: Layer, next: Layer, n: u32, channel: u32, s: u32) -> vec4<f32> {
    return scratch[region + next.adjoint + (channel * QUADS + s) * 4u * layer.output + n];
}

fn activate(layer: Layer, next: Layer, n: u32, s: u32, z: vec4<f32>) {
    let f = phi(z);
    let width = 4u * layer.output;
    scratch[region + next.forward + s * width + n] = f.value;
    let at = region + layer.derivative + s * width + n;
    if ORDER >= 1u {
        scratch[at] = f.first;
    }
    if ORDER >= 2u {
        scratch[at + QUADS * width] = f.second;
    }
    if ORDER >= 3u {
        scratch[at + 2u * QUADS * width] = f.third;
    }
}

// What a tangent or the second-order channel gives out, from the stored z of all channels.
fn push(layer: Layer, next: Layer, n: u32, channel: u32, s: u32) {
    var out = derivative(layer, 1u, n, s) * pre(layer, n, channel, s);
    if CURVED > 0u && channel == SECOND {
        var squares = vec4<f32>(0.0);
        for (var k = 1u; k <= CURVED; k++) {
            let z = pre(layer, n, k, s);
            squares = fma(z, z, squares);
        }
        out = fma(derivative(layer, 2u, n, s), squares, out);
    }
    scratch[region + next.forward + (channel * QUADS + s) * 4u * layer.output + n] = out;
}

// The adjoint of z in one channel, from the stored adjoints of all channels.
fn pull(layer: Layer, next: Layer, n: u32, channel: u32, s: u32) {
    var out = incoming(layer, next, n, channel, s) * derivative(layer, 1u, n, s);
    if TANGENTS > 0u && channel == 0u {
        let second = derivative(layer, 2u, n, s);
        var sum = vec4<f32>(0.0);
        for (var k = 1u; k <= TANGENTS; k++) {
            sum = fma(incoming(layer, next, n, k, s), pre(layer, n, k, s), sum);
        }
        if CURVED > 0u {
            let p = incoming(layer, next, n, SECOND, s);
            var squares = vec4<f32>(0.0);
            for (var k = 1u; k <= CURVED; k++) {
                let z = pre(layer, n, k, s);
                squares = fma(z, z, squares);
            }
            sum = fma(p, pre(layer, n, SECOND, s), sum);
            out = fma(p * derivative(layer, 3u, n, s), squares, out);
        }
        out = fma(second, sum, out);
    }
    if CURVED > 0u && channel >= 1u && channel <= CURVED {
        let p = incoming(layer, next, n, SECOND, s);
        out = fma(2.0 * p * derivative(layer, 2u, n, s), pre(layer, n, channel, s), out);
    }
    scratch[region + layer.outgoing + (channel * QUADS + s) * 4u * layer.output + n] = out;
}

// The output of the network in one channel: four columns of column quad local / ROWS, right where local % ROWS == 0.
fn output(channel: u32) -> vec4<f32> {
    let layer = net[LAYERS - 1u];
    let x = region + layer.forward + (channel * QUADS + local / ROWS) * 4u * layer.input;
    var sum = vec4<f32>(0.0);
    for (var n = local % ROWS; n < layer.inputs; n += ROWS) {
        sum = fma(vec4<f32>(weights[layer.weight + n / 4u][n % 4u]), scratch[x + n], sum);
    }
    let bias = weights[layer.weight + 4u * layer.output * layer.input].x;
    return column_sum(sum) + select(0.0, bias, channel == 0u);
}

// Sets the derivative of the loss by the output of the network in one channel, for column quad s.
fn seed_reverse(channel: u32, s: u32, value: vec4<f32>) {
    let layer = net[LAYERS - 1u];
    scratch[region + layer.outgoing + (channel * QUADS + s) * 4u * layer.output] = value;
}

// What follows from one row of a product of the forward pass, z (without its bias).
fn store_forward(l: u32, n: u32, channel: u32, s: u32, z: vec4<f32>) {
    let layer = net[l];
    let next = net[l + 1u];
    if channel == 0u {
        let bias = weights[layer.weight + 4u * layer.output * layer.input + n / 4u][n % 4u];
        activate(layer, next, n, s, z + bias);
    } else {
        scratch[region + layer.pre + (channel * QUADS + s) * 4u * layer.output + n] = z;
        if CURVED == 0u {
            push(layer, next, n, channel, s);
        }
    }
}

// What follows from one row of a product of the reverse pass, the adjoint of what enters the layer.
fn store_reverse(l: u32, n: u32, channel: u32, s: u32, value: vec4<f32>) {
    let layer = net[l];
    scratch[region + layer.adjoint + (channel * QUADS + s) * 4u * layer.input + n] = value;
    if CURVED == 0u && l > 0u {
        pull(net[l - 1u], layer, n, channel, s);
    }
}

// With curvature, channels depend on each other: what they give out is computed when all their products are there.
fn finish_curved(l: u32, backward: bool) {
    let width = 4u * select(net[l].output, net[l].input, backward);
    for (var item = local; item < CHANNELS * QUADS * width; item += WORKGROUP) {
        let channel = item / width / QUADS;
        let s = item / width % QUADS;
        if backward {
            if l > 0u {
                pull(net[l - 1u], net[l], item % width, channel, s);
            }
        } else if channel > 0u {
            push(net[l], net[l + 1u], item % width, channel, s);
        }
    }
    sync();
}

// One pass over the layers for channels `first` up to `last`: forward through the hidden layers, or backward through all
// of them down to layer `bottom` (0 leaves the adjoint of the input, 1 stops at the adjoint of the first layer's z).
// Both directions share one product, since compilers inline it.
fn sweep(backward: bool, first: u32, last: u32, bottom: u32) {
    let steps = opaque(select(LAYERS - 1u, LAYERS - bottom, backward));
    for (var i = 0u; i < steps; i++) {
        let l = select(i, LAYERS - 1u - i, backward);
        let layer = net[l];
        let matrix = select(layer.transposed, layer.weight, backward);
        let count = select(layer.inputs, layer.outputs, backward);
        let width = select(layer.output, layer.input, backward);
        let x_width = 4u * select(layer.input, layer.output, backward);
        let origin = region + select(layer.forward, layer.outgoing, backward);
        let lanes = lanes_for(width);
        let share = share_of(lanes);
        for (var turn = first; turn < last; turn++) {
            // forward, tangents need the value's derivatives; backward, the value needs the tangents' adjoints
            let channel = select(turn, first + last - 1u - turn, backward);
            for (var block = 0u; block < width; block += lanes) {
                let quad = block + share.neuron;
                let v = product(matrix, count, width, origin + channel * QUADS * x_width, x_width, quad, share, lanes);
                if share.part == 0u && quad < width {
                    for (var r = 0u; r < 4u; r++) {
                        if backward {
                            store_reverse(l, 4u * quad + r, channel, share.column, row_of(v, r));
                        } else {
                            store_forward(l, 4u * quad + r, channel, share.column, row_of(v, r));
                        }
                    }
                }
            }
        }
        sync();
        if CURVED > 0u {
            finish_curved(l, backward);
        }
    }
}
