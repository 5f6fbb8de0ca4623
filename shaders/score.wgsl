// The score of points: s(x) = -grad E(x), or the network's output if it gives a field.
//
// points and scores [count, dim] row-major. A workgroup takes tiles of 4 QUADS points in turn: a pass forward, and for an
// energy a pass back to the input. Reference: src/engine/cpu/mod.rs (score). Needs: lib/points.wgsl, lib/jet.wgsl, an
// activation.

struct ScoreParams {
    count: u32,
    dim: u32,
    tiles: u32,
    // vec4 of scratch that a workgroup owns
    region: u32,
}

@group(0) @binding(0) var<uniform> params: ScoreParams;
@group(0) @binding(1) var<uniform> net: array<Layer, LAYERS>;
@group(0) @binding(2) var<storage, read> points: array<f32>;
@group(0) @binding(3) var<storage, read> weights: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> scratch: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> scores: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn score(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    local = index;
    region = group.x * params.region;
    for (var tile = group.x; tile < params.tiles; tile += groups.x) {
        let first = tile * 4u * QUADS;
        let quad = local / ROWS;
        load_points(first);
        if FIELD == 0u && local < QUADS {
            seed_reverse(0u, 0u, local, vec4<f32>(1.0));
        }
        sync();
        for (var pass_index = 0u; pass_index < opaque(2u - FIELD); pass_index++) {
            sweep(pass_index == 1u, 0u, 1u, 0u);
        }
        for (var n = local % ROWS; n < params.dim; n += ROWS) {
            let s = score_of(n, quad);
            for (var j = 0u; j < 4u; j++) {
                let point = first + 4u * quad + j;
                if point < params.count {
                    scores[point * params.dim + n] = s[j];
                }
            }
        }
        sync();
    }
}
