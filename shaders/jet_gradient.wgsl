// E, the directional derivatives v_k . grad E and sum_k v_k^T H v_k at points along given tangents, and the parameter
// gradient of the sum of these values times given weights: one sweep forward and one back, for any number of tangents.
//
// points [count, dim]; tangents [count, TANGENTS, dim]; values and value_weights [count, CHANNELS]: E, then a number for
// each tangent, then the second-order sum over the first CURVED tangents, if CURVED > 0; slabs [workgroups][slab].
// Each workgroup takes tiles of 4 QUADS points in turn and adds their gradients up in its slab.
// Reference: src/engine/cpu/mod.rs (jet_gradient). Needs: lib/points.wgsl, lib/jet.wgsl, lib/gradient.wgsl, an activation.

struct JetParams {
    count: u32,
    dim: u32,
    tiles: u32,
    // vec4 of scratch and of slabs that a workgroup owns
    region: u32,
    slab: u32,
    unused0: u32,
    unused1: u32,
    unused2: u32,
}

@group(0) @binding(0) var<uniform> params: JetParams;
@group(0) @binding(1) var<uniform> net: array<Layer, LAYERS>;
@group(0) @binding(2) var<storage, read> points: array<f32>;
@group(0) @binding(3) var<storage, read> tangents: array<f32>;
@group(0) @binding(4) var<storage, read> value_weights: array<f32>;
@group(0) @binding(5) var<storage, read> weights: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> scratch: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> slabs: array<vec4<f32>>;
@group(0) @binding(8) var<storage, read_write> values: array<f32>;

// Sets the tangents of the tile whose first point is `first`, and 0 in the second-order channel.
fn load_tangents(first: u32) {
    let width = 4u * net[0].input;
    let quad = local / ROWS;
    for (var channel = 1u; channel < CHANNELS; channel++) {
        for (var n = local % ROWS; n < params.dim; n += ROWS) {
            var v = vec4<f32>(0.0);
            if channel <= TANGENTS {
                for (var j = 0u; j < 4u; j++) {
                    let point = min(first + 4u * quad + j, params.count - 1u);
                    v[j] = tangents[(point * TANGENTS + channel - 1u) * params.dim + n];
                }
            }
            scratch[region + net[0].forward + (channel * QUADS + quad) * width + n] = v;
        }
    }
}

// Writes the values of one channel, and sets its weights as the derivatives to go back from; points past the end have
// weight 0.
fn exchange(first: u32, channel: u32) {
    let value = output(channel);
    if local % ROWS == 0u {
        let quad = local / ROWS;
        var weight = vec4<f32>(0.0);
        for (var j = 0u; j < 4u; j++) {
            let point = first + 4u * quad + j;
            if point < params.count {
                values[point * CHANNELS + channel] = value[j];
                weight[j] = value_weights[point * CHANNELS + channel];
            }
        }
        seed_reverse(channel, quad, weight);
    }
}

@compute @workgroup_size(WORKGROUP)
fn jet_gradient(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    local = index;
    region = group.x * params.region;
    for (var tile = group.x; tile < params.tiles; tile += groups.x) {
        let first = tile * 4u * QUADS;
        load_points(first);
        load_tangents(first);
        sync();
        for (var pass_index = 0u; pass_index < opaque(2u); pass_index++) {
            if pass_index == 1u {
                for (var channel = 0u; channel < opaque(CHANNELS); channel++) {
                    exchange(first, channel);
                }
                sync();
            }
            sweep(pass_index == 1u, 0u, CHANNELS, pass_index);
        }
        add_gradient(group.x * params.slab, tile >= groups.x);
        sync();
    }
}
