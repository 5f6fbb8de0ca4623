// The passes of a value c at x and of the odd and the even part of what x + v and x - v make, forward and back.
//
// Of a quantity f, the parts are o = (f(x+v) - f(x-v))/2 and e = (f(x+v) + f(x-v))/2 - f(x). Weights act on each of the three
// alone, biases on c. With phi and phi' split likewise, and with r, p, q the adjoints of c, o, e:
//
//     forward   (c, o, e) <- phi(z)
//     reverse   P = p (phi' + phi'_e) + q phi'_o,   Q = q (phi' + phi'_e) + p phi'_o,
//               R = r phi' + C,                     C = sum over probes of p phi'_o + q phi'_e
//
// In both directions the last of the channels that a product has gone through brings what the others wait for.
// Reference: src/engine/cpu/difference.rs. Needs: lib/sweep.wgsl, lib/split.wgsl, an activation's parts.

const VALUE: u32 = 0u;
const ODD: u32 = 1u;
const EVEN: u32 = 2u;
const BIASED: u32 = 1u;
const_assert VALUES == 3u && CHANNELS == 3u && FIELD == 0u;

// C of a layer.
fn cross_place(layer: Layer, n: u32, s: u32) -> u32 {
    return place(layer.sums, 4u * layer.output, n, 0u, s);
}

fn clear_cross() {
    for (var l = 0u; l + 1u < LAYERS; l++) {
        let size = QUADS * 4u * net[l].output;
        for (var i = local; i < size; i += WORKGROUP) {
            scratch[region + net[l].sums + i] = vec4<f32>(0.0);
        }
    }
}

// What follows from one row of a product of the forward pass, z (without its bias): of layer l, with the next.
fn store_forward(l: u32, layer: Layer, next: Layer, n: u32, channel: u32, s: u32, product_row: vec4<f32>) {
    let width = 4u * layer.output;
    if channel == VALUE {
        let bias = weights[layer.weight + 4u * layer.output * layer.input + n / 4u][n % 4u];
        scratch[place(layer.pre, width, n, VALUE, s)] = product_row + bias;
    } else if channel == ODD {
        scratch[place(layer.pre, width, n, ODD, s)] = product_row;
    } else {
        let f = parts_of(Split(pre(layer, n, VALUE, s), pre(layer, n, ODD, s), product_row));
        let first = next.forward;
        scratch[place(first, width, n, VALUE, s)] = f.value.centre;
        scratch[place(first, width, n, ODD, s)] = f.value.odd;
        scratch[place(first, width, n, EVEN, s)] = f.value.even;
        scratch[place(layer.derivative, width, n, VALUE, s)] = f.slope.centre;
        scratch[place(layer.derivative, width, n, ODD, s)] = f.slope.odd;
        scratch[place(layer.derivative, width, n, EVEN, s)] = f.slope.even;
    }
}

// What follows from one row of a product of the reverse pass, the adjoint of what enters layer l: with the layer before.
fn store_reverse(l: u32, layer: Layer, before: Layer, n: u32, channel: u32, s: u32, value: vec4<f32>) {
    let held = place(layer.adjoint, 4u * layer.input, n, EVEN, s);
    if channel == EVEN {
        scratch[held] = value;
        return;
    }
    let width = 4u * before.output;
    let cross = cross_place(before, n, s);
    let slope = derivative(before, 1u, n, VALUE, s);
    if channel == VALUE {
        scratch[place(before.outgoing, width, n, VALUE, s)] = fma(value, slope, scratch[cross]);
        return;
    }
    let q = scratch[held];
    let odd = derivative(before, 1u, n, ODD, s);
    let even = derivative(before, 1u, n, EVEN, s);
    scratch[place(before.outgoing, width, n, ODD, s)] = fma(value, slope + even, q * odd);
    scratch[place(before.outgoing, width, n, EVEN, s)] = fma(q, slope + even, value * odd);
    scratch[cross] += fma(value, odd, q * even);
}
