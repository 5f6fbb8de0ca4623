//! A ladder of noise levels, from the largest to the smallest.

use std::fmt;

use crate::error::{Error, Result, unknown_name};

/// Noise levels σ₁ > σ₂ > … > σ_L, each a standard deviation.
#[derive(Debug, Clone, PartialEq)]
pub struct Ladder {
    levels: Vec<f64>,
}

/// The most levels of a ladder.
const MOST_LEVELS: usize = 4096;

impl Ladder {
    /// Levels whose ratios are equal, as NCSN has them.
    ///
    /// # Errors
    /// Fewer than 2 levels, a σ outside 1e-6 .. 1e6, or a largest that is not above the smallest.
    pub fn geometric(largest: f64, smallest: f64, levels: usize) -> Result<Self> {
        Self::between(largest, smallest, levels, |t| largest * (smallest / largest).powf(t))
    }

    /// Levels whose differences are equal.
    ///
    /// # Errors
    /// As [`Ladder::geometric`].
    pub fn linear(largest: f64, smallest: f64, levels: usize) -> Result<Self> {
        Self::between(largest, smallest, levels, |t| largest + t * (smallest - largest))
    }

    fn between(largest: f64, smallest: f64, levels: usize, at: impl Fn(f64) -> f64) -> Result<Self> {
        if !(2..=MOST_LEVELS).contains(&levels) {
            return Err(Error::input(format!("a ladder of {levels} levels: it needs from 2 to {MOST_LEVELS}"))
                .hint("--loss dsm has one level"));
        }
        if largest.partial_cmp(&smallest) != Some(std::cmp::Ordering::Greater) {
            return Err(Error::input(format!(
                "the ladder's largest sigma is {largest}, it has to be above the smallest, {smallest}"
            )));
        }
        let mut all: Vec<f64> = (0..levels).map(|i| at(i as f64 / (levels - 1) as f64)).collect();
        all[levels - 1] = smallest;
        Self::explicit(all)
    }

    /// The levels themselves, in any order.
    ///
    /// # Errors
    /// No level, too many, two that are equal, or one outside 1e-6 .. 1e6.
    pub fn explicit(mut levels: Vec<f64>) -> Result<Self> {
        if levels.is_empty() || levels.len() > MOST_LEVELS {
            return Err(Error::input(format!("a ladder of {} levels: it needs from 1 to {MOST_LEVELS}", levels.len())));
        }
        if let Some(sigma) = levels.iter().find(|s| !(1e-6..=1e6).contains(*s)) {
            return Err(Error::input(format!("sigma is {sigma}, a noise level is from 1e-6 to 1e6"))
                .hint("0.05 to 0.3 times the smallest feature of the data is a good start"));
        }
        levels.sort_by(|a, b| b.total_cmp(a));
        if let Some(pair) = levels.windows(2).find(|w| w[0] == w[1]) {
            return Err(Error::input(format!("the ladder has the level {} twice", pair[0])));
        }
        Ok(Self { levels })
    }

    /// The ladder that `--ladder` names: `geometric`, `linear`, or levels joined by commas.
    ///
    /// # Errors
    /// As [`Ladder::geometric`] and [`Ladder::explicit`], and text that is neither.
    pub fn parse(text: &str, largest: f64, smallest: f64, levels: usize) -> Result<Self> {
        match text {
            "geometric" => Self::geometric(largest, smallest, levels),
            "linear" => Self::linear(largest, smallest, levels),
            _ => match text.split(',').map(|s| s.trim().parse()).collect::<std::result::Result<Vec<f64>, _>>() {
                Ok(all) if all.len() > 1 => Self::explicit(all),
                Ok(_) => Err(Error::input(format!("the ladder {text} has one level, it needs at least 2"))
                    .hint("--loss dsm --sigma S has one level")),
                Err(_) => Err(unknown_name("ladder", text, &["geometric", "linear"])
                    .hint("geometric, linear, or the levels themselves, for example 1,0.5,0.1")),
            },
        }
    }

    /// The levels, the largest first.
    pub fn levels(&self) -> &[f64] {
        &self.levels
    }

    /// The largest level.
    pub fn largest(&self) -> f64 {
        self.levels[0]
    }

    /// The smallest level.
    pub fn smallest(&self) -> f64 {
        self.levels[self.levels.len() - 1]
    }
}

/// The levels to six significant digits.
impl fmt::Display for Ladder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short = |s: &f64| format!("{s:.5e}").parse().unwrap_or(*s).to_string();
        f.write_str(&self.levels.iter().map(short).collect::<Vec<_>>().join(", "))
    }
}
