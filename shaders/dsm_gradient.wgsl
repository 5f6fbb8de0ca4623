// Loss and parameter gradient of denoising score matching, a tile of samples at a time:
//
//     x~ = x + sigma z,  g = grad E(x~),  loss = half_weight |z - sigma g|^2,  u = d loss / d g = pull (z - sigma g)
//
// with half_weight = w / 2 and pull = -w sigma / batch (so that gradients add up to that of the mean). A pass forward and
// one back give g; then the tangent u goes forward and the value's adjoint back. The tangent's adjoint is that of the
// first pass back.
// data [rows, dim]; noise [batch, dim] if it is given, else z and the rows of the batch are drawn here; losses [batch];
// slabs [workgroups][slab]. Each workgroup takes tiles of 4 QUADS samples in turn and adds them up in its slab.
// Reference: src/engine/cpu/gradient.rs. Needs: lib/noise.wgsl, lib/jet.wgsl, lib/gradient.wgsl, an activation.

struct DsmParams {
    // the seed
    key_low: u32,
    key_high: u32,
    step: u32,
    batch: u32,
    dim: u32,
    rows: u32,
    tiles: u32,
    // vec4 of scratch and of slabs that a workgroup owns
    region: u32,
    slab: u32,
    // where z lies in the region
    noise: u32,
    // 1: sample i is row i of the data with row i of `given_noise`
    given: u32,
    sigma: f32,
    half_weight: f32,
    pull: f32,
    unused0: u32,
    unused1: u32,
}

@group(0) @binding(0) var<uniform> params: DsmParams;
@group(0) @binding(1) var<uniform> net: array<Layer, LAYERS>;
@group(0) @binding(2) var<storage, read> data: array<f32>;
@group(0) @binding(3) var<storage, read> given_noise: array<f32>;
@group(0) @binding(4) var<storage, read> weights: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> scratch: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> slabs: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> losses: array<f32>;

const_assert TANGENTS == 1u && CURVED == 0u && ORDER == 2u;

var<workgroup> rows: array<u32, 4u * QUADS>;

fn choose_rows(first: u32) {
    if local < 4u * QUADS {
        let sample = min(first + local, params.batch - 1u);
        if params.given == 1u {
            rows[local] = sample;
        } else {
            let words = philox4x32_10(vec4<u32>(sample, params.step, 0u, STREAM_BATCH), vec2<u32>(params.key_low, params.key_high));
            rows[local] = pick(words.x, params.rows);
        }
    }
    workgroupBarrier();
}

fn noise_given(first: u32, n: u32) -> vec4<f32> {
    let last = params.batch - 1u;
    return vec4<f32>(
        given_noise[min(first, last) * params.dim + n], given_noise[min(first + 1u, last) * params.dim + n],
        given_noise[min(first + 2u, last) * params.dim + n], given_noise[min(first + 3u, last) * params.dim + n]);
}

// Sets x~ and z for the tile whose first sample is `first`.
fn load_samples(first: u32) {
    choose_rows(first);
    let quad = local / ROWS;
    let offset = quad * 4u * net[0].input;
    for (var chunk = 0u; chunk * ROWS < params.dim; chunk++) {
        let n = chunk * ROWS + local % ROWS;
        let inside = n < params.dim;
        var z = vec4<f32>(0.0);
        if params.given == 0u {
            z = normal_chunk(chunk, first, params.step, STREAM_NOISE, vec2<u32>(params.key_low, params.key_high));
        } else if inside {
            z = noise_given(first + 4u * quad, n);
        }
        if inside {
            let x = vec4<f32>(
                data[rows[4u * quad] * params.dim + n], data[rows[4u * quad + 1u] * params.dim + n],
                data[rows[4u * quad + 2u] * params.dim + n], data[rows[4u * quad + 3u] * params.dim + n]);
            scratch[region + net[0].forward + offset + n] = fma(vec4<f32>(params.sigma), z, x);
            scratch[region + params.noise + offset + n] = z;
        }
    }
}

// Stores the losses and the tangent u, from g and z. Samples past the end of the batch get u = 0.
fn match_scores(first: u32) {
    let quad = local / ROWS;
    let offset = quad * 4u * net[0].input;
    let tangent = QUADS * 4u * net[0].input;
    let sample = vec4<u32>(first + 4u * quad) + vec4<u32>(0u, 1u, 2u, 3u);
    let inside = sample < vec4<u32>(params.batch);
    var loss = vec4<f32>(0.0);
    for (var n = local % ROWS; n < params.dim; n += ROWS) {
        let g = scratch[region + net[0].adjoint + tangent + offset + n];
        let z = scratch[region + params.noise + offset + n];
        let residual = fma(vec4<f32>(-params.sigma), g, z);
        loss = fma(params.half_weight * residual, residual, loss);
        scratch[region + net[0].forward + tangent + offset + n] =
            select(vec4<f32>(0.0), params.pull * residual, inside);
    }
    loss = column_sum(loss);
    if local % ROWS == 0u {
        for (var j = 0u; j < 4u; j++) {
            if inside[j] {
                losses[sample[j]] = loss[j];
            }
        }
    }
}

@compute @workgroup_size(WORKGROUP)
fn dsm_gradient(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    local = index;
    region = group.x * params.region;
    for (var tile = group.x; tile < params.tiles; tile += groups.x) {
        let first = tile * 4u * QUADS;
        load_samples(first);
        if local < QUADS {
            seed_reverse(0u, local, vec4<f32>(0.0));
            seed_reverse(1u, local, vec4<f32>(1.0));
        }
        sync();
        // the value forward, the tangent's adjoint back to g, u forward, the value's adjoint back
        for (var pass_index = 0u; pass_index < opaque(4u); pass_index++) {
            let channel = (pass_index + 1u) / 2u % 2u;
            sweep(pass_index % 2u == 1u, channel, channel + 1u, pass_index / 2u);
            if pass_index == 1u {
                match_scores(first);
                sync();
            }
        }
        add_gradient(group.x * params.slab, tile >= groups.x);
        sync();
    }
}
