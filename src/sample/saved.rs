//! Sampling runs as files: tensors under a checksum.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use super::windows::Windows;
use super::{Record, SamplingState};
use crate::engine::ChainState;
use crate::error::Result;
use crate::points::Points;
use crate::tensors::{Sealed, Tensor, write_sealed};

const FORMAT: &str = "ebm-gpu-chains/2";

/// Writes where a run stands, with `tables` of its listener and `extra` strings. All numbers keep every bit.
///
/// # Errors
/// The file cannot be written.
pub fn write_sampling(
    path: &Path,
    state: &SamplingState,
    tables: &[(&str, Points)],
    extra: &[(&str, String)],
) -> Result<()> {
    let SamplingState { chains, record, sound, seconds } = state;
    let flat = |name: &str, values: &[f64]| Tensor::exact(name, vec![values.len()], values);
    let moments = record.told.sums();
    let width = moments.first().map_or(0, Vec::len);
    let mut tensors = vec![
        flat("positions", &chains.positions),
        flat("standings", &chains.standings),
        flat("kept", &chains.kept),
        Tensor::exact("moments", vec![moments.len(), width], &moments.concat()),
    ];
    tensors.extend(tables.iter().map(|(name, t)| Tensor::exact(name, vec![t.count(), t.dim()], t.values())));
    let said = [
        ("step", chains.step.to_string()),
        ("unreported", chains.unreported.to_string()),
        ("exchanges", chains.exchanges.iter().map(u64::to_string).collect::<Vec<_>>().join(",")),
        ("draws", chains.draws.to_string()),
        ("moments_draws", record.told.draws().to_string()),
        ("moments_width", record.told.width().to_string()),
        ("sound", sound.to_string()),
        ("accepted", format!("{:?}", record.accepted)),
        ("seconds", format!("{seconds:?}")),
    ];
    let metadata: BTreeMap<String, String> =
        said.into_iter().chain(extra.iter().cloned()).map(|(key, text)| (key.to_string(), text)).collect();
    write_sealed(path, FORMAT, tensors, metadata)
}

/// What [`read_sampling`] finds: where the run stands, the tables that were asked for, and the strings.
type Found = (SamplingState, Vec<Option<Points>>, HashMap<String, String>);

/// Reads what [`write_sampling`] has written, with the tables of these names; none if the file is cut short or changed.
///
/// # Errors
/// The file cannot be read, or is of a newer format.
pub fn read_sampling(path: &Path, tables: &[&str]) -> Result<Option<Found>> {
    let Some(sealed) = Sealed::read(path, FORMAT)? else { return Ok(None) };
    let tensor = |key: &str| sealed.tensor(key).ok_or_else(|| sealed.wrong(&format!("has no numbers called {key}")));
    let values = |key: &str| Ok(tensor(key)?.1);
    let exchanges = sealed.text("exchanges")?.split(',').filter(|text| !text.is_empty());
    let exchanges: Option<Vec<u64>> = exchanges.map(|text| text.parse().ok()).collect();
    let chains = ChainState {
        step: sealed.number("step")?,
        unreported: sealed.number("unreported")?,
        positions: values("positions")?,
        standings: values("standings")?,
        exchanges: exchanges.ok_or_else(|| sealed.wrong("has no counts of exchanges"))?,
        draws: sealed.number("draws")?,
        kept: values("kept")?,
    };
    let (shape, moments) = tensor("moments")?;
    let width = shape.last().copied().unwrap_or(0).max(1);
    let moments = moments.chunks_exact(width).map(<[f64]>::to_vec).collect();
    let told = Windows::of(sealed.number("moments_draws")?, sealed.number("moments_width")?, moments)
        .ok_or_else(|| sealed.wrong("has another number of moments than of draws"))?;
    let state = SamplingState {
        chains,
        record: Record { accepted: sealed.number("accepted")?, told },
        sound: sealed.number("sound")?,
        seconds: sealed.number("seconds")?,
    };
    let table = |key: &&str| {
        let (shape, values) = sealed.tensor(key)?;
        (shape.len() == 2 && shape[1] > 0).then(|| Points::new(shape[1], values))
    };
    let tables = tables.iter().map(table).collect();
    Ok(Some((state, tables, sealed.metadata)))
}
