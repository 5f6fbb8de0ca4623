// The energy E(x) of points.
//
// points [count, dim] row-major; energies [count]. A workgroup takes tiles of 4 QUADS points in turn.
// Reference: src/engine/cpu/mod.rs (energy). Needs: lib/points.wgsl, lib/jet.wgsl, an
// activation.

struct EnergyParams {
    count: u32,
    dim: u32,
    tiles: u32,
    // vec4 of scratch that a workgroup owns
    region: u32,
}

@group(0) @binding(0) var<uniform> params: EnergyParams;
@group(0) @binding(1) var<uniform> net: array<Layer, LAYERS>;
@group(0) @binding(2) var<storage, read> points: array<f32>;
@group(0) @binding(3) var<storage, read> weights: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> scratch: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> energies: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn energy(
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
        sync();
        sweep(false, 0u, 1u, 0u);
        let e = column_sum(output_part(0u));
        if local % ROWS == 0u {
            for (var j = 0u; j < 4u; j++) {
                let point = first + 4u * quad + j;
                if point < params.count {
                    energies[point] = e[j];
                }
            }
        }
        sync();
    }
}
