// Arithmetic of quantities at x and x ± v by the parts in which they differ, of which nothing cancels.
//
// Elementwise. Reference: src/model/split/mod.rs. Needs: an activation, and its `near` and `is_far`.

// f(x), (f(x+v) - f(x-v))/2 and (f(x+v) + f(x-v))/2 - f(x).
struct Split {
    centre: vec4<f32>,
    odd: vec4<f32>,
    even: vec4<f32>,
}

// phi and phi'.
struct PhiParts {
    value: Split,
    slope: Split,
}

fn mean(z: Split) -> vec4<f32> {
    return z.centre + z.even;
}

fn scaled(z: Split, by: f32) -> Split {
    return Split(by * z.centre, by * z.odd, by * z.even);
}

fn plus(a: Split, b: Split) -> Split {
    return Split(a.centre + b.centre, a.odd + b.odd, a.even + b.even);
}

fn times(a: Split, b: Split) -> Split {
    return Split(
        a.centre * b.centre,
        fma(mean(a), b.odd, a.odd * mean(b)),
        fma(a.centre, b.even, fma(a.even, mean(b), a.odd * b.odd)));
}

// From the three values, where they differ by enough.
fn split_of(centre: vec4<f32>, above: vec4<f32>, below: vec4<f32>) -> Split {
    return Split(centre, 0.5 * (above - below), 0.5 * ((above - centre) + (below - centre)));
}

// `size` with the sign of z.
fn signed(z: vec4<f32>, size: vec4<f32>) -> vec4<f32> {
    return select(size, -size, z < vec4<f32>(0.0));
}

// phi and phi', by the differences themselves.
fn far(z: Split) -> PhiParts {
    let centre = phi(z.centre);
    let above = phi(mean(z) + z.odd);
    let below = phi(mean(z) - z.odd);
    return PhiParts(
        split_of(centre.value, above.value, below.value), split_of(centre.first, above.first, below.first));
}

fn parts_of(z: Split) -> PhiParts {
    var f = near(z);
    let beyond = is_far(z);
    if any(beyond) {
        let g = far(z);
        f.value.odd = select(f.value.odd, g.value.odd, beyond);
        f.value.even = select(f.value.even, g.value.even, beyond);
        f.slope.odd = select(f.slope.odd, g.slope.odd, beyond);
        f.slope.even = select(f.slope.even, g.slope.even, beyond);
    }
    return f;
}

// The reach of what is made of exponential functions.
fn is_wide(z: Split) -> vec4<bool> {
    return max(abs(z.odd), abs(z.even)) > vec4<f32>(16.0);
}

// e^x, and that less 1.
struct Power {
    whole: vec4<f32>,
    less_one: vec4<f32>,
}

// 2^n e^r and 2^n (e^r - 1) + (2^n - 1) with x = n ln 2 + r, clamped to 87.
fn power(exponent: vec4<f32>) -> Power {
    let x = clamp(exponent, vec4<f32>(-87.0), vec4<f32>(87.0));
    let n = round(x * 1.4426950408889634);
    // ln 2 in two parts, the first exact in 9 bits
    let r = fma(n, vec4<f32>(2.1219444e-4), fma(n, vec4<f32>(-0.693359375), x));
    var p = fma(r, vec4<f32>(1.0 / 5040.0), vec4<f32>(1.0 / 720.0));
    p = fma(r, p, vec4<f32>(1.0 / 120.0));
    p = fma(r, p, vec4<f32>(1.0 / 24.0));
    p = fma(r, p, vec4<f32>(1.0 / 6.0));
    p = fma(r, p, vec4<f32>(0.5));
    p = fma(r, p, vec4<f32>(1.0));
    let scale = bitcast<vec4<f32>>((vec4<i32>(n) + vec4<i32>(127)) << vec4<u32>(23u));
    return Power(fma(r, p, vec4<f32>(1.0)) * scale, fma(scale, r * p, scale - 1.0));
}

// e to minus the size of the parts of z.
struct Powers {
    centre: vec4<f32>,
    middle: vec4<f32>,
    odd: Power,
    even: Power,
}

fn powers_of(z: Split) -> Powers {
    return Powers(exp(-abs(z.centre)), exp(-abs(mean(z))), power(-abs(z.odd)), power(-abs(z.even)));
}

// tanh(z/2): the reference says by which formulas.
fn half_tanh(z: Split, e: Powers) -> Split {
    let k = e.centre;
    let s = e.middle;
    let u = e.odd.whole;
    let y = e.even.whole;
    let part = s / ((u + s) * fma(u, s, vec4<f32>(1.0)) * (1.0 + s));
    let about_mean = signed(mean(z), -(part * (1.0 - s)) * (e.odd.less_one * e.odd.less_one));
    let together = (z.centre < vec4<f32>(0.0)) == (z.even < vec4<f32>(0.0));
    let w = select(y + k, fma(y, k, vec4<f32>(1.0)), together);
    let inverse = 1.0 / ((1.0 + k) * w);
    return Split(
        signed(z.centre, (1.0 - k) * w * inverse),
        signed(z.odd, -(part * (1.0 + s)) * (e.odd.less_one * (1.0 + u))),
        signed(z.even, -2.0 * k * e.even.less_one * inverse) + about_mean);
}

// 1 - t^2 of t = tanh(z/2).
fn half_tanh_slope(t: Split, e: Powers) -> Split {
    let sum = 1.0 + e.centre;
    return Split(
        4.0 * e.centre / (sum * sum),
        -2.0 * mean(t) * t.odd,
        -fma(t.even, fma(vec4<f32>(2.0), t.centre, t.even), t.odd * t.odd));
}

// The logistic function from e = exp(-|z|), with the digits of its small values.
fn logistic_of(z: vec4<f32>, e: vec4<f32>) -> vec4<f32> {
    return select(vec4<f32>(1.0), e, z < vec4<f32>(0.0)) / (1.0 + e);
}

// The logistic function of z, from t = tanh(z/2).
fn logistic_parts(z: Split, t: Split, e: Powers) -> Split {
    return Split(logistic_of(z.centre, e.centre), 0.5 * t.odd, 0.5 * t.even);
}
