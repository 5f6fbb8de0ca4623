//! What is known of a law beside its energy.

/// What is known of a law, from closed forms or from quadrature that the tests repeat; on the box where it has one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    /// ln ∫ exp(−E(x)) dx, in nats.
    pub log_normalizer: Option<f64>,
    /// The mean of each coordinate.
    pub mean: Option<Vec<f64>>,
    /// The variance of each coordinate.
    pub variance: Option<Vec<f64>>,
    /// The modes of a law that has several; empty where it has one or where they are not known.
    pub modes: Vec<Mode>,
}

/// A mode of a law.
#[derive(Debug, Clone, PartialEq)]
pub struct Mode {
    /// Its minimum of E, or its component's mean.
    pub center: Vec<f64>,
    /// The share of the mass that lies nearer to this centre than to the others.
    pub weight: f64,
}

impl Facts {
    /// Facts about all of ln Z, mean and variance.
    pub(super) fn moments(log_normalizer: f64, mean: Vec<f64>, variance: Vec<f64>) -> Self {
        Self { log_normalizer: Some(log_normalizer), mean: Some(mean), variance: Some(variance), modes: Vec::new() }
    }

    /// The mode whose centre is nearest to a point; none where no modes are listed.
    pub fn nearest_mode(&self, x: &[f64]) -> Option<usize> {
        let apart = |mode: &Mode| mode.center.iter().zip(x).map(|(c, v)| (v - c).powi(2)).sum::<f64>();
        let distances = self.modes.iter().map(apart).enumerate();
        distances.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(k, _)| k)
    }
}
