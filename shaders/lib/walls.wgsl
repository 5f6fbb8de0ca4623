// A box that coordinates are kept in. Reference: src/sampler/bounds.rs. Needs: lib/finite.wgsl.

const WALL_NONE: u32 = 0u;
const WALL_REFLECT: u32 = 1u;
const WALL_CLAMP: u32 = 2u;
// Behind more mirrors than this the digits of a coordinate no longer tell its place.
const MOST_TURNS: f32 = 4096.0;
const NO_NUMBER: u32 = 0x7fc00000u;

// A coordinate of four chains brought back into the box, and whose momentum turned round.
struct Held {
    x: vec4<f32>,
    turned: vec4<bool>,
}

// What is not finite stays so: WGSL leaves open what clamp makes of NaN.
fn hold(x: vec4<f32>, wall: u32, low: f32, high: f32) -> Held {
    let sound = finite(x);
    if wall == WALL_CLAMP {
        return Held(select(x, clamp(x, vec4<f32>(low), vec4<f32>(high)), sound), vec4<bool>(false));
    }
    if wall == WALL_NONE {
        return Held(x, vec4<bool>(false));
    }
    let width = high - low;
    let way = x - low;
    let turns = floor(way / width);
    let rest = way - turns * width;
    // an odd number of mirrors turns it round
    let turned = floor(0.5 * turns) < 0.5 * turns;
    let known = sound & (abs(turns) <= vec4<f32>(MOST_TURNS));
    let place = bitcast<vec4<u32>>(select(low + rest, high - rest, turned));
    return Held(bitcast<vec4<f32>>(select(vec4<u32>(NO_NUMBER), place, known)), turned);
}
