// A box that coordinates are kept in. Reference: src/sampler/bounds.rs.

const WALL_NONE: u32 = 0u;
const WALL_REFLECT: u32 = 1u;
const WALL_CLAMP: u32 = 2u;

// A coordinate of four chains brought back into the box, and whose momentum turned round.
struct Held {
    x: vec4<f32>,
    turned: vec4<bool>,
}

fn hold(x: vec4<f32>, wall: u32, low: f32, high: f32) -> Held {
    if wall == WALL_CLAMP {
        return Held(clamp(x, vec4<f32>(low), vec4<f32>(high)), vec4<bool>(false));
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
    return Held(select(low + rest, high - rest, turned), turned);
}
