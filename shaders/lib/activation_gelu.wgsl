// GELU: z P(z), with P the normal distribution function.
//
// Value and first three derivatives, elementwise. Reference: src/model/activation.rs.

struct Phi {
    value: vec4<f32>,
    first: vec4<f32>,
    second: vec4<f32>,
    third: vec4<f32>,
}

// erf: 1 - t exp(-x^2 + P(t)) with t = 1 / (1 + |x| / 2) (Numerical Recipes; erfc to 1.2e-7 of itself).
fn erf(x: vec4<f32>) -> vec4<f32> {
    let a = min(abs(x), vec4<f32>(9.0));
    let t = 1.0 / fma(a, vec4<f32>(0.5), vec4<f32>(1.0));
    var p = fma(t, vec4<f32>(0.17087277), vec4<f32>(-0.82215225));
    p = fma(t, p, vec4<f32>(1.4885159));
    p = fma(t, p, vec4<f32>(-1.1352039));
    p = fma(t, p, vec4<f32>(0.27886807));
    p = fma(t, p, vec4<f32>(-0.18628806));
    p = fma(t, p, vec4<f32>(0.09678418));
    p = fma(t, p, vec4<f32>(0.37409196));
    p = fma(t, p, vec4<f32>(1.0000237));
    p = fma(t, p, vec4<f32>(-1.2655122));
    return sign(x) * (1.0 - t * exp(fma(-a, a, p)));
}

fn phi(z: vec4<f32>) -> Phi {
    let cdf = 0.5 * (1.0 + erf(z * 0.7071067811865476));
    // far out its square must not become infinite, and exp is cut off above 0
    let square = min(z * z, vec4<f32>(170.0));
    let pdf = select(0.3989422804014327 * exp(-0.5 * square), vec4<f32>(0.0), square >= vec4<f32>(170.0));
    return Phi(z * cdf, fma(z, pdf, cdf), pdf * (2.0 - square), pdf * z * (square - 4.0));
}
