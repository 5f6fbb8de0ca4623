// Leaky ReLU: z where z > 0, else z / 100; its second derivative is 0 almost everywhere.
//
// Value and first three derivatives, elementwise. Reference: src/model/activation.rs.

struct Phi {
    value: vec4<f32>,
    first: vec4<f32>,
    second: vec4<f32>,
    third: vec4<f32>,
}

fn phi(z: vec4<f32>) -> Phi {
    // the slope of NaN is NaN
    let below = select(z, vec4<f32>(0.01), z <= vec4<f32>(0.0));
    let slope = select(below, vec4<f32>(1.0), z > vec4<f32>(0.0));
    return Phi(slope * z, slope, vec4<f32>(0.0), vec4<f32>(0.0));
}
