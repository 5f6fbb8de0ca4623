// The two passes of collapsed Taylor mode over a tile: forward, and back through it, a channel at a time.
//
// A sample has CHANNELS columns: VALUES values a, then a second-order channel h if SECOND is 1, then a tangent da if
// TANGENTS is 1: tangents come one after another and leave their sums. In a block the channels follow one another, QUADS
// column quads each. Per layer, with z = W a + b, dz = W da, y = W h:
//
//     forward   a <- phi(z),  da <- phi' dz,  h <- phi' y + kappa phi'' S,      S = sum over tangents of dz^2
//     reverse   beta <- W^T (beta phi'), the derivative of the output by a (kept in h's adjoint),
//               Q = q phi' + 2 kappa beta phi'' dz,
//               R = r phi' + phi'' C + beta (phi'' y + kappa phi''' S),        C = sum over tangents of q dz,
//               then q, r <- W^T (Q, R)
//
// so that any number of tangents goes through in the memory of one. With FIELD 1 the network's output is a vector, the
// score itself, and the last layer is a layer like the others. What an invocation needs for one channel it has computed
// itself for another, so nothing waits between a product and what follows from it.
// Reference: src/engine/cpu/tile.rs. Needs: lib/sweep.wgsl, an activation, VALUES, SECOND, TANGENTS, ORDER, FIELD.

// Channels that biases are added to.
const BIASED: u32 = VALUES;
const SECOND_CHANNEL: u32 = VALUES;
const TANGENT_CHANNEL: u32 = VALUES + SECOND;
const_assert VALUES == 1u || CHANNELS == VALUES;
const_assert ORDER <= 3u;

// kappa of each column; 0 for samples past the end.
var<workgroup> kappa: array<vec4<f32>, QUADS>;

// beta of what a layer gives out, which is what the next takes in.
fn beta_of(next: Layer, n: u32, s: u32) -> vec4<f32> {
    return scratch[place(next.adjoint, 4u * next.input, n, SECOND_CHANNEL, s)];
}

// S of a layer (which = 0) or C (which = 1).
fn sum_place(layer: Layer, which: u32, n: u32, s: u32) -> u32 {
    return place(layer.sums, 4u * layer.output, n, which, s);
}

fn clear_sums() {
    for (var l = 0u; l + 1u < LAYERS; l++) {
        let size = 2u * QUADS * 4u * net[l].output;
        for (var i = local; i < size; i += WORKGROUP) {
            scratch[region + net[l].sums + i] = vec4<f32>(0.0);
        }
    }
}

fn activate(layer: Layer, next: Layer, n: u32, channel: u32, s: u32, z: vec4<f32>) {
    let f = phi(z);
    let width = 4u * layer.output;
    scratch[place(next.forward, width, n, channel, s)] = f.value;
    if ORDER >= 1u {
        scratch[place(layer.derivative, width, n, channel, s)] = f.first;
    }
    if ORDER >= 2u {
        scratch[place(layer.derivative, width, n, VALUES + channel, s)] = f.second;
    }
    if ORDER >= 3u {
        scratch[place(layer.derivative, width, n, 2u * VALUES + channel, s)] = f.third;
    }
}

// What a tangent or the second-order channel gives out, from its z.
fn push(layer: Layer, next: Layer, n: u32, channel: u32, s: u32, z: vec4<f32>) {
    scratch[place(layer.pre, 4u * layer.output, n, channel, s)] = z;
    var out = derivative(layer, 1u, n, 0u, s) * z;
    if TANGENTS > 0u {
        let sum = sum_place(layer, 0u, n, s);
        if channel == TANGENT_CHANNEL {
            scratch[sum] = fma(z, z, scratch[sum]);
        } else {
            out = fma(kappa[s] * derivative(layer, 2u, n, 0u, s), scratch[sum], out);
        }
    }
    scratch[place(next.forward, 4u * layer.output, n, channel, s)] = out;
}

// The adjoint of z in one channel, from that of what the layer gives out.
fn pull(layer: Layer, next: Layer, n: u32, channel: u32, s: u32, adjoint: vec4<f32>) {
    let value = min(channel, VALUES - 1u);
    var out = adjoint * derivative(layer, 1u, n, value, s);
    if TANGENTS > 0u && channel == TANGENT_CHANNEL {
        let dz = pre(layer, n, channel, s);
        let sum = sum_place(layer, 1u, n, s);
        scratch[sum] = fma(adjoint, dz, scratch[sum]);
        if SECOND > 0u {
            out = fma(2.0 * kappa[s] * beta_of(next, n, s) * derivative(layer, 2u, n, 0u, s), dz, out);
        }
    }
    if channel < VALUES {
        if TANGENTS > 0u {
            out = fma(derivative(layer, 2u, n, 0u, s), scratch[sum_place(layer, 1u, n, s)], out);
        }
        if SECOND > 0u {
            let beta = beta_of(next, n, s);
            out = fma(beta * derivative(layer, 2u, n, 0u, s), pre(layer, n, SECOND_CHANNEL, s), out);
            if TANGENTS > 0u {
                let third = kappa[s] * derivative(layer, 3u, n, 0u, s);
                out = fma(beta * third, scratch[sum_place(layer, 0u, n, s)], out);
            }
        }
    }
    scratch[place(layer.outgoing, 4u * layer.output, n, channel, s)] = out;
}

// Coordinate n of the score in column quad s, after the value's passes: forward for a field, forward and back for an energy.
fn score_of(n: u32, s: u32) -> vec4<f32> {
    if FIELD > 0u {
        return pre(net[LAYERS - 1u], n, 0u, s);
    }
    return -scratch[place(net[0].adjoint, 4u * net[0].input, n, 0u, s)];
}

// What follows from one row of a product of the forward pass, z (without its bias): of layer l, with the next.
fn store_forward(l: u32, layer: Layer, next: Layer, n: u32, channel: u32, s: u32, product_row: vec4<f32>) {
    var z = product_row;
    if channel < VALUES {
        z += weights[layer.weight + 4u * layer.output * layer.input + n / 4u][n % 4u];
    }
    if FIELD > 0u && l + 1u == LAYERS {
        scratch[place(layer.pre, 4u * layer.output, n, channel, s)] = z;
    } else if channel < VALUES {
        activate(layer, next, n, channel, s, z);
    } else {
        push(layer, next, n, channel, s, z);
    }
}

// What follows from one row of a product of the reverse pass, the adjoint of what enters layer l: with the layer before.
fn store_reverse(l: u32, layer: Layer, before: Layer, n: u32, channel: u32, s: u32, value: vec4<f32>) {
    if l == 0u || (SECOND > 0u && channel == SECOND_CHANNEL) {
        scratch[place(layer.adjoint, 4u * layer.input, n, channel, s)] = value;
    }
    if l > 0u {
        pull(before, layer, n, channel, s, value);
    }
}
