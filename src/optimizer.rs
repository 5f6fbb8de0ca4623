//! Adam with gradient clipping, decoupled weight decay, a learning-rate schedule and an average of the parameters.

use crate::error::{Error, Result, unknown_name};

/// How the learning rate goes over a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schedule {
    /// The same at every step.
    Constant,
    /// Half a cosine, down to 0 after the last step (Loshchilov and Hutter 2016, arXiv:1608.03983).
    Cosine,
}

impl Schedule {
    /// The names that `--schedule` takes.
    pub const NAMES: &[&str] = &["constant", "cosine"];

    /// The schedule of that name.
    ///
    /// # Errors
    /// An unknown name, with the nearest valid one.
    pub fn by_name(name: &str) -> Result<Self> {
        match name {
            "constant" => Ok(Self::Constant),
            "cosine" => Ok(Self::Cosine),
            _ => Err(unknown_name("schedule", name, Self::NAMES)),
        }
    }
}

/// Adam (Kingma and Ba 2014, arXiv:1412.6980; decay as in Loshchilov and Hutter 2017, arXiv:1711.05101). With the
/// gradient g scaled to a norm of at most `clip`:
/// m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g², θ ← θ − lr (m̂ / (√v̂ + ε) + weight_decay θ), EMA ← EMA + (1 − d)(θ − EMA).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Optimizer {
    /// The learning rate after warm-up.
    pub learning_rate: f64,
    /// How it goes from there.
    pub schedule: Schedule,
    /// Steps over which the learning rate rises linearly from 0.
    pub warmup: u64,
    /// β₁.
    pub beta1: f64,
    /// β₂.
    pub beta2: f64,
    /// ε.
    pub epsilon: f64,
    /// Decoupled weight decay.
    pub weight_decay: f64,
    /// The largest norm of a gradient; 0 for no limit.
    pub clip: f64,
    /// d: the most of the average that is kept at a step; 0 for no averaging. Step t keeps min(d, (t − 1)/(t + 3)) of it, so
    /// that the first t parameters weigh as their number cubed (Shamir and Zhang 2013, section 4) until d forgets faster, and
    /// the initial ones never count.
    pub ema: f64,
}

/// The power by which early parameters weigh in the average.
const AVERAGING: f64 = 3.0;

/// What one step needs of the optimizer: the numbers that change from step to step, and those that do not.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct StepSizes {
    /// lr / (1 − β₁ᵗ): multiplies m / (√(v / (1 − β₂ᵗ)) + ε).
    pub(crate) first: f64,
    /// 1 / (1 − β₂ᵗ): multiplies v under the root.
    pub(crate) second: f64,
    /// lr · weight_decay.
    pub(crate) decay: f64,
    /// The share of the new parameters in their average.
    pub(crate) follow: f64,
}

/// A step of Adam is at most some ten times the learning rate, so below this one step cannot carry a parameter beyond f32:
/// a loss that is not finite then comes before a parameter that is not.
const MOST_RATE: f64 = 1e30;

impl Optimizer {
    /// Adam as Kingma and Ba (2015) have it, at a constant rate: no warm-up, decay, limit or average.
    pub fn adam(learning_rate: f64) -> Self {
        Self {
            learning_rate,
            schedule: Schedule::Constant,
            warmup: 0,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.0,
            clip: 0.0,
            ema: 0.0,
        }
    }

    /// Checks every number.
    ///
    /// # Errors
    /// A number outside its range, with the range.
    pub fn check(&self) -> Result<()> {
        let fraction = 0.0..1.0;
        let checks = [
            (
                "lr",
                self.learning_rate,
                self.learning_rate > 0.0 && self.learning_rate <= MOST_RATE,
                "above 0 and at most 1e30",
            ),
            ("beta1", self.beta1, fraction.contains(&self.beta1), "at least 0 and below 1"),
            ("beta2", self.beta2, fraction.contains(&self.beta2), "at least 0 and below 1"),
            ("epsilon", self.epsilon, self.epsilon > 0.0 && self.epsilon.is_finite(), "above 0"),
            ("weight-decay", self.weight_decay, (0.0..=1.0).contains(&self.weight_decay), "from 0 to 1"),
            ("clip", self.clip, self.clip >= 0.0 && self.clip.is_finite(), "above 0, or 0 for no clipping"),
            ("ema", self.ema, fraction.contains(&self.ema), "at least 0 and below 1"),
        ];
        match checks.into_iter().find(|c| !c.2) {
            Some((name, value, _, range)) => Err(Error::input(format!("{name} is {value}, it has to be {range}"))),
            None => Ok(()),
        }
    }

    /// The learning rate of step `step` (from 1) of `steps`.
    pub fn rate(&self, step: u64, steps: u64) -> f64 {
        let done = step.saturating_sub(1) as f64;
        let warm = if step <= self.warmup { step as f64 / (self.warmup + 1) as f64 } else { 1.0 };
        let shape = match self.schedule {
            Schedule::Constant => 1.0,
            Schedule::Cosine => 0.5 * (1.0 + (std::f64::consts::PI * done / steps.max(1) as f64).cos()),
        };
        self.learning_rate * warm * shape
    }

    pub(crate) fn step_sizes(&self, step: u64, steps: u64) -> StepSizes {
        let rate = self.rate(step, steps);
        StepSizes {
            first: rate / (1.0 - self.beta1.powf(step as f64)),
            second: 1.0 / (1.0 - self.beta2.powf(step as f64)),
            decay: rate * self.weight_decay,
            follow: (1.0 - self.ema).max((AVERAGING + 1.0) / (step as f64 + AVERAGING)),
        }
    }

    /// The factor that clips a gradient of this norm.
    pub(crate) fn clip_factor(&self, norm: f64) -> f64 {
        if self.clip > 0.0 && norm > self.clip { self.clip / norm } else { 1.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn early_parameters_are_forgotten_as_a_power_and_late_ones_by_d() {
        let optimizer = Optimizer {
            learning_rate: 1.0,
            schedule: Schedule::Constant,
            warmup: 0,
            beta1: 0.0,
            beta2: 0.0,
            epsilon: 1e-8,
            weight_decay: 0.0,
            clip: 0.0,
            ema: 0.999,
        };
        // the weight of each of the first 50 in their average
        let mut weights: Vec<f64> = Vec::new();
        for step in 1..=50 {
            let follow = optimizer.step_sizes(step, 10_000).follow;
            weights.iter_mut().for_each(|w| *w *= 1.0 - follow);
            weights.push(follow);
        }
        // s (s + 1) (s + 2) over their sum n (n + 1) (n + 2) (n + 3) / 4
        let all = 50.0 * 51.0 * 52.0 * 53.0 / 4.0;
        for (s, weight) in (1..).zip(&weights) {
            let s = f64::from(s);
            assert!((weight - s * (s + 1.0) * (s + 2.0) / all).abs() < 1e-14, "{s}: {weight}");
        }
        assert!((optimizer.step_sizes(4000, 10_000).follow - 1e-3).abs() < 1e-6);
        assert_eq!(Optimizer { ema: 0.0, ..optimizer }.step_sizes(7, 9).follow, 1.0);
    }
}
