//! The figures themselves, one file each.

use super::ticks::fixed;
use crate::points::Points;

pub(crate) mod backdrop;
pub(crate) mod energy;
pub(crate) mod energy_line;
#[cfg(test)]
mod every;
pub(crate) mod histogram;
pub(crate) mod images;
pub(crate) mod legend;
pub(crate) mod lines;
pub(crate) mod loss;
mod pairs;
pub(crate) mod panels;
pub(crate) mod particles;
pub(crate) mod paths;
pub(crate) mod relief;
pub(crate) mod samples;
pub(crate) mod score;
pub(crate) mod strips;

/// `shown` out of `count` indices: a pseudo-random one from each of `shown` equal stretches.
///
/// Equal steps would do worse: with data that cycles through 8 modes, every 4th point shows 2 of them.
pub(crate) fn thinned(count: usize, shown: usize) -> impl Iterator<Item = usize> {
    let shown = shown.min(count);
    (0..shown).map(move |i| {
        let (start, end) = (i * count / shown, (i + 1) * count / shown);
        start + scrambled(i as u64) as usize % (end - start)
    })
}

/// How many there are; where that is not all, how many of them lie in view and how many are drawn.
pub(crate) fn counted(all: usize, inside: usize, drawn: usize) -> String {
    let [total, in_view, dots] = [all, inside, drawn].map(|n| fixed(n as f64, 0));
    match (inside < all, drawn < inside) {
        (true, true) => format!("{in_view} of {total} in view, {dots} drawn"),
        (true, false) => format!("{in_view} of {total} in view"),
        (false, true) => format!("{dots} of {total} drawn"),
        (false, false) => total,
    }
}

/// The same of points that are thinned to `shown` dots, of which those are in view that `holds` says are.
pub(crate) fn counted_points(points: &Points, shown: usize, holds: impl Fn(&[f64]) -> bool) -> String {
    let inside = points.rows().filter(|row| holds(row)).count();
    let drawn = thinned(points.count(), shown).filter(|i| holds(points.row(*i))).count();
    counted(points.count(), inside, drawn)
}

/// The output function of SplitMix64 (Steele, Lea and Flood 2014), upper half.
fn scrambled(i: u64) -> u64 {
    let z = i.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)) >> 32
}

/// `names[index]`, or `x₁`, `x₂`, … where there is none.
pub(crate) fn coordinate_name(names: &[String], index: usize) -> String {
    match names.get(index) {
        // the place of a column without a name would read as a number of the axis
        Some(name) if name.parse::<f64>().is_ok() => format!("column {name}"),
        Some(name) if !name.trim().is_empty() => name.clone(),
        _ => {
            let subscript = |b: u8| char::from_u32(u32::from('₀') + u32::from(b - b'0')).unwrap_or('?');
            format!("x{}", (index + 1).to_string().bytes().map(subscript).collect::<String>())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nameless_coordinates_are_numbered() {
        assert_eq!(coordinate_name(&["sp500 (%)".into()], 0), "sp500 (%)");
        assert_eq!(coordinate_name(&[], 11), "x₁₂");
    }

    #[test]
    fn thinning_keeps_the_shares_of_cyclic_data() {
        let mut shares = [0; 8];
        thinned(16_000, 4000).for_each(|i| shares[i % 8] += 1);
        // Binomial around 500 with a standard deviation below 22.
        assert!(shares.iter().all(|n| (390..=610).contains(n)), "{shares:?}");
        assert_eq!(thinned(3, 9).collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!(thinned(0, 4).count(), 0);
    }

    #[test]
    fn what_is_left_out_is_said() {
        let points = Points::new(1, (0..5000).map(f64::from).collect());
        let says = |shown: usize, most: f64| counted_points(&points, shown, |x| x[0] < most);
        assert_eq!(says(5000, 1e9), "5000");
        assert_eq!(says(50, 1e9), "50 of 5000 drawn");
        assert_eq!(says(5000, 4000.0), "4000 of 5000 in view");
        assert_eq!(says(50, 4000.0), "4000 of 5000 in view, 40 drawn");
        assert_eq!(counted_points(&Points::new(1, Vec::new()), 50, |_| true), "0");
    }
}
