//! The logit of values with a known range, as flows for images take it (Dinh, Sohl-Dickstein and Bengio 2017,
//! arXiv 1605.08803; Papamakarios et al. 2017, arXiv 1705.07057).

use crate::error::{Error, Result};

/// y = logit(α + (1 − 2α) (x − low) / (high − low)).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Logit {
    /// α, above 0 and below ½: how far the ends of the range stay from those of the logit.
    pub alpha: f64,
    /// The least value.
    pub low: f64,
    /// The largest value.
    pub high: f64,
}

impl Logit {
    /// The logit of values in `[low, high]`.
    ///
    /// # Errors
    /// If α is not between 0 and ½, or the range is none.
    pub fn new(alpha: f64, [low, high]: [f64; 2]) -> Result<Self> {
        if !(alpha > 0.0 && alpha < 0.5) {
            return Err(Error::input(format!("the logit's alpha is {alpha}, it has to be above 0 and below 0.5"))
                .hint("0.05 is usual for colours, 1e-6 for digits"));
        }
        if !(low < high && (high - low).is_finite()) {
            return Err(Error::input(format!("the range {low} to {high} has to run from a number to a larger one")));
        }
        Ok(Self { alpha, low, high })
    }

    /// y; not finite beyond (low − α w, high + α w), w the width of the range over 1 − 2α.
    pub fn apply(&self, x: f64) -> f64 {
        let p = self.alpha + (1.0 - 2.0 * self.alpha) * (x - self.low) / (self.high - self.low);
        p.ln() - (-p).ln_1p()
    }

    /// x.
    pub fn undo(&self, y: f64) -> f64 {
        self.low + (self.high - self.low) * (sigmoid(y) - self.alpha) / (1.0 - 2.0 * self.alpha)
    }

    /// ln dy/dx, by y.
    pub fn log_slope(&self, y: f64) -> f64 {
        // −ln p(1 − p) = |y| + 2 ln(1 + e^−|y|)
        ((1.0 - 2.0 * self.alpha) / (self.high - self.low)).ln() + y.abs() + 2.0 * (-y.abs()).exp().ln_1p()
    }

    /// d/dx (ln q(y) + ln dy/dx) for the score d/dy ln q, by x.
    pub(super) fn pull_back(&self, x: f64, score: f64) -> f64 {
        let y = self.apply(x);
        self.log_slope(y).exp() * (score + 2.0 * sigmoid(y) - 1.0)
    }

    pub(super) fn formula(&self) -> String {
        let Self { alpha, low, high } = self;
        format!("logit({alpha} + {} (x - {low}) / {})", 1.0 - 2.0 * alpha, high - low)
    }
}

fn sigmoid(y: f64) -> f64 {
    1.0 / (1.0 + (-y).exp())
}
