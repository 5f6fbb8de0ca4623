// One step of Adam on all parameters, with gradient clipping, decoupled weight decay and the moving average:
//
//     g <- g min(1, clip / |g|),  m <- beta1 m + (1 - beta1) g,  v <- beta2 v + (1 - beta2) g^2,
//     w <- w - decay w - first m / (sqrt(second v) + epsilon),  ema <- ema + follow (w - ema)
//
// gradient, moments [size] vec4, ordered [4 output][input] for each W, then [output] for its bias; weights holds the
// parameters in that order, and from vec4 `size` on the transposes, [4 input][output] vec4 for each W. moments is m, then
// v, then the average. squares [square_count] come from reduce_gradient, losses [batch] from the objective. Each
// workgroup adds up the norm for itself, in the same order. history[slot] gets (mean loss, norm, 1 if all is
// finite so far, step). If anything was not finite, now or before, nothing is changed.
// Reference: src/engine/cpu/training.rs (adam). Needs: lib/layer.wgsl.

struct AdamParams {
    // vec4 of all parameters
    size: u32,
    square_count: u32,
    batch: u32,
    // slots in history, and the slots of this step and the one before
    slot: u32,
    previous: u32,
    step: u32,
    first: f32,
    second: f32,
    decay: f32,
    beta1: f32,
    beta2: f32,
    epsilon: f32,
    // largest norm; 0 for no limit
    clip: f32,
    // 1 - decay of the average
    follow: f32,
    // 1 - beta1 and 1 - beta2, rounded once
    new1: f32,
    new2: f32,
}

@group(0) @binding(0) var<uniform> params: AdamParams;
@group(0) @binding(1) var<uniform> net: array<Layer, LAYERS>;
@group(0) @binding(2) var<storage, read> gradient: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> squares: array<f32>;
@group(0) @binding(4) var<storage, read> losses: array<f32>;
@group(0) @binding(5) var<storage, read_write> weights: array<f32>;
@group(0) @binding(6) var<storage, read_write> moments: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> history: array<vec4<f32>>;

var<workgroup> sums: array<vec2<f32>, WORKGROUP>;
var<workgroup> broken: array<u32, WORKGROUP>;

// By bits: WGSL may assume that no arithmetic meets NaN or infinity.
fn not_finite(value: f32) -> u32 {
    return select(0u, 1u, (bitcast<u32>(value) & 0x7f800000u) == 0x7f800000u);
}

// Invocations that add up a part each, before one adds up the parts: three barriers where a tree has one a level.
const PARTS: u32 = 16u;

// Adds up in slot `first` so many slots, so far apart, from it on.
fn gather(first: u32, apart: u32, count: u32) {
    var sum = vec2<f32>(0.0);
    var bad = 0u;
    for (var i = 0u; i < count; i++) {
        sum += sums[first + i * apart];
        bad |= broken[first + i * apart];
    }
    sums[first] = sum;
    broken[first] = bad;
}

// Leaves the sums of squares and of losses, and whether any was not finite, in slot 0.
fn add_up(index: u32) {
    var sum = vec2<f32>(0.0);
    var bad = 0u;
    for (var i = index; i < params.square_count; i += WORKGROUP) {
        sum.x += squares[i];
        bad |= not_finite(squares[i]);
    }
    for (var i = index; i < params.batch; i += WORKGROUP) {
        sum.y += losses[i];
        bad |= not_finite(losses[i]);
    }
    sums[index] = sum;
    broken[index] = bad;
    workgroupBarrier();
    if index < PARTS {
        gather(index, PARTS, WORKGROUP / PARTS);
    }
    workgroupBarrier();
    if index == 0u {
        gather(0u, 1u, PARTS);
    }
    workgroupBarrier();
}

// The layer whose parameters contain vec4 `item`.
fn layer_of(item: u32) -> Layer {
    var l = 0u;
    while l + 1u < LAYERS && item >= net[l + 1u].weight {
        l++;
    }
    return net[l];
}

fn store(item: u32, value: vec4<f32>) {
    for (var j = 0u; j < 4u; j++) {
        weights[4u * item + j] = value[j];
    }
    let layer = layer_of(item);
    let at = item - layer.weight;
    if at < 4u * layer.output * layer.input {
        let row = at / layer.input;
        let column = 4u * (at % layer.input);
        for (var j = 0u; j < 4u; j++) {
            weights[4u * (layer.transposed + (column + j) * layer.output) + row] = value[j];
        }
    }
}

@compute @workgroup_size(WORKGROUP)
fn adam_step(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) index: u32) {
    add_up(index);
    let norm = sqrt(sums[0].x);
    let bad = broken[0] | not_finite(norm) | not_finite(sums[0].y);
    let good_before = history[params.previous].z == 1.0;
    let good = bad == 0u && good_before;
    let item = group.x * WORKGROUP + index;
    if good && item < params.size {
        var g = gradient[item];
        if params.clip > 0.0 && norm > params.clip {
            g *= params.clip / norm;
        }
        let m = params.beta1 * moments[item] + params.new1 * g;
        let v = params.beta2 * moments[params.size + item] + params.new2 * g * g;
        let old = vec4<f32>(weights[4u * item], weights[4u * item + 1u], weights[4u * item + 2u], weights[4u * item + 3u]);
        let new_value = old - params.decay * old - params.first * m / (sqrt(params.second * v) + params.epsilon);
        let average = moments[2u * params.size + item];
        moments[item] = m;
        moments[params.size + item] = v;
        moments[2u * params.size + item] = average + params.follow * (new_value - average);
        store(item, new_value);
    }
    if group.x == 0u && index == 0u {
        // sums that are not finite go out as they are: the host sees them
        history[params.slot] =
            vec4<f32>(sums[0].y / f32(params.batch), norm, select(0.0, 1.0, good), f32(params.step));
    }
}
const_assert WORKGROUP % PARTS == 0u;
