// Products of draws that are a lag apart, summed over the halves of all chains: the autocovariance but for a factor.
//
// series [..][each]: deviations from the means of halves, chains [rows / 2][draws] (lib/halves.wgsl). sums [series][lags], of the
// lags from first_lag on. A workgroup takes one lag of one series, an invocation every WORKGROUP-th product.
// Needs: lib/halves.wgsl. Reference: src/sampler/diagnostics/autocovariance.rs.

struct LagParams {
    // halves of all chains
    rows: u32,
    length: u32,
    draws: u32,
    each: u32,
    first_lag: u32,
    lags: u32,
    unused0: u32,
    unused1: u32,
}

@group(0) @binding(0) var<uniform> params: LagParams;
@group(0) @binding(1) var<storage, read> series: array<f32>;
@group(0) @binding(2) var<storage, read_write> sums: array<f32>;

var<workgroup> shared_sums: array<f32, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn autocovariance(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) index: u32) {
    let lag = params.first_lag + group.x % params.lags;
    let pairs = params.length - lag;
    let base = (group.x / params.lags) * params.each;
    var sum = 0.0;
    for (var i = index; i < params.rows * pairs; i += WORKGROUP) {
        let at = base + part_start(i / pairs, 2u, params.length, params.draws) + i % pairs;
        sum = fma(series[at], series[at + lag], sum);
    }
    shared_sums[index] = sum;
    workgroupBarrier();
    for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
        if index < half {
            shared_sums[index] += shared_sums[index + half];
        }
        workgroupBarrier();
    }
    if index == 0u {
        sums[group.x] = shared_sums[0];
    }
}
const_assert 0u == (WORKGROUP & (WORKGROUP - 1u));
