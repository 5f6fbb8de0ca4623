//! What targets refuse and offer; their numbers are checked in `tests/targets.rs`.

use super::*;

fn refused(name: &str, dim: usize) -> String {
    Target::by_name(name, Some(dim)).expect_err("refused").to_string()
}

#[test]
fn targets_are_found_by_name_with_the_coordinates_that_they_can_have() {
    for name in NAMES {
        let target = Target::by_name(name, None).expect("target");
        assert_eq!((target.name(), target.dim()), (*name, if *name == "funnel" { 10 } else { 2 }));
        let [low, high] = target.start();
        assert!(low < high && target.bounds().is_none_or(|[from, to]| from <= low && high <= to), "{name}");
        let file = format!("shaders/lib/target_{}.wgsl", target.formula().stem());
        assert_eq!(std::fs::read_to_string(file).expect("file"), target.wgsl());
    }
    assert_eq!(Target::by_name("gaussian", Some(1)).expect("target").dim(), 1);
    assert_eq!(refused("banana", 3), "the target banana has 2 coordinates, not 3");
    assert_eq!(refused("funnel", 1), "the target funnel has 2 or more coordinates, not 1");
    assert_eq!(refused("gaussian", 0), "the target gaussian has 1 or more coordinates, not 0");
    assert!(refused("ackley", usize::MAX).contains("at most 1048576 coordinates"));
    let unknown = Target::by_name("bannana", None).expect_err("unknown");
    assert!(unknown.advice().is_some_and(|hint| hint.starts_with("did you mean `banana`?")));
}

#[test]
fn smoothing_adds_variance_or_is_refused() {
    let law = Target::gaussian(vec![1.0, 2.0], vec![2.0, 0.5, 0.5, 1.0]).expect("law");
    let want = Target::gaussian(vec![1.0, 2.0], vec![2.25, 0.5, 0.5, 1.25]).expect("law");
    assert_eq!(law.smoothed(0.5).expect("smoothed"), want);
    let facts = Target::by_name("gmm", None).expect("law").smoothed(2.0).expect("smoothed").facts();
    // 0.2 · 0.8 · 100 between the means, 1 + 4 around each
    let variance = facts.variance.expect("variance");
    assert!(variance.len() == 2 && variance.iter().all(|v| (v - 21.0).abs() < 1e-12), "{variance:?}");
    assert!(law.smoothed(f64::NAN).is_err() && law.smoothed(-1.0).is_err());
    let funnel = Target::by_name("funnel", None).expect("law").smoothed(1.0).expect_err("refused");
    assert_eq!(funnel.to_string(), "the target funnel smoothed with noise has no closed form");
}

#[test]
fn the_text_of_every_formula_is_its_own() {
    for a in Formula::ALL {
        assert!(a.wgsl().contains("fn analytic_energy() -> vec4<f32>"), "{a:?}");
        assert_eq!(Formula::ALL.iter().filter(|b| b.wgsl() == a.wgsl()).count(), 1, "{a:?}");
    }
}
