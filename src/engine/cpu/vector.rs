//! Loops over numbers of a row, compiled for the widest vectors of the machine.

use crate::real::Real;

/// Numbers that are computed side by side.
pub(super) const LANES: usize = 16;

/// Sets the numbers of some rows to what `f` makes of the numbers beside them in other rows, and of what they were; all rows are
/// equally long. As many numbers together as hide the latency of `f`, and all read before any is written:
/// otherwise the compiler would have to ask whether the rows overlap.
#[inline(always)]
pub(super) fn combine<T: Real, const I: usize, const O: usize>(
    from: [&[T]; I],
    mut to: [&mut [T]; O],
    f: impl Fn([T; I], [T; O]) -> [T; O],
) {
    let len = to[0].len();
    let chunks = len / LANES;
    assert!(from.iter().all(|from| from.len() == len) && to.iter().all(|to| to.len() == len));
    // without `array::map`, which is not inlined here
    for c in 0..chunks {
        let from: [&[T; LANES]; I] = std::array::from_fn(|i| &from[i].as_chunks().0[c]);
        let was: [&[T; LANES]; O] = std::array::from_fn(|o| &to[o].as_chunks().0[c]);
        let mut made = [[T::default(); LANES]; O];
        for l in 0..LANES {
            let all = f(std::array::from_fn(|i| from[i][l]), std::array::from_fn(|o| was[o][l]));
            for o in 0..O {
                made[o][l] = all[o];
            }
        }
        for (to, made) in to.iter_mut().zip(&made) {
            to.as_chunks_mut().0[c] = *made;
        }
    }
    for l in chunks * LANES..len {
        let all = f(std::array::from_fn(|i| from[i][l]), std::array::from_fn(|o| to[o][l]));
        for o in 0..O {
            to[o][l] = all[o];
        }
    }
}

/// The sum of some function of some numbers, in an order that [`vectorized`] code can keep up with.
#[inline(always)]
pub(crate) fn sum<T: Real>(values: &[T], term: impl Fn(T) -> T) -> T {
    let mut lanes = [T::default(); LANES];
    let mut chunks = values.chunks_exact(LANES);
    for chunk in &mut chunks {
        for (lane, value) in lanes.iter_mut().zip(chunk) {
            *lane += term(*value);
        }
    }
    for (lane, value) in lanes.iter_mut().zip(chunks.remainder()) {
        *lane += term(*value);
    }
    let mut width = LANES / 2;
    while width > 0 {
        for i in 0..width {
            let other = lanes[i + width];
            lanes[i] += other;
        }
        width /= 2;
    }
    lanes[0]
}

/// Runs a loop compiled for the widest vectors this machine has.
#[inline(always)]
pub(crate) fn vectorized<R>(body: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(body)
}

/// How wide these vectors are.
pub(super) fn bits() -> usize {
    struct Width;
    impl pulp::WithSimd for Width {
        type Output = usize;
        #[inline(always)]
        fn with_simd<S: pulp::Simd>(self, _: S) -> usize {
            32 * S::F32_LANES
        }
    }
    pulp::Arch::new().dispatch(Width)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_vectors_and_what_is_left_are_combined_alike() {
        let row = |len: usize, seed: f32| (0..len).map(|i| (i as f32 + seed).sin()).collect::<Vec<f32>>();
        for len in [0, 1, 15, 16, 17, 40, 64] {
            let (x, y, mut product, mut total) = (row(len, 0.1), row(len, 0.2), row(len, 0.3), row(len, 0.4));
            let was = total.clone();
            combine([&x, &y], [&mut product, &mut total], |[x, y], [old, total]| [x * y + old, total - x]);
            for i in 0..len {
                let old = (i as f32 + 0.3).sin();
                assert_eq!((product[i], total[i]), (x[i] * y[i] + old, was[i] - x[i]), "{i} of {len}");
            }
        }
    }
}
