// Hyperbolic tangent, from exp(-2|z|), which cannot overflow.
//
// Value and first three derivatives, elementwise. Reference: src/model/activation.rs.

struct Phi {
    value: vec4<f32>,
    first: vec4<f32>,
    second: vec4<f32>,
    third: vec4<f32>,
}

fn phi(z: vec4<f32>) -> Phi {
    let e = exp(-2.0 * abs(z));
    let t = sign(z) * (1.0 - e) / (1.0 + e);
    let d = 1.0 - t * t;
    return Phi(t, d, -2.0 * t * d, d * (6.0 * t * t - 2.0));
}
