//! Training runs as files: safetensors that are models to whoever asks for one, with everything that training needs to go on
//! in tensors named `state.*` and in the metadata, all under a checksum.

use std::collections::HashMap;
use std::path::Path;

use safetensors::Dtype;

use super::{Best, History, Looks, Progress};
use crate::engine::TrainingState;
use crate::error::Result;
use crate::model::checkpoint::{decode, metadata_of, tensors_of};
use crate::model::{MlpSpec, Model};
use crate::points::Points;
use crate::tensors::{Sealed, Tensor, write_sealed};

const FORMAT: &str = "ebm-gpu-state/2";

/// Writes where a run stands, and `model`, as F32; `extra` strings stand in the metadata. The numbers of the state keep every
/// bit.
///
/// # Errors
/// The file cannot be written.
pub fn write_progress(path: &Path, model: &Model, progress: &Progress, extra: &[(&str, String)]) -> Result<()> {
    let Progress { state, looks, history, seconds } = progress;
    let flat = |name: &str, values: &[f64]| Tensor::exact(name, vec![values.len()], values);
    let mut tensors = tensors_of(&model.spec, &model.parameters, Dtype::F32);
    tensors.extend([
        flat("parameters", &state.parameters),
        flat("ema", &state.ema),
        flat("first_moment", &state.first_moment),
        flat("second_moment", &state.second_moment),
        flat("history", history.sums()),
    ]);
    let replay = state.replay.as_ref();
    tensors.extend(replay.map(|r| Tensor::exact("replay", vec![r.count(), r.dim()], r.values())));
    let mut metadata = metadata_of(model, extra);
    let mut say = |key: &str, text: String| metadata.insert(key.to_string(), text);
    say("step", state.step.to_string());
    say("history_steps", history.steps().to_string());
    say("history_width", history.width().to_string());
    say("seconds", format!("{seconds:?}"));
    say("waited", looks.waited.to_string());
    if let Some((best, parameters)) = &looks.best {
        tensors.push(flat("best", parameters));
        say("best_step", best.step.to_string());
        say("best_loss", format!("{:?}", best.loss));
    }
    write_sealed(path, FORMAT, tensors, metadata)
}

/// A run with the shape of its network and the metadata of its file.
type Found = (Progress, MlpSpec, HashMap<String, String>);

/// Reads what [`write_progress`] has written, with the metadata; none if the file is cut short or changed.
///
/// # Errors
/// The file cannot be read, or is of a newer format.
pub fn read_progress(path: &Path) -> Result<Option<Found>> {
    let Some(sealed) = Sealed::read(path, FORMAT)? else { return Ok(None) };
    let (model, metadata) = decode(path, sealed.bytes())?;
    let each = |key: &str| sealed.values(key, model.parameters.len());
    let replay = match sealed.tensor("replay") {
        Some((shape, values)) if shape.len() == 2 && shape[1] > 0 => Some(Points::new(shape[1], values)),
        Some((shape, _)) => return Err(sealed.wrong(&format!("has a replay buffer of shape {shape:?}"))),
        None => None,
    };
    let state = TrainingState {
        step: sealed.number("step")?,
        parameters: each("parameters")?,
        ema: each("ema")?,
        first_moment: each("first_moment")?,
        second_moment: each("second_moment")?,
        replay,
    };
    let best = || Ok((Best { step: sealed.number("best_step")?, loss: sealed.number("best_loss")? }, each("best")?));
    let best = metadata.contains_key("best_step").then(best).transpose()?;
    let sums = sealed.tensor("history").map_or_else(Vec::new, |(_, sums)| sums);
    let history = History::of(sealed.number("history_steps")?, sealed.number("history_width")?, sums)
        .filter(|history| history.steps() == state.step)
        .ok_or_else(|| sealed.wrong("has another number of losses than of steps"))?;
    let progress = Progress {
        state,
        looks: Looks { best, waited: sealed.number("waited")? },
        history,
        seconds: sealed.number("seconds")?,
    };
    Ok(Some((progress, model.spec, metadata)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Activation, read_checkpoint};
    use crate::random::Seed;

    #[test]
    fn every_bit_comes_back() {
        let folder = std::env::temp_dir().join(format!("ebm-gpu-saved-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("folder");
        let path = folder.join("p.safetensors");
        let model = MlpSpec::parse("2-3-1", Activation::Silu).expect("spec").initial(Seed(1));
        let odd = |i: usize| [1.0 / 3.0, -0.0, 5e-324, 1e300, f64::from(0.1f32)][i % 5];
        let numbers = |from: usize| (from..from + model.parameters.len()).map(odd).collect::<Vec<_>>();
        for replay in [true, false] {
            let want = Progress {
                state: TrainingState {
                    step: 3,
                    parameters: numbers(0),
                    ema: numbers(1),
                    first_moment: numbers(2),
                    second_moment: vec![f64::from(0.1f32); model.parameters.len()],
                    replay: replay.then(|| Points::new(2, numbers(3)[..6].to_vec())),
                },
                looks: Looks { best: replay.then(|| (Best { step: 2, loss: f64::NAN }, numbers(4))), waited: 1 },
                history: History::of(3, 1, (1..=3).map(odd).collect()).expect("fitting"),
                seconds: 0.1 + 0.2,
            };
            write_progress(&path, &model, &want, &[("columns", "a,b".to_string())]).expect("written");
            let (got, spec, metadata) = read_progress(&path).expect("readable").expect("whole");
            // debug text tells -0 from 0, and NaN is NaN
            assert_eq!(format!("{got:?}"), format!("{want:?}"));
            assert_eq!(
                (spec, metadata["step"].as_str(), metadata["columns"].as_str()),
                (model.spec.clone(), "3", "a,b")
            );
            let (loaded, _) = read_checkpoint(&path).expect("a model to whoever asks for one");
            assert_eq!(loaded.parameters, model.parameters);
        }
        std::fs::remove_dir_all(folder).expect("removable");
    }
}
