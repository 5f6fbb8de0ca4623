// Hyperbolic tangent of a quantity at x and x ± v by its parts.
//
// phi and phi', elementwise. Reference: src/model/split/logistic.rs. Needs: lib/split.wgsl.

fn is_far(z: Split) -> vec4<bool> {
    return is_wide(z);
}

fn near(z: Split) -> PhiParts {
    let twice = scaled(z, 2.0);
    let e = powers_of(twice);
    let t = half_tanh(twice, e);
    return PhiParts(t, half_tanh_slope(t, e));
}
