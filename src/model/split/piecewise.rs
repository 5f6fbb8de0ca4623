//! ReLU and leaky ReLU of a split number. Twin: `shaders/lib/split_piecewise.wgsl`.

use super::{Split, SplitPhi, signed};
use crate::model::phi;
use crate::real::Real;

impl<T: Real> SplitPhi<T> for phi::LeakyRelu {
    #[inline(always)]
    fn reach(self) -> T {
        T::of(f64::INFINITY)
    }

    /// φ(z) = (1 + a)/2 z + (1 − a)/2 |z|, and of |z| the odd part is min(|m|, |o|) with both signs, the even one
    /// max(|m|, |o|) − |c|.
    #[inline(always)]
    fn near(self, z: Split<T>) -> [Split<T>; 2] {
        let (zero, one, m) = (T::of(0.0), T::of(1.0), z.mean());
        let (below, outer) = (T::of(self.0), m.abs() < z.odd.abs());
        let turned = (m < zero) != (z.centre < zero);
        let size = Split {
            centre: z.centre.abs(),
            odd: if outer { signed(z.odd, m) } else { signed(m, z.odd) },
            even: if outer | turned {
                (if outer { z.odd.abs() } else { m.abs() }) - z.centre.abs()
            } else {
                signed(z.centre, z.even)
            },
        };
        let slope = |z: T| if z > zero { one } else { below };
        let half = T::of(0.5);
        let value = z.scaled(half * (one + below)).plus(size.scaled(half * (one - below)));
        [value, Split::of(slope(z.centre), slope(m + z.odd), slope(m - z.odd))]
    }
}
