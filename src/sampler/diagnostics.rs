//! What draws of Markov chains are worth: rank-normalised split R-hat, effective sample sizes, and the error of a mean
//! (Vehtari, Gelman, Simpson, Carpenter and Bürkner 2021, arXiv:1903.08008).
//!
//! Chains are cut in halves first, so that a drift within chains shows like a difference between them. R-hat and the bulk
//! ESS are those of the draws' normal scores, so that they exist for laws without a variance; R-hat is the larger of that
//! and the one of the distances from the median, which sees chains of different spread. The tail ESS is the smaller of
//! those of the events below the 5 % and the 95 % quantile.

mod autocovariance;
mod ess;
mod rank;

use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::real::Real;
use ess::Halves;
pub(crate) use ess::Rows;
pub(crate) use rank::normal_quantile;

/// R-hat above which chains have not mixed (Vehtari et al. 2021, section 4).
pub const MOST_R_HAT: f64 = 1.01;
/// Independent draws of a chain of which R-hat is some 1.01 by chance: its halves have half as many, and their means differ.
const SHORT: f64 = 100.0;
/// R-hat above which chains differ by more than a tenth of their spread.
const APART: f64 = 1.1;
/// The ESS of all chains together below which neither R-hat nor the error of a mean can be trusted (the same, section 4).
pub const LEAST_ESS: f64 = 400.0;
/// Draws of a chain from which on there are diagnostics: ten in each half, as correlations of fewer say nothing.
pub const FEWEST_DRAWS: usize = 20;

/// What the draws of one coordinate are worth. Everything is NaN where it is not defined: if a draw is not finite, if all
/// are the same, or if there are fewer than [`FEWEST_DRAWS`] draws a chain.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Coordinate {
    /// The mean of all draws.
    pub mean: f64,
    /// Their standard deviation.
    pub standard_deviation: f64,
    /// The standard error of the mean, from the ESS of the draws themselves.
    pub mean_error: f64,
    /// Rank-normalised split R-hat; 1 for chains of one law.
    pub r_hat: f64,
    /// The ESS for the middle of the law.
    pub bulk_ess: f64,
    /// The ESS for its 5 % and 95 % quantiles.
    pub tail_ess: f64,
    /// Draws that are NaN or infinite.
    pub not_finite: usize,
    /// Chains whose draws are all the same.
    pub still: usize,
}

/// What the draws of some chains are worth.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Diagnostics {
    /// Draws of each chain.
    pub draws: usize,
    /// Chains.
    pub chains: usize,
    /// One entry a coordinate.
    pub coordinates: Vec<Coordinate>,
}

/// The diagnostics of draws `[draws, chains, dim]`, row-major.
///
/// # Errors
/// There are no draws, or not as many values as the shape says.
pub fn diagnose<T: Real>(values: &[T], [draws, chains, dim]: [usize; 3]) -> Result<Diagnostics> {
    check_shape(values.len(), [draws, chains, dim])?;
    // chain by chain
    let column = |n: usize| {
        let chain = move |c: usize| (0..draws).map(move |i| values[(i * chains + c) * dim + n].f64());
        (0..chains).flat_map(chain).collect::<Vec<f64>>()
    };
    let coordinates = (0..dim).into_par_iter().map(|n| coordinate(&column(n), draws)).collect();
    Ok(Diagnostics { draws, chains, coordinates })
}

/// Refuses what are no draws `[draws, chains, dim]`.
pub(crate) fn check_shape(values: usize, [draws, chains, dim]: [usize; 3]) -> Result<()> {
    let count = draws.checked_mul(chains).and_then(|n| n.checked_mul(dim));
    if count == Some(values) && values > 0 {
        return Ok(());
    }
    Err(Error::input(format!("{values} values are no {draws} draws of {chains} chains in {dim} coordinates")))
}

/// The diagnostics of one coordinate, from `[chains, draws]`.
fn coordinate(values: &[f64], draws: usize) -> Coordinate {
    let count = values.len() as f64;
    let not_finite = values.iter().filter(|v| !v.is_finite()).count();
    let still = values.chunks_exact(draws).filter(|chain| chain.iter().all(|v| *v == chain[0])).count();
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|v| (v - mean) * (v - mean)).sum();
    let unknown = Coordinate::still_unknown([mean, (squares / (count - 1.0)).sqrt()], not_finite, still);
    let constant = values.iter().all(|v| *v == values[0]);
    if not_finite > 0 || constant || draws < FEWEST_DRAWS {
        return unknown;
    }
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let median = rank::quantile(&sorted, 0.5);
    let apart: Vec<f64> = values.iter().map(|v| (v - median).abs()).collect();
    let scores_of = |values: &[f64]| Halves::of(values, draws).map_all(rank::normal_scores);
    let (scores, folded_scores) = (scores_of(values), scores_of(&apart));
    let tail = |q: f64| {
        let bound = rank::quantile(&sorted, q);
        let below: Vec<f64> = values.iter().map(|v| f64::from(u8::from(*v <= bound))).collect();
        Halves::of(&below, draws).effective_sample_size()
    };
    let sizes =
        [Halves::of(values, draws).effective_sample_size(), scores.effective_sample_size(), tail(0.05), tail(0.95)];
    unknown.known([scores.rows().r_hat(), folded_scores.rows().r_hat()], sizes)
}

impl Coordinate {
    /// What does not need many draws.
    pub(crate) fn still_unknown(moments: [f64; 2], not_finite: usize, still: usize) -> Self {
        let nan = f64::NAN;
        let [mean, standard_deviation] = if not_finite > 0 { [nan; 2] } else { moments };
        let (mean_error, r_hat, bulk_ess, tail_ess) = (nan, nan, nan, nan);
        Self { mean, standard_deviation, mean_error, r_hat, bulk_ess, tail_ess, not_finite, still }
    }

    /// The rest: from R-hat of the scores of draws and of their distances from the median, and from the effective sample
    /// sizes of draws, their scores, and the events below the 5 % and the 95 % quantile.
    pub(crate) fn known(self, r_hats: [f64; 2], [plain, bulk_ess, low, high]: [f64; 4]) -> Self {
        Self {
            mean_error: self.standard_deviation / plain.sqrt(),
            r_hat: r_hats[0].max(r_hats[1]),
            bulk_ess,
            tail_ess: if low.is_nan() || high.is_nan() { f64::NAN } else { low.min(high) },
            ..self
        }
    }
}

impl Diagnostics {
    /// Plain sentences for what makes the draws untrustworthy; none if nothing does.
    pub fn warnings(&self) -> Vec<String> {
        let mut found = Vec::new();
        let Self { draws, chains, .. } = *self;
        let bad: usize = self.coordinates.iter().map(|c| c.not_finite).sum();
        if bad > 0 {
            let all = draws * chains * self.coordinates.len();
            found.push(format!("{bad} of {all} numbers are not finite: the chains diverged, a smaller step may help"));
        }
        if draws < FEWEST_DRAWS {
            found.push(format!("{draws} draws of each chain are too few: R-hat and ESS need {FEWEST_DRAWS} or more"));
            return found;
        }
        let still = self.coordinates.iter().map(|c| c.still).max().unwrap_or(0);
        if still > 0 {
            let which = if still == chains { format!("all {chains}") } else { format!("{still} of {chains}") };
            found.push(format!("{which} chains never moved: they are stuck, or every proposal was rejected"));
        }
        if still == chains {
            // nor do the other numbers say anything
            return found;
        }
        let more = |why: &str| format!("{why}: run the chains longer");
        let worst = self.coordinates.iter().map(|c| c.r_hat).fold(0.0, f64::max);
        // what a chain of so few draws would have that begins at the law itself
        let each = self.coordinates.iter().map(|c| c.bulk_ess).fold(f64::INFINITY, f64::min) / chains as f64;
        let grade = match worst {
            _ if chains == 1 => "above 1.01, the halves of the chain disagree".to_string(),
            r if r > APART => "above 1.01, the chains disagree as if each saw a law of its own".to_string(),
            _ if each < SHORT => format!(
                "above 1.01, and each chain is short, of about {each:.1} independent draws: R-hat is as large for chains that \
                 have forgotten where they started as for those that have not"
            ),
            _ => "above 1.01, the chains have not quite forgotten where they started".to_string(),
        };
        self.say(&mut found, "R-hat", |c| c.r_hat, |v| v > MOST_R_HAT, &more(&grade));
        self.say(&mut found, "the bulk ESS", |c| -c.bulk_ess, |v| v > -LEAST_ESS, &more("below 400"));
        self.say(&mut found, "the tail ESS", |c| -c.tail_ess, |v| v > -LEAST_ESS, &more("below 400"));
        let undefined = |c: &&Coordinate| c.tail_ess.is_nan() && c.not_finite == 0 && c.still < chains;
        let count = self.coordinates.iter().filter(undefined).count();
        if count > 0 {
            let dim = self.coordinates.len();
            found.push(format!(
                "{count} of {dim} coordinates have no tail ESS: a twentieth of their draws or more are the same number"
            ));
        }
        found
    }

    /// One sentence about the coordinates whose number is bad, with the worst (the largest) of them.
    fn say(
        &self,
        found: &mut Vec<String>,
        what: &str,
        number: impl Fn(&Coordinate) -> f64,
        is_bad: impl Fn(f64) -> bool,
        why: &str,
    ) {
        let bad = || self.coordinates.iter().map(&number).enumerate().filter(|(_, v)| is_bad(*v));
        let Some((worst, value)) = bad().max_by(|a, b| a.1.total_cmp(&b.1)) else { return };
        let (count, dim, worst, value) = (bad().count(), self.coordinates.len(), worst + 1, value.abs());
        let value = if value < 10.0 { format!("{value:.3}") } else { format!("{value:.0}") };
        found.push(match count {
            1 => format!("{what} of coordinate {worst} is {value}, {why}"),
            _ => format!("{what} of {count} of {dim} coordinates (coordinate {worst}: {value}) is {why}"),
        });
    }
}

#[cfg(test)]
mod tests;
