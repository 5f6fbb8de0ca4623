//! One number of many runs: a row for each way of training with a dot for each seed, a panel for each data set.

use super::super::axes::{Axis, Scale};
use super::super::range::{Range, drawable, quantile};
use super::super::raster::Figure;
use super::super::svg::{Anchor, DATA, Frame, GREY, INK, MODEL, NORMAL, SMALL, SPINE, Svg, fitted, number, text_width};
use crate::error::{Error, Result};
use crate::report::meaning::Better;

/// Panels beside each other.
const ABREAST: usize = 3;
/// The size of a panel's frame: its width, and the height of a row.
const WIDTH: f64 = 250.0;
const ROW: f64 = 21.0;
/// Space between panels, above a frame for its title, and below it for its axis.
const GAP: f64 = 26.0;
const ABOVE: f64 = 30.0;
const BELOW: f64 = 52.0;
/// The height of a line that says what the marks mean.
const KEY: f64 = 16.0;

/// One data set.
#[derive(Debug, Clone)]
pub struct StripPanel<'a> {
    /// Its name.
    pub title: &'a str,
    /// The values of each row, one a seed; NaN or infinite where a run has failed.
    pub values: Vec<&'a [f64]>,
    /// The rows that are the best of their panel; none where there is nothing to choose.
    pub best: Vec<usize>,
    /// Between which values the number lies by chance alone, where that is known.
    pub chance: Option<[f64; 2]>,
}

/// What a figure of strips shows.
#[derive(Debug, Clone, Copy)]
pub struct Strips<'a> {
    /// A short title; none if empty.
    pub title: &'a str,
    /// The name of the number, with its unit.
    pub metric: &'a str,
    /// Which values are good.
    pub better: Better,
    /// Whether panels whose values are all positive share a logarithmic axis.
    pub logarithmic: bool,
    /// The names of the rows.
    pub rows: &'a [String],
    /// The panels, three abreast.
    pub panels: &'a [StripPanel<'a>],
}

/// The strips: dots for seeds, a line for their range, a bar for the median; the best rows in another colour.
///
/// # Errors
/// If a panel has not as many lists of values as there are rows.
pub fn strips_figure(strips: &Strips<'_>) -> Result<Figure> {
    let rows = strips.rows.len();
    if let Some(panel) = strips.panels.iter().find(|panel| panel.values.len() != rows) {
        return Err(Error::input(format!("{} has values for {} rows, not {rows}", panel.title, panel.values.len())));
    }
    let names = strips.rows.iter().map(|name| text_width(name, SMALL)).fold(0.0, f64::max).min(160.0);
    let (left, height) = (names + 22.0, ROW * rows as f64 + 6.0);
    let (across, down) = (strips.panels.len().clamp(1, ABREAST), strips.panels.len().div_ceil(ABREAST));
    let top = if strips.title.is_empty() { 0.0 } else { 26.0 };
    let width = left + across as f64 * (WIDTH + GAP);
    let below = top + down as f64 * (ABOVE + height + BELOW);
    let key = key(strips, width - 8.0);
    let mut svg = Svg::new(width, below + 6.0 + KEY * key.len() as f64);
    svg.text((0.5 * width, 20.0), Anchor::Middle, NORMAL + 1.0, INK, &fitted(strips.title, NORMAL + 1.0, width));
    for (i, (panel, axis)) in strips.panels.iter().zip(&axes(strips)).enumerate() {
        let (column, line) = ((i % ABREAST) as f64, (i / ABREAST) as f64);
        let y = top + line * (ABOVE + height + BELOW) + ABOVE;
        let frame = Frame { x: left + column * (WIDTH + GAP), y, width: WIDTH, height };
        draw_panel(&mut svg, frame, panel, axis);
        if i % ABREAST == 0 {
            for (row, name) in strips.rows.iter().enumerate() {
                let at = (left - 10.0, middle(frame, row) + 0.36 * SMALL);
                svg.text(at, Anchor::End, SMALL, INK, &fitted(name, SMALL, names + 1.0));
            }
        }
    }
    for (line, words) in key.iter().enumerate() {
        svg.text((0.5 * width, below + 6.0 + KEY * line as f64), Anchor::Middle, SMALL, GREY, words);
    }
    Ok(svg.finish())
}

/// What the marks mean, in as many lines as that takes.
fn key(strips: &Strips<'_>, width: f64) -> Vec<String> {
    let mut words = vec!["dots: seeds, bar: median".to_string()];
    words.extend(Some(strips.better.name()).filter(|name| !name.is_empty()).map(|name| format!("{name} is better")));
    let any = |has: fn(&StripPanel<'_>) -> bool| strips.panels.iter().any(has);
    words.extend(any(|panel| !panel.best.is_empty()).then(|| "orange: the best".to_string()));
    words.extend(any(|panel| panel.chance.is_some()).then(|| "grey: by chance".to_string()));
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        match lines.last_mut() {
            Some(line) if text_width(&format!("{line}; {word}"), SMALL) <= width => *line += &format!("; {word}"),
            _ => lines.push(word),
        }
    }
    lines
}

/// Where a row runs.
fn middle(frame: Frame, row: usize) -> f64 {
    frame.y + 3.0 + ROW * (row as f64 + 0.5)
}

/// The values that can be drawn, in order.
fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|v| drawable(*v)).collect();
    sorted.sort_by(f64::total_cmp);
    sorted
}

/// What a panel has to show: the values that can be drawn, and what they would be by chance.
fn shown<'a>(panel: &'a StripPanel<'_>) -> impl Iterator<Item = f64> + 'a {
    let values = panel.values.iter().flat_map(|v| v.iter().copied());
    values.chain(panel.chance.into_iter().flatten()).filter(|v| drawable(*v))
}

/// The axis of each panel. Logarithmic ones are the same, so that panels compare at a glance; on a linear one that holds all,
/// the values of a panel that lies apart would be one dot.
fn axes(strips: &Strips<'_>) -> Vec<Axis> {
    let logarithmic = |panel: &StripPanel<'_>| strips.logarithmic && shown(panel).all(|v| v > 0.0);
    let all = Range::covering(strips.panels.iter().filter(|panel| logarithmic(panel)).flat_map(shown));
    // a value without others around it still has a part of a decade to be seen in
    let room = (all.hi() / all.lo()).powf(0.06).max(1.1);
    let wide = Range::new(all.lo() / room, all.hi() * room);
    // a single value may be so small that its range begins below 0, or two so far apart that no number is their ratio
    let can_share = all.lo() > 0.0 && room.is_finite();
    let axis = |panel: &StripPanel<'_>| {
        if can_share && logarithmic(panel) {
            Axis::new(wide, Scale::Log10, strips.metric)
        } else {
            Axis::linear(Range::covering(shown(panel)).padded(0.06), strips.metric)
        }
    };
    strips.panels.iter().map(axis).collect()
}

fn draw_panel(svg: &mut Svg, frame: Frame, panel: &StripPanel<'_>, axis: &Axis) {
    let x = |value: f64| frame.x + frame.width * axis.fraction(value);
    svg.raw("<g class=\"panel\">");
    if let Some([low, high]) = panel.chance.map(|ends| ends.map(x)).filter(|ends| ends.iter().all(|x| x.is_finite())) {
        let band = Frame { x: low.min(high), width: (high - low).abs().max(1.0), ..frame };
        svg.rect(band, "class=\"chance\" fill=\"#e3e6ea\"");
    }
    let spine = format!("fill=\"none\" stroke=\"{SPINE}\" stroke-width=\"0.8\"");
    for tick in axis.ticks_abreast(frame.width) {
        let at = x(tick.value);
        if !tick.label.is_empty() {
            svg.line((at, frame.y), (at, frame.bottom()), "stroke=\"#ececec\" stroke-width=\"1\"");
            svg.text((at, frame.bottom() + 17.0), Anchor::Middle, SMALL, INK, &tick.label);
        }
        let reach = if tick.label.is_empty() { 2.5 } else { 4.0 };
        svg.line((at, frame.bottom()), (at, frame.bottom() + reach), &spine);
    }
    let [l, r, b] = [frame.x, frame.right(), frame.bottom()].map(number);
    svg.path(&format!("M{l} {b}L{r} {b}"), &spine);
    for (row, values) in panel.values.iter().enumerate() {
        draw_row(svg, frame, middle(frame, row), values, if panel.best.contains(&row) { MODEL } else { DATA }, x);
    }
    svg.text((frame.x, frame.y - 8.0), Anchor::Start, NORMAL, INK, &fitted(panel.title, NORMAL, frame.width));
    let label = axis.fitted_label(SMALL, frame.width);
    svg.text((frame.x + 0.5 * frame.width, frame.bottom() + 34.0), Anchor::Middle, SMALL, INK, &label);
    svg.raw("</g>");
}

/// The seeds of a row, and how many of them have no value.
fn draw_row(svg: &mut Svg, frame: Frame, y: f64, values: &[f64], colour: &str, x: impl Fn(f64) -> f64) {
    let sorted = sorted(values);
    if let (Some(low), Some(high)) = (sorted.first(), sorted.last()) {
        svg.line(
            (x(*low), y),
            (x(*high), y),
            &format!("stroke=\"{colour}\" stroke-width=\"1.4\" stroke-opacity=\"0.5\""),
        );
        let style = format!("fill=\"{colour}\" fill-opacity=\"0.55\"");
        svg.dots(sorted.iter().map(|value| (x(*value), y)), 3.0, &style);
        let median = x(quantile(&sorted, 0.5));
        let style = format!("class=\"median\" stroke=\"{colour}\" stroke-width=\"2.6\"");
        svg.line((median, y - 6.5), (median, y + 6.5), &style);
    }
    let lost = values.len() - sorted.len();
    let words = match (lost, values.len()) {
        (0, 0) => "no value".to_string(),
        (0, _) => return,
        (lost, all) => format!("{lost} of {all} failed"),
    };
    let width = text_width(&words, SMALL) + 6.0;
    let ground = Frame { x: frame.right() - width, y: y - 8.0, width, height: 16.0 };
    svg.rect(ground, "fill=\"#ffffff\" fill-opacity=\"0.85\"");
    svg.text((frame.right() - 3.0, y + 0.36 * SMALL), Anchor::End, SMALL, GREY, &words);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(values: &[&[f64]], logarithmic: bool) -> Figure {
        let rows: Vec<String> = (0..values.len()).map(|i| format!("loss<{i}>")).collect();
        let panel =
            StripPanel { title: "8gauss & co", values: values.to_vec(), best: vec![0], chance: Some([0.01, 0.02]) };
        let panels = vec![panel; 4];
        let (metric, better) = ("KL (nats)", Better::Lower);
        strips_figure(&Strips { title: "All", metric, better, logarithmic, rows: &rows, panels: &panels })
            .expect("as many")
    }

    #[test]
    fn every_seed_has_a_dot_and_every_row_a_median() {
        let svg = figure(&[&[0.1, 0.2, 0.4], &[0.05, f64::NAN, 10.0], &[], &[f64::INFINITY]], true).svg;
        assert_eq!(svg.matches("class=\"panel\"").count(), 4);
        assert_eq!(svg.matches("<circle").count(), 4 * 5);
        assert_eq!(svg.matches("class=\"median\"").count(), 4 * 2);
        assert_eq!(svg.matches("class=\"chance\"").count(), 4);
        for (text, times) in [
            (">All<", 1),
            (">8gauss &amp; co<", 4),
            (">KL (nats)<", 4),
            // names at the left of each of two lines of panels
            (">loss&lt;1&gt;<", 2),
            (">1 of 3 failed<", 4),
            (">1 of 1 failed<", 4),
            (">no value<", 4),
            // a logarithmic axis over three decades
            (">0.1<", 4),
            (">10<", 4),
        ] {
            assert_eq!(svg.matches(text).count(), times, "{text}");
        }
        assert!(svg.contains("lower is better") && svg.contains("by chance"));
    }

    #[test]
    fn logarithmic_panels_share_an_axis() {
        let panel = |values| StripPanel { title: "", values: vec![values], best: Vec::new(), chance: None };
        let panels = [panel(&[0.1, 0.2][..]), panel(&[10.0]), panel(&[0.0, 1.0]), panel(&[4e-4, 4e-4])];
        let at = |logarithmic, value| {
            let strips =
                Strips { title: "", metric: "", better: Better::Lower, logarithmic, rows: &[], panels: &panels };
            axes(&strips).iter().map(|axis| axis.fraction(value)).collect::<Vec<f64>>()
        };
        let [first, second, third, fourth] = at(true, 1.0)[..] else { unreachable!("four panels") };
        assert!(first == second && first == fourth && (0.7..0.8).contains(&first), "{first} {second} {fourth}");
        assert!((0.9..1.0).contains(&third), "{third} of a panel that holds 0");
        let [first, second, ..] = at(false, 1.0)[..] else { unreachable!("four panels") };
        assert!(first > 1.0 && second < 0.0, "{first} {second}: linear ones have their own");
    }

    #[test]
    fn the_best_stands_out() {
        let values: [&[f64]; 4] = [&[3.0, 1.0, 2.0], &[0.0, 9.0, 9.0], &[1.0, f64::NAN, 1.0], &[]];
        // its median and its dots, in each of four panels
        assert_eq!(figure(&values, false).svg.matches(&format!("fill=\"{MODEL}\"")).count(), 4);
    }

    #[test]
    fn the_key_is_whole_and_says_what_is_there() {
        let strips =
            |panels| Strips { title: "", metric: "", better: Better::Higher, logarithmic: false, rows: &[], panels };
        let panel = |best: &[usize]| StripPanel { title: "", values: Vec::new(), best: best.to_vec(), chance: None };
        let (without, with) = ([panel(&[])], [panel(&[1])]);
        assert_eq!(key(&strips(&without), 1e3), ["dots: seeds, bar: median; higher is better"]);
        assert_eq!(key(&strips(&with), 1.0), ["dots: seeds, bar: median", "higher is better", "orange: the best"]);
    }

    #[test]
    fn poisoned_values_are_drawn() {
        for values in [&[f64::NAN, 1e300, -1.0, f64::INFINITY][..], &[], &[0.0; 3], &[5e-324, 1.0], &[-1.0, 1.0]] {
            for logarithmic in [false, true] {
                assert!(figure(&[values, values], logarithmic).to_rgba(300).is_ok());
                assert!(figure(&[], logarithmic).to_rgba(300).is_ok());
            }
        }
        let panel = StripPanel { title: "moons", values: Vec::new(), best: Vec::new(), chance: None };
        let (better, rows) = (Better::Lower, ["a".to_string()]);
        let strips = Strips { title: "", metric: "", better, logarithmic: false, rows: &rows, panels: &[panel] };
        let error = strips_figure(&strips).expect_err("a row without values").to_string();
        assert!(error.contains("moons has values for 0 rows, not 1"), "{error}");
    }
}
