//! The numbers of sample.json: those of the coordinates, of their moments on the way, and of E.

use ebm_gpu::engine::Engine;
use ebm_gpu::error::{Error, Result};
use ebm_gpu::model::Head;
use ebm_gpu::points::Points;
use ebm_gpu::sample::{Moment, Sampled};
use ebm_gpu::sampler::diagnostics::Coordinate;
use ebm_gpu::target::Facts;
use serde::Serialize;

use crate::cli::sample::subject::{Ground, Subject};

/// One coordinate in original units: the last positions of all chains, and what the draws of the first of them are worth.
#[derive(Serialize)]
pub(super) struct CoordinateSummary {
    pub(super) name: String,
    pub(super) mean: f64,
    /// None of one chain.
    pub(super) variance: Option<f64>,
    /// What they would be exactly, where it is known.
    pub(super) exact_mean: Option<f64>,
    pub(super) exact_variance: Option<f64>,
    /// The same of the data that a model was trained on, smoothed as it smooths them, where the checkpoint names them.
    pub(super) data_mean: Option<f64>,
    pub(super) data_variance: Option<f64>,
    /// The mean over all draws of the first chains, and its standard error.
    pub(super) draws_mean: Option<f64>,
    pub(super) mean_error: Option<f64>,
    pub(super) r_hat: Option<f64>,
    pub(super) bulk_ess: Option<f64>,
    pub(super) tail_ess: Option<f64>,
}

/// E over all draws of the first chains with the standard error of its mean, and what they are worth.
#[derive(Serialize)]
pub(super) struct EnergySummary {
    pub(super) mean: f64,
    pub(super) mean_error: Option<f64>,
    pub(super) standard_deviation: f64,
    pub(super) r_hat: Option<f64>,
    pub(super) bulk_ess: Option<f64>,
    pub(super) tail_ess: Option<f64>,
}

/// E of the last positions of all chains.
#[derive(Serialize)]
pub(super) struct LastEnergy {
    pub(super) mean: f64,
    /// The standard error of the mean: chains are independent of each other. None of one chain.
    pub(super) mean_error: Option<f64>,
    pub(super) variance: Option<f64>,
}

impl LastEnergy {
    /// None for a field.
    pub(super) fn of(engine: &dyn Engine, subject: &Subject, positions: &Points) -> Result<Option<Self>> {
        let energies = match subject.last() {
            Ground::Network(model) if model.spec.head() == Head::Score => return Ok(None),
            Ground::Network(model) => engine.energy(model, positions)?,
            Ground::Target(target) => {
                let mut gradient = vec![0.0; target.dim()];
                positions.rows().map(|x| target.energy::<f64>(x, &mut gradient)).collect()
            }
        };
        let count = energies.len() as f64;
        let mean = energies.iter().sum::<f64>() / count;
        let squares = energies.iter().map(|e| (e - mean).powi(2)).sum::<f64>();
        let variance = (energies.len() > 1).then(|| squares / (count - 1.0));
        Ok(Some(Self { mean, variance, mean_error: variance.map(|v| (v / count).sqrt()) }))
    }
}

impl EnergySummary {
    pub(super) fn new(of: Coordinate) -> Self {
        let finite = |value: f64| Some(value).filter(|v| v.is_finite());
        Self {
            mean: of.mean,
            mean_error: finite(of.mean_error),
            standard_deviation: of.standard_deviation,
            r_hat: finite(of.r_hat),
            bulk_ess: finite(of.bulk_ess),
            tail_ess: finite(of.tail_ess),
        }
    }
}

pub(super) fn coordinate(
    subject: &Subject,
    smoothing: f64,
    facts: &Facts,
    sampled: &Sampled,
    samples: &Points,
    n: usize,
) -> CoordinateSummary {
    let transform = &subject.transform;
    let data = subject.data.as_ref().filter(|_| transform.logit.is_none()).map(|[mean, deviation]| {
        let variance: Vec<f64> = deviation.iter().map(|d| d * d + smoothing * smoothing).collect();
        transform.linear.moments(mean, &variance).map(|moment| moment[n])
    });
    // what the diagnostics say of the network's coordinate, in the units of the column if that is all it is
    let unit = transform.columns().map(|columns| (columns.mean[n], columns.scale[n]));
    let count = samples.count() as f64;
    let mean = samples.rows().map(|x| x[n]).sum::<f64>() / count;
    let variance = samples.rows().map(|x| (x[n] - mean).powi(2)).sum::<f64>() / count;
    let known = sampled.diagnostics.as_ref().map(|d| &d.coordinates[n]);
    let finite = |value: Option<f64>| value.filter(|v| v.is_finite());
    CoordinateSummary {
        name: subject.columns[n].clone(),
        mean,
        variance: (samples.count() > 1).then_some(variance),
        exact_mean: facts.mean.as_ref().map(|m| m[n]),
        exact_variance: facts.variance.as_ref().map(|v| v[n]),
        data_mean: data.map(|d| d[0]),
        data_variance: data.map(|d| d[1]),
        draws_mean: finite(known.zip(unit).map(|(c, (shift, unit))| shift + unit * c.mean)),
        mean_error: finite(known.zip(unit).map(|(c, (_, unit))| unit * c.mean_error)),
        r_hat: finite(known.map(|c| c.r_hat)),
        bulk_ess: finite(known.map(|c| c.bulk_ess)),
        tail_ess: finite(known.map(|c| c.tail_ess)),
    }
}

/// moments.jsonl, in original units, or in the network's where its coordinates are no shifted and scaled columns.
pub(in crate::cli::sample) fn moment_lines(moments: &[Moment], subject: &Subject) -> Result<String> {
    let mut text = String::new();
    for moment in moments {
        let linear = subject.transform.columns().map(|_| &subject.transform.linear);
        let [mean, variance] = match linear {
            Some(linear) => linear.moments(&moment.mean, &moment.variance),
            None => [moment.mean.clone(), moment.variance.clone()],
        };
        let line = serde_json::to_string(&Moment { mean, variance, ..moment.clone() })
            .map_err(|e| Error::failed(format!("cannot write moments.jsonl: {e}")))?;
        text += &line;
        text.push('\n');
    }
    Ok(text)
}
