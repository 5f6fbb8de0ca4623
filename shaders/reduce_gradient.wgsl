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

// Invocations that add up a part each, before one adds up the parts: two barriers where a tree has one a level.
const PARTS: u32 = 16u;

// The sum of so many entries of partial_sums, so far apart.
fn sum_of(first: u32, apart: u32, count: u32) -> f32 {
    var sum = 0.0;
    for (var i = 0u; i < count; i++) {
        sum += partial_sums[first + i * apart];
    }
    return sum;
}

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
    if index < PARTS {
        partial_sums[index] = sum_of(index, PARTS, WORKGROUP / PARTS);
    }
    workgroupBarrier();
    if index == 0u {
        squares[group.x] = sum_of(0u, 1u, PARTS);
    }
}
const_assert WORKGROUP % PARTS == 0u;
