// An orthonormal basis of the row space of the first weights W, by Gram and Schmidt: each row against all before it, twice.
//
// weights holds W as [width][input] vec4 from vec4 params.weight on; directions [width][input] vec4 gets the basis, a row
// each. A row that depends on those before it becomes 0. One workgroup; an invocation owns earlier rows when it forms dot
// products, entries of the row when it subtracts. Reference: src/engine/cpu/basis.rs.

struct BasisParams {
    // rows of W, vec4 of a row, where W begins
    width: u32,
    input: u32,
    weight: u32,
    unused: u32,
}

@group(0) @binding(0) var<uniform> params: BasisParams;
@group(0) @binding(1) var<storage, read> weights: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> directions: array<vec4<f32>>;

// The most rows: the dot products of one row are kept in workgroup memory.
const MOST_ROWS: u32 = 2048u;
// Times the length of a row: what is left below this is rounding error.
const DEPENDENT: f32 = 7.62939453125e-6;

var<workgroup> dots: array<f32, MOST_ROWS>;
var<workgroup> partial_sums: array<f32, WORKGROUP>;

// The squared length of row k of the directions, the same for all invocations.
fn square_length(k: u32, index: u32) -> f32 {
    var sum = 0.0;
    for (var i = index; i < params.input; i += WORKGROUP) {
        let v = directions[k * params.input + i];
        sum += dot(v, v);
    }
    workgroupBarrier();
    partial_sums[index] = sum;
    workgroupBarrier();
    for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
        if index < half {
            partial_sums[index] += partial_sums[index + half];
        }
        workgroupBarrier();
    }
    return partial_sums[0];
}

@compute @workgroup_size(WORKGROUP)
fn orthonormal_basis(@builtin(local_invocation_index) index: u32) {
    for (var k = 0u; k < params.width; k++) {
        for (var i = index; i < params.input; i += WORKGROUP) {
            directions[k * params.input + i] = weights[params.weight + k * params.input + i];
        }
        storageBarrier();
        let whole = sqrt(square_length(k, index));
        for (var round = 0u; round < 2u; round++) {
            for (var j = index; j < k; j += WORKGROUP) {
                var sum = 0.0;
                for (var i = 0u; i < params.input; i++) {
                    sum += dot(directions[j * params.input + i], directions[k * params.input + i]);
                }
                dots[j] = sum;
            }
            workgroupBarrier();
            for (var i = index; i < params.input; i += WORKGROUP) {
                var row = directions[k * params.input + i];
                for (var j = 0u; j < k; j++) {
                    row = fma(vec4<f32>(-dots[j]), directions[j * params.input + i], row);
                }
                directions[k * params.input + i] = row;
            }
            storageBarrier();
        }
        let left = sqrt(square_length(k, index));
        var factor = 0.0;
        if left > DEPENDENT * whole {
            factor = 1.0 / left;
        }
        for (var i = index; i < params.input; i += WORKGROUP) {
            directions[k * params.input + i] *= factor;
        }
        storageBarrier();
    }
}
const_assert 0u == (WORKGROUP & (WORKGROUP - 1u));
