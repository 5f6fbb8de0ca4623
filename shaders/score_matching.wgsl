// Loss and parameter gradient of score matching, a tile of samples at a time. With s = -grad E at x~ = x + sigma z (or the
// network's output, with FIELD 1):
//
//     loss = 1/2 w |z + reach s|^2 + 1/2 full |s|^2 + sum_k [1/2 sliced (v_k.s)^2 + curved v_k' grad s v_k]
//
// levels [levels], or [batch] if given: (sigma, reach, w, ln sigma); directions [tangents][input] vec4, the shared tangents
// of LAW_BASIS; losses [batch]; slabs [workgroups][slab]. lib/batch.wgsl says what data, given_draws and params are. Each
// workgroup takes tiles of 4 QUADS samples in turn and adds them up in its slab. Passes over a tile: the value forward;
// beta back; each tangent forward and back; h forward; the value's adjoint back. A field has no beta and no h.
// Where there are few tiles of many tangents, a tile has `splits` workgroups: each takes the passes before the tangents and some
// of these, and item splits t + i, with its scratch, its slab and losses [i][batch], is part i of tile t. In a second dispatch,
// `joining`, the tile's first workgroup adds up what they have left and takes the passes behind.
// Reference: src/engine/cpu/matching.rs. Needs: lib/rows.wgsl, lib/batch.wgsl, lib/jet.wgsl, lib/gradient.wgsl, an
// activation.

@group(0) @binding(0) var<uniform> params: LossParams;
@group(0) @binding(1) var<uniform> net: array<Layer, LAYERS>;
@group(0) @binding(2) var<storage, read> data: array<f32>;
@group(0) @binding(3) var<storage, read> given_draws: array<f32>;
@group(0) @binding(4) var<storage, read> levels: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> directions: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read> weights: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> scratch: array<vec4<f32>>;
@group(0) @binding(8) var<storage, read_write> slabs: array<vec4<f32>>;
@group(0) @binding(9) var<storage, read_write> losses: array<f32>;

var<workgroup> chosen: array<vec4<f32>, 4u * QUADS>;
// what this invocation has of the losses of column quad local / ROWS
var<private> loss: vec4<f32>;
// which of the tile's workgroups this is
var<private> split: u32;

// One number of the noise levels of four samples.
fn level(quad: u32, i: u32) -> vec4<f32> {
    return vec4<f32>(chosen[4u * quad][i], chosen[4u * quad + 1u][i], chosen[4u * quad + 2u][i], chosen[4u * quad + 3u][i]);
}

fn set_kappa(first: u32) {
    if local < QUADS {
        kappa[local] = select(vec4<f32>(0.0), vec4<f32>(-params.curved * params.share), inside(first + 4u * local));
    }
}

// Sets x~, z, the noise levels and kappa for the tile whose first sample is `first`.
fn load_samples(first: u32) {
    choose_rows(first, params.chosen);
    let quad = local / ROWS;
    if params.levels > 0u && local < 4u * QUADS {
        let sample = min(first + local, params.batch - 1u);
        chosen[local] = levels[select(pick(choices(sample).y, params.levels), sample, params.chosen == ROWS_GIVEN)];
    }
    set_kappa(first);
    workgroupBarrier();
    let offset = quad * 4u * net[0].input;
    for (var chunk = 0u; chunk * ROWS < params.dim; chunk++) {
        let n = chunk * ROWS + local % ROWS;
        var z = vec4<f32>(0.0);
        if params.levels > 0u {
            if params.chosen == ROWS_GIVEN {
                z = given_vector(first + 4u * quad, 1u, 0u, min(n, params.dim - 1u));
            } else {
                z = normal_chunk(chunk, first, params.step, STREAM_NOISE, key());
            }
        }
        if n < params.dim {
            var x = data_row(quad, n);
            if params.levels > 0u {
                x = fma(level(quad, 0u), z, x);
                scratch[region + params.noise + offset + n] = z;
            }
            scratch[place(net[0].forward, 4u * net[0].input, n, 0u, quad)] = x;
        }
    }
    if net[0].inputs > params.dim && local % ROWS == 0u {
        scratch[place(net[0].forward, 4u * net[0].input, params.dim, 0u, quad)] = level(quad, 3u);
    }
}

// The terms in s itself, from grad E at the input: h_0, their derivative by grad E.
fn match_gradient(first: u32) {
    let quad = local / ROWS;
    let there = inside(first + 4u * quad);
    var sum = vec4<f32>(0.0);
    for (var n = local % ROWS; n < net[0].inputs; n += ROWS) {
        var h = vec4<f32>(0.0);
        if n < params.dim {
            let g = scratch[place(net[0].adjoint, 4u * net[0].input, n, SECOND_CHANNEL, quad)];
            if params.levels > 0u {
                let z = scratch[region + params.noise + quad * 4u * net[0].input + n];
                let pull_back = level(quad, 1u) * level(quad, 2u);
                let residual = fma(-level(quad, 1u), g, z);
                sum = fma(0.5 * level(quad, 2u) * residual, residual, sum);
                h = -params.share * pull_back * residual;
            }
            if params.full > 0.0 {
                // minus: the output's h will bring |grad E|^2 once more
                sum = fma(-0.5 * params.full * g, g, sum);
                h = fma(vec4<f32>(params.full * params.share), g, h);
            }
        }
        scratch[place(net[0].forward, 4u * net[0].input, n, SECOND_CHANNEL, quad)] = select(vec4<f32>(0.0), h, there);
    }
    loss += sum;
}

// The same from the field: the derivative by each output, in the first of the tile's workgroups.
fn match_field(first: u32) {
    let quad = local / ROWS;
    let there = inside(first + 4u * quad) & vec4<bool>(split == 0u);
    let last = net[LAYERS - 1u];
    var sum = vec4<f32>(0.0);
    for (var n = local % ROWS; n < params.dim; n += ROWS) {
        let s = pre(last, n, 0u, quad);
        sum = fma(0.5 * params.full * s, s, sum);
        var r = params.full * params.share * s;
        if params.levels > 0u {
            let z = scratch[region + params.noise + quad * 4u * net[0].input + n];
            let residual = fma(level(quad, 1u), s, z);
            sum = fma(0.5 * level(quad, 2u) * residual, residual, sum);
            r = fma(params.share * level(quad, 1u) * level(quad, 2u), residual, r);
        }
        seed_reverse(0u, n, quad, select(vec4<f32>(0.0), r, there));
    }
    loss += sum;
}

// Sets what the first layer makes of shared tangent k, the same for all samples.
fn push_shared(k: u32) {
    let layer = net[0];
    for (var n = local; n < layer.outputs; n += WORKGROUP) {
        var sum = 0.0;
        for (var i = 0u; i < layer.input; i++) {
            sum += dot(weights[layer.weight + n * layer.input + i], directions[k * layer.input + i]);
        }
        // once in the text: a software driver takes long to compile a copy
        for (var s = 0u; s < opaque(QUADS); s++) {
            push(layer, net[1], n, TANGENT_CHANNEL, s, vec4<f32>(sum));
        }
    }
}

// Adds the first weights' part of shared tangent k: the sum of Q over the samples, times the direction.
fn add_shared(slab: u32, k: u32) {
    let layer = net[0];
    for (var o = local; o < layer.output; o += WORKGROUP) {
        let y = place(layer.outgoing, 4u * layer.output, 4u * o, TANGENT_CHANNEL, 0u);
        scratch[place(layer.pre, 4u * layer.output, o, TANGENT_CHANNEL, 0u)] = row_sums(y, 4u * layer.output);
    }
    sync();
    for (var item = local; item < layer.output * layer.input; item += WORKGROUP) {
        let o = item / layer.input;
        let i = item % layer.input;
        let q = scratch[place(layer.pre, 4u * layer.output, o, TANGENT_CHANNEL, 0u)];
        let v = directions[k * layer.input + i];
        add_block(slab, layer, o, i, Block(q.x * v, q.y * v, q.z * v, q.w * v));
    }
}

// Coordinate n of tangent k in four columns.
fn along(k: u32, n: u32, quad: u32) -> vec4<f32> {
    if params.law == LAW_BASIS {
        return vec4<f32>(directions[k * net[0].input + n / 4u][n % 4u]);
    }
    return scratch[place(net[0].forward, 4u * net[0].input, n, TANGENT_CHANNEL, quad)];
}

// What this invocation has of v.s of a tangent, from what the network makes of it. Of a field, also of v' grad s v, with its
// derivative by each output.
fn match_tangent(first: u32, k: u32) -> vec4<f32> {
    if FIELD == 0u {
        return output_part(TANGENT_CHANNEL);
    }
    let quad = local / ROWS;
    let there = inside(first + 4u * quad);
    let last = net[LAYERS - 1u];
    var slope = vec4<f32>(0.0);
    for (var n = local % ROWS; n < params.dim; n += ROWS) {
        let v = along(k, n, quad);
        slope = fma(v, pre(last, n, 0u, quad), slope);
        loss = fma(params.curved * v, pre(last, n, TANGENT_CHANNEL, quad), loss);
        seed_reverse(TANGENT_CHANNEL, n, quad, select(vec4<f32>(0.0), params.curved * params.share * v, there));
    }
    return slope;
}

// The term in v.s of a tangent, and its derivative by the network's outputs.
fn match_slope(first: u32, k: u32, slope: vec4<f32>) {
    let quad = local / ROWS;
    let seed = select(vec4<f32>(0.0), params.sliced * params.share * slope, inside(first + 4u * quad));
    if local % ROWS == 0u {
        loss = fma(0.5 * params.sliced * slope, slope, loss);
    }
    if FIELD == 0u && local % ROWS == 0u {
        seed_reverse(TANGENT_CHANNEL, 0u, quad, seed);
    }
    if FIELD == 1u {
        let last = net[LAYERS - 1u];
        for (var n = local % ROWS; n < params.dim; n += ROWS) {
            scratch[place(last.outgoing, 4u * last.output, n, 0u, quad)] += seed * along(k, n, quad);
        }
    }
}

// Adds to a block of the tile's first workgroup those of the others.
fn join_blocks(block: u32, size: u32) {
    for (var i = local; i < size; i += WORKGROUP) {
        let at = region + block + i;
        var sum = scratch[at];
        for (var other = 1u; other < params.splits; other++) {
            sum += scratch[at + other * params.region];
        }
        scratch[at] = sum;
    }
}

// Adds up what the tile's workgroups have left: losses, S and C, and of a field the derivative by its outputs.
fn join_splits(first: u32) {
    set_kappa(first);
    for (var l = 0u; l + 1u < LAYERS; l++) {
        join_blocks(net[l].sums, 2u * QUADS * 4u * net[l].output);
    }
    if FIELD == 1u {
        join_blocks(net[LAYERS - 1u].outgoing, QUADS * 4u * net[LAYERS - 1u].output);
    }
    if local % ROWS == 0u {
        for (var j = 0u; j < 4u; j++) {
            let sample = min(first + 4u * (local / ROWS) + j, params.batch - 1u);
            for (var other = 0u; other < params.splits; other++) {
                loss[j] += losses[other * params.batch + sample];
            }
        }
    }
    workgroupBarrier();
}

@compute @workgroup_size(WORKGROUP)
fn score_matching(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    local = index;
    let splits = select(1u, params.splits, TANGENTS > 0u);
    let joining = TANGENTS > 0u && params.joining == 1u;
    let own = params.first_tile + group.x * select(1u, splits, joining);
    let owner = owner_of(own, params.groups);
    region = owner * params.region;
    let slab = owner * params.slab;
    let basis = params.law == LAW_BASIS;
    // passes before the tangents, and behind them
    let head = 2u - FIELD;
    if own < params.groups && !joining {
        clear_slab(slab, params.slab);
    }
    for (var item = own; item < params.end_tile; item += params.groups) {
        var tile = item;
        // its tangents: by variables of this function alone, as barriers depend on them
        var part = 0u;
        var k_first = 0u;
        var k_end = params.tangents;
        if splits > 1u {
            tile = item / splits;
            part = item % splits;
            k_first = part * params.tangents / splits;
            k_end = (part + 1u) * params.tangents / splits;
        }
        split = part;
        let first = tile * 4u * QUADS;
        let tail = head + 3u * (k_end - k_first);
        loss = vec4<f32>(0.0);
        if joining {
            join_splits(first);
        } else {
            load_samples(first);
            if FIELD == 0u && local < QUADS {
                seed_reverse(0u, 0u, local, vec4<f32>(0.0));
                seed_reverse(SECOND_CHANNEL, 0u, local, vec4<f32>(1.0));
            }
            if TANGENTS > 0u {
                clear_sums();
            }
        }
        sync();
        let end = select(tail, tail + head, joining || splits == 1u);
        for (var turn = select(0u, tail, joining); turn < opaque(end); turn++) {
            // a tangent is loaded, goes forward and goes back
            let tangent = turn >= head && turn < tail;
            let past = turn - min(turn, head);
            let k = k_first + past / 3u;
            let loading = TANGENTS > 0u && tangent && past % 3u == 0u;
            let meeting = TANGENTS > 0u && tangent && past % 3u == 1u;
            let backward = select(turn == 1u || turn == tail + head - 1u, past % 3u == 2u, tangent);
            var channel = select(0u, SECOND_CHANNEL, FIELD == 0u && (turn == 1u || turn == tail));
            channel = select(channel, TANGENT_CHANNEL, tangent);
            var bottom = select(0u, 1u, backward || (tangent && basis));
            if FIELD == 0u && turn == 1u && (params.levels > 0u || params.full > 0.0) {
                bottom = 0u;
            }
            var part = vec4<f32>(0.0);
            if loading {
                if basis {
                    push_shared(k);
                } else {
                    part = load_probe(first, k, TANGENT_CHANNEL);
                }
            } else {
                sweep(backward, channel, channel + 1u, bottom);
            }
            if meeting {
                part = match_tangent(first, k);
            }
            if FIELD == 1u && turn == 0u {
                match_field(first);
            }
            if FIELD == 0u && turn == 1u {
                match_gradient(first);
            }
            if turn + 1u == head && split > 0u {
                // the first of the tile's workgroups has counted these
                loss = vec4<f32>(0.0);
            }
            if FIELD == 0u && TANGENTS > 0u && turn == tail {
                loss += output_part(SECOND_CHANNEL) / params.share;
            }
            // what every column needs whole: |v|^2 of a probe, v.s of a tangent, its losses
            let last = turn + 1u == end;
            let scaled = loading && on_sphere();
            if last || meeting || scaled {
                let whole = column_sum(select(part, loss, last));
                if scaled {
                    scale_probe(TANGENT_CHANNEL, whole);
                }
                if meeting {
                    match_slope(first, k, whole);
                }
                if last {
                    store_losses(split * params.batch, first, whole);
                }
            }
            if backward && turn >= head {
                let both = !tangent;
                add_weights(slab, select(channel, 0u, both), select(channel + 1u, 1u + SECOND, both), select(0u, 1u, basis && tangent));
                if TANGENTS > 0u && basis && tangent {
                    add_shared(slab, k);
                }
                if both {
                    add_biases(slab, 0u, 1u);
                }
            }
            sync();
        }
    }
}
