//! R-hat and the effective sample size of chains cut in halves.

use super::autocovariance::mean_autocovariance;

/// What R-hat needs of chains cut in halves, and an effective sample size beside their autocovariance.
#[derive(Debug, Clone)]
pub(crate) struct Rows {
    /// Draws of a half.
    pub(crate) length: usize,
    /// The mean of each half.
    pub(crate) means: Vec<f64>,
    /// Its summed squares of deviations.
    pub(crate) squares: Vec<f64>,
    /// Whether all draws of all halves are the same.
    pub(crate) constant: bool,
}

impl Rows {
    /// √(((n − 1) W + B) / n W), with the mean variance W within chains and the variance B / n of their means; without bound for
    /// chains that stand still at different places.
    pub(crate) fn r_hat(&self) -> f64 {
        let n = self.length as f64;
        let within = self.squares.iter().sum::<f64>() / ((n - 1.0) * self.means.len() as f64);
        let between = variance(&self.means);
        if between == 0.0 && within == 0.0 {
            return f64::NAN;
        }
        (between / within + (n - 1.0) / n).sqrt()
    }

    /// All draws over the autocorrelation time, by Geyer's initial monotone sequence (Geyer 1992; Stan's reference manual,
    /// "Effective sample size"), from the autocovariance at each lag; none if it needs a lag that is not known. NaN if all
    /// values are the same.
    pub(crate) fn effective_sample_size(&self, covariance: impl Fn(usize) -> Option<f64>) -> Option<f64> {
        if self.constant {
            return Some(f64::NAN);
        }
        let n = self.length as f64;
        let total = n * self.means.len() as f64;
        let squares = self.squares.iter().sum::<f64>() / total;
        let within = squares * n / (n - 1.0);
        let pooled = squares + variance(&self.means);
        let correlation = |lag: usize| match lag {
            0 => Some(1.0),
            _ => covariance(lag).map(|of_lag| 1.0 - (within - of_lag) / pooled),
        };
        // never more than an antithetic chain of this size is worth
        let time = correlation_time(correlation, self.length)?.max(1.0 / total.log10());
        Some(total / time)
    }
}

/// Chains cut in halves, `[2 · chains, length]`, each half one after another in time; of an odd number of draws the middle
/// one is left out.
#[derive(Debug, Clone)]
pub(super) struct Halves {
    values: Vec<f64>,
    length: usize,
}

impl Halves {
    /// Cuts `[chains, draws]`.
    pub(super) fn of(values: &[f64], draws: usize) -> Self {
        let length = draws / 2;
        let halves = values.chunks_exact(draws).flat_map(|chain| [&chain[..length], &chain[draws - length..]]);
        Self { values: halves.flatten().copied().collect(), length }
    }

    /// The same with all values replaced at once.
    pub(super) fn map_all(&self, f: impl Fn(&[f64]) -> Vec<f64>) -> Self {
        Self { values: f(&self.values), length: self.length }
    }

    fn chains(&self) -> impl ExactSizeIterator<Item = &[f64]> {
        self.values.chunks_exact(self.length)
    }

    /// Means and squares.
    pub(super) fn rows(&self) -> Rows {
        // about the first value, so that the mean of equal values is theirs
        let mean = |c: &[f64]| c[0] + c.iter().map(|v| v - c[0]).sum::<f64>() / self.length as f64;
        let means: Vec<f64> = self.chains().map(mean).collect();
        let squares = self.chains().zip(&means).map(|(c, m)| c.iter().map(|v| (v - m) * (v - m)).sum()).collect();
        let constant = self.values.iter().all(|v| *v == self.values[0]);
        Rows { length: self.length, means, squares, constant }
    }

    pub(super) fn effective_sample_size(&self) -> f64 {
        let rows = self.rows();
        let centred: Vec<f64> =
            self.chains().zip(&rows.means).flat_map(|(c, m)| c.iter().map(move |v| v - m)).collect();
        let covariance = mean_autocovariance(&centred, self.length);
        rows.effective_sample_size(|lag| covariance.get(lag).copied()).unwrap_or(f64::NAN)
    }
}

/// Sums correlations over lags by pairs, while the sums of pairs are positive, no sum larger than the one before.
///
/// None if it needs a correlation that is not known. Of the pair at which this ends, the even lag counts once, which lowers the variance for antithetic chains.
fn correlation_time(correlation: impl Fn(usize) -> Option<f64>, n: usize) -> Option<f64> {
    let mut time = -1.0;
    let mut smallest = f64::INFINITY;
    let mut lag = 0;
    loop {
        let even = correlation(lag)?;
        let pair = even + correlation(lag + 1)?;
        let positive = pair > 0.0;
        if !positive {
            return Some(time + even.max(0.0));
        }
        // the lags after these are estimated from too few products
        if lag + 5 >= n {
            return Some(time + even);
        }
        smallest = pair.min(smallest);
        time += 2.0 * smallest;
        lag += 2;
    }
}

/// With n − 1 below; 0 for one value.
fn variance(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / (n - 1.0).max(1.0)
}
