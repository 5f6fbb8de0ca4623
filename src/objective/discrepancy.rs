//! Energy discrepancy (Schröder et al. 2023, arXiv:2307.06431): the energy of a data point against those of points that
//! noise has carried away and back.
//!
//! With yⱼ = x + √t ξ + √t ξⱼ, ξ shared by the negatives of a sample, the loss is ln(w/M + 1/M Σⱼ exp(E(x) − E(yⱼ))). t is a
//! variance. The authors' code leaves out the constant −ln M, so its values are ln M above these.
//!
//! With w = 1 the loss is that of ranking: x is one of M + 1 candidates that share the latent point z = x + √t ξ and the
//! proposal N(z, t I), and p(x | z) / N(x; z, t I) ∝ exp(−E(x)) with a factor of z alone, which cancels. So w = 1 is
//! consistent for every M and t, which only decide the variance; w < 1 learns energies that are too steep, w > 1 too flat
//! ones, and less so the larger M is.

use super::Form;
use crate::error::{Error, Result};

/// Hyper-parameters of energy discrepancy.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Discrepancy {
    /// t, the variance of each of the two perturbations.
    pub t: f64,
    /// M, the negatives of a sample.
    pub negatives: usize,
    /// w, which holds the sum away from 0.
    pub w: f64,
}

/// The most negatives of a sample.
pub const MOST_NEGATIVES: usize = 4096;

pub(super) fn check_negatives(name: &str, count: usize) -> Result<()> {
    if (1..=MOST_NEGATIVES).contains(&count) {
        return Ok(());
    }
    Err(Error::input(format!("{name} is {count}: a sample has from 1 to {MOST_NEGATIVES} negatives")))
}

impl Discrepancy {
    /// Checks every number.
    ///
    /// # Errors
    /// A number outside its range, with the range.
    pub fn new(t: f64, negatives: usize, w: f64) -> Result<Self> {
        check_negatives("M", negatives)?;
        if !(1e-9..=1e9).contains(&t) {
            return Err(Error::input(format!("t is {t}, the variance of the perturbation is from 1e-9 to 1e9"))
                .hint("--ed-t is a variance, --ed-sigma the standard deviation"));
        }
        if !(0.0..=1e6).contains(&w) {
            return Err(Error::input(format!("w is {w}, it has to be from 0 to 1e6")).hint("--ed-w 1 is consistent"));
        }
        Ok(Self { t, negatives, w })
    }

    pub(super) fn formula(&self) -> String {
        let form = Form::Ranking { w: self.w }.formula(self.negatives);
        format!("{form}, y_j = x + sqrt(t) xi + sqrt(t) xi_j, t = {} (a variance)", self.t)
    }

    /// Conventions under their names.
    pub(super) fn conventions(&self) -> Vec<(&'static str, String)> {
        vec![
            ("ed_t", format!("{} (a variance, of each of the two perturbations)", self.t)),
            ("ed_sigma", format!("{} (its root, a standard deviation)", self.t.sqrt())),
            ("ed_w", format!("{} (1 is consistent for every M and t)", self.w)),
            ("ed_m", self.negatives.to_string()),
            ("ed_loss", "with the constant -ln M, which the authors' code leaves out".to_string()),
        ]
    }

    pub(super) fn warnings(&self) -> Vec<String> {
        let Self { w, negatives, .. } = self;
        if *w == 0.0 {
            let why = match negatives {
                1 => "one negative makes the loss linear in the energy, which has no minimum",
                _ => {
                    "nothing holds the sum over the negatives away from 0, so energies come out far too steep or grow without end"
                }
            };
            return vec![format!("w is 0: {why}; --ed-w 1 is consistent")];
        }
        let way = if *w < 1.0 { "too steep" } else { "too flat" };
        let off = (*w != 1.0)
            .then(|| format!("w is {w}: the energy comes out {way}, the more so the smaller M is; 1 is consistent"));
        off.into_iter().collect()
    }
}
