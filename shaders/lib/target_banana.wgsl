// The unit banana in the plane: E = 1/2 x_1^2 + 1/2 u^2, u = x_2 + 1/2 (x_1^2 - 1).
//
// No constants. Reference: src/target/banana.rs. Needs: lib/target.wgsl.

fn analytic_energy() -> vec4<f32> {
    let x = at(0u);
    let u = at(1u) + 0.5 * (x * x - 1.0);
    set_slope(0u, fma(u, x, x));
    set_slope(1u, u);
    return 0.5 * (x * x + u * u);
}
