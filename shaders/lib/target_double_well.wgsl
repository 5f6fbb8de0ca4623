// Double wells: E = h sum_n (x_n^2 - 1)^2.
//
// Constants: h. Reference: src/target/double_well.rs. Needs: lib/target.wgsl.

fn analytic_energy() -> vec4<f32> {
    let height = constant(0u);
    var energy = vec4<f32>(0.0);
    for (var n = 0u; n < dimension(); n++) {
        let x = at(n);
        let w = x * x - 1.0;
        set_slope(n, 4.0 * height * x * w);
        energy = fma(height * w, w, energy);
    }
    return energy;
}
