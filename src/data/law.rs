//! What a distribution must offer to be trained on and judged against.

use crate::points::Points;
use rand::Rng;

/// Standard deviations that an [`extent`](Law::extent) leaves around the support: a normal exceeds 6.3 with
/// probability 1.5e-10, so the four sides of a box in the plane lose 6e-10 together.
pub(crate) const REACH: f64 = 6.3;

/// Standard deviations from the support beyond which a point counts as [`outside`](Law::outside).
pub(crate) const FAR: f64 = 5.0;

/// The step of the central differences of [`Law::score`].
const DIFFERENCE: f64 = 1e-5;

/// A distribution with an exact sampler and an exact log-density.
///
/// `sigma` is always the standard deviation of isotropic Gaussian noise added to the law, 0 for the law itself.
pub trait Law: Send + Sync {
    /// The name by which a user asks for the law.
    fn name(&self) -> &'static str;

    /// The number of coordinates of a point.
    fn dim(&self) -> usize;

    /// Writes one point of the law (without noise) into `out`, which has [`dim`](Law::dim) places.
    fn sample(&self, rng: &mut dyn Rng, out: &mut [f64]);

    /// The normalised log-density, in nats, at `x` of the law convolved with N(0, sigma² I); `-inf` outside the
    /// support of a law that has edges, at sigma = 0 only.
    fn log_density(&self, x: &[f64], sigma: f64) -> f64;

    /// The gradient of [`log_density`](Law::log_density) at `x`, written into `out`.
    ///
    /// Unless a law overrides it, central differences with step 1e-5: the error is 2e-11 times the third derivative
    /// (about 1e-8 for a feature of width 0.1) plus 1e-11 times the size of the log-density; NaN where a neighbour
    /// has no density.
    fn score(&self, x: &[f64], sigma: f64, out: &mut [f64]) {
        let mut near = x.to_vec();
        for (axis, slope) in out.iter_mut().enumerate() {
            near[axis] = x[axis] + DIFFERENCE;
            let above = self.log_density(&near, sigma);
            near[axis] = x[axis] - DIFFERENCE;
            let below = self.log_density(&near, sigma);
            near[axis] = x[axis];
            *slope = (above - below) / (2.0 * DIFFERENCE);
        }
    }

    /// A box, one `[low, high]` per axis, that holds all but about 1e-9 of the smoothed law's mass.
    fn extent(&self, sigma: f64) -> Vec<[f64; 2]>;

    /// The centres and weights of the modes, for mixtures.
    fn modes(&self) -> Option<Modes> {
        None
    }

    /// Whether `x` is farther than 5 standard deviations (the law's own noise and `sigma` together) from the
    /// skeleton of the support: means, curve, circles or cells.
    fn outside(&self, x: &[f64], sigma: f64) -> bool;

    /// The differential entropy of the law at sigma = 0 in nats: the lowest test NLL that any model can reach.
    fn entropy(&self) -> f64;

    /// Mean and variance of each coordinate at sigma = 0, where they are known.
    fn moments(&self) -> Option<[Vec<f64>; 2]> {
        None
    }

    /// `count` independent points of the law.
    fn draw(&self, count: usize, rng: &mut dyn Rng) -> Points {
        let mut values = vec![0.0; count * self.dim()];
        values.chunks_exact_mut(self.dim()).for_each(|row| self.sample(rng, row));
        Points::new(self.dim(), values)
    }
}

/// The centres of a mixture and the share of the mass that each of them holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Modes {
    /// One centre per mode.
    pub centers: Points,
    /// One weight per mode; they sum to 1.
    pub weights: Vec<f64>,
}

impl Modes {
    /// The index of the centre nearest to `x`; none if a coordinate of `x` is not finite.
    pub fn nearest(&self, x: &[f64]) -> Option<usize> {
        let squared = |center: &[f64]| center.iter().zip(x).map(|(c, v)| (v - c) * (v - c)).sum::<f64>();
        let finite = self.centers.rows().map(squared).enumerate().filter(|(_, d)| d.is_finite());
        finite.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(i, _)| i)
    }

    /// The mass nearest to each centre, of points with masses.
    pub fn masses<'a>(&self, points: impl Iterator<Item = (&'a [f64], f64)>) -> Vec<f64> {
        let mut masses = vec![0.0; self.weights.len()];
        points.filter_map(|(x, mass)| Some((self.nearest(x)?, mass))).for_each(|(k, mass)| masses[k] += mass);
        masses
    }
}

/// A uniform number strictly between 0 and 1, on the 2⁵³ midpoints, so that its logarithm is finite.
pub fn uniform(rng: &mut dyn Rng) -> f64 {
    ((rng.next_u64() >> 11) as f64 + 0.5) * (0.5f64).powi(53)
}

/// Two independent standard normals (Box and Muller 1958).
pub fn normal_pair(rng: &mut dyn Rng) -> [f64; 2] {
    let radius = (-2.0 * uniform(rng).ln()).sqrt();
    let (sin, cos) = (std::f64::consts::TAU * uniform(rng)).sin_cos();
    [radius * cos, radius * sin]
}

/// One standard normal; the second of the pair is dropped so that no state is kept between calls.
pub fn normal(rng: &mut dyn Rng) -> f64 {
    normal_pair(rng)[0]
}

/// A uniform index below `count`, by multiplication: biased by less than `count` / 2⁵³.
pub(crate) fn index(rng: &mut dyn Rng, count: usize) -> usize {
    ((uniform(rng) * count as f64) as usize).min(count - 1)
}
