// Himmelblau's function in the plane: E = p^2 + q^2, p = x_1^2 + x_2 - 11, q = x_1 + x_2^2 - 7.
//
// No constants. Reference: src/target/himmelblau.rs. Needs: lib/target.wgsl.

fn analytic_energy() -> vec4<f32> {
    let x = at(0u);
    let y = at(1u);
    let p = x * x + y - 11.0;
    let q = x + y * y - 7.0;
    set_slope(0u, 4.0 * x * p + 2.0 * q);
    set_slope(1u, 2.0 * p + 4.0 * y * q);
    return p * p + q * q;
}
