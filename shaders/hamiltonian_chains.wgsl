// Many steps of Hamiltonian Monte Carlo for many chains; with one leapfrog it is the Metropolis-adjusted Langevin algorithm.
//
// A step draws p ~ N(0, I), does `leapfrogs` times p <- p - (rho / 2) s grad U, x <- x + rho s p, p <- p - (rho / 2) s grad U,
// and accepts with probability min(1, exp(-(U' - U) - (|p'|^2 - |p|^2) / 2)), U = E / T + a |x - m|^2 / 2 by coordinate.
// rho = step sqrt(T) times the chain's own factor, T the temperature of its replica (column % replicas), s = 1 / sqrt(mass) of
// the coordinate.
// chains [count, dim] row-major. states [count][2]: (E, ln factor, its average, unused), (acceptance probabilities summed,
// proposals without a finite energy, exchanges, acceptance probabilities that are not yet in the sum). table: T of each replica, then s, m and a of each coordinate.
// A workgroup takes tiles of 4 QUADS columns in turn and carries each through all steps of the dispatch; column i draws at
// index first_column + i. Turn 0 surveys where the chains are; each other turn is a leapfrog.
// Reference: src/engine/cpu/hamiltonian.rs. Needs: lib/chains.wgsl, lib/finite.wgsl, lib/walls.wgsl, lib/noise.wgsl,
// a landscape.

struct HamiltonianParams {
    // the seed
    key_low: u32,
    key_high: u32,
    count: u32,
    dim: u32,
    // the tiles of this dispatch, from one up to another
    first_tile: u32,
    end_tile: u32,
    // tile t is that of workgroup t mod groups, in however many dispatches
    groups: u32,
    // vec4 of scratch that a workgroup owns, and where three spare blocks lie in it
    region: u32,
    spare: u32,
    // steps done before this dispatch, and steps of this dispatch
    first_step: u32,
    steps: u32,
    leapfrogs: u32,
    replicas: u32,
    // the box of every coordinate: a WALL_* constant and its ends
    wall: u32,
    low: f32,
    high: f32,
    step: f32,
    // acceptance that adaptation aims at; 0 for none
    goal: f32,
    // the gain of adaptation at step t is gain t^-decay, the share of a value in the average t^-forgetting
    gain: f32,
    decay: f32,
    forgetting: f32,
    // the column that the first one is among all
    first_column: u32,
    unused1: u32,
    unused2: u32,
}

@group(0) @binding(0) var<uniform> params: HamiltonianParams;
@group(0) @binding(1) var<uniform> net: array<Layer, LAYERS>;
@group(0) @binding(2) var<storage, read> weights: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> table: array<f32>;
@group(0) @binding(4) var<storage, read_write> scratch: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> chains: array<f32>;
@group(0) @binding(6) var<storage, read_write> states: array<vec4<f32>>;

// Steps whose acceptance is summed before it goes to what all have.
const TALLY: u32 = 4096u;

// The spare blocks: momentum; where a step started, and the slope there.
const MOMENTUM: u32 = 0u;
const START: u32 = 1u;
const START_SLOPE: u32 = 2u;

// rho, 1 / T and the verdict on four chains
var<workgroup> reach: array<vec4<f32>, QUADS>;
var<workgroup> cold: array<vec4<f32>, QUADS>;
var<workgroup> accepted: array<vec4<u32>, QUADS>;

// of column quad local / ROWS, where local % ROWS == 0: what `states` holds, a vec4 of four chains each
var<private> energy: vec4<f32>;
var<private> log_factor: vec4<f32>;
var<private> average: vec4<f32>;
var<private> acceptance: vec4<f32>;
var<private> recent: vec4<f32>;
var<private> broken: vec4<f32>;
// what |p|^2 / 2 + a |x - m|^2 / 2 has grown by over this invocation's coordinates
var<private> growth: vec4<f32>;

fn spare(which: u32, n: u32, quad: u32) -> u32 {
    return region + params.spare + (which * QUADS + quad) * 4u * net[0].input + n;
}

fn column_of(first: u32, quad: u32, j: u32) -> u32 {
    return min(first + 4u * quad + j, params.count - 1u);
}

fn load_states(first: u32) {
    let quad = local / ROWS;
    if local % ROWS == 0u {
        for (var j = 0u; j < 4u; j++) {
            let column = column_of(first, quad, j);
            let state = states[2u * column];
            let tally = states[2u * column + 1u];
            log_factor[j] = state.y;
            average[j] = state.z;
            // sums go on from where they were, so that their rounding is the same however steps are cut
            acceptance[j] = tally.x;
            broken[j] = tally.y;
            recent[j] = tally.w;
            cold[quad][j] = 1.0 / table[column % params.replicas];
        }
    }
}

fn store_states(first: u32) {
    let quad = local / ROWS;
    if local % ROWS == 0u {
        for (var j = 0u; j < 4u; j++) {
            let column = first + 4u * quad + j;
            if column < params.count {
                states[2u * column] = vec4<f32>(energy[j], log_factor[j], average[j], 0.0);
                let exchanges = states[2u * column + 1u].z;
                states[2u * column + 1u] = vec4<f32>(acceptance[j], broken[j], exchanges, recent[j]);
            }
        }
    }
}

// x - m and a (x - m) of coordinate n.
fn base_offset(n: u32, quad: u32) -> vec4<f32> {
    return scratch[place_of(n, quad)] - table[params.replicas + params.dim + n];
}

fn base_slope(n: u32, quad: u32) -> vec4<f32> {
    return table[params.replicas + 2u * params.dim + n] * base_offset(n, quad);
}

// Draws momenta and keeps where the step starts.
fn begin_step(first: u32, step: u32) {
    let quad = local / ROWS;
    if local % ROWS == 0u {
        // before the barriers of the draws
        reach[quad] = params.step * exp(log_factor) * inverseSqrt(cold[quad]);
    }
    growth = vec4<f32>(0.0);
    for (var chunk = 0u; chunk * ROWS < params.dim; chunk++) {
        let p = normal_chunk(chunk, params.first_column + first, step, STREAM_CHAIN, key());
        let n = chunk * ROWS + local % ROWS;
        if n < params.dim {
            growth = fma(-0.5 * p, p, growth) - 0.5 * base_slope(n, quad) * base_offset(n, quad);
            scratch[spare(MOMENTUM, n, quad)] = p;
            scratch[spare(START, n, quad)] = scratch[place_of(n, quad)];
            scratch[spare(START_SLOPE, n, quad)] = slope_of(n, quad);
        }
    }
}

// What half a kick adds to the momentum of coordinate n.
fn half_kick(n: u32, quad: u32) -> vec4<f32> {
    let slope = fma(cold[quad], slope_of(n, quad), base_slope(n, quad));
    return -0.5 * table[params.replicas + n] * reach[quad] * slope;
}

// Half a kick, and a step of position; mirrors turn momentum round.
fn move_on() {
    let quad = local / ROWS;
    for (var n = local % ROWS; n < params.dim; n += ROWS) {
        let p = scratch[spare(MOMENTUM, n, quad)] + half_kick(n, quad);
        let x = place_of(n, quad);
        let moved = fma(table[params.replicas + n] * reach[quad], p, scratch[x]);
        let held = hold(moved, params.wall, params.low, params.high);
        scratch[x] = held.x;
        scratch[spare(MOMENTUM, n, quad)] = select(p, -p, held.turned);
    }
}

// The other half of the kick; the last of a step also adds to the growth.
fn kick_again(last: bool) {
    let quad = local / ROWS;
    for (var n = local % ROWS; n < params.dim; n += ROWS) {
        let p = scratch[spare(MOMENTUM, n, quad)] + half_kick(n, quad);
        scratch[spare(MOMENTUM, n, quad)] = p;
        if last {
            growth = fma(0.5 * p, p, growth) + 0.5 * base_slope(n, quad) * base_offset(n, quad);
        }
    }
}

// The t-th step of adaptation.
fn adapt(t: f32, probability: vec4<f32>) {
    log_factor += params.gain * exp(-params.decay * log(t)) * (probability - params.goal);
    average += exp(-params.forgetting * log(t)) * (log_factor - average);
}

// Accepts or refuses what the step proposes, and goes back where it is refused.
fn decide(first: u32, step: u32, proposed: vec4<f32>, change: vec4<f32>) {
    let quad = local / ROWS;
    if local % ROWS == 0u {
        let sound = finite(proposed) & finite(change);
        let log_ratio = -fma(proposed - energy, cold[quad], change);
        let likely = exp(clamp(log_ratio, vec4<f32>(-87.0), vec4<f32>(0.0)));
        let probability = select(vec4<f32>(0.0), likely, sound);
        var words: vec4<u32>;
        for (var j = 0u; j < 4u; j++) {
            let column = params.first_column + first + 4u * quad + j;
            words[j] = philox4x32_10(vec4<u32>(column, step, 0u, STREAM_ACCEPT), key()).x;
        }
        let u = vec4<f32>(open_uniform(words.xy), open_uniform(words.zw));
        let yes = u < probability;
        accepted[quad] = select(vec4<u32>(0u), vec4<u32>(1u), yes);
        energy = select(energy, proposed, yes);
        // by the thousand: one sum of millions would lose what is added
        recent += probability;
        if (step + 1u) % TALLY == 0u {
            acceptance += recent;
            recent = vec4<f32>(0.0);
        }
        broken += select(vec4<f32>(1.0), vec4<f32>(0.0), sound);
        if params.goal > 0.0 {
            adapt(f32(step + 1u), probability);
        }
    }
    workgroupBarrier();
    let yes = accepted[quad] == vec4<u32>(1u);
    for (var n = local % ROWS; n < params.dim; n += ROWS) {
        let x = place_of(n, quad);
        scratch[x] = select(scratch[spare(START, n, quad)], scratch[x], yes);
        put_slope(n, quad, select(scratch[spare(START_SLOPE, n, quad)], slope_of(n, quad), yes));
    }
}

@compute @workgroup_size(WORKGROUP)
fn hamiltonian_chains(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    local = index;
    let own = params.first_tile + group.x;
    region = owner_of(own, params.groups) * params.region;
    for (var tile = own; tile < params.end_tile; tile += params.groups) {
        let first = tile * 4u * QUADS;
        load_chains(first);
        load_states(first);
        prepare_survey();
        sync();
        for (var turn = 0u; turn <= params.steps * params.leapfrogs; turn++) {
            let leap = (turn + params.leapfrogs - 1u) % params.leapfrogs;
            let step = params.first_step + (turn - min(turn, 1u)) / params.leapfrogs;
            if turn > 0u {
                if leap == 0u {
                    begin_step(first, step);
                }
                move_on();
                sync();
            }
            survey();
            let last = leap + 1u == params.leapfrogs;
            if turn > 0u {
                kick_again(last);
            }
            if turn == 0u || last {
                // E, and what else of the Hamiltonian has grown
                var parts = array(energy_part(), growth);
                for (var i = 0u; i < opaque(2u); i++) {
                    parts[i] = column_sum(parts[i]);
                }
                if turn == 0u {
                    energy = parts[0];
                } else {
                    decide(first, step, parts[0], parts[1]);
                }
            }
        }
        store_chains(first);
        store_states(first);
        sync();
    }
}
