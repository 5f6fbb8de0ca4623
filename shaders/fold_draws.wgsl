// From sorted draws: which draws are below the 5 % and the 95 % quantile, how far each is from the median, and the draws in
// units in which neither their place nor their size costs digits.
//
// series [5][coordinates][each]: draws, scores, 1 below the 5 % quantile and 0 above, the same of 95 %, distances; `total` is
// coordinates times each. keys [coordinates][padded] are sorted, `count` of them count, and middle_low to upper_tail are
// places among them. units [coordinates]: a draw was median + unit * what stands for it now. An invocation takes a draw,
// further ones in turn. Needs: lib/keys.wgsl. Reference: src/sampler/diagnostics.rs (coordinate).

struct FoldParams {
    count: u32,
    padded: u32,
    each: u32,
    total: u32,
    // the median is halfway between these
    middle_low: u32,
    middle_high: u32,
    // the last below a quantile
    lower_tail: u32,
    upper_tail: u32,
}

struct Unit {
    median: f32,
    unit: f32,
    unused0: f32,
    unused1: f32,
}

@group(0) @binding(0) var<uniform> params: FoldParams;
@group(0) @binding(1) var<storage, read> keys: array<u32>;
@group(0) @binding(2) var<storage, read_write> series: array<f32>;
@group(0) @binding(3) var<storage, read_write> units: array<Unit>;

@compute @workgroup_size(WORKGROUP)
fn fold_draws(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    for (var i = id.x; i < params.total; i += groups.x * WORKGROUP) {
        let coordinate = i / params.each;
        let first = coordinate * params.padded;
        let value = series[i];
        let key = key_of(value);
        series[2u * params.total + i] = select(0.0, 1.0, key <= keys[first + params.lower_tail]);
        series[3u * params.total + i] = select(0.0, 1.0, key <= keys[first + params.upper_tail]);
        // halves, so that nothing overflows
        let median = 0.5 * value_of(keys[first + params.middle_low]);
        let other = 0.5 * value_of(keys[first + params.middle_high]);
        series[4u * params.total + i] = abs((0.5 * value - median) + (0.5 * value - other));
        let low = 0.5 * value_of(keys[first]);
        let high = 0.5 * value_of(keys[first + params.count - 1u]);
        var unit = max(high - median, median - low);
        if unit == 0.0 {
            unit = 0.5;
        }
        series[i] = (0.5 * value - median) / unit;
        if i % params.each == 0u {
            units[coordinate] = Unit(2.0 * median, 2.0 * unit, 0.0, 0.0);
        }
    }
}
