// Neal's funnel: E = x_1^2 / 2v + 1/2 sum_n (x_n^2 exp(-x_1) + x_1), n from 2.
//
// Constants: v. Below x_1 = -60 the width of the others stays the same, so that nothing overflows.
// Reference: src/target/funnel.rs. Needs: lib/target.wgsl.

fn analytic_energy() -> vec4<f32> {
    let d = dimension();
    let inverse_variance = 1.0 / constant(0u);
    let neck = at(0u);
    let inverse = exp(min(-neck, vec4<f32>(60.0)));
    var squares = vec4<f32>(0.0);
    for (var n = 1u; n < d; n++) {
        let x = at(n);
        squares = fma(x, x, squares);
        set_slope(n, inverse * x);
    }
    let half_count = 0.5 * f32(d - 1u);
    let wide = 0.5 * inverse * squares;
    let inside = neck > vec4<f32>(-60.0);
    set_slope(0u, inverse_variance * neck + half_count - select(vec4<f32>(0.0), wide, inside));
    return 0.5 * inverse_variance * neck * neck + wide + half_count * neck;
}
