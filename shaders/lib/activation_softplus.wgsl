// Softplus: ln(1 + e^z), in a form that cannot overflow.
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
    return Phi(max(z, vec4<f32>(0.0)) + two_artanh(e / (2.0 + e)), s, s1, s1 * (1.0 - 2.0 * s));
}
