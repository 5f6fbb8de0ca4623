//! The losses of objectives that put the energy of a data point against those of negative points, from the energies
//! alone.
//!
//! With F = E + ln q where points of a noise law q are told from the data, and F = E elsewhere, the loss of a sample is
//!
//! difference      F(x) − F(y) + α (F(x)² + F(y)²)
//! ranking         ln(w/M + 1/M Σⱼ exp(F(x) − F(yⱼ)))
//! classification  softplus(−G(x)) + Σⱼ softplus(G(yⱼ)),   G = −F − ln M

use super::{Contrastive, Replay, SeparableLaw};
use crate::real::Real;

/// How energies become a loss.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Form {
    /// The difference of two energies: contrastive divergence.
    Difference {
        /// α.
        alpha: f64,
    },
    /// The soft maximum of differences: energy discrepancy.
    Ranking {
        /// w.
        w: f64,
    },
    /// A logistic regression of data against noise: noise-contrastive estimation.
    Classification,
}

/// Where negative points come from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Proposal<'a> {
    /// Langevin chains on the energy itself, from the data or from a replay buffer.
    Chains(&'a Contrastive, Option<&'a Replay>),
    /// yⱼ = x + √t ξ + √t ξⱼ, with a ξ that the negatives of a sample share.
    Perturbed {
        /// t, a variance.
        t: f64,
    },
    /// The law q, independent of the data.
    Law(&'a SeparableLaw),
}

/// What an engine computes of a sample and its negatives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contrast<'a> {
    /// M, the negatives of a sample.
    pub negatives: usize,
    /// How energies become a loss.
    pub form: Form,
    /// Where negatives come from.
    pub proposal: Proposal<'a>,
    /// The standard deviation of noise on the data.
    pub data_noise: f64,
}

impl<'a> Contrast<'a> {
    /// q, where F = E + ln q.
    pub fn noise_law(&self) -> Option<&'a SeparableLaw> {
        match self.proposal {
            Proposal::Law(law) if self.form == Form::Classification => Some(law),
            _ => None,
        }
    }
}

impl Form {
    /// The form in one formula, with `negatives` of a sample.
    pub(super) fn formula(&self, negatives: usize) -> String {
        match *self {
            Self::Difference { alpha: 0.0 } => "E(x) - E(y)".to_string(),
            Self::Difference { alpha } => format!("E(x) - E(y) + {alpha} (E(x)^2 + E(y)^2)"),
            Self::Ranking { w } => {
                format!("ln(w/M + 1/M sum_j exp(E(x) - E(y_j))), M = {negatives}, w = {w}")
            }
            Self::Classification => {
                format!("softplus(-G(x)) + sum_j softplus(G(y_j)), G = -E - ln q - ln nu, nu = {negatives}")
            }
        }
    }

    /// The loss of one sample. `values` holds F(x), then F of each negative, and then the derivatives of the loss by them.
    pub fn loss<T: Real>(&self, values: &mut [T]) -> T {
        match *self {
            Self::Difference { alpha } => difference(values, T::of(alpha)),
            Self::Ranking { w } => ranking(values, w),
            Self::Classification => classification(values),
        }
    }
}

fn difference<T: Real>(values: &mut [T], alpha: T) -> T {
    let (x, y) = (values[0], values[1]);
    let (one, twice) = (T::of(1.0), alpha + alpha);
    values[0] = one + twice * x;
    values[1] = twice * y - one;
    x - y + alpha * (x * x + y * y)
}

/// The sum is taken relative to its largest term, so that no exponential is above 1.
fn ranking<T: Real>(values: &mut [T], w: f64) -> T {
    let x = values[0];
    let count = T::of((values.len() - 1) as f64);
    let floor = (w > 0.0).then(|| T::of(w.ln()));
    let mut top = floor.unwrap_or(x - values[1]);
    for y in &values[1..] {
        let gap = x - *y;
        top = if gap > top { gap } else { top };
    }
    let mut sum = floor.map_or(T::default(), |floor| (floor - top).exp());
    let mut pulled = T::default();
    for y in &mut values[1..] {
        let term = (x - *y - top).exp();
        pulled += term;
        *y = term;
    }
    sum += pulled;
    values[0] = pulled / sum;
    values[1..].iter_mut().for_each(|term| *term = -(*term / sum));
    // a logarithm by polynomials does not keep what is not finite
    if sum.is_finite() { top + sum.ln_normal() - count.ln_normal() } else { sum }
}

fn classification<T: Real>(values: &mut [T]) -> T {
    let log_count = T::of(((values.len() - 1) as f64).ln());
    let (first, rest) = values.split_at_mut(1);
    let [mut loss, slope] = softplus(first[0] + log_count);
    first[0] = slope;
    for y in rest {
        let [each, slope] = softplus(-*y - log_count);
        loss += each;
        *y = -slope;
    }
    loss
}

/// ln(1 + eᶻ) and its derivative, the logistic function.
fn softplus<T: Real>(z: T) -> [T; 2] {
    let e = (-z.abs()).exp();
    let (one, zero) = (T::of(1.0), T::default());
    let tail = one / (one + e);
    if z > zero { [z + e.ln_1p_unit(), tail] } else { [e.ln_1p_unit(), e * tail] }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORMS: [Form; 6] = [
        Form::Difference { alpha: 0.0 },
        Form::Difference { alpha: 0.3 },
        Form::Ranking { w: 0.0 },
        Form::Ranking { w: 1.0 },
        Form::Ranking { w: 4.0 },
        Form::Classification,
    ];

    fn energies(form: Form, negatives: usize) -> Vec<f64> {
        let count = if matches!(form, Form::Difference { .. }) { 1 } else { negatives };
        (0..=count).map(|i| 1.7 * (1.3 * i as f64 + 0.4).sin()).collect()
    }

    /// The module's formulas as they stand.
    fn plain(form: Form, v: &[f64]) -> f64 {
        let m = (v.len() - 1) as f64;
        match form {
            Form::Difference { alpha } => v[0] - v[1] + alpha * (v[0] * v[0] + v[1] * v[1]),
            Form::Ranking { w } => (w / m + v[1..].iter().map(|y| (v[0] - y).exp()).sum::<f64>() / m).ln(),
            Form::Classification => {
                let softplus = |z: f64| (1.0 + z.exp()).ln();
                softplus(v[0] + m.ln()) + v[1..].iter().map(|y| softplus(-y - m.ln())).sum::<f64>()
            }
        }
    }

    #[test]
    fn losses_are_their_formulas_and_derivatives_their_slopes() {
        for form in FORMS {
            for negatives in [1, 2, 5, 33] {
                let at = energies(form, negatives);
                let mut slopes = at.clone();
                let loss = form.loss(&mut slopes);
                assert!((loss - plain(form, &at)).abs() < 1e-13, "{form:?} {negatives}: {loss}");
                for (i, slope) in slopes.iter().enumerate() {
                    // central differences of fourth order, h = 2⁻¹⁰: h⁴/30 times a fifth derivative of size 10
                    let by = |h: f64| {
                        let mut moved = at.clone();
                        moved[i] += h / 1024.0;
                        plain(form, &moved)
                    };
                    let want = 1024.0 * (8.0 * (by(1.0) - by(-1.0)) - (by(2.0) - by(-2.0))) / 12.0;
                    assert!((slope - want).abs() < 2e-11, "{form:?} {negatives}: by value {i} {slope}, want {want}");
                }
            }
        }
    }

    #[test]
    fn energies_far_apart_do_not_overflow() {
        for far in [-1e4_f32, 1e4] {
            for (form, want) in [
                (Form::Ranking { w: 1.0 }, if far > 0.0 { far } else { -(2.0_f32.ln()) }),
                (Form::Ranking { w: 0.0 }, far),
            ] {
                let mut values = [far, 0.0, 0.0];
                let loss = form.loss(&mut values);
                assert!((loss - want).abs() <= 1e-6 * want.abs(), "{form:?} {far}: {loss}, want {want}");
                assert!(values.iter().all(|v| v.is_finite()));
            }
            // one of the two is wrong by far whichever way the energies lie
            let loss = Form::Classification.loss(&mut [far, far, far]);
            let want = if far > 0.0 { far + 2.0_f32.ln() } else { 2.0 * (-far - 2.0_f32.ln()) };
            assert!((loss - want).abs() <= 1e-6 * want.abs(), "{far}: {loss}, want {want}");
        }
    }

    #[test]
    fn what_is_not_a_number_is_not_hidden() {
        for form in FORMS {
            for i in 0..2 {
                let mut values = [0.5_f32, 0.25];
                values[i] = f32::NAN;
                assert!(!form.loss(&mut values).is_finite(), "{form:?} {i}");
            }
        }
    }
}
