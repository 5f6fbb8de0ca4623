// Ackley's function: E = 20 (1 - exp(-r / 5)) + e - exp(mean of cos 2 pi x_n), r^2 = mean of x_n^2.
//
// No constants. 1e-30 is added to r^2, so that the slope at the tip is 0. Reference: src/target/ackley.rs.
// Needs: lib/target.wgsl.

fn analytic_energy() -> vec4<f32> {
    let d = dimension();
    let share = 1.0 / f32(d);
    var square = vec4<f32>(0.0);
    var ripple = vec4<f32>(0.0);
    for (var n = 0u; n < d; n++) {
        let x = at(n);
        square = fma(x, x, square);
        ripple += turns(x).cosine;
    }
    let r = sqrt(fma(square, vec4<f32>(share), vec4<f32>(1e-30)));
    let pit = exp(-0.2 * r);
    ripple = exp(ripple * share);
    let along = 4.0 * share * pit / r;
    let across = 6.283185307179586 * share * ripple;
    for (var n = 0u; n < d; n++) {
        let x = at(n);
        set_slope(n, fma(along, x, across * turns(x).sine));
    }
    return 20.0 * (1.0 - pit) + (2.718281828459045 - ripple);
}
