// The inverse of the normal distribution function, to 2e-7 of its value (Wichura 1988, algorithm AS 241, PPND7).
// Reference: src/sampler/diagnostics/rank.rs (normal_quantile).

// At p, where `centred` is p - 1/2 and `tail` the smaller of p and 1 - p, both without cancellation; tail is 1.4e-11 or more, as
// it is for ranks among up to 2^35 numbers.
fn normal_quantile(centred: f32, tail: f32) -> f32 {
    if abs(centred) <= 0.425 {
        let r = 0.180625 - centred * centred;
        let top = ((59.109374720 * r + 159.29113202) * r + 50.434271938) * r + 3.3871327179;
        let bottom = ((67.187563600 * r + 78.757757664) * r + 17.895169469) * r + 1.0;
        return centred * (top / bottom);
    }
    let r = sqrt(-log(tail)) - 1.6;
    let top = ((0.17023821103 * r + 1.3067284816) * r + 2.7568153900) * r + 1.4234372777;
    let size = top / ((0.12021132975 * r + 0.73700164250) * r + 1.0);
    return select(size, -size, centred < 0.0);
}
