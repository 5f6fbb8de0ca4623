// Loss and parameter gradient of finite-difference sliced score matching, a tile of samples at a time. For probes v:
//
//     loss = mean over v of (d/|v|^2) [(E(x+v) - E(x-v))^2 / 8 + 2 E(x) - E(x+v) - E(x-v)]
//
// losses [batch]; slabs [workgroups][slab]. lib/batch.wgsl says what data, given_draws and params are. Each workgroup takes
// tiles of 4 QUADS samples in turn and adds them up in its slab. Through the network go x and the odd and the even part of
// x + v and x - v, which are v and 0: of the energies, (E(x+v) - E(x-v))/2 and (E(x+v) + E(x-v))/2 - E(x) are what comes
// out. The value stays while the probes come and go, and goes back with the last.
// Reference: src/engine/cpu/difference.rs. Needs: lib/rows.wgsl, lib/batch.wgsl, lib/odd_even.wgsl, lib/gradient.wgsl, an
// activation and its parts.

@group(0) @binding(0) var<uniform> params: LossParams;
@group(0) @binding(1) var<uniform> net: array<Layer, LAYERS>;
@group(0) @binding(2) var<storage, read> data: array<f32>;
@group(0) @binding(3) var<storage, read> given_draws: array<f32>;
@group(0) @binding(4) var<storage, read> weights: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> scratch: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> slabs: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> losses: array<f32>;

// of column quad local / ROWS: the losses, where local % ROWS == 0, and |v|^2
var<private> loss: vec4<f32>;
var<private> square: vec4<f32>;

fn load_samples(first: u32) {
    choose_rows(first, params.chosen);
    let quad = local / ROWS;
    let width = 4u * net[0].input;
    for (var n = local % ROWS; n < params.dim; n += ROWS) {
        scratch[place(net[0].forward, width, n, VALUE, quad)] = data_row(quad, n);
        scratch[place(net[0].forward, width, n, EVEN, quad)] = vec4<f32>(0.0);
    }
}

// Sets the odd part to probe k.
fn load_pair(first: u32, k: u32) {
    square = column_sum(load_probe(first, k, ODD));
    if on_sphere() {
        scale_probe(ODD, square);
        square = vec4<f32>(params.length * params.length);
    }
}

// Adds to the losses and sets the derivatives by the parts of the energy.
fn match_differences(first: u32) {
    let quad = local / ROWS;
    var parts: array<vec4<f32>, 2>;
    for (var c = 0u; c < opaque(2u); c++) {
        parts[c] = column_sum(output_part(ODD + c));
    }
    if local % ROWS == 0u {
        let there = inside(first + 4u * quad);
        let factor = f32(params.dim) / (f32(params.tangents) * square);
        let weight = select(vec4<f32>(0.0), params.share * factor, there);
        loss = fma(factor, fma(0.5 * parts[0], parts[0], -2.0 * parts[1]), loss);
        seed_reverse(VALUE, 0u, quad, vec4<f32>(0.0));
        seed_reverse(ODD, 0u, quad, weight * parts[0]);
        seed_reverse(EVEN, 0u, quad, -2.0 * weight);
    }
}

@compute @workgroup_size(WORKGROUP)
fn difference_matching(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    local = index;
    let own = params.first_tile + group.x;
    let owner = owner_of(own, params.groups);
    region = owner * params.region;
    let slab = owner * params.slab;
    if own < params.groups {
        clear_slab(slab, params.slab);
    }
    for (var tile = own; tile < params.end_tile; tile += params.groups) {
        let first = tile * 4u * QUADS;
        loss = vec4<f32>(0.0);
        load_samples(first);
        clear_cross();
        sync();
        for (var turn = 0u; turn < opaque(2u * params.tangents); turn++) {
            let k = turn / 2u;
            let backward = turn % 2u == 1u;
            // the value goes forward with the first probe and back with the last
            let start = select(min(k, 1u), select(1u, 0u, k + 1u == params.tangents), backward);
            if !backward {
                load_pair(first, k);
                sync();
            }
            sweep(backward, start, 3u, select(0u, 1u, backward));
            if !backward {
                match_differences(first);
            } else {
                add_weights(slab, start, 3u, 0u);
                add_biases(slab, 0u, 1u - start);
            }
            sync();
        }
        store_losses(0u, first, loss);
    }
}
