// Appends where the first chains are, and E there, to what is kept of them.
//
// chains [.., dim] as in hamiltonian_chains.wgsl; of `replicas` columns of a chain the last counts. energies: E of chain c at
// c * energy_stride + energy_offset. kept [width][count][draws], width dim, or dim + 1 with E in front. An invocation
// writes a number of the draw, further ones in turn. Needs: nothing. Reference: src/engine/cpu/kept.rs.

struct RecordParams {
    // chains that are kept
    count: u32,
    replicas: u32,
    dim: u32,
    width: u32,
    draws: u32,
    // which of them this is
    draw: u32,
    energy_stride: u32,
    energy_offset: u32,
}

@group(0) @binding(0) var<uniform> params: RecordParams;
@group(0) @binding(1) var<storage, read> chains: array<f32>;
@group(0) @binding(2) var<storage, read> energies: array<f32>;
@group(0) @binding(3) var<storage, read_write> kept: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn record_draws(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    for (var i = id.x; i < params.width * params.count; i += groups.x * WORKGROUP) {
        let n = i / params.count;
        let chain = i % params.count;
        var value: f32;
        if n < params.width - params.dim {
            value = energies[chain * params.energy_stride + params.energy_offset];
        } else {
            let coordinate = n - (params.width - params.dim);
            value = chains[(chain * params.replicas + params.replicas - 1u) * params.dim + coordinate];
        }
        kept[i * params.draws + params.draw] = value;
    }
}
