//! Numbers that are told of each draw, in a memory that does not grow with the draws.

/// The most windows: more than a figure of them is wide in pixels. An even number, since they merge in pairs.
const MOST: usize = 2048;

/// The sums of the numbers of draws over windows of draws, all as wide as the first, the last of which may not be full. The
/// windows are one draw wide in short runs; when there are too many, each takes in its neighbour. What comes of some draws does
/// not depend on when a run was left and taken up again.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Windows {
    draws: u64,
    /// Draws of a window: a power of two.
    width: u64,
    /// `[windows][numbers of a draw]`.
    sums: Vec<Vec<f64>>,
}

impl Default for Windows {
    fn default() -> Self {
        Self { draws: 0, width: 1, sums: Vec::new() }
    }
}

impl Windows {
    /// From its parts, if they fit each other: `draws` draws in windows of `width`.
    pub(super) fn of(draws: u64, width: u64, sums: Vec<Vec<f64>>) -> Option<Self> {
        let fits = width.is_power_of_two() && sums.len() <= MOST && draws.div_ceil(width) == sums.len() as u64;
        fits.then_some(Self { draws, width, sums })
    }

    /// Draws that were told.
    pub(super) fn draws(&self) -> u64 {
        self.draws
    }

    /// Draws of a window.
    pub(super) fn width(&self) -> u64 {
        self.width
    }

    /// The sums of each window.
    pub(super) fn sums(&self) -> &[Vec<f64>] {
        &self.sums
    }

    /// Takes in the numbers of the next draw, as many as those of the draws before.
    pub(super) fn add(&mut self, numbers: Vec<f64>) {
        if self.draws.is_multiple_of(self.width) {
            if self.sums.len() == MOST {
                self.halve();
            }
            // half of them have gone: the next window begins here all the same
            self.sums.push(numbers);
        } else if let Some(last) = self.sums.last_mut() {
            last.iter_mut().zip(numbers).for_each(|(sum, number)| *sum += number);
        }
        self.draws += 1;
    }

    /// Each window takes in its neighbour.
    fn halve(&mut self) {
        let both = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a + b).collect::<Vec<f64>>();
        self.sums = self.sums.as_chunks::<2>().0.iter().map(|[a, b]| both(a, b)).collect();
        self.width *= 2;
    }

    /// The last draw of each window, from 1, and the means of its draws' numbers.
    pub(super) fn means(&self) -> impl Iterator<Item = (u64, Vec<f64>)> {
        self.sums.iter().enumerate().map(|(i, sums)| {
            let first = i as u64 * self.width;
            let last = first.saturating_add(self.width).min(self.draws);
            (last, sums.iter().map(|sum| sum / (last - first) as f64).collect())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(windows: &mut Windows, draws: u64) {
        let first = windows.draws();
        (first + 1..=draws).for_each(|draw| windows.add(vec![draw as f64, -2.0 * draw as f64]));
    }

    #[test]
    fn few_draws_are_kept_as_they_are() {
        let mut windows = Windows::default();
        told(&mut windows, MOST as u64);
        assert_eq!((windows.width(), windows.means().count()), (1, MOST));
        assert!(windows.means().all(|(draw, numbers)| numbers == [draw as f64, -2.0 * draw as f64]));
    }

    #[test]
    fn many_draws_are_means_in_bounded_memory() {
        for draws in [2049, 5001, 1_000_000] {
            let mut windows = Windows::default();
            // left and taken up again on the way
            for end in [1500, 2049, 4097, draws].into_iter().filter(|end| *end <= draws) {
                told(&mut windows, end);
                let Windows { draws, width, sums } = windows;
                windows = Windows::of(draws, width, sums).expect("fitting");
            }
            let width = windows.width();
            let count = windows.means().count();
            assert!((MOST / 2..=MOST).contains(&count), "{draws}: {count} windows of {width}");
            assert_eq!(windows.means().last().expect("some").0, draws);
            for (i, (last, means)) in windows.means().enumerate() {
                // the means of first + 1 ..= last
                let first = i as u64 * width;
                assert_eq!(last, (first + width).min(draws), "{draws}");
                let mean = (first + 1 + last) as f64 / 2.0;
                assert!((means[0] - mean).abs() < 1e-6 && (means[1] + 2.0 * mean).abs() < 1e-6, "{draws}: {means:?}");
            }
        }
        for (draws, width, sums) in [(3, 1, 2), (3, 2, 1), (6, 3, 2), (3, 0, 3), (5000, 1, 5000)] {
            assert_eq!(Windows::of(draws, width, vec![Vec::new(); sums]), None, "{draws} {width} {sums}");
        }
    }
}
