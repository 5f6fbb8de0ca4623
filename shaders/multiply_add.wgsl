// The fastest multiply-adds of a device, to measure shares of it: x <- factor x + term, in 32 numbers at once that do not wait
// for one another.
//
// means [workgroups]: the mean of what a workgroup's numbers end at. An invocation does 128 multiply-adds a turn.
// Reference: src/engine/cpu/peak.rs.

struct MultiplyAddParams {
    turns: u32,
    start: f32,
    factor: f32,
    term: f32,
}

@group(0) @binding(0) var<uniform> params: MultiplyAddParams;
@group(0) @binding(1) var<storage, read_write> means: array<f32>;

var<workgroup> ends: array<f32, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn multiply_add(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) index: u32) {
    let factor = vec4<f32>(params.factor);
    let term = vec4<f32>(params.term);
    var a = vec4<f32>(params.start);
    // different numbers, or a compiler would do one for all
    let apart = f32(index) * 1e-3;
    var b = a + apart;
    var c = b + apart;
    var d = c + apart;
    var e = d + apart;
    var f = e + apart;
    var g = f + apart;
    var h = g + apart;
    for (var turn = 0u; turn < params.turns; turn++) {
        for (var i = 0u; i < 4u; i++) {
            a = fma(factor, a, term);
            b = fma(factor, b, term);
            c = fma(factor, c, term);
            d = fma(factor, d, term);
            e = fma(factor, e, term);
            f = fma(factor, f, term);
            g = fma(factor, g, term);
            h = fma(factor, h, term);
        }
    }
    ends[index] = dot(a + b + c + d + e + f + g + h, vec4<f32>(1.0 / 32.0));
    workgroupBarrier();
    if index == 0u {
        var sum = 0.0;
        for (var i = 0u; i < WORKGROUP; i++) {
            sum += ends[i];
        }
        means[group.x] = sum / f32(WORKGROUP);
    }
}
