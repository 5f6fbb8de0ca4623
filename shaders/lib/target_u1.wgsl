// The potential u1 in the plane: a ring of radius 2 and width 0.4 with ridges of width 0.6 at x_1 = 2 and x_1 = -2.
//
// No constants. Reference: src/target/potential.rs. Needs: lib/target.wgsl.

fn analytic_energy() -> vec4<f32> {
    let x = at(0u);
    let y = at(1u);
    let r = sqrt(x * x + y * y + 1e-30);
    let q = (r - 2.0) * 2.5;
    let narrow = 1.6666666666666667;
    let ridges = two_ridges((x - 2.0) * narrow, (x + 2.0) * narrow);
    let along = 2.5 * q / r;
    set_slope(0u, along * x - narrow * (ridges.by_a + ridges.by_b));
    set_slope(1u, along * y);
    return 0.5 * q * q - ridges.log;
}
