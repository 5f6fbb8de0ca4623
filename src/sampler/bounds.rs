//! A box that chains are kept in.

use crate::error::{Error, Result};
use crate::real::Real;

/// What happens to a coordinate that would leave the box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wall {
    /// It comes back as from a mirror, which leaves a law in the box in place (with its momentum turned, exactly).
    Reflect,
    /// It is set to the wall, which piles chains up there.
    Clamp,
}

/// Behind more mirrors than this the digits of an f32 no longer tell a place: ulp(4096 w) / w = 2^-11. The same for every
/// engine, so that they agree on what is lost.
const MOST_TURNS: f64 = 4096.0;

/// The same interval for every coordinate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// The least value of a coordinate.
    pub low: f64,
    /// The largest.
    pub high: f64,
    /// What happens there.
    pub wall: Wall,
}

impl Bounds {
    /// Checks the ends.
    ///
    /// # Errors
    /// Ends that are not finite or not in order.
    pub fn new(low: f64, high: f64, wall: Wall) -> Result<Self> {
        if low.is_finite() && high.is_finite() && low < high {
            return Ok(Self { low, high, wall });
        }
        Err(Error::input(format!("the box runs from {low} to {high}")).hint("--box LOW,HIGH, for example --box -4,4"))
    }

    /// A coordinate brought back into the box, and whether its momentum turned round. What is not finite stays so, and what
    /// has gone too far for a mirror to know its place becomes NaN.
    #[inline(always)]
    pub(crate) fn hold<T: Real>(&self, x: T) -> (T, bool) {
        let (low, high) = (T::of(self.low), T::of(self.high));
        match self.wall {
            // an infinity has overflowed: the true place may be inside
            Wall::Clamp if !x.is_finite() => (x, false),
            Wall::Clamp if x < low => (low, false),
            Wall::Clamp if x > high => (high, false),
            Wall::Clamp => (x, false),
            Wall::Reflect => {
                let width = high - low;
                let way = x - low;
                let turns = (way / width).floor();
                let rest = way - turns * width;
                let half = T::of(0.5) * turns;
                // an odd number of mirrors turns it round
                let (place, turned) = if half.floor() < half { (high - rest, true) } else { (low + rest, false) };
                let known = turns.abs() <= T::of(MOST_TURNS);
                (if known { place } else { T::of(f64::NAN) }, turned)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mirrors_turn_round_and_clamps_do_not() {
        let mirror = Bounds::new(-1.0, 2.0, Wall::Reflect).expect("box");
        for (x, want) in [
            (0.5, (0.5, false)),
            (2.5, (1.5, true)),
            (-1.25, (-0.75, true)),
            (5.5, (-0.5, false)),
            (-4.5, (1.5, false)),
            (8.5, (1.5, true)),
        ] {
            assert_eq!(mirror.hold(x), want, "{x}");
        }
        let clamp = Bounds::new(-1.0, 2.0, Wall::Clamp).expect("box");
        assert_eq!((clamp.hold(3.0), clamp.hold(-7.0), clamp.hold(0.1)), ((2.0, false), (-1.0, false), (0.1, false)));
        assert!(Bounds::new(1.0, 1.0, Wall::Clamp).is_err() && Bounds::new(0.0, f64::INFINITY, Wall::Clamp).is_err());
    }

    /// A box that hides what has broken would let a run go on.
    #[test]
    fn what_is_not_finite_stays_so() {
        let [mirror, clamp] = [Wall::Reflect, Wall::Clamp].map(|wall| Bounds::new(-1.0, 2.0, wall).expect("box"));
        for x in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            for bounds in [mirror, clamp] {
                let (wide, narrow) = (bounds.hold(x), bounds.hold(x as f32));
                assert!(!wide.0.is_finite() && !narrow.0.is_finite(), "{x} in {bounds:?}: {wide:?}, {narrow:?}");
            }
        }
        // far beyond the walls: clamping knows the place, a mirror does not
        assert_eq!((clamp.hold(3e38_f32).0, clamp.hold(-3e38_f32).0), (2.0, -1.0));
        assert!(mirror.hold(1e21_f32).0.is_nan() && mirror.hold(1e21_f64).0.is_nan());
        assert!((mirror.hold(-1.0 + 4000.0 * 3.0 + 0.25_f64).0 + 0.75).abs() < 1e-9, "4000 mirrors are not too many");
    }
}
