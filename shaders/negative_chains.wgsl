// The negatives of contrastive divergence: Langevin chains on the energy, one for each sample of a batch, all steps at once or
// some of them:
//
//     x <- x + step_size s(x) + noise_scale xi,   s = -grad E,   noise_scale = sqrt(2 step_size)
//
// from the sample's data point, or from a slot of the replay buffer, where some chains begin anew at a law's point. Where they
// are goes to negatives [batch][dim], and their ends back to the slots that they came from.
// data [rows][dim]; replay [slots][dim]; law [2][dim], what is added to and what multiplies a normal or uniform number;
// history [..], (loss, norm, good so far, step) of each training step. A workgroup takes tiles of 4 QUADS samples in turn.
// No two samples of a step have the same slot, so nothing races. Reference: src/engine/cpu/negatives.rs,
// src/objective/replay.rs. Needs: lib/rows.wgsl, lib/noise.wgsl, lib/finite.wgsl, lib/jet.wgsl, an activation.

struct NegativeParams {
    // the seed
    key_low: u32,
    key_high: u32,
    // the training step
    step: u32,
    batch: u32,
    dim: u32,
    // of the data; where the batch is placed, its first
    rows: u32,
    // the tiles of this dispatch, from one up to another
    first_tile: u32,
    end_tile: u32,
    // tile t is that of workgroup t mod groups, in however many dispatches
    groups: u32,
    // vec4 of scratch that a workgroup owns
    region: u32,
    // Langevin steps
    steps: u32,
    // chains of the replay buffer; 0 if chains start from the data
    slots: u32,
    // sample s has slot (multiplier s + offset) mod slots
    multiplier: u32,
    offset: u32,
    // a chain begins anew if the high 23 bits of its word are below
    restart_limit: u32,
    // 1 if it begins uniformly over a box, 0 if normally
    box_start: u32,
    // where the step before stands in the history
    previous: u32,
    step_size: f32,
    noise_scale: f32,
    // standard deviation of noise on the data
    data_noise: f32,
    // how samples have their rows: a ROWS_* constant
    chosen: u32,
    // the Langevin steps of this dispatch, from one up to another: what goes on from a dispatch before starts from negatives
    first_round: u32,
    end_round: u32,
    unused: u32,
}

@group(0) @binding(0) var<uniform> params: NegativeParams;
@group(0) @binding(1) var<uniform> net: array<Layer, LAYERS>;
@group(0) @binding(2) var<storage, read> data: array<f32>;
@group(0) @binding(3) var<storage, read> law: array<f32>;
@group(0) @binding(4) var<storage, read> history: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> weights: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> scratch: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> replay: array<f32>;
@group(0) @binding(8) var<storage, read_write> negatives: array<f32>;

const_assert FIELD == 0u;

// The slot of each sample of the tile, and 1 where its chain begins anew.
var<workgroup> slot: array<u32, 4u * QUADS>;
var<workgroup> anew: array<u32, 4u * QUADS>;

// a + b mod slots, for a and b below slots.
fn add_slots(a: u32, b: u32) -> u32 {
    let sum = a + b;
    return select(sum, sum - params.slots, sum >= params.slots);
}

// (multiplier s + offset) mod slots, by doubling: the product does not fit 32 bits.
fn slot_of(sample: u32) -> u32 {
    var sum = params.offset;
    var term = params.multiplier;
    for (var left = sample; left > 0u; left >>= 1u) {
        sum = select(sum, add_slots(sum, term), (left & 1u) == 1u);
        term = add_slots(term, term);
    }
    return sum;
}

fn choose_slots(first: u32) {
    if local < 4u * QUADS {
        let sample = min(first + local, params.batch - 1u);
        slot[local] = slot_of(sample);
        let word = philox4x32_10(vec4<u32>(sample, params.step, 1u, STREAM_REPLAY), key()).x;
        anew[local] = select(0u, 1u, (word >> 9u) < params.restart_limit);
    }
    workgroupBarrier();
}

// Coordinate n of the four chains of a column quad, where they were left.
fn kept(quad: u32, n: u32) -> vec4<f32> {
    return vec4<f32>(
        replay[slot[4u * quad] * params.dim + n], replay[slot[4u * quad + 1u] * params.dim + n],
        replay[slot[4u * quad + 2u] * params.dim + n], replay[slot[4u * quad + 3u] * params.dim + n]);
}

// The same where they begin anew.
fn begun(chunk: u32, first: u32, n: u32) -> vec4<f32> {
    let words = chunk_words(chunk, first, params.step, STREAM_RESTART, key(), 0u);
    let even = vec4<f32>(open_uniform(words.xy), open_uniform(words.zw));
    let drawn = exchange(select(normals(words), even, params.box_start == 1u));
    return fma(vec4<f32>(law[params.dim + n]), drawn, vec4<f32>(law[n]));
}

// The same where a dispatch before has left them.
fn reached(first: u32, quad: u32, n: u32) -> vec4<f32> {
    let sample = vec4<u32>(first + 4u * quad) + vec4<u32>(0u, 1u, 2u, 3u);
    let at = min(sample, vec4<u32>(params.batch - 1u)) * params.dim + n;
    return vec4<f32>(negatives[at.x], negatives[at.y], negatives[at.z], negatives[at.w]);
}

fn start(chunk: u32, first: u32, n: u32) -> vec4<f32> {
    let quad = local / ROWS;
    var x = vec4<f32>(0.0);
    if params.first_round > 0u {
        x = reached(first, quad, n);
    } else if params.slots > 0u {
        let fresh = vec4<u32>(anew[4u * quad], anew[4u * quad + 1u], anew[4u * quad + 2u], anew[4u * quad + 3u]);
        x = select(kept(quad, n), begun(chunk, first, n), fresh == vec4<u32>(1u));
    } else {
        x = data_row(quad, n);
        if params.data_noise > 0.0 {
            let z = normal_chunk(chunk, first, params.step, STREAM_NOISE, key());
            x = fma(vec4<f32>(params.data_noise), z, x);
        }
    }
    return x;
}

fn load_starts(first: u32) {
    choose_rows(first, params.chosen);
    if params.slots > 0u {
        choose_slots(first);
    }
    for (var chunk = 0u; chunk * ROWS < params.dim; chunk++) {
        let n = chunk * ROWS + local % ROWS;
        let x = start(chunk, first, min(n, params.dim - 1u));
        if n < params.dim {
            scratch[place(net[0].forward, 4u * net[0].input, n, 0u, local / ROWS)] = x;
        }
    }
}

// A run that has broken leaves the buffer alone, and so does a chain that has left every bound.
fn store_ends(first: u32) {
    let quad = local / ROWS;
    let keeps = params.slots > 0u && params.end_round == params.steps && history[params.previous].z == 1.0;
    var lost = vec4<f32>(0.0);
    for (var n = local % ROWS; n < params.dim; n += ROWS) {
        let x = scratch[place(net[0].forward, 4u * net[0].input, n, 0u, quad)];
        lost += select(vec4<f32>(1.0), vec4<f32>(0.0), finite(x));
    }
    lost = column_sum(lost);
    for (var n = local % ROWS; n < params.dim; n += ROWS) {
        let x = scratch[place(net[0].forward, 4u * net[0].input, n, 0u, quad)];
        for (var j = 0u; j < 4u; j++) {
            let sample = first + 4u * quad + j;
            if sample < params.batch {
                negatives[sample * params.dim + n] = x[j];
                if keeps && lost[j] == 0.0 {
                    replay[slot[4u * quad + j] * params.dim + n] = x[j];
                }
            }
        }
    }
}

@compute @workgroup_size(WORKGROUP)
fn negative_chains(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    local = index;
    let own = params.first_tile + group.x;
    region = owner_of(own, params.groups) * params.region;
    let quad = local / ROWS;
    for (var tile = own; tile < params.end_tile; tile += params.groups) {
        let first = tile * 4u * QUADS;
        load_starts(first);
        if local < QUADS {
            seed_reverse(0u, 0u, local, vec4<f32>(1.0));
        }
        sync();
        for (var k = params.first_round; k < params.end_round; k++) {
            for (var pass_index = 0u; pass_index < opaque(2u); pass_index++) {
                sweep(pass_index == 1u, 0u, 1u, 0u);
            }
            let base = k * ((params.dim + 3u) / 4u);
            for (var chunk = 0u; chunk * ROWS < params.dim; chunk++) {
                let noise = chunk_of(chunk, first, params.step, STREAM_NEGATIVE, key(), base, false);
                let n = chunk * ROWS + local % ROWS;
                if n < params.dim {
                    let at = place(net[0].forward, 4u * net[0].input, n, 0u, quad);
                    let drift = fma(vec4<f32>(params.step_size), score_of(n, quad), scratch[at]);
                    scratch[at] = fma(vec4<f32>(params.noise_scale), noise, drift);
                }
            }
            sync();
        }
        store_ends(first);
        sync();
    }
}
