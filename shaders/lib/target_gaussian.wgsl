// A normal law: E = 1/2 (x - mu)^T P (x - mu), P the inverse of its covariance.
//
// Constants: 0, mu [d], the diagonal of P [d]; or 1, mu [d], P [d, d] row-major.
// Reference: src/target/gaussian.rs. Needs: lib/target.wgsl.

fn analytic_energy() -> vec4<f32> {
    let d = dimension();
    let full = constant(0u) == 1.0;
    var energy = vec4<f32>(0.0);
    for (var n = 0u; n < d; n++) {
        let apart = at(n) - constant(1u + n);
        var slope = vec4<f32>(0.0);
        if full {
            let row = 1u + d + n * d;
            for (var m = 0u; m < d; m++) {
                slope = fma(vec4<f32>(constant(row + m)), at(m) - constant(1u + m), slope);
            }
        } else {
            slope = constant(1u + d + n) * apart;
        }
        set_slope(n, slope);
        energy += apart * slope;
    }
    return 0.5 * energy;
}
