// Many steps of the unadjusted Langevin algorithm for many chains:
//
//     x <- x - step_size grad E(x) + noise_scale xi,   xi ~ N(0, I),   noise_scale = sqrt(2 step_size T)
//
// with minus the field in place of grad E if the network gives a field.
// chains [count, dim] row-major. A workgroup takes tiles of 4 QUADS chains in turn and carries each through all steps of
// the dispatch; chain i draws its noise at index first_column + i, so it is the same whatever the number of chains.
// Reference: src/engine/cpu/chains.rs. Needs: lib/chains.wgsl, lib/walls.wgsl, lib/noise.wgsl, a landscape.

struct LangevinParams {
    // the seed
    key_low: u32,
    key_high: u32,
    count: u32,
    dim: u32,
    // the tiles of this dispatch, from one up to another
    first_tile: u32,
    end_tile: u32,
    // tile t is that of workgroup t mod groups, in however many dispatches
    groups: u32,
    // vec4 of scratch that a workgroup owns
    region: u32,
    // steps done before this dispatch, and steps of this dispatch
    first_step: u32,
    steps: u32,
    step_size: f32,
    noise_scale: f32,
    // the box of every coordinate: a WALL_* constant and its ends
    low: f32,
    high: f32,
    wall: u32,
    // the column that the first chain is among all
    first_column: u32,
}

@group(0) @binding(0) var<uniform> params: LangevinParams;
@group(0) @binding(1) var<uniform> net: array<Layer, LAYERS>;
@group(0) @binding(2) var<storage, read> weights: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> scratch: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> chains: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn langevin_chains(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    local = index;
    let own = params.first_tile + group.x;
    region = owner_of(own, params.groups) * params.region;
    let quad = local / ROWS;
    for (var tile = own; tile < params.end_tile; tile += params.groups) {
        let first = tile * 4u * QUADS;
        load_chains(first);
        prepare_survey();
        sync();
        for (var step = params.first_step; step < params.first_step + params.steps; step++) {
            survey();
            for (var chunk = 0u; chunk * ROWS < params.dim; chunk++) {
                let noise = normal_chunk(chunk, params.first_column + first, step, STREAM_CHAIN, key());
                let n = chunk * ROWS + local % ROWS;
                if n < params.dim {
                    let x = place_of(n, quad);
                    let drift = fma(vec4<f32>(-params.step_size), slope_of(n, quad), scratch[x]);
                    let moved = fma(vec4<f32>(params.noise_scale), noise, drift);
                    scratch[x] = hold(moved, params.wall, params.low, params.high).x;
                }
            }
            sync();
        }
        store_chains(first);
        sync();
    }
}
