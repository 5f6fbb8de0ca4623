// Neighbouring temperatures change places with probability min(1, exp((1/T_a - 1/T_b) (E_a - E_b))), of every chain.
//
// chains [count, dim], states [count][2] and table as in hamiltonian_chains.wgsl. An invocation owns one pair of columns,
// (odd, odd + 1), (odd + 2, odd + 3), ... of a chain's replicas. Reference: src/engine/cpu/chains.rs (exchange).
// Needs: lib/philox.wgsl.

struct ExchangeParams {
    // the seed
    key_low: u32,
    key_high: u32,
    count: u32,
    dim: u32,
    replicas: u32,
    // the first of the first pair: 0 or 1
    odd: u32,
    // pairs of a chain
    pairs: u32,
    // steps done
    step: u32,
    // the column that the first one is among all
    first_column: u32,
    unused0: u32,
    unused1: u32,
    unused2: u32,
}

@group(0) @binding(0) var<uniform> params: ExchangeParams;
@group(0) @binding(1) var<storage, read> table: array<f32>;
@group(0) @binding(2) var<storage, read_write> chains: array<f32>;
@group(0) @binding(3) var<storage, read_write> states: array<vec4<f32>>;

@compute @workgroup_size(WORKGROUP)
fn exchange_replicas(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let all = params.count / params.replicas * params.pairs;
    for (var item = group.x * WORKGROUP + index; item < all; item += groups.x * WORKGROUP) {
        let replica = params.odd + 2u * (item % params.pairs);
        let a = item / params.pairs * params.replicas + replica;
        let b = a + 1u;
        let colder = 1.0 / table[replica] - 1.0 / table[replica + 1u];
        let log_ratio = colder * (states[2u * a].x - states[2u * b].x);
        let counter = vec4<u32>(params.first_column + a, params.step, 1u, STREAM_ACCEPT);
        let words = philox4x32_10(counter, vec2<u32>(params.key_low, params.key_high));
        // by its bits, as clamp may make a number of NaN, and such a pair has to stay where it is
        let known = (bitcast<u32>(log_ratio) & 0x7FFFFFFFu) <= 0x7F800000u;
        if known && open_uniform(words.xy).x < exp(clamp(log_ratio, -87.0, 0.0)) {
            for (var n = 0u; n < params.dim; n++) {
                let x = chains[a * params.dim + n];
                chains[a * params.dim + n] = chains[b * params.dim + n];
                chains[b * params.dim + n] = x;
            }
            let e = states[2u * a].x;
            states[2u * a].x = states[2u * b].x;
            states[2u * b].x = e;
            states[2u * a + 1u].z += 1.0;
        }
    }
}
