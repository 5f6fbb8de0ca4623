// The potential u4 in the plane: valleys along x_2 = w_1, of width 0.4, and x_2 = w_1 - w_3, of width 0.35, with
// w_1 = sin(pi x_1 / 2) and w_3 = 3 / (1 + exp(-(x_1 - 1) / 0.3)).
//
// No constants. Reference: src/target/potential.rs. Needs: lib/target.wgsl.

fn analytic_energy() -> vec4<f32> {
    let x = at(0u);
    let wave = turns(0.25 * x);
    let slope = 1.5707963267948966 * wave.cosine;
    let rise = logistic((x - 1.0) * 3.3333333333333333);
    let narrow = 2.857142857142857;
    let above = at(1u) - wave.sine;
    let ridges = two_ridges(above * 2.5, (above + 3.0 * rise.up) * narrow);
    let by_a = 2.5 * ridges.by_a;
    let by_b = narrow * ridges.by_b;
    set_slope(0u, by_a * slope + by_b * (slope - 10.0 * rise.up * rise.down));
    set_slope(1u, -by_a - by_b);
    return -ridges.log;
}
