//! A closed interval of numbers that can be drawn: finite, ordered and never of zero width.

/// Values from here on are treated like infinities: their differences would overflow on the way to pixels.
const UNDRAWABLE: f64 = 1e100;

/// Whether a value has a place on an axis: neither NaN, nor infinite, nor absurdly large.
pub(crate) fn drawable(value: f64) -> bool {
    value.abs() < UNDRAWABLE
}

/// An interval `lo..=hi` with finite ends and `lo < hi`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    lo: f64,
    hi: f64,
}

impl Range {
    /// `0..=1`.
    pub const UNIT: Self = Self { lo: 0.0, hi: 1.0 };

    /// The interval between two numbers in either order; widened when its width is (nearly) zero, and
    /// `0..=1` when an end cannot be drawn.
    pub fn new(a: f64, b: f64) -> Self {
        if !drawable(a) || !drawable(b) {
            return Self { lo: 0.0, hi: 1.0 };
        }
        let (lo, hi) = (a.min(b), a.max(b));
        let size = lo.abs().max(hi.abs());
        // Below this relative width, ticks could not be told apart in f64 arithmetic.
        if hi - lo > 1e-9 * size && hi - lo > f64::MIN_POSITIVE * 1e20 {
            return Self { lo, hi };
        }
        let half = if size > 1e-3 { 0.5 * size.min(1.0).max(1e-6 * size) } else { 0.5 };
        let middle = 0.5 * (lo + hi);
        Self { lo: middle - half, hi: middle + half }
    }

    /// The smallest interval that holds all drawable values; `0..=1` when there are none.
    pub fn covering(values: impl IntoIterator<Item = f64>) -> Self {
        let (lo, hi) = values
            .into_iter()
            .filter(|v| drawable(*v))
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), v| (lo.min(v), hi.max(v)));
        Self::new(lo, hi)
    }

    /// The interval that shows a heavy-tailed sample well: the central 99.8 % with a margin of 15 %, but no
    /// more than 5 % beyond the extremes.
    pub fn around(values: impl IntoIterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = values.into_iter().filter(|v| drawable(*v)).collect();
        sorted.sort_by(f64::total_cmp);
        let (Some(&min), Some(&max)) = (sorted.first(), sorted.last()) else {
            return Self::new(0.0, 1.0);
        };
        let core = Self::new(quantile(&sorted, 0.001), quantile(&sorted, 0.999)).padded(0.15);
        let all = Self::new(min, max).padded(0.05);
        Self::new(core.lo.max(all.lo), core.hi.min(all.hi))
    }

    /// The interval with `fraction` of its width added at both ends.
    #[must_use]
    pub fn padded(self, fraction: f64) -> Self {
        let margin = fraction * self.width();
        Self::new(self.lo - margin, self.hi + margin)
    }

    /// The smallest interval that holds both.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self::new(self.lo.min(other.lo), self.hi.max(other.hi))
    }

    /// The lower end.
    pub fn lo(self) -> f64 {
        self.lo
    }

    /// The upper end.
    pub fn hi(self) -> f64 {
        self.hi
    }

    /// `hi − lo`, always positive.
    pub fn width(self) -> f64 {
        self.hi - self.lo
    }

    /// Whether `value` lies in the interval (NaN does not).
    pub fn contains(self, value: f64) -> bool {
        self.lo <= value && value <= self.hi
    }
}

/// The `q`-quantile (0 to 1) of sorted values, linear between neighbours; NaN for none.
pub(crate) fn quantile(sorted: &[f64], q: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let place = q.clamp(0.0, 1.0) * last as f64;
    let below = place.floor() as usize;
    let above = (below + 1).min(last);
    sorted[below] + (place - below as f64) * (sorted[above] - sorted[below])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_never_empty() {
        for (a, b) in [(0.0, 0.0), (3.0, 3.0), (-1e30, -1e30), (1e-200, 2e-200), (f64::NAN, 1.0), (1e300, -1e300)] {
            let range = Range::new(a, b);
            assert!(range.width() > 0.0 && range.width().is_finite(), "{a} {b} gave {range:?}");
        }
        assert_eq!(Range::covering([f64::NAN, 2.0, f64::INFINITY, -1.0]), Range::new(-1.0, 2.0));
    }

    #[test]
    fn one_far_point_does_not_set_the_scale() {
        let values = (0..10_000).map(|i| f64::from(i) / 1e4).chain([1e6]);
        assert!(Range::around(values).hi() < 1.2);
        assert_eq!(quantile(&[0.0, 1.0, 4.0], 0.75), 2.5);
    }
}
