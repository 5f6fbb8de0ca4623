// The potential u2 in the plane: a valley of width 0.4 along x_2 = sin(pi x_1 / 2).
//
// No constants. Reference: src/target/potential.rs. Needs: lib/target.wgsl.

fn analytic_energy() -> vec4<f32> {
    let wave = turns(0.25 * at(0u));
    let q = (at(1u) - wave.sine) * 2.5;
    set_slope(0u, -2.5 * 1.5707963267948966 * q * wave.cosine);
    set_slope(1u, 2.5 * q);
    return 0.5 * q * q;
}
