// ReLU and leaky ReLU of a quantity at x and x ± v by its parts: (1 + a)/2 z + (1 - a)/2 |z|, with a the slope below 0.
//
// phi and phi', elementwise. Reference: src/model/split/piecewise.rs. Needs: lib/split.wgsl, the activation.

fn is_far(z: Split) -> vec4<bool> {
    return vec4<bool>(false);
}

fn near(z: Split) -> PhiParts {
    let below = phi(vec4<f32>(-1.0)).first.x;
    let m = mean(z);
    let outer = abs(m) < abs(z.odd);
    let turned = (m < vec4<f32>(0.0)) != (z.centre < vec4<f32>(0.0));
    let apart = select(abs(m), abs(z.odd), outer) - abs(z.centre);
    let size = Split(
        abs(z.centre),
        select(signed(m, z.odd), signed(z.odd, m), outer),
        select(signed(z.centre, z.even), apart, outer | turned));
    let value = plus(scaled(z, 0.5 * (1.0 + below)), scaled(size, 0.5 * (1.0 - below)));
    return PhiParts(value, split_of(phi(z.centre).first, phi(m + z.odd).first, phi(m - z.odd).first));
}
