//! Training that diverged and went back to its last checkpoint, slower.

use std::collections::HashMap;

use ebm_gpu::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// Each time, the learning rate is this part of what it was.
const SLOWER: f64 = 0.5;

/// One return.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Rollback {
    /// The step whose loss or gradient was not finite.
    pub(super) diverged: u64,
    /// The step that training went back to.
    pub(super) back_to: u64,
    /// Adam's learning rate from there on, before its schedule.
    pub(super) learning_rate: f64,
}

/// All of a run, in order.
#[derive(Debug, Clone, Default)]
pub(super) struct Rollbacks(pub(super) Vec<Rollback>);

impl Rollbacks {
    /// The key of a checkpoint's metadata that holds those before it.
    pub(super) const KEY: &'static str = "rollbacks";

    /// Those that a checkpoint tells of.
    pub(super) fn of(metadata: &HashMap<String, String>) -> Result<Self> {
        let Some(text) = metadata.get(Self::KEY) else { return Ok(Self::default()) };
        let list: std::result::Result<Vec<Rollback>, _> = serde_json::from_str(text);
        match list {
            Ok(list) if list.iter().all(|r| r.learning_rate > 0.0 && r.learning_rate.is_finite()) => Ok(Self(list)),
            _ => Err(Error::input(format!("the checkpoint's rollbacks are no list of them: {text}"))),
        }
    }

    /// For a checkpoint.
    pub(super) fn metadata(&self) -> Result<(&'static str, String)> {
        let text = serde_json::to_string(&self.0);
        Ok((Self::KEY, text.map_err(|e| Error::failed(format!("cannot write rollbacks as JSON: {e}")))?))
    }

    /// The learning rate now, of a run that was begun with `first`.
    pub(super) fn learning_rate(&self, first: f64) -> f64 {
        self.0.last().map_or(first, |last| last.learning_rate)
    }

    /// Whether training was here before.
    pub(super) fn has_gone_to(&self, step: u64) -> bool {
        self.0.iter().any(|rollback| rollback.back_to == step)
    }

    /// One more; what there is to say of it comes back.
    pub(super) fn add(&mut self, diverged: u64, back_to: u64, first: f64) -> String {
        let learning_rate = SLOWER * self.learning_rate(first);
        self.0.push(Rollback { diverged, back_to, learning_rate });
        self.sentence(self.0.len() - 1)
    }

    /// ` after 2 rollbacks (from step 9 to 5, from step 8 to 0)`; nothing if there was none.
    pub(super) fn in_words(&self) -> String {
        let all: Vec<String> = self.0.iter().map(|r| format!("from step {} to {}", r.diverged, r.back_to)).collect();
        match all.len() {
            0 => String::new(),
            1 => format!(" after a rollback ({})", all[0]),
            many => format!(" after {many} rollbacks ({})", all.join(", ")),
        }
    }

    /// What there is to say of each.
    pub(super) fn sentences(&self) -> impl Iterator<Item = String> {
        (0..self.0.len()).map(|i| self.sentence(i))
    }

    fn sentence(&self, i: usize) -> String {
        let Rollback { diverged, back_to, learning_rate } = self.0[i];
        format!(
            "training diverged at step {diverged} and went back to step {back_to}, with a learning rate of {learning_rate}"
        )
    }
}
