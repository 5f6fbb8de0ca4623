// Loss and parameter gradient of objectives that learn by contrast, a tile of samples at a time: E at x and at M negatives
// y of each sample, and what lib/forms.wgsl makes of them.
//
// losses [batch]; slabs [workgroups][slab]; law [2][dim], means and standard deviations of q. lib/batch.wgsl says what data,
// given_draws and params are. Each workgroup takes tiles of 4 QUADS samples in turn and adds them up in its slab.
// Value 0 of a sample is x, value 1 one negative after another. A negative goes forward and back; where its weight depends
// on all others (ranking), all but the last go forward once before, and leave a running sum of exponentials. x goes forward
// with the first and back with the last.
// Reference: src/engine/cpu/contrast.rs. Needs: lib/rows.wgsl, lib/batch.wgsl, lib/forms.wgsl, lib/jet.wgsl,
// lib/gradient.wgsl, an activation.

@group(0) @binding(0) var<uniform> params: LossParams;
@group(0) @binding(1) var<uniform> net: array<Layer, LAYERS>;
@group(0) @binding(2) var<storage, read> data: array<f32>;
@group(0) @binding(3) var<storage, read> given_draws: array<f32>;
@group(0) @binding(4) var<storage, read> law: array<f32>;
@group(0) @binding(5) var<storage, read> weights: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> scratch: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> slabs: array<vec4<f32>>;
@group(0) @binding(8) var<storage, read_write> losses: array<f32>;

const_assert VALUES == 2u && CHANNELS == 2u;

const FROM_GIVEN: u32 = 0u;
const FROM_DATA: u32 = 1u;
const FROM_LAW: u32 = 2u;

// what this invocation has of ln q of x and of the negative
var<private> log_noise: array<vec4<f32>, 2>;

fn noise_block(quad: u32, n: u32) -> u32 {
    return region + params.noise + quad * 4u * net[0].input + n;
}

// Coordinate n of the standardised point, as the noise law has it; 0 for padding and where there is no law.
fn standardized(x: vec4<f32>, n: u32) -> vec4<f32> {
    let there = params.form == FORM_CLASSIFICATION && n < params.dim;
    let at = select(0u, n, there);
    let scale = select(1.0, law[select(0u, params.dim, there) + at], there);
    return select(vec4<f32>(0.0), (x - law[at]) / scale, there);
}

fn set_log_noise(channel: u32, square: vec4<f32>) {
    let there = params.form == FORM_CLASSIFICATION && local % ROWS == 0u;
    log_noise[channel] = fma(vec4<f32>(-0.5), square, vec4<f32>(select(0.0, params.log_peak, there)));
}

// Sets x, and x + sqrt(t) xi where negatives start from there.
fn load_samples(first: u32) {
    choose_rows(first, params.chosen);
    let quad = local / ROWS;
    var square = vec4<f32>(0.0);
    for (var chunk = 0u; chunk * ROWS < params.dim; chunk++) {
        let n = chunk * ROWS + local % ROWS;
        var x = data_row(quad, min(n, params.dim - 1u));
        if params.data_noise > 0.0 {
            let z = normal_chunk(chunk, first, params.step, STREAM_NOISE, key());
            x = fma(vec4<f32>(params.data_noise), z, x);
        }
        if params.source == FROM_DATA {
            let both = normal_chunk(chunk, first, params.step, STREAM_NEGATIVE, key());
            if n < params.dim {
                scratch[noise_block(quad, n)] = fma(vec4<f32>(params.spread), both, x);
            }
        }
        if n < params.dim {
            scratch[place(net[0].forward, 4u * net[0].input, n, 0u, quad)] = x;
        }
        let z = standardized(x, n);
        square = fma(z, z, square);
    }
    set_log_noise(0u, square);
}

// Sets negative j of each sample.
fn load_negatives(first: u32, j: u32) {
    let quad = local / ROWS;
    let base = (j + 1u) * ((params.dim + 3u) / 4u);
    var square = vec4<f32>(0.0);
    for (var chunk = 0u; chunk * ROWS < params.dim; chunk++) {
        let n = chunk * ROWS + local % ROWS;
        let known = min(n, params.dim - 1u);
        var y = vec4<f32>(0.0);
        if params.source == FROM_GIVEN {
            y = given_vector(first + 4u * quad, params.negatives, j, known);
        } else {
            let z = chunk_of(chunk, first, params.step, STREAM_NEGATIVE, key(), base, false);
            if params.source == FROM_DATA {
                y = fma(vec4<f32>(params.spread), z, scratch[noise_block(quad, known)]);
            } else {
                y = fma(vec4<f32>(law[params.dim + known]), z, vec4<f32>(law[known]));
            }
        }
        if n < params.dim {
            scratch[place(net[0].forward, 4u * net[0].input, n, 1u, quad)] = y;
        }
        let z = standardized(y, n);
        square = fma(z, z, square);
    }
    set_log_noise(1u, square);
}

// Takes in the energies of x, if it is fresh, and of a negative; sets the derivatives by them if the loss depends on no
// later negative.
fn weigh(first: u32, fresh: bool, new_negative: bool, settled: bool) {
    let quad = local / ROWS;
    var values: array<vec4<f32>, 2>;
    for (var c = select(1u, 0u, fresh); c < opaque(2u); c++) {
        values[c] = column_sum(output_part(c) + log_noise[c]);
    }
    if local % ROWS == 0u {
        if fresh {
            take_positive(values[0]);
        }
        if params.form == FORM_RANKING && new_negative {
            add_to_total(positive - values[1]);
        }
        if settled {
            let share = select(vec4<f32>(0.0), vec4<f32>(params.share), inside(first + 4u * quad));
            let slope = settle(values[1]);
            seed_reverse(0u, 0u, quad, share * positive_slope);
            seed_reverse(1u, 0u, quad, share * slope);
        }
    }
}

@compute @workgroup_size(WORKGROUP)
fn contrast(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    local = index;
    let own = params.first_tile + group.x;
    let owner = owner_of(own, params.groups);
    region = owner * params.region;
    let slab = owner * params.slab;
    if own < params.groups {
        clear_slab(slab, params.slab);
    }
    let ahead = select(0u, params.negatives - 1u, params.form == FORM_RANKING);
    let turns = ahead + 2u * params.negatives;
    for (var tile = own; tile < params.end_tile; tile += params.groups) {
        let first = tile * 4u * QUADS;
        loss = vec4<f32>(0.0);
        positive_slope = vec4<f32>(0.0);
        top = vec4<f32>(params.log_w);
        total = vec4<f32>(1.0);
        load_samples(first);
        for (var turn = 0u; turn < opaque(turns); turn++) {
            // negatives 0, 1, .. forward, then from the last one down, each forward and back
            let late = turn >= ahead;
            let from_end = (turn - min(turn, ahead)) / 2u;
            let backward = late && (turn - min(turn, ahead)) % 2u == 1u;
            let j = select(turn, params.negatives - 1u - from_end, late);
            let start = select(select(1u, 0u, turn == 0u), select(1u, 0u, turn + 1u == turns), backward);
            if !backward {
                load_negatives(first, j);
                sync();
            }
            sweep(backward, start, 2u, select(0u, 1u, backward));
            if !backward {
                weigh(first, turn == 0u, turn <= ahead, late);
            } else {
                add_weights(slab, start, 2u, 0u);
                add_biases(slab, start, 2u);
            }
            sync();
        }
        store_losses(0u, first, loss);
    }
}
