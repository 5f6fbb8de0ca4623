//! Tick marks at round numbers, and how their numbers are written.

use super::range::Range;

/// A mark on an axis; minor marks have no label.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tick {
    pub(crate) value: f64,
    pub(crate) label: String,
}

/// The step of 1, 2 or 5 times a power of ten that comes nearest (in ratio) to cutting `span` into `target` steps.
pub(crate) fn nice_step(span: f64, target: usize) -> f64 {
    let raw = span / target.max(1) as f64;
    let power = 10f64.powf(raw.log10().floor());
    // The boundaries are the geometric means of neighbouring steps: √2, √10 and √50.
    let factor = match raw / power {
        f if f < 1.414 => 1.0,
        f if f < 3.162 => 2.0,
        f if f < 7.071 => 5.0,
        _ => 10.0,
    };
    factor * power
}

/// What the numbers of a linear axis are counted from, where it lies ten thousand times its width away from 0: a multiple of
/// the power of ten that is about as wide; else 0. Their labels would begin with the same digits and be too long to stand side
/// by side.
pub(crate) fn offset(range: Range) -> f64 {
    if range.width() > 1e-4 * range.lo().abs().max(range.hi().abs()) {
        return 0.0;
    }
    let power = 10f64.powf(range.width().log10().ceil());
    (0.5 * (range.lo() + range.hi()) / power).round() * power
}

/// Two ticks or more at multiples of a nice step from the [`offset`], which labels leave out; all with the same number of
/// decimals.
pub(crate) fn linear(range: Range, target: usize) -> Vec<Tick> {
    let offset = offset(range);
    let (lo, hi) = (range.lo() - offset, range.hi() - offset);
    let steps = |target: usize| {
        let step = nice_step(range.width(), target);
        (step, (lo / step - 1e-6).ceil(), (hi / step + 1e-6).floor())
    };
    let (mut step, mut first, mut last) = steps(target);
    // a step of nearly the whole axis may fall on it once, one of less than half of it falls on it twice
    if first >= last {
        (step, first, last) = steps(4);
    }
    let count = (last - first).clamp(0.0, 100.0) as usize;
    let largest = first.abs().max(last.abs()) * step;
    (0..=count)
        .map(|i| (first + i as f64) * step)
        .map(|value| Tick { value: offset + value, label: plain_or_scientific(value, step, largest) })
        .collect()
}

/// Ticks of a log10 axis: decades, with 2 and 5 labelled where decades alone would be fewer than three; those of a linear axis
/// where fewer than two of them lie in the range.
pub(crate) fn log10(range: Range, target: usize) -> Vec<Tick> {
    let (lo, hi) = (range.lo().max(1e-300), range.hi());
    let (first, last) = (lo.log10().floor() as i32, hi.log10().ceil() as i32);
    let decades = last - first;
    let stride = (decades / target.max(1) as i32).max(1);
    let multiples_labelled = hi.log10() - lo.log10() < 2.0;
    let mut ticks = Vec::new();
    for exponent in first..=last {
        for multiple in 1..10 {
            let value = f64::from(multiple) * 10f64.powi(exponent);
            if value < lo * (1.0 - 1e-9) || value > hi * (1.0 + 1e-9) || (multiple > 1 && decades > 12) {
                continue;
            }
            let major =
                if multiple == 1 { exponent % stride == 0 } else { multiples_labelled && [2, 5].contains(&multiple) };
            let label = if major { power_label(multiple, exponent, first, last) } else { String::new() };
            ticks.push(Tick { value, label });
        }
    }
    // so short a range holds more multiples of a step than powers
    if ticks.iter().filter(|tick| !tick.label.is_empty()).count() < 2 { linear(range, target) } else { ticks }
}

/// `multiple × 10^exponent`: as a decimal if the whole axis lies between 0.001 and 10 000, else as a power.
fn power_label(multiple: i32, exponent: i32, first: i32, last: i32) -> String {
    if first >= -3 && last <= 4 {
        let decimals = usize::try_from(-exponent).unwrap_or(0);
        return fixed(f64::from(multiple) * 10f64.powi(exponent), decimals);
    }
    match multiple {
        1 => format!("10{}", superscript(exponent)),
        m => format!("{m}×10{}", superscript(exponent)),
    }
}

/// A tick number with the decimals that `step` needs; `m×10ᵉ` when `largest` on the axis is unwieldy.
fn plain_or_scientific(value: f64, step: f64, largest: f64) -> String {
    let step_exponent = (step.log10() + 1e-9).floor() as i32;
    let decimals = usize::try_from(-step_exponent).unwrap_or(0);
    if largest < 1e6 && decimals <= 4 {
        return fixed(value, decimals);
    }
    if value == 0.0 {
        return "0".into();
    }
    let exponent = (largest.log10() + 1e-9).floor() as i32;
    let decimals = usize::try_from(exponent - step_exponent).unwrap_or(0).min(9);
    format!("{}×10{}", fixed(value / 10f64.powi(exponent), decimals), superscript(exponent))
}

/// A number with a true minus sign, and commas between thousands from 10 000 on.
pub(crate) fn fixed(value: f64, decimals: usize) -> String {
    let digits = format!("{:.decimals$}", value.abs());
    let (whole, rest) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    let mut out = String::new();
    if value < 0.0 && digits.bytes().any(|b| (b'1'..=b'9').contains(&b)) {
        out.push('−');
    }
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && whole.len() > 4 && (whole.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out + rest
}

pub(crate) fn superscript(exponent: i32) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let sign = if exponent < 0 { "⁻" } else { "" };
    let digits = exponent.unsigned_abs().to_string();
    sign.chars().chain(digits.bytes().map(|b| DIGITS[usize::from(b - b'0')])).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn labels(ticks: &[Tick]) -> Vec<&str> {
        ticks.iter().map(|t| t.label.as_str()).filter(|l| !l.is_empty()).collect()
    }

    #[test]
    fn linear_ticks_are_round_and_alike() {
        assert_eq!(labels(&linear(Range::new(-1.0, 1.0), 4)), ["−1.0", "−0.5", "0.0", "0.5", "1.0"]);
        assert_eq!(labels(&linear(Range::new(0.0, 41_000.0), 5)), ["0", "10,000", "20,000", "30,000", "40,000"]);
        assert_eq!(labels(&linear(Range::new(0.0, 2e-6), 2)), ["0", "1×10⁻⁶", "2×10⁻⁶"]);
        assert_eq!(labels(&linear(Range::new(-4e7, 4e7), 2)), ["−4×10⁷", "−2×10⁷", "0", "2×10⁷", "4×10⁷"]);
        assert_eq!(labels(&linear(Range::new(-6e7, 6e7), 2)), ["−5×10⁷", "0", "5×10⁷"]);
    }

    /// However far from 0 an axis lies and however narrow it is.
    #[test]
    fn two_numbers_or_more_can_be_told_apart() {
        let times = Range::new(1.7e9 - 4.0, 1.7e9 + 4.0);
        assert_eq!(offset(times), 1.7e9);
        assert_eq!(labels(&linear(times, 4)), ["−4", "−2", "0", "2", "4"]);
        for place in [0.0, 1.0, -3.3, 2026.0, 123_456.7, -1.7e9, 6.02e23] {
            for exponent in -8..4 {
                let range = Range::new(place, place + 1.37 * 10f64.powi(exponent) * place.abs().max(1.0));
                for target in 1..9 {
                    let ticks = linear(range, target);
                    let distinct: HashSet<&str> = labels(&ticks).into_iter().collect();
                    assert!(ticks.len() >= 2 && distinct.len() == ticks.len(), "{range:?}: {ticks:?}");
                    assert!(distinct.iter().all(|label| label.chars().count() < 13), "{range:?}: {ticks:?}");
                }
            }
        }
    }

    #[test]
    fn log_ticks_label_decades() {
        assert_eq!(labels(&log10(Range::new(0.009, 150.0), 6)), ["0.01", "0.1", "1", "10", "100"]);
        assert_eq!(labels(&log10(Range::new(1.0, 10.0), 6)), ["1", "2", "5", "10"]);
        assert_eq!(labels(&log10(Range::new(0.6, 1.7), 4)), ["0.6", "0.8", "1.0", "1.2", "1.4", "1.6"]);
        assert_eq!(labels(&log10(Range::new(2.1, 2.4), 3)), ["2.1", "2.2", "2.3", "2.4"]);
        assert_eq!(labels(&log10(Range::new(1e-9, 1e-5), 6)), ["10⁻⁹", "10⁻⁸", "10⁻⁷", "10⁻⁶", "10⁻⁵"]);
    }

    #[test]
    fn steps_are_one_two_or_five() {
        for (span, target, want) in [(10.0, 5, 2.0), (10.0, 10, 1.0), (7.0, 3, 2.0), (7.0, 2, 5.0), (0.3, 4, 0.1)] {
            assert!((nice_step(span, target) - want).abs() < 1e-12);
        }
    }
}
