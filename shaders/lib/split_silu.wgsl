// SiLU of a quantity at x and x ± v by its parts: z s(z), with s the logistic function.
//
// phi and phi', elementwise. Reference: src/model/split/logistic.rs. Needs: lib/split.wgsl.

fn is_far(z: Split) -> vec4<bool> {
    return is_wide(z);
}

fn near(z: Split) -> PhiParts {
    let e = powers_of(z);
    let t = half_tanh(z, e);
    let s = logistic_parts(z, t, e);
    return PhiParts(times(z, s), plus(s, times(z, scaled(half_tanh_slope(t, e), 0.25))));
}
