// Rosenbrock's valley: E = sum_n b (x_{n+1} - x_n^2)^2 + a (1 - x_n)^2.
//
// Constants: a, b. Reference: src/target/rosenbrock.rs. Needs: lib/target.wgsl.

fn analytic_energy() -> vec4<f32> {
    let a = constant(0u);
    let b = constant(1u);
    var energy = vec4<f32>(0.0);
    // what the pair before leaves for the slope of this coordinate
    var carried = vec4<f32>(0.0);
    var x = at(0u);
    let last = dimension() - 1u;
    for (var n = 0u; n < last; n++) {
        let next = at(n + 1u);
        let u = next - x * x;
        let t = 1.0 - x;
        energy += b * u * u + a * t * t;
        set_slope(n, carried - 4.0 * b * u * x - 2.0 * a * t);
        carried = 2.0 * b * u;
        x = next;
    }
    set_slope(last, carried);
    return energy;
}
