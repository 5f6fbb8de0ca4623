// The potential u3 in the plane: valleys of width 0.35 along x_2 = w_1 and x_2 = w_1 - w_2, with w_1 = sin(pi x_1 / 2) and
// w_2 = 3 exp(-1/2 ((x_1 - 1) / 0.6)^2).
//
// No constants. Reference: src/target/potential.rs. Needs: lib/target.wgsl.

fn analytic_energy() -> vec4<f32> {
    let x = at(0u);
    let wave = turns(0.25 * x);
    let slope = 1.5707963267948966 * wave.cosine;
    let u = (x - 1.0) * 1.6666666666666667;
    let w = 3.0 * exp(-0.5 * u * u);
    let narrow = 2.857142857142857;
    let above = at(1u) - wave.sine;
    let ridges = two_ridges(above * narrow, (above + w) * narrow);
    set_slope(0u, narrow * (ridges.by_a * slope + ridges.by_b * (slope + w * u * 1.6666666666666667)));
    set_slope(1u, -narrow * (ridges.by_a + ridges.by_b));
    return -ridges.log;
}
