//! Where the chains of `sample` start.

use std::path::Path;

use ebm_gpu::data::Standardizer;
use ebm_gpu::data::npy::read_npy;
use ebm_gpu::error::{Error, Result};
use ebm_gpu::points::Points;
use ebm_gpu::random::{Seed, Stream};

use super::args::Args;
use super::subject::{Ground, Subject, numbers};

impl Args {
    /// Where the columns start, in the units of the landscape.
    pub(super) fn starting_points(&self, subject: &Subject, replicas: usize) -> Result<Points> {
        let d = subject.dim();
        let each = |chains: Points| {
            let rows = chains.rows().flat_map(|row| std::iter::repeat_n(row, replicas));
            Points::new(d, rows.flatten().copied().collect())
        };
        let uniform = |low: f64, high: f64| -> Points {
            use ebm_gpu::data::law::uniform;
            let mut rng = Seed(self.seed).sequence(Stream::Start, 0);
            Points::new(d, (0..self.chains * d).map(|_| low + (high - low) * uniform(&mut rng)).collect())
        };
        let inside = |points: Points| -> Result<Points> {
            let inside = subject.transform.apply(&points);
            match inside.values().iter().position(|v| !v.is_finite()) {
                Some(i) => {
                    Err(Error::input(format!("--start: {} lies outside the range of the data", points.values()[i])))
                }
                None => Ok(inside),
            }
        };
        if let Some(text) = &self.start {
            return match numbers(text).as_deref() {
                Some(&[low, high]) if low < high && (high - low).is_finite() => Ok(each(inside(uniform(low, high))?)),
                Some(_) => Err(Error::input(format!("--start {text}: a box runs from a number to a larger one"))
                    .hint("--start -4,4, or a .npy file")),
                None => Ok(each(inside(self.read_start(Path::new(text), d)?)?)),
            };
        }
        match (subject.last(), &subject.data) {
            (Ground::Target(target), _) => {
                let [low, high] = target.start();
                Ok(each(uniform(low, high)))
            }
            (Ground::Network(_), data) => {
                let normal = Points::normal::<f64>(self.chains, d, Seed(self.seed), Stream::Start, 0);
                let mut law = match data {
                    Some([mean, deviation]) => Standardizer { mean: mean.clone(), scale: deviation.clone() },
                    None => Standardizer::identity(d),
                };
                let first = subject.levels[0].0;
                if subject.levels.len() > 1 {
                    law.scale.iter_mut().for_each(|scale| *scale = scale.hypot(first));
                }
                Ok(each(law.undo(&normal)))
            }
        }
    }

    fn read_start(&self, path: &Path, d: usize) -> Result<Points> {
        let (shape, values) = read_npy(path)?;
        let fits = matches!(shape[..], [rows, columns] if rows == self.chains && columns == d);
        if !fits {
            let (name, chains) = (path.display(), self.chains);
            return Err(Error::input(format!(
                "{name} has shape {shape:?}, the start of {chains} chains is [{chains}, {d}]"
            )));
        }
        match values.iter().position(|v| !v.is_finite()) {
            Some(i) => Err(Error::input(format!("number {i} of {} is {}", path.display(), values[i]))),
            None => Ok(Points::new(d, values)),
        }
    }
}
