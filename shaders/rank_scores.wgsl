// Normal scores of draws: the inverse normal distribution function at (r - 3/8) / (S + 1/4), r the rank among S sorted
// draws, of equal ones the mean of theirs (Blom 1958).
//
// series [..][each]: the draws from `origin` on give the scores from `goal` on, `total` of them, the coordinates after one
// another. keys [coordinates][padded] are sorted, `count` of them count. An invocation takes a draw, further ones in turn.
// Needs: lib/keys.wgsl, lib/normal_quantile.wgsl. Reference: src/sampler/diagnostics/rank.rs (normal_scores).

struct RankParams {
    count: u32,
    padded: u32,
    each: u32,
    total: u32,
    origin: u32,
    goal: u32,
    unused0: u32,
    unused1: u32,
}

@group(0) @binding(0) var<uniform> params: RankParams;
@group(0) @binding(1) var<storage, read> keys: array<u32>;
@group(0) @binding(2) var<storage, read_write> series: array<f32>;

// How many keys of a coordinate are below `bound`.
fn below(first: u32, bound: u32) -> u32 {
    var low = 0u;
    var high = params.count;
    while low < high {
        let middle = (low + high) / 2u;
        if keys[first + middle] < bound {
            low = middle + 1u;
        } else {
            high = middle;
        }
    }
    return low;
}

@compute @workgroup_size(WORKGROUP)
fn rank_scores(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    for (var i = id.x; i < params.total; i += groups.x * WORKGROUP) {
        let first = (i / params.each) * params.padded;
        let key = key_of(series[params.origin + i]);
        // twice the rank
        let twice = below(first, key) + below(first, key + 1u) + 1u;
        let mirrored = 2u * params.count + 2u - twice;
        let scale = 1.0 / f32(8u * params.count + 2u);
        let centred = f32(4 * (i32(twice) - i32(params.count) - 1)) * scale;
        series[params.goal + i] = normal_quantile(centred, f32(4u * min(twice, mirrored) - 3u) * scale);
    }
}
