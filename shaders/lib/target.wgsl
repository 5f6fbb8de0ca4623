// What analytic targets are made of: elementary functions of four chains at a time, in own polynomials.
//
// A target, lib/target_*.wgsl, defines `fn analytic_energy() -> vec4<f32>`: the energies E of four chains at once. It reads
// coordinate n of the four with `at(n)`, as often as it likes, and gives dE / dx_n to `set_slope(n, ..)` once for each n;
// `dimension()` is the number of coordinates and `constant(i)` its numbers. These four functions come from the kernel
// that the target is put into. There are no barriers in a target. Finite for coordinates up to 1000.
// Reference: src/target/elementary.rs. Needs: lib/philox.wgsl.

struct Turn {
    sine: vec4<f32>,
    cosine: vec4<f32>,
}

// sin(pi x) and cos(pi x) for |x| <= 1.
fn half_turns(x: vec4<f32>) -> Turn {
    let low = sin_cos_pi(x.xy);
    let high = sin_cos_pi(x.zw);
    return Turn(vec4<f32>(low.xy, high.xy), vec4<f32>(low.zw, high.zw));
}

// sin(2 pi x) and cos(2 pi x) for any x: the whole turns are taken off exactly.
fn turns(x: vec4<f32>) -> Turn {
    return half_turns(2.0 * (x - round(x)));
}

// ln(1 + exp(-|x|)).
fn log_one_plus(x: vec4<f32>) -> vec4<f32> {
    let e = exp(-abs(x));
    return two_artanh(e / (2.0 + e));
}

// ln(exp(a) + exp(b)), shifted by the larger.
fn log_add_exp(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> {
    return max(a, b) + log_one_plus(a - b);
}

struct Shares {
    up: vec4<f32>,
    down: vec4<f32>,
}

// 1 / (1 + exp(-x)) and 1 / (1 + exp(x)), each accurate where it is small.
fn logistic(x: vec4<f32>) -> Shares {
    let e = exp(-abs(x));
    let large = 1.0 / (1.0 + e);
    let small = e / (1.0 + e);
    let positive = x > vec4<f32>(0.0);
    return Shares(select(small, large, positive), select(large, small, positive));
}

struct Ridges {
    log: vec4<f32>,
    by_a: vec4<f32>,
    by_b: vec4<f32>,
}

// ln(exp(-a^2 / 2) + exp(-b^2 / 2) + 1e-10), and its derivatives by a and by b.
fn two_ridges(a: vec4<f32>, b: vec4<f32>) -> Ridges {
    let at_a = -0.5 * a * a;
    let at_b = -0.5 * b * b;
    let log = log_add_exp(log_add_exp(at_a, at_b), vec4<f32>(-23.025850929940457));
    return Ridges(log, -a * exp(at_a - log), -b * exp(at_b - log));
}
