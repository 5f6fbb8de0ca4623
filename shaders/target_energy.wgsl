// The energy of an analytic target and its gradient at points.
//
// points and gradients [count, dim] row-major; energies [count]; constants as the target's own file says. An invocation
// takes four points at a time, further ones in turn. Reference: src/target/mod.rs (energy). Needs: a target,
// lib/target.wgsl.

struct TargetParams {
    count: u32,
    dim: u32,
    unused0: u32,
    unused1: u32,
}

@group(0) @binding(0) var<uniform> params: TargetParams;
@group(0) @binding(1) var<storage, read> points: array<f32>;
@group(0) @binding(2) var<storage, read> constants: array<f32>;
@group(0) @binding(3) var<storage, read_write> energies: array<f32>;
@group(0) @binding(4) var<storage, read_write> gradients: array<f32>;

// The first of the four points of this invocation.
var<private> first: u32;

fn dimension() -> u32 {
    return params.dim;
}

fn constant(i: u32) -> f32 {
    return constants[i];
}

// Points past the end repeat the last.
fn at(n: u32) -> vec4<f32> {
    let last = params.count - 1u;
    return vec4<f32>(
        points[min(first, last) * params.dim + n], points[min(first + 1u, last) * params.dim + n],
        points[min(first + 2u, last) * params.dim + n], points[min(first + 3u, last) * params.dim + n]);
}

fn set_slope(n: u32, value: vec4<f32>) {
    for (var j = 0u; j < 4u; j++) {
        if first + j < params.count {
            gradients[(first + j) * params.dim + n] = value[j];
        }
    }
}

@compute @workgroup_size(WORKGROUP)
fn target_energy(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    for (first = 4u * id.x; first < params.count; first += 4u * WORKGROUP * groups.x) {
        let energy = analytic_energy();
        for (var j = 0u; j < 4u; j++) {
            if first + j < params.count {
                energies[first + j] = energy[j];
            }
        }
    }
}
