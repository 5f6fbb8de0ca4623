//! A training loss: raw values pale, their running mean bold, optionally the value it should approach.

use super::super::axes::Axis;
use super::super::range::{Range, drawable, quantile};
use super::super::raster::Figure;
use super::super::svg::{DATA, MODEL};
use super::super::ticks::fixed;
use super::lines::{Curve, curves_figure, value_axis};

/// Points of the running mean; a pixel of the panel each.
const MEAN_POINTS: usize = 540;

/// What a loss figure shows.
#[derive(Debug, Clone, Copy)]
pub struct LossCurve<'a> {
    /// A short title.
    pub title: &'a str,
    /// The name of the loss, for the y axis.
    pub loss_name: &'a str,
    /// The step of each recorded value, increasing.
    pub steps: &'a [u64],
    /// The recorded values.
    pub loss: &'a [f64],
    /// Whether to draw the running mean over a fiftieth of the values.
    pub smoothed: bool,
    /// The loss on held-out points, by step; none if it was not looked at.
    pub held_out: &'a [(f64, f64)],
    /// A named value drawn as a dashed line, such as a loss that cannot be beaten.
    pub floor: Option<(&'a str, f64)>,
}

/// The loss over steps. Logarithmic if it is positive and falls by over two decades; a few values at the
/// start that tower over all the rest are cut off, the end never is.
pub fn loss_figure(curve: &LossCurve<'_>) -> Figure {
    let points: Vec<(f64, f64)> = curve.steps.iter().map(|s| *s as f64).zip(curve.loss.iter().copied()).collect();
    let window = (points.len() / 50) | 1;
    let mean = if curve.smoothed && window > 1 { running_mean(&points, window) } else { Vec::new() };
    let x = Range::covering(points.iter().map(|p| p.0));
    // A little room, so that 20,000 has its tick when the last recorded step is 19,990.
    let x = Range::new(x.lo(), x.hi() + 0.01 * x.width());
    let held_out = curve.held_out.iter().map(|p| p.1).filter(|loss| drawable(*loss));
    let shown = shown_values(&points).into_iter().chain(held_out).chain(curve.floor.map(|(_, value)| value));
    let y = value_axis(shown, curve.loss_name);
    let raw_stroke = match mean.is_empty() {
        true => format!("stroke=\"{DATA}\" stroke-width=\"1.6\""),
        false => format!("stroke=\"{DATA}\" stroke-width=\"0.8\" stroke-opacity=\"0.35\""),
    };
    let hidden = points.iter().filter(|p| !(0.0..=1.0).contains(&y.fraction(p.1))).count();
    let label = if hidden > 0 { format!("loss ({} values not shown)", fixed(hidden as f64, 0)) } else { "loss".into() };
    let mut curves = vec![Curve { stroke: raw_stroke, label, points: envelope(&points) }];
    if !mean.is_empty() {
        let label = format!("mean of {window} values");
        curves.push(Curve { stroke: format!("stroke=\"{DATA}\" stroke-width=\"2.2\""), label, points: mean });
    }
    if !curve.held_out.is_empty() {
        let stroke = format!("stroke=\"{MODEL}\" stroke-width=\"1.8\"");
        curves.push(Curve { stroke, label: "held-out points".into(), points: curve.held_out.to_vec() });
    }
    if let Some((label, value)) = curve.floor {
        let stroke = "stroke=\"#444444\" stroke-width=\"1.3\" stroke-dasharray=\"6 4\"".to_string();
        curves.push(Curve { stroke, label: label.into(), points: vec![(x.lo(), value), (x.hi(), value)] });
    }
    curves_figure(curve.title, Axis::linear(x, "step"), y, &curves)
}

/// The values that the y axis must hold: all of them, unless the first twentieth would more than triple the
/// axis; then the later ones, and of the first twentieth what lies within as much again.
fn shown_values(points: &[(f64, f64)]) -> Vec<f64> {
    let values: Vec<f64> = points.iter().map(|p| p.1).filter(|v| drawable(*v)).collect();
    let (start, rest) = values.split_at(values.len() / 20);
    let mut sorted = rest.to_vec();
    sorted.sort_by(f64::total_cmp);
    let bulk = Range::new(quantile(&sorted, 0.005), quantile(&sorted, 0.995));
    // Single spikes are cut as well, but not in the last tenth.
    let end = &values[values.len() - values.len() / 10..];
    let kept = Range::covering(end.iter().copied().chain([bulk.lo(), bulk.hi()]));
    let all = Range::covering(values.iter().copied());
    let falls_by_decades = all.lo() > 0.0 && all.hi() / all.lo() > 100.0 && start.len() < values.len();
    if rest.is_empty() || falls_by_decades || all.width() <= 3.0 * kept.width() {
        return values;
    }
    let reach = kept.padded(1.0);
    let near = start.iter().copied().filter(|v| reach.contains(*v));
    near.chain([kept.lo(), kept.hi()]).collect()
}

/// The mean over a centred window, cut off at both ends; what cannot be drawn is left out.
fn running_mean(points: &[(f64, f64)], window: usize) -> Vec<(f64, f64)> {
    let stride = points.len().div_ceil(MEAN_POINTS).max(1);
    let last = points.len().saturating_sub(1);
    let places = (0..points.len()).step_by(stride).chain([last]);
    let mean_at = |i: usize| {
        let half = window / 2;
        let near = points[i.saturating_sub(half)..=(i + half).min(last)].iter().map(|p| p.1).filter(|v| drawable(*v));
        let (sum, count) = near.fold((0.0, 0.0), |(sum, count), v| (sum + v, count + 1.0));
        (points[i].0, sum / count)
    };
    places.map(mean_at).collect()
}

/// At most about 2000 points with the same outline: the lowest and the highest of each stretch.
fn envelope(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    const STRETCHES: usize = 1000;
    if points.len() <= 2 * STRETCHES {
        return points.to_vec();
    }
    let extremes = |stretch: &[(f64, f64)]| {
        let place = |best: fn(&f64, &f64) -> bool| {
            (0..stretch.len()).reduce(|a, b| if best(&stretch[b].1, &stretch[a].1) { b } else { a }).unwrap_or(0)
        };
        let (low, high) = (place(|new, old| new < old || old.is_nan()), place(|new, old| new > old || old.is_nan()));
        [stretch[low.min(high)], stretch[low.max(high)]]
    };
    points.chunks(points.len().div_ceil(STRETCHES)).flat_map(extremes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(loss: &[f64], floor: Option<(&str, f64)>) -> Figure {
        let steps: Vec<u64> = (0..loss.len() as u64).map(|i| 10 * i).collect();
        loss_figure(&LossCurve {
            title: "Loss",
            loss_name: "DSM loss",
            steps: &steps,
            loss,
            smoothed: true,
            held_out: &[],
            floor,
        })
    }

    #[test]
    fn it_has_raw_mean_floor_and_key() {
        let loss: Vec<f64> = (0..500).map(|i| 1.0 + (-f64::from(i) / 50.0).exp()).collect();
        let svg = figure(&loss, Some(("entropy", 0.9))).svg;
        assert_eq!(svg.matches("class=\"curve\"").count(), 3);
        for text in ["Loss", "DSM loss", ">step<", "mean of 11 values", "entropy", "class=\"legend\""] {
            assert!(svg.contains(text), "{text} is missing");
        }
    }

    #[test]
    fn a_wild_start_is_cut_and_a_wild_end_is_not() {
        let mut loss: Vec<f64> = (0..1000).map(|i| f64::from(i % 7)).collect();
        (loss[0], loss[1]) = (1e5, -1e5);
        let points = |loss: &[f64]| loss.iter().enumerate().map(|(i, v)| (i as f64, *v)).collect::<Vec<_>>();
        let shown = Range::covering(shown_values(&points(&loss)));
        assert_eq!(shown, Range::new(0.0, 6.0));
        assert!(figure(&loss, None).svg.contains("loss (2 values not shown)"));
        loss[999] = 50.0;
        assert_eq!(Range::covering(shown_values(&points(&loss))).hi(), 50.0);
    }

    #[test]
    fn the_envelope_keeps_extremes_and_the_mean_keeps_lines() {
        let mut points: Vec<(f64, f64)> = (0..10_000).map(|i| (f64::from(i), f64::from(i))).collect();
        let mean = running_mean(&points, 101);
        assert!(mean.iter().filter(|p| (50.0..=9949.0).contains(&p.0)).all(|(x, y)| (x - y).abs() < 1e-9));
        assert_eq!(mean.last(), Some(&(9999.0, 9974.0)));
        (points[4321].1, points[77].1) = (-5.0, f64::NAN);
        let thin = envelope(&points);
        assert!(thin.len() <= 2000 && thin.contains(&(4321.0, -5.0)));
    }

    #[test]
    fn poisoned_losses_are_drawn() {
        let mut spiked = vec![1.0; 300];
        (spiked[3], spiked[200]) = (f64::NAN, f64::INFINITY);
        for loss in [vec![], vec![1.0], vec![f64::NAN; 200], spiked, vec![-1e300, 1e300, 0.0]] {
            assert!(figure(&loss, Some(("floor", f64::NAN))).to_rgba(300).is_ok());
        }
    }
}
