//! Numbers as a person reads them in a table: few digits, true minus signs, commas between thousands.

use super::ticks::{fixed, superscript};

/// Beyond these sizes, numbers are written as powers of ten.
const SMALLEST: f64 = 1e-3;
const LARGEST: f64 = 1e6;

/// A number with `digits` significant digits; `∞`, `−∞` and `NaN` as such.
pub fn quantity(value: f64, digits: usize) -> String {
    if value.is_nan() {
        return "NaN".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "∞".into() } else { "−∞".into() };
    }
    // rounded first, so that 0.99996 has the exponent of 1
    let text = format!("{:.*e}", digits.max(1) - 1, value);
    let (Some((mantissa, exponent)), true) = (text.split_once('e'), value != 0.0) else { return "0".into() };
    let (mantissa, exponent) = (mantissa.parse().unwrap_or(0.0), exponent.parse().unwrap_or(0));
    if !(SMALLEST..LARGEST).contains(&value.abs()) {
        return format!("{}×10{}", fixed(mantissa, digits.max(1) - 1), superscript(exponent));
    }
    fixed(value, usize::try_from(digits as i32 - 1 - exponent).unwrap_or(0))
}

/// The same without zeros at the end of its decimals, for numbers that are exact.
pub fn short(value: f64, digits: usize) -> String {
    let text = quantity(value, digits);
    let (number, power) = text.split_once('×').map_or((text.as_str(), None), |(number, power)| (number, Some(power)));
    let number = if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number };
    power.map_or(number.to_string(), |power| format!("{number}×{power}"))
}

/// A value and its standard error, both to the second digit of the error: what lies beyond is noise.
pub fn with_error(value: f64, error: f64) -> [String; 2] {
    let size = value.abs().max(error.abs());
    if !(error.is_finite() && error > 0.0 && (SMALLEST..LARGEST).contains(&size)) {
        return [quantity(value, 3), quantity(error, 2)];
    }
    let decimals = (1 - error.log10().floor() as i32).clamp(0, 9) as usize;
    [fixed(value, decimals), fixed(error, decimals)]
}

/// How many, with commas between thousands.
pub fn count(number: u64) -> String {
    fixed(number as f64, 0)
}

/// A time in seconds, in the unit that suits it.
pub fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 1e-3 => format!("{} µs", quantity(1e6 * s, 3)),
        s if s < 1.0 => format!("{} ms", quantity(1e3 * s, 3)),
        s if s < 120.0 => format!("{s:.1} s"),
        s if s < 7200.0 => format!("{:.1} min", s / 60.0),
        s => format!("{} h", quantity(s / 3600.0, 3)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_digits_and_no_zeros_of_rounding() {
        for (value, want) in [
            (0.0, "0"),
            (0.012_344, "0.01234"),
            (-1.5, "−1.500"),
            (0.999_96, "1.000"),
            (12_345.6, "12,346"),
            (2.5e-7, "2.500×10⁻⁷"),
            (-3e9, "−3.000×10⁹"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "−∞"),
            (f64::MAX, "1.798×10³⁰⁸"),
        ] {
            assert_eq!(quantity(value, 4), want);
        }
    }

    #[test]
    fn exact_numbers_have_no_zeros() {
        let got = [0.5, -0.02, 100.0, 2e-9, 1.25e7].map(|value| short(value, 4));
        assert_eq!(got, ["0.5", "−0.02", "100", "2×10⁻⁹", "1.25×10⁷"]);
    }

    #[test]
    fn values_end_where_their_errors_do() {
        assert_eq!(with_error(0.123_456, 0.002_34), ["0.1235", "0.0023"]);
        assert_eq!(with_error(1234.5, 56.7), ["1234", "57"]);
        assert_eq!(with_error(2e-5, 1e-6), ["2.00×10⁻⁵", "1.0×10⁻⁶"]);
        assert_eq!(with_error(1.0, f64::NAN), ["1.00", "NaN"]);
    }

    #[test]
    fn times_have_a_unit() {
        let got = [2e-5, 0.0123, 3.0, 600.0, 36_000.0].map(duration);
        assert_eq!(got, ["20.0 µs", "12.3 ms", "3.0 s", "10.0 min", "10.0 h"]);
    }
}
