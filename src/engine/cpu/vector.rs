//! Loops over numbers of a row, compiled for the widest vectors of the machine.

use crate::real::Real;

/// Numbers that are computed side by side.
const LANES: usize = 16;

/// The first `N` of what `f` makes of each number, into a slice each. As many numbers together as hide the latency of `f`, and
/// all read before any is written: otherwise the compiler would have to ask whether the slices overlap.
#[inline(always)]
pub(super) fn map_into<T: Real, const N: usize>(from: &[T], to: [&mut [T]; N], f: impl Fn(T) -> [T; 4]) {
    let (chunks, rest) = from.as_chunks::<LANES>();
    let done = from.len() - rest.len();
    let (mut to, mut last) = (to.map(|to| to.split_at_mut(done)), rest);
    for (i, chunk) in chunks.iter().enumerate() {
        let mut made = [[T::default(); LANES]; N];
        for l in 0..LANES {
            let all = f(chunk[l]);
            for n in 0..N {
                made[n][l] = all[n];
            }
        }
        for ((to, _), made) in to.iter_mut().zip(made) {
            to[i * LANES..][..LANES].copy_from_slice(&made);
        }
    }
    let mut i = 0;
    while let [first, others @ ..] = last {
        let all = f(*first);
        for ((_, to), made) in to.iter_mut().zip(all) {
            to[i] = made;
        }
        (i, last) = (i + 1, others);
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
