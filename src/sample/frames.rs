//! When some chains are looked at while they run.

/// Looks at the first chains; none by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frames {
    /// How many chains are seen, at most.
    pub chains: usize,
    /// After how many steps, burn-in included, in increasing order; 0 is the start.
    pub steps: Vec<u64>,
}

impl Frames {
    /// The start, the end, and `intervals − 1` steps evenly between them; every step if there are fewer.
    pub fn even(chains: usize, all_steps: u64, intervals: u64) -> Self {
        let intervals = intervals.clamp(1, all_steps.max(1));
        let step = |i: u64| (u128::from(i) * u128::from(all_steps) / u128::from(intervals)) as u64;
        Self { chains, steps: (0..=intervals).map(step).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_even_and_have_both_ends() {
        assert_eq!(Frames::even(3, 10, 4).steps, [0, 2, 5, 7, 10]);
        assert_eq!(Frames::even(3, 2, 400).steps, [0, 1, 2]);
        assert_eq!(Frames::even(3, u64::MAX, 1).steps, [0, u64::MAX]);
    }
}
