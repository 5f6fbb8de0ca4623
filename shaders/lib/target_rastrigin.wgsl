// Rastrigin's function: E = sum_n x_n^2 + A (1 - cos 2 pi x_n), with 1 - cos 2 pi x = 2 sin^2 pi t, t = x - round(x).
//
// Constants: A. Reference: src/target/rastrigin.rs. Needs: lib/target.wgsl.

fn analytic_energy() -> vec4<f32> {
    let height = constant(0u);
    var energy = vec4<f32>(0.0);
    for (var n = 0u; n < dimension(); n++) {
        let x = at(n);
        let turn = half_turns(x - round(x));
        set_slope(n, 2.0 * x + 12.566370614359172 * height * turn.sine * turn.cosine);
        energy += x * x + 2.0 * height * turn.sine * turn.sine;
    }
    return energy;
}
