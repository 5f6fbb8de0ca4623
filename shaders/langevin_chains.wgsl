// Many steps of the unadjusted Langevin algorithm for many chains:
//
//     x <- x + step_size s(x) + noise_scale xi,   xi ~ N(0, I),   noise_scale = sqrt(2 step_size T)
//
// with the score s = -grad E, or the network's output if it gives a field.
// chains [count, dim] row-major. A workgroup takes tiles of 4 QUADS chains in turn and carries each through all steps of
// the dispatch; chain i draws its noise at index i, so it is the same whatever the number of chains.
// Reference: src/engine/cpu/chains.rs. Needs: lib/noise.wgsl, lib/jet.wgsl, an activation.

struct LangevinParams {
    // the seed
    key_low: u32,
    key_high: u32,
    count: u32,
    dim: u32,
    tiles: u32,
    // vec4 of scratch that a workgroup owns
    region: u32,
    // steps done before this dispatch, and steps of this dispatch
    first_step: u32,
    steps: u32,
    step_size: f32,
    noise_scale: f32,
    unused0: u32,
    unused1: u32,
}

@group(0) @binding(0) var<uniform> params: LangevinParams;
@group(0) @binding(1) var<uniform> net: array<Layer, LAYERS>;
@group(0) @binding(2) var<storage, read> weights: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> scratch: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> chains: array<f32>;

fn position(first: u32, n: u32) -> vec4<f32> {
    let last = params.count - 1u;
    return vec4<f32>(
        chains[min(first, last) * params.dim + n], chains[min(first + 1u, last) * params.dim + n],
        chains[min(first + 2u, last) * params.dim + n], chains[min(first + 3u, last) * params.dim + n]);
}

@compute @workgroup_size(WORKGROUP)
fn langevin_chains(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    local = index;
    region = group.x * params.region;
    let quad = local / ROWS;
    for (var tile = group.x; tile < params.tiles; tile += groups.x) {
        let first = tile * 4u * QUADS;
        let x = region + net[0].forward + quad * 4u * net[0].input;
        for (var n = local % ROWS; n < params.dim; n += ROWS) {
            scratch[x + n] = position(first + 4u * quad, n);
        }
        if FIELD == 0u && local < QUADS {
            seed_reverse(0u, 0u, local, vec4<f32>(1.0));
        }
        sync();
        for (var step = params.first_step; step < params.first_step + params.steps; step++) {
            for (var pass_index = 0u; pass_index < opaque(2u - FIELD); pass_index++) {
                sweep(pass_index == 1u, 0u, 1u, 0u);
            }
            for (var chunk = 0u; chunk * ROWS < params.dim; chunk++) {
                let noise = normal_chunk(chunk, first, step, STREAM_CHAIN, vec2<u32>(params.key_low, params.key_high));
                let n = chunk * ROWS + local % ROWS;
                if n < params.dim {
                    let drift = fma(vec4<f32>(params.step_size), score_of(n, quad), scratch[x + n]);
                    scratch[x + n] = fma(vec4<f32>(params.noise_scale), noise, drift);
                }
            }
            sync();
        }
        for (var n = local % ROWS; n < params.dim; n += ROWS) {
            for (var j = 0u; j < 4u; j++) {
                let chain = first + 4u * quad + j;
                if chain < params.count {
                    chains[chain * params.dim + n] = scratch[x + n][j];
                }
            }
        }
        sync();
    }
}
