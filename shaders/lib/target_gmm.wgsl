// Two normal laws of one variance v in the plane: E = -ln sum_k w_k exp(-|x - mu_k|^2 / 2v).
//
// Constants: 1 / v, ln w_1, ln w_2, mu_1 [2], mu_2 [2]. The log-odds of the two are linear in x.
// Reference: src/target/normal_pair.rs. Needs: lib/target.wgsl.

fn analytic_energy() -> vec4<f32> {
    let inverse_variance = constant(0u);
    var square_a = vec4<f32>(0.0);
    var square_b = vec4<f32>(0.0);
    var odds = vec4<f32>(0.0);
    for (var n = 0u; n < 2u; n++) {
        let a = constant(3u + n);
        let b = constant(5u + n);
        let x = at(n);
        square_a = fma(x - a, x - a, square_a);
        square_b = fma(x - b, x - b, square_b);
        odds = fma(vec4<f32>(a - b), x - 0.5 * (a + b), odds);
    }
    odds = fma(vec4<f32>(inverse_variance), odds, vec4<f32>(constant(1u) - constant(2u)));
    let shares = logistic(odds);
    for (var n = 0u; n < 2u; n++) {
        let x = at(n);
        set_slope(n, inverse_variance * (shares.up * (x - constant(3u + n)) + shares.down * (x - constant(5u + n))));
    }
    let a = 0.5 * inverse_variance * square_a - constant(1u);
    let b = 0.5 * inverse_variance * square_b - constant(2u);
    return select(b, a, odds > vec4<f32>(0.0)) - log_one_plus(odds);
}
