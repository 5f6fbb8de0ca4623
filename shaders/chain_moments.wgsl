// Mean and summed squares of deviations of each coordinate over chains, and of their acceptance probabilities, and how many are
// not finite.
//
// chains [count][dim] and states [count][2] as in hamiltonian_chains.wgsl; of `replicas` columns of a chain the last counts.
// parts [workgroups][dim + accepting]: (number, mean, squares of deviations, number of those that are not finite) of the
// chains of a workgroup, which are every groups-th run of WORKGROUP chains. The host merges them in f64. Needs: nothing.
// Reference: src/engine/moments.rs.

struct MomentParams {
    // chains, without their replicas
    count: u32,
    replicas: u32,
    dim: u32,
    // 1 if chains accept or refuse
    accepting: u32,
}

@group(0) @binding(0) var<uniform> params: MomentParams;
@group(0) @binding(1) var<storage, read> chains: array<f32>;
@group(0) @binding(2) var<storage, read> states: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> parts: array<vec4<f32>>;

var<workgroup> shared_parts: array<vec4<f32>, WORKGROUP>;

// (number, mean, squares, not finite) of both.
fn merge(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> {
    let count = a.x + b.x;
    let share = b.x / max(count, 1.0);
    let apart = b.y - a.y;
    return vec4<f32>(count, fma(apart, share, a.y), fma(apart * apart, a.x * share, a.z + b.z), a.w + b.w);
}

fn value(chain: u32, n: u32) -> f32 {
    let column = chain * params.replicas + params.replicas - 1u;
    if n == params.dim {
        let tally = states[2u * column + 1u];
        return tally.x + tally.w;
    }
    return chains[column * params.dim + n];
}

@compute @workgroup_size(WORKGROUP)
fn chain_moments(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let width = params.dim + params.accepting;
    for (var n = 0u; n < width; n++) {
        var part = vec4<f32>(0.0);
        for (var chain = group.x * WORKGROUP + index; chain < params.count; chain += groups.x * WORKGROUP) {
            let x = value(chain, n);
            // by its bits: compilers may take for granted that no number is NaN
            let broken = (bitcast<u32>(x) & 0x7F800000u) == 0x7F800000u;
            part = merge(part, vec4<f32>(1.0, x, 0.0, select(0.0, 1.0, broken)));
        }
        shared_parts[index] = part;
        workgroupBarrier();
        for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
            if index < half {
                shared_parts[index] = merge(shared_parts[index], shared_parts[index + half]);
            }
            workgroupBarrier();
        }
        if index == 0u {
            parts[group.x * width + n] = shared_parts[0];
        }
        workgroupBarrier();
    }
}
const_assert 0u == (WORKGROUP & (WORKGROUP - 1u));
