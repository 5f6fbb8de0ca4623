//! R-hat and the effective sample size of chains cut in halves.

use super::autocovariance::mean_autocovariance;

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

    fn means(&self) -> Vec<f64> {
        self.chains().map(|c| c.iter().sum::<f64>() / self.length as f64).collect()
    }

    /// √(((n − 1) W + B) / n W), with the mean variance W within chains and the variance B / n of their means; without bound for
    /// chains that stand still at different places.
    pub(super) fn r_hat(&self) -> f64 {
        let n = self.length as f64;
        let means = self.means();
        let squares = self.chains().zip(&means).map(|(c, m)| c.iter().map(|v| (v - m) * (v - m)).sum::<f64>());
        let within = squares.sum::<f64>() / ((n - 1.0) * means.len() as f64);
        let between = variance(&means);
        if between == 0.0 && within == 0.0 {
            return f64::NAN;
        }
        (between / within + (n - 1.0) / n).sqrt()
    }

    /// All draws over the autocorrelation time, by Geyer's initial monotone sequence (Geyer 1992; Stan's reference manual,
    /// "Effective sample size"). NaN if all values are the same.
    pub(super) fn effective_sample_size(&self) -> f64 {
        let n = self.length;
        let total = self.values.len() as f64;
        if self.values.iter().all(|v| *v == self.values[0]) {
            return f64::NAN;
        }
        let means = self.means();
        let centred: Vec<f64> = self.chains().zip(&means).flat_map(|(c, m)| c.iter().map(move |v| v - m)).collect();
        let covariance = mean_autocovariance(&centred, n);
        let within = covariance[0] * n as f64 / (n as f64 - 1.0);
        let pooled = covariance[0] + variance(&means);
        let correlation = |lag: usize| if lag == 0 { 1.0 } else { 1.0 - (within - covariance[lag]) / pooled };
        // never more than an antithetic chain of this size is worth
        let time = correlation_time(correlation, n).max(1.0 / total.log10());
        total / time
    }
}

/// Sums correlations over lags by pairs, while the sums of pairs are positive, no sum larger than the one before.
///
/// Of the pair at which this ends, the even lag counts once, which lowers the variance for antithetic chains.
fn correlation_time(correlation: impl Fn(usize) -> f64, n: usize) -> f64 {
    let mut time = -1.0;
    let mut smallest = f64::INFINITY;
    let mut lag = 0;
    loop {
        let even = correlation(lag);
        let pair = even + correlation(lag + 1);
        let positive = pair > 0.0;
        if !positive {
            return time + even.max(0.0);
        }
        // the lags after these are estimated from too few products
        if lag + 5 >= n {
            return time + even;
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
