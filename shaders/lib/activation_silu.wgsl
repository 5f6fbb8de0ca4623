// SiLU: z s(z), with s the logistic function.
//
// Value and first three derivatives, elementwise. Reference: src/model/activation.rs.

struct Phi {
    value: vec4<f32>,
    first: vec4<f32>,
    second: vec4<f32>,
    third: vec4<f32>,
}

// The logistic function from e = exp(-|z|).
fn logistic(z: vec4<f32>, e: vec4<f32>) -> vec4<f32> {
    let tail = 1.0 / (1.0 + e);
    return select(tail, 1.0 - tail, z < vec4<f32>(0.0));
}

fn phi(z: vec4<f32>) -> Phi {
    let e = exp(-abs(z));
    let s = logistic(z, e);
    let s1 = s * (1.0 - s);
    let s2 = s1 * (1.0 - 2.0 * s);
    let s3 = s1 * (1.0 - 6.0 * s1);
    return Phi(z * s, fma(z, s1, s), fma(z, s2, 2.0 * s1), fma(z, s3, 3.0 * s2));
}
