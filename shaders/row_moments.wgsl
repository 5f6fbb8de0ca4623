// Mean and summed squares of deviations of each part of each chain, how many of its draws differ from the first and how many
// are not finite.
//
// series [..][each]: chains [rows / parts][draws] cut in parts (lib/halves.wgsl), one series after another; with `centre` their
// means are taken off. moments [..][rows], from `goal` on. `lanes` invocations, a power of two, take a part, a workgroup as many
// parts as it has room for, of `total`. The sums are about the first draw, so that equal draws have their value as mean and
// no squares. Needs: lib/keys.wgsl, lib/halves.wgsl.
// Reference: src/sampler/diagnostics/ess.rs.

struct RowParams {
    // parts of all chains
    rows: u32,
    parts: u32,
    length: u32,
    draws: u32,
    each: u32,
    centre: u32,
    goal: u32,
    lanes: u32,
    // parts of all series
    total: u32,
    unused0: u32,
    unused1: u32,
    unused2: u32,
}

struct Row {
    mean: f32,
    squares: f32,
    moving: u32,
    not_finite: u32,
}

@group(0) @binding(0) var<uniform> params: RowParams;
@group(0) @binding(1) var<storage, read_write> series: array<f32>;
@group(0) @binding(2) var<storage, read_write> moments: array<Row>;

var<workgroup> shared_sums: array<f32, WORKGROUP>;
var<workgroup> shared_counts: array<vec2<u32>, WORKGROUP>;

// Adds up what the lanes of each part have, in its first.
fn add_up(index: u32) {
    workgroupBarrier();
    for (var half = params.lanes / 2u; half > 0u; half /= 2u) {
        if index % params.lanes < half {
            shared_sums[index] += shared_sums[index + half];
            shared_counts[index] += shared_counts[index + half];
        }
        workgroupBarrier();
    }
}
const_assert 0u == (WORKGROUP & (WORKGROUP - 1u));

@compute @workgroup_size(WORKGROUP)
fn row_moments(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) index: u32) {
    let lane = index % params.lanes;
    let leader = index - lane;
    let part = group.x * (WORKGROUP / params.lanes) + index / params.lanes;
    // of parts past the end the last is done again, and nothing is written
    let row = min(part, params.total - 1u);
    let first = (row / params.rows) * params.each
        + part_start(row % params.rows, params.parts, params.length, params.draws);
    let origin = series[first];
    let origin_key = key_of(origin);
    var sum = 0.0;
    var counts = vec2<u32>(0u);
    for (var i = lane; i < params.length; i += params.lanes) {
        let value = series[first + i];
        let key = key_of(value);
        // infinities that are equal have no difference
        sum += select(value - origin, 0.0, key == origin_key);
        // infinities and what lies beyond them
        let finite = key > 0x007fffffu && key < 0xff800000u;
        counts += vec2<u32>(u32(key != origin_key), u32(!finite));
    }
    shared_sums[index] = sum;
    shared_counts[index] = counts;
    add_up(index);
    let mean = origin + shared_sums[leader] / f32(params.length);
    counts = shared_counts[leader];
    workgroupBarrier();
    sum = 0.0;
    for (var i = lane; i < params.length; i += params.lanes) {
        let apart = series[first + i] - mean;
        sum += apart * apart;
        if params.centre == 1u && part == row {
            series[first + i] = apart;
        }
    }
    shared_sums[index] = sum;
    add_up(index);
    if lane == 0u && part == row {
        moments[params.goal + row] = Row(mean, shared_sums[index], counts.x, counts.y);
    }
}
