//! The loss of a run, step by step, in a memory that does not grow with it.

use crate::engine::StepRecord;

/// The most windows: twice as many as a figure is wide in pixels.
const MOST: usize = 4096;

/// The sums of the loss over windows of steps, all as wide as the first, the last of which may not be full. The windows are one
/// step wide in short runs; when there are too many, each takes in its neighbour. What comes of some steps does not depend on
/// when they were told.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    steps: u64,
    /// Steps of a window: a power of two.
    width: u64,
    sums: Vec<f64>,
}

impl Default for History {
    fn default() -> Self {
        Self { steps: 0, width: 1, sums: Vec::new() }
    }
}

impl History {
    /// From its parts, if they fit each other: `steps` losses in windows of `width`.
    pub(super) fn of(steps: u64, width: u64, sums: Vec<f64>) -> Option<Self> {
        let fits = width.is_power_of_two() && sums.len() <= MOST && steps.div_ceil(width) == sums.len() as u64;
        fits.then_some(Self { steps, width, sums })
    }

    /// Steps that were told.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Steps of a window.
    pub fn width(&self) -> u64 {
        self.width
    }

    /// The sum of each window.
    pub(super) fn sums(&self) -> &[f64] {
        &self.sums
    }

    /// Takes in the next step.
    pub fn add(&mut self, record: &StepRecord) {
        if self.steps.is_multiple_of(self.width) {
            if self.sums.len() == MOST {
                self.sums = self.sums.as_chunks().0.iter().map(|[a, b]| a + b).collect();
                self.width *= 2;
            }
            // half of them have gone: the next window begins here all the same
            self.sums.push(0.0);
        }
        if let Some(last) = self.sums.last_mut() {
            *last += record.loss;
        }
        self.steps += 1;
    }

    /// The last step of each window, and the mean loss of its steps.
    pub fn means(&self) -> impl DoubleEndedIterator<Item = (u64, f64)> + ExactSizeIterator {
        self.sums.iter().enumerate().map(|(i, sum)| {
            let first = i as u64 * self.width;
            let last = (first + self.width).min(self.steps);
            (last, sum / (last - first) as f64)
        })
    }

    /// The loss of the first window and the mean of the last, where the loss has not fallen but run away to a thousand times its
    /// size.
    pub fn runaway(&self) -> Option<[f64; 2]> {
        const FAR: f64 = 1e3;
        let mut means = self.means().map(|(_, mean)| mean);
        let first = means.next()?;
        let last = means.next_back()?;
        (last.abs() > FAR * first.abs().max(1.0)).then_some([first, last])
    }

    /// The mean loss of the last tenth of the steps, or of the windows in which these lie.
    pub fn final_loss(&self) -> f64 {
        let first = (self.steps - self.steps.div_ceil(10)) / self.width;
        let count = self.steps - first * self.width;
        self.sums.iter().skip(first as usize).sum::<f64>() / count as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(steps: u64) -> History {
        let mut history = History::default();
        (1..=steps).for_each(|step| history.add(&StepRecord { step, loss: step as f64, gradient_norm: 0.0 }));
        history
    }

    #[test]
    fn short_runs_keep_every_step() {
        let history = told(MOST as u64);
        assert_eq!((history.width(), history.steps()), (1, MOST as u64));
        assert!(history.means().all(|(step, loss)| loss == step as f64));
        let tenth = (MOST as u64).div_ceil(10);
        assert_eq!(history.final_loss(), MOST as f64 - (tenth - 1) as f64 / 2.0);
        assert_eq!(told(1).final_loss(), 1.0);
    }

    #[test]
    fn a_loss_that_runs_away_is_told_from_one_that_falls() {
        let of = |losses: &[f64]| {
            let mut history = History::default();
            for (step, loss) in (1..).zip(losses) {
                history.add(&StepRecord { step, loss: *loss, gradient_norm: 0.0 });
            }
            history.runaway()
        };
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[5e3]), None);
        assert_eq!(of(&[5e3, 1e6, 2.0]), None);
        assert_eq!(of(&[1e-3, 10.0, -999.0]), None);
        assert_eq!(of(&[1e-3, 10.0, -1001.0]), Some([1e-3, -1001.0]));
        assert_eq!(of(&[3.0, 3001.0]), Some([3.0, 3001.0]));
    }

    #[test]
    fn long_runs_keep_means_in_bounded_memory() {
        for steps in [4097, 10_000, 1_000_000] {
            let history = told(steps);
            let (width, count) = (history.width(), history.means().len());
            assert!((MOST / 2 - 1..=MOST).contains(&count), "{steps}: {count} windows of {width}");
            assert_eq!(count as u64, steps.div_ceil(width));
            for (i, (last, mean)) in history.means().enumerate() {
                // the mean of first + 1 ..= last
                let first = i as u64 * width;
                assert_eq!(last, (first + width).min(steps), "{steps}");
                assert!((mean - (first + 1 + last) as f64 / 2.0).abs() < 1e-6, "{steps}: {mean} up to {last}");
            }
            let exact = steps as f64 - (steps.div_ceil(10) - 1) as f64 / 2.0;
            assert!((history.final_loss() - exact).abs() <= width as f64 / 2.0, "{steps}: {}", history.final_loss());
            let again = History::of(history.steps(), width, history.sums().to_vec());
            assert_eq!(again, Some(history));
        }
        for (steps, width, sums) in [(3, 1, 2), (3, 2, 1), (6, 3, 2), (3, 0, 3), (5000, 1, 5000)] {
            assert_eq!(History::of(steps, width, vec![0.0; sums]), None, "{steps} {width} {sums}");
        }
    }
}
