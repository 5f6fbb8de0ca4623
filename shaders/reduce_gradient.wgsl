// The gradient of a batch: the sum of the workgroups' slabs in a fixed order, and the squares of its entries.
//
// slabs [slab_count][size] vec4; gradient [size] vec4; squares [workgroups]: the sum of squares of 4 WORKGROUP entries.
// One invocation per vec4. Reference: src/engine/cpu/gradient.rs (compute).

struct ReduceParams {
    // vec4 of a slab
    size: u32,
    slab_count: u32,
    unused0: u32,
    unused1: u32,
}

@group(0) @binding(0) var<uniform> params: ReduceParams;
@group(0) @binding(1) var<storage, read> slabs: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> gradient: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> squares: array<f32>;

var<workgroup> partial_sums: array<f32, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn reduce_gradient(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) index: u32) {
    let item = group.x * WORKGROUP + index;
    var sum = vec4<f32>(0.0);
    if item < params.size {
        for (var slab = 0u; slab < params.slab_count; slab++) {
            sum += slabs[slab * params.size + item];
        }
        gradient[item] = sum;
    }
    partial_sums[index] = dot(sum, sum);
    workgroupBarrier();
    for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
        if index < half {
            partial_sums[index] += partial_sums[index + half];
        }
        workgroupBarrier();
    }
    if index == 0u {
        squares[group.x] = partial_sums[0];
    }
}
const_assert 0u == (WORKGROUP & (WORKGROUP - 1u));
