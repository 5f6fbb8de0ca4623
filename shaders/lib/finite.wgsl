// Numbers that are neither infinite nor NaN, by their bits: WGSL may assume that no arithmetic meets those. Needs: nothing.

fn finite(value: vec4<f32>) -> vec4<bool> {
    return (bitcast<vec4<u32>>(value) & vec4<u32>(0x7f800000u)) != vec4<u32>(0x7f800000u);
}
