//! What is said of chains to a person, whatever command has run them.

use ebm_gpu::eval::Metrics;
use ebm_gpu::points::Points;

/// How many standard deviations of the data are taken for far; a column has no less than a share of their root mean square, as
/// some pixels hardly change.
const FAR: f64 = 20.0;
const LEAST_DEVIATION: f64 = 0.1;

/// A warning if chains have ended far from all data of this mean and these standard deviations, in the chains' units.
pub(super) fn far(mean: &[f64], deviation: &[f64], chains: &Points) -> Option<String> {
    let mean_square = deviation.iter().map(|s| s * s).sum::<f64>() / deviation.len() as f64;
    let least = LEAST_DEVIATION * mean_square.sqrt();
    let is_far =
        |x: &[f64]| x.iter().zip(mean.iter().zip(deviation)).any(|(x, (m, s))| (x - m).abs() > FAR * s.max(least));
    let far = chains.rows().filter(|x| is_far(x)).count();
    (far > 0).then(|| {
        format!(
            "{far} of {} chains ended more than {FAR} standard deviations from the data: the step size is too large, or the \
             model's energy is wrong there",
            chains.count()
        )
    })
}

/// What chains accept, in words that follow others: those that correct their steps, or those that would have to.
pub(super) fn accepts(acceptance: Option<f64>, would_accept: Option<f64>) -> String {
    match (acceptance, would_accept) {
        (Some(acceptance), _) => format!(", acceptance {acceptance:.3}"),
        (None, Some(accepted)) => format!("; a Metropolis correction would accept {accepted:.3}"),
        (None, None) => String::new(),
    }
}

/// Writes an acceptance as a number: unadjusted chains accept every step.
pub(super) fn or_one<S: serde::Serializer>(acceptance: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(acceptance.unwrap_or(1.0))
}

/// The share of their steps that a Metropolis correction has to accept for unadjusted chains to be taken at their word. On a
/// normal law of one coordinate, 0.925 are accepted where the variance is 4/3 of what it should be (steps of half of it).
const LEAST_ACCEPTED: f64 = 0.95;

/// A warning if unadjusted chains are far from a law that they would leave in place.
pub(super) fn biased(would_accept: Option<f64>) -> Option<String> {
    let accepted = would_accept.filter(|accepted| *accepted < LEAST_ACCEPTED)?;
    Some(format!(
        "a Metropolis correction would refuse {:.0} % of the chains' steps, so their law is not that of the energy: a smaller \
         --step-size (`sample` and `eval` also have --sampler mala)",
        100.0 * (1.0 - accepted)
    ))
}

/// How far the mean energy of chains may be from that of the model's own law, in standard deviations of E.
const MOST_EXCESS: f64 = 0.2;
/// Standard errors beyond that.
const SURE: f64 = 5.0;

/// A warning if chains that should follow the model have not reached it, or have gone elsewhere.
pub(super) fn unreached(metrics: &Metrics) -> Option<String> {
    let excess = metrics.chains_energy?;
    let error = metrics.standard_errors.get("chains_energy")?;
    let side = if excess > 0.0 { "above" } else { "below" };
    (excess.abs() > MOST_EXCESS + SURE * error).then(|| {
        format!(
            "the chains' mean energy is {:.2} standard deviations {side} that of the model's own law, so they do not show the \
             model: more --chain-steps, or another --step-size",
            excess.abs()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_far_from_data_are_counted() {
        let chains = Points::new(2, vec![0.0, 0.0, 5.0, 19.9, 5.0, 20.1, -30.0, 0.0]);
        let said = far(&[0.0, 0.0], &[1.0, 1.0], &chains).unwrap_or_default();
        assert!(said.starts_with("2 of 4 chains"), "{said}");
        // a column that hardly changes is not held against them
        assert_eq!(far(&[0.0, 0.0], &[2.0, 1e-9], &Points::new(2, vec![1.0, 1.0])), None);
    }

    #[test]
    fn what_is_sure_and_large_is_told() {
        let metrics = |excess: f64, error: f64| Metrics {
            chains_energy: Some(excess),
            standard_errors: [("chains_energy", error)].into(),
            ..Metrics::default()
        };
        assert!(unreached(&metrics(0.3, 0.01)).is_some_and(|said| said.contains("0.30 standard deviations above")));
        assert!(unreached(&metrics(-0.3, 0.01)).is_some_and(|said| said.contains("below")));
        assert_eq!(unreached(&metrics(0.3, 0.03)), None);
        assert_eq!(unreached(&metrics(0.19, 0.0)), None);
        // the error of one chain is unknown
        assert_eq!(unreached(&Metrics { chains_energy: Some(9.0), ..Metrics::default() }), None);
        assert_eq!((biased(Some(0.96)), biased(None)), (None, None));
        assert!(biased(Some(0.4)).is_some_and(|said| said.contains("60 %")));
    }
}
