//! The fastest multiply-adds of the processor: one loop on every thread, with more independent sums than an instruction has
//! cycles of latency.

use std::hint::black_box;
use std::time::{Duration, Instant};

use pulp::Simd;

use crate::engine::Peak;
use crate::engine::peak::{FACTOR, START, TERM};
use crate::error::Result;

/// Vectors that go on side by side: two a cycle with a latency of four to six, and two constants beside them fit the sixteen
/// registers of AVX2.
const VECTORS: usize = 12;
/// Turns of a run: about a millisecond.
const TURNS: usize = 1 << 18;

/// A float that the loop can be made of.
pub(crate) trait Burn: Send + 'static {
    /// Does [`TURNS`] turns; returns the mean of its numbers, and how many there are.
    fn burn() -> (f64, usize);
}

macro_rules! burn {
    ($float:ty, $splat:ident, $mul_add:ident, $sum:ident, $lanes:ident) => {
        impl Burn for $float {
            fn burn() -> (f64, usize) {
                struct Loop;
                impl pulp::WithSimd for Loop {
                    type Output = (f64, usize);
                    #[inline(always)]
                    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
                        let constant = |value: f64| simd.$splat(black_box(value as $float));
                        let (factor, term) = (constant(FACTOR), constant(TERM));
                        let mut x = [constant(START); VECTORS];
                        for _ in 0..TURNS {
                            for x in &mut x {
                                *x = simd.$mul_add(*x, factor, term);
                            }
                        }
                        let sum: f64 = x.iter().map(|x| f64::from(simd.$sum(*x))).sum();
                        (sum / (VECTORS * S::$lanes) as f64, VECTORS * S::$lanes)
                    }
                }
                pulp::Arch::new().dispatch(Loop)
            }
        }
    };
}
burn!(f32, splat_f32s, mul_add_e_f32s, reduce_sum_f32s, F32_LANES);
burn!(f64, splat_f64s, mul_add_e_f64s, reduce_sum_f64s, F64_LANES);

/// The peak of all threads of a pool together.
pub(super) fn measure<T: Burn>(pool: &rayon::ThreadPool) -> Result<Peak> {
    let (_, numbers) = T::burn();
    let threads = pool.current_num_threads();
    let count = (threads * numbers * TURNS) as f64;
    Peak::best(Duration::from_millis(100), count, || {
        let start = Instant::now();
        let means = pool.broadcast(|_| T::burn().0);
        Ok((means.iter().sum::<f64>() / threads as f64, start.elapsed().as_secs_f64()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::cpu::block::{Block, dense};

    /// The seconds of the fastest of some runs: other programs only make them slower.
    fn fastest(mut run: impl FnMut()) -> f64 {
        let time = |_| {
            let start = Instant::now();
            run();
            start.elapsed().as_secs_f64()
        };
        (0..40).map(time).fold(f64::INFINITY, f64::min)
    }

    #[test]
    fn no_product_of_matrices_is_faster_than_the_loop() {
        let n = 192;
        let weights = vec![0.5_f32; n * n];
        let (mut x, mut y) = (Block::<f32>::default(), Block::<f32>::default());
        x.shape(n, n);
        y.shape(n, n);
        let product = fastest(|| dense(&mut y, &weights, &x, &(0..n))) / (n * n * n) as f64;
        let (_, numbers) = f32::burn();
        let each = fastest(|| assert!(black_box(f32::burn()).0 > 0.0)) / (TURNS * numbers) as f64;
        // a twentieth for clocks that change between the two
        assert!(each < 1.05 * product, "{each:e} s for a multiply-add of the loop, {product:e} s for one of a product");
    }
}
