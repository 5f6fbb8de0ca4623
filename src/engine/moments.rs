//! Mean and variance over many chains, from parts that are merged.

/// What all chains look like at once; of chains with replicas, those at the last temperature.
#[derive(Debug, Clone, PartialEq)]
pub struct Moments {
    /// The mean of each coordinate, `[dim]`.
    pub mean: Vec<f64>,
    /// Its variance over chains (over their number, not less 1), `[dim]`.
    pub variance: Vec<f64>,
    /// The mean acceptance probability since [`Chains::fares`](super::Chains::fares) was called last; none for chains that
    /// accept everything.
    pub acceptance: Option<f64>,
    /// Coordinates that are not finite, over all chains.
    pub broken: u64,
}

/// Count, mean and summed squares of deviations of some numbers, and how many of them are not finite.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Part {
    pub(super) count: f64,
    pub(super) mean: f64,
    pub(super) squares: f64,
    pub(super) broken: f64,
}

impl Part {
    /// The part with one more number (Welford 1962).
    pub(super) fn with(self, x: f64) -> Self {
        self.merge(Self { count: 1.0, mean: x, squares: 0.0, broken: f64::from(u8::from(!x.is_finite())) })
    }

    /// Both parts as one (Chan, Golub and LeVeque 1983).
    pub(super) fn merge(self, other: Self) -> Self {
        if other.count == 0.0 {
            return self;
        }
        let count = self.count + other.count;
        let (apart, share) = (other.mean - self.mean, other.count / count);
        Self {
            count,
            mean: self.mean + apart * share,
            squares: self.squares + other.squares + apart * apart * self.count * share,
            broken: self.broken + other.broken,
        }
    }
}

impl Moments {
    /// The moments of `dim` coordinates from one part each; a further part is the sum of acceptance probabilities over
    /// `steps` steps.
    pub(super) fn of(parts: &[Part], dim: usize, steps: u64) -> Self {
        let (coordinates, rest) = parts.split_at(dim);
        Self {
            mean: coordinates.iter().map(|p| p.mean).collect(),
            variance: coordinates.iter().map(|p| p.squares / p.count).collect(),
            acceptance: rest.first().map(|p| p.mean / steps.max(1) as f64),
            broken: coordinates.iter().map(|p| p.broken).sum::<f64>() as u64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_merge_to_the_whole() {
        let x: Vec<f64> = (0..40).map(|i| 1e3 + (1.7 * f64::from(i)).sin()).collect();
        let part = |x: &[f64]| x.iter().fold(Part::default(), |part, x| part.with(*x));
        let mean = x.iter().sum::<f64>() / 40.0;
        let squares: f64 = x.iter().map(|x| (x - mean) * (x - mean)).sum();
        for cut in [0, 1, 17, 40] {
            let all = part(&x[..cut]).merge(part(&x[cut..]));
            assert_eq!(all.count, 40.0);
            assert!((all.mean - mean).abs() < 1e-12 && (all.squares - squares).abs() < 1e-10, "{all:?}");
            assert_eq!(all.broken, 0.0);
        }
        assert_eq!(part(&[1.0, f64::NAN, f64::INFINITY]).merge(part(&[f64::NEG_INFINITY])).broken, 3.0);
    }
}
