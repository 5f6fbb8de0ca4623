//! The f32 functions against those of `libm`.

use super::*;

#[test]
fn differences_from_one_keep_their_digits() {
    let sizes = (-120..=36).map(|i| 10_f32.powf(i as f32 / 8.0));
    for x in sizes.flat_map(|x| [x, -x]).filter(|x| Real::abs(*x) < 80.0) {
        let exact = f64::from(x);
        let (power, difference) = Real::exp_with_m1(x);
        let error = |got: f32, want: f64| ((f64::from(got) - want) / want).abs();
        // reducing x by n ln 2 leaves 6e-8 of x
        assert!(error(power, exact.exp()) < 3e-7 && error(difference, exact.exp_m1()) < 3e-7, "exp {x}");
    }
    for x in (-120..=240).map(|i| 10_f32.powf(i as f32 / 8.0)) {
        let want = f64::from(x).ln_1p();
        assert!((f64::from(Real::ln_1p(x)) - want).abs() < 2e-7 * want, "ln_1p {x}");
    }
    assert!(Real::ln_1p(0.0_f32) == 0.0 && Real::exp_with_m1(0.0_f32) == (1.0, 0.0));
    assert!(Real::exp_with_m1(f32::NAN).0.is_nan() && Real::exp_with_m1(f32::NAN).1.is_nan());
}

#[test]
fn logistic_functions_keep_their_bounds() {
    let error = |got: f32, want: f64| (f64::from(got) - want).abs();
    for x in (-40_000..=40_000).map(|i| i as f32 * 1e-3) {
        let exact = f64::from(x);
        assert!(error(Real::logistic(x), Real::logistic(exact)) < 2.5e-7, "logistic {x}");
        let tanh = Real::tanh(exact);
        assert!(error(Real::tanh(x), tanh) <= 4e-7 * tanh.abs(), "tanh {x}");
        let ((value, slope), (softplus, logistic)) = (Real::softplus(x), Real::softplus(exact));
        assert!(error(value, softplus) < 3.5e-7 * softplus.max(1.0) && error(slope, logistic) < 2.5e-7, "softplus {x}");
    }
    // far out they are what they tend to: an error there would be multiplied by x
    for x in [18.0_f32, 40.0, 1e4, 1e30, f32::INFINITY] {
        assert_eq!((Real::logistic(x), Real::logistic(-x)), (1.0, 0.0));
        assert_eq!((Real::tanh(x), Real::tanh(-x)), (1.0, -1.0));
        assert_eq!((Real::softplus(x), Real::softplus(-x)), ((x, 1.0), (0.0, 0.0)));
    }
    let nan = f32::NAN;
    assert!(Real::logistic(nan).is_nan() && Real::tanh(nan).is_nan());
    assert!(Real::softplus(nan).0.is_nan() && Real::softplus(nan).1.is_nan() && Real::softplus(f64::NAN).0.is_nan());
}

#[test]
fn whole_numbers_are_those_of_the_standard_library() {
    let edges = [0.0, 0.5, 1.5, 2.5, -0.5, -1.5, -0.499_999_97, 0.499_999_97, 4_194_303.5, -4_194_303.5, 1e9, -1e9];
    let spread = (0..20_000).map(|i| (i as f32 - 10_000.0) * 0.137);
    for x in edges.into_iter().chain(spread) {
        assert_eq!(Real::round(x), x.round_ties_even(), "round {x}");
        assert_eq!(Real::floor(x), f32::floor(x), "floor {x}");
    }
    assert!(Real::round(f32::NAN).is_nan() && Real::floor(f32::NAN).is_nan());
    assert_eq!((Real::round(2.5_f64), Real::floor(-2.5_f64)), (2.0, -3.0));
}
