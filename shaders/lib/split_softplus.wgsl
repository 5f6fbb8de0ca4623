// Softplus of a quantity at x and x ± v by its parts: ln(1 + e^z).
//
// phi and phi', elementwise. Reference: src/model/split/logistic.rs, which says by which formulas. Needs: lib/split.wgsl,
// lib/philox.wgsl.

fn is_far(z: Split) -> vec4<bool> {
    return is_wide(z);
}

// ln(1 + x) for x >= 0: n ln 2 + 2 artanh((m - 1) / (m + 1)) with 1 + x = 2^n m, where m - 1 is x itself if it can be.
fn log_one_more(x: vec4<f32>) -> vec4<f32> {
    let bits = bitcast<vec4<u32>>(1.0 + x) - vec4<u32>(0x3F3504F3u);
    let n = bitcast<vec4<i32>>(bits) >> vec4<u32>(23u);
    let m = bitcast<vec4<f32>>((bits & vec4<u32>(0x007FFFFFu)) + vec4<u32>(0x3F3504F3u));
    let above = select(m - 1.0, x, n == vec4<i32>(0));
    return fma(vec4<f32>(n), vec4<f32>(0.6931471805599453), two_artanh(above / (2.0 + above)));
}

fn near(z: Split) -> PhiParts {
    let e = powers_of(z);
    let s = e.middle;
    let u = e.odd.whole;
    let u1 = e.odd.less_one;
    let m = mean(z);
    let about_mean = 0.5 * log_one_more(s * (u1 * u1) / (u * ((1.0 + s) * (1.0 + s))));
    let rise = 0.5 * log_one_more(s * (-u1 * (1.0 + u)) / (u * fma(u, s, vec4<f32>(1.0))));
    let lower = select(logistic_of(z.centre, e.centre), logistic_of(m, s), z.even < vec4<f32>(0.0));
    let value = Split(
        max(z.centre, vec4<f32>(0.0)) + two_artanh(e.centre / (2.0 + e.centre)),
        signed(z.odd, select(abs(z.odd) - rise, rise, m < vec4<f32>(0.0))),
        signed(z.even, log_one_more(lower * -e.even.less_one / e.even.whole)) + about_mean);
    return PhiParts(value, logistic_parts(z, half_tanh(z, e), e));
}
