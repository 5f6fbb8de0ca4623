// GELU of a quantity at x and x ± v by its parts: z P(z), with P the normal distribution function and p its density.
//
// phi and phi', elementwise. Reference: src/model/split/normal.rs. Needs: lib/split.wgsl.

// Within reach, the terms left out are some 1e-7 of the density at 0.
fn is_far(z: Split) -> vec4<bool> {
    return abs(z.odd) > vec4<f32>(1.0);
}

fn distribution(z: vec4<f32>) -> vec4<f32> {
    return 0.5 * (1.0 + erf(z * 0.7071067811865476));
}

fn density(z: vec4<f32>) -> vec4<f32> {
    // far out its square must not become infinite
    return 0.3989422804014327 * exp(-0.5 * min(z * z, vec4<f32>(170.0)));
}

// What p and P at m + h and m - h have apart from p and P at m, over p(m).
struct NormalParts {
    odd: vec4<f32>,
    even: vec4<f32>,
    integral_odd: vec4<f32>,
    integral_even: vec4<f32>,
}

// Sums of T_n = He_n(m) h^n/n! and of h T_n/(n + 1): p(m + h) = p(m) (T_0 - T_1 + T_2 - ..).
fn normal_parts(middle: vec4<f32>, h: vec4<f32>, terms: u32) -> NormalParts {
    // beyond, p is 0, and the sums must not become infinite
    let m = clamp(middle, vec4<f32>(-40.0), vec4<f32>(40.0));
    let along = m * h;
    let square = h * h;
    var even = vec4<f32>(0.0);
    var odd = vec4<f32>(0.0);
    var integral_odd = vec4<f32>(0.0);
    var integral_even = vec4<f32>(0.0);
    var before = vec4<f32>(0.0);
    var term = vec4<f32>(1.0);
    for (var n = 0u; n < terms; n += 2u) {
        let first = 1.0 / f32(n + 1u);
        let second = 1.0 / f32(n + 2u);
        even += select(vec4<f32>(0.0), term, n > 0u);
        integral_odd = fma(term, vec4<f32>(first), integral_odd);
        before = first * fma(along, term, -square * before);
        odd += before;
        integral_even = fma(before, vec4<f32>(second), integral_even);
        term = second * fma(along, before, -square * term);
    }
    return NormalParts(-odd, even, h * integral_odd, -h * integral_even);
}

fn near(z: Split) -> PhiParts {
    let shift = normal_parts(z.centre, z.even, 10u);
    let about_mean = normal_parts(mean(z), z.odd, 16u);
    let p = density(z.centre);
    let p_mean = density(mean(z));
    let integral = distribution(z.centre);
    // a long way from x to the mean is a difference of values
    let short = abs(z.even) < vec4<f32>(0.25);
    let to_mean = select(p_mean - p, p * (shift.odd + shift.even), short);
    let integral_to_mean =
        select(distribution(mean(z)) - integral, p * (shift.integral_odd + shift.integral_even), short);
    let bell = Split(p, p_mean * about_mean.odd, fma(p_mean, about_mean.even, to_mean));
    let sum = Split(
        integral, p_mean * about_mean.integral_odd, fma(p_mean, about_mean.integral_even, integral_to_mean));
    return PhiParts(times(z, sum), plus(sum, times(z, bell)));
}
