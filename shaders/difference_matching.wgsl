// Loss and parameter gradient of finite-difference sliced score matching, a tile of samples at a time. For probes v:
//
//     loss = mean over v of (d/|v|^2) [(E(x+v) - E(x-v))^2 / 8 + 2 E(x) - E(x+v) - E(x-v)]
//
// losses [batch]; slabs [workgroups][slab]. lib/batch.wgsl says what data, given_draws and params are. Each workgroup takes
// tiles of 4 QUADS samples in turn and adds them up in its slab. Values 0, 1, 2 of a sample are x, x + v, x - v; x stays
// while the probes come and go, and goes back with the last.
// Reference: src/engine/cpu/difference.rs. Needs: lib/rows.wgsl, lib/batch.wgsl, lib/jet.wgsl, lib/gradient.wgsl, an
// activation.

@group(0) @binding(0) var<uniform> params: LossParams;
@group(0) @binding(1) var<uniform> net: array<Layer, LAYERS>;
@group(0) @binding(2) var<storage, read> data: array<f32>;
@group(0) @binding(3) var<storage, read> given_draws: array<f32>;
@group(0) @binding(4) var<storage, read> weights: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> scratch: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> slabs: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> losses: array<f32>;

const_assert VALUES == 3u && CHANNELS == 3u;

// of column quad local / ROWS, where local % ROWS == 0: the losses, E(x), and the derivative of the loss by E(x)
var<private> loss: vec4<f32>;
var<private> middle: vec4<f32>;
var<private> middle_adjoint: vec4<f32>;
// |v|^2
var<private> square: vec4<f32>;

fn load_samples(first: u32) {
    choose_rows(first, params.given == 1u);
    let quad = local / ROWS;
    for (var n = local % ROWS; n < params.dim; n += ROWS) {
        scratch[place(net[0].forward, 4u * net[0].input, n, 0u, quad)] = data_row(quad, n);
    }
}

// Sets x + v and x - v for probe k, which stands where x + v will.
fn load_pair(first: u32, k: u32) {
    load_probe(first, k, 1u);
    let quad = local / ROWS;
    let width = 4u * net[0].input;
    var sum = vec4<f32>(0.0);
    for (var n = local % ROWS; n < params.dim; n += ROWS) {
        let x = scratch[place(net[0].forward, width, n, 0u, quad)];
        let v = scratch[place(net[0].forward, width, n, 1u, quad)];
        sum = fma(v, v, sum);
        scratch[place(net[0].forward, width, n, 1u, quad)] = x + v;
        scratch[place(net[0].forward, width, n, 2u, quad)] = x - v;
    }
    square = column_sum(sum);
}

// Adds to the losses and sets the derivatives by the energies.
fn match_differences(first: u32, k: u32) {
    let quad = local / ROWS;
    var energies: array<vec4<f32>, 3>;
    for (var c = min(k, 1u); c < opaque(3u); c++) {
        energies[c] = output(c);
    }
    if k == 0u {
        middle = energies[0];
    }
    if local % ROWS == 0u {
        let there = inside(first + 4u * quad);
        let factor = f32(params.dim) / (f32(params.tangents) * square);
        let weight = select(vec4<f32>(0.0), params.share * factor, there);
        let slope = energies[1] - energies[2];
        let bend = (middle - energies[1]) + (middle - energies[2]);
        loss = fma(factor, fma(0.125 * slope, slope, bend), loss);
        middle_adjoint = fma(vec4<f32>(2.0), weight, middle_adjoint);
        seed_reverse(0u, 0u, quad, middle_adjoint);
        seed_reverse(1u, 0u, quad, weight * fma(vec4<f32>(0.25), slope, vec4<f32>(-1.0)));
        seed_reverse(2u, 0u, quad, weight * fma(vec4<f32>(-0.25), slope, vec4<f32>(-1.0)));
    }
}

@compute @workgroup_size(WORKGROUP)
fn difference_matching(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    local = index;
    region = group.x * params.region;
    let slab = group.x * params.slab;
    clear_slab(slab, params.slab);
    for (var tile = group.x; tile < params.tiles; tile += groups.x) {
        let first = tile * 4u * QUADS;
        loss = vec4<f32>(0.0);
        middle_adjoint = vec4<f32>(0.0);
        load_samples(first);
        sync();
        for (var turn = 0u; turn < opaque(2u * params.tangents); turn++) {
            let k = turn / 2u;
            let backward = turn % 2u == 1u;
            // the value at x goes forward with the first probe and back with the last
            let start = select(min(k, 1u), select(1u, 0u, k + 1u == params.tangents), backward);
            if !backward {
                load_pair(first, k);
                sync();
            }
            sweep(backward, start, 3u, select(0u, 1u, backward));
            if !backward {
                match_differences(first, k);
                sync();
            } else {
                add_weights(slab, start, 3u, 0u);
                add_biases(slab, start, 3u);
                sync();
            }
        }
        if local % ROWS == 0u {
            for (var j = 0u; j < 4u; j++) {
                let sample = first + 4u * (local / ROWS) + j;
                if sample < params.batch {
                    losses[sample] = loss[j];
                }
            }
        }
        sync();
    }
}
