// The samples of a batch and their draws: drawn from the data, or all that a caller gives.
//
// data [rows][dim]; given_draws, if they are given, noise [batch][dim], probes [batch][tangents][dim] or negatives
// [batch][negatives][dim].
// Reference: src/engine/cpu/source.rs. Declared in Rust in src/engine/gpu/kernels/loss_params.rs.
// Needs: lib/rows.wgsl, lib/tile.wgsl, lib/philox.wgsl, lib/noise.wgsl, `given_draws`, `losses`, `params`.

struct LossParams {
    // the seed
    key_low: u32,
    key_high: u32,
    step: u32,
    batch: u32,
    dim: u32,
    // of the data; where the batch is placed, its first
    rows: u32,
    // the tiles of this dispatch, from one up to another; where tangents are split, the parts of tiles
    first_tile: u32,
    end_tile: u32,
    // tile t is that of workgroup t mod groups, in however many dispatches
    groups: u32,
    // vec4 of scratch and of slabs that a workgroup owns
    region: u32,
    slab: u32,
    // where z lies in the region
    noise: u32,
    // how samples have their rows: a ROWS_* constant; given ones have what is given for them
    chosen: u32,
    // noise levels; 0 for points as they are
    levels: u32,
    // tangents of a sample
    tangents: u32,
    // their law: a LAW_* constant
    law: u32,
    // 1 / batch
    share: f32,
    // factors of 1/2 |s|^2, 1/2 (v.s)^2 and v' grad s v
    full: f32,
    sliced: f32,
    curved: f32,
    // length of a probe on a sphere
    length: f32,
    // negatives of a sample
    negatives: u32,
    // how energies become a loss: a FORM_* constant
    form: u32,
    // where negatives come from: a FROM_* constant
    source: u32,
    // standard deviation of noise on the data
    data_noise: f32,
    // sqrt(t) of perturbed negatives
    spread: f32,
    alpha: f32,
    // ln w of the ranking form, far below every difference of energies for w = 0
    log_w: f32,
    // ln of the number of negatives
    log_count: f32,
    // ln q at the mean of the noise law
    log_peak: f32,
    // workgroups among which the tangents of a tile are split
    splits: u32,
    // 1 in the dispatch that adds up what they have made
    joining: u32,
}

const LAW_GAUSSIAN: u32 = 0u;
const LAW_RADEMACHER: u32 = 1u;
const LAW_SPHERE: u32 = 2u;
const LAW_BASIS: u32 = 3u;

// Coordinate n of vector k of `each` that are given for each of four samples.
fn given_vector(first: u32, each: u32, k: u32, n: u32) -> vec4<f32> {
    let last = params.batch - 1u;
    return vec4<f32>(
        given_draws[(min(first, last) * each + k) * params.dim + n],
        given_draws[(min(first + 1u, last) * each + k) * params.dim + n],
        given_draws[(min(first + 2u, last) * each + k) * params.dim + n],
        given_draws[(min(first + 3u, last) * each + k) * params.dim + n]);
}

// Which of the four samples from `sample` on there are.
fn inside(sample: u32) -> vec4<bool> {
    return vec4<u32>(sample) + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(params.batch);
}

// Writes the losses of four samples, from place `base` on.
fn store_losses(base: u32, first: u32, loss: vec4<f32>) {
    for (var j = 0u; j < 4u; j++) {
        let sample = first + 4u * (local / ROWS) + j;
        if local % ROWS == 0u && sample < params.batch {
            losses[base + sample] = loss[j];
        }
    }
}

// Sets the input of a channel to probe k of the samples from `first` on, of a law that has no length yet; what this invocation
// has of |v|^2.
fn load_probe(first: u32, k: u32, channel: u32) -> vec4<f32> {
    let quad = local / ROWS;
    let base = k * ((params.dim + 3u) / 4u);
    var square = vec4<f32>(0.0);
    for (var chunk = 0u; chunk * ROWS < params.dim; chunk++) {
        let n = chunk * ROWS + local % ROWS;
        var v = vec4<f32>(0.0);
        if params.chosen == ROWS_GIVEN {
            v = given_vector(first + 4u * quad, params.tangents, k, min(n, params.dim - 1u));
        } else {
            v = chunk_of(chunk, first, params.step, STREAM_PROBE, key(), base, params.law == LAW_RADEMACHER);
        }
        if n < params.dim {
            scratch[place(net[0].forward, 4u * net[0].input, n, channel, quad)] = v;
            square = fma(v, v, square);
        }
    }
    return square;
}

fn on_sphere() -> bool {
    return params.chosen != ROWS_GIVEN && params.law == LAW_SPHERE;
}

// Brings the probe to the sphere, from its |v|^2.
fn scale_probe(channel: u32, square: vec4<f32>) {
    let quad = local / ROWS;
    for (var n = local % ROWS; n < params.dim; n += ROWS) {
        scratch[place(net[0].forward, 4u * net[0].input, n, channel, quad)] *= params.length / sqrt(square);
    }
}
