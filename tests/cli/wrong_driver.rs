//! A driver that computes one kernel wrongly: `check` names the kernel, and commands do not begin their work on the device
//! unless they are told to trust it.

use std::time::Duration;

use crate::program::{Folder, Outcome, npy, number};

/// A small run, less its engine.
const RUN: &str = "run --quiet --loss dsm --data moons --points 300 --hidden 8 --batch 32 --steps 10 --seed 1";

/// The adapter of the tests, with this kernel spoilt.
fn spoilt(kernel: &str) -> String {
    let adapter = std::env::var("EBM_GPU_TEST_ADAPTER").map_or(String::new(), |name| format!("--adapter {name}"));
    format!("--engine gpu {adapter} --spoil-kernel {kernel}")
}

/// Expects exit code 1 and one sentence that says what is wrong and a hint, and no file or folder made or changed.
fn assert_distrusted(folder: &Folder, args: &str, what: &str) {
    let before = folder.tree("");
    let outcome = folder.run(args);
    assert_eq!(outcome.code, Some(1), "{outcome}");
    assert_eq!(outcome.stdout, "", "{outcome}");
    let lines: Vec<&str> = outcome.stderr.lines().collect();
    let &[error, hint] = &lines[..] else { panic!("not one sentence and a hint: {outcome}") };
    let told = format!("computes wrongly: {what} differs from that in f64 by ");
    assert!(error.starts_with("error: ") && error.contains(&told), "{outcome}");
    assert!(error.ends_with(" of its size, 1e-3 at most is rounding"), "{outcome}");
    assert!(hint.starts_with("hint: ") && hint.contains("--engine cpu"), "{outcome}");
    assert!(folder.tree("") == before, "it has left something behind: {outcome}");
}

#[test]
fn check_names_the_kernel_its_shape_its_error_and_the_bound() {
    let folder = Folder::new();
    // a software driver that has compiled none of the kernels takes minutes
    let mut command = folder.command();
    command.timeout(Duration::from_secs(900));
    let args = format!("check {}", spoilt("score"));
    let outcome = Outcome::of(&mut command, &args.split_whitespace().collect::<Vec<_>>());
    assert_eq!(outcome.code, Some(1), "{outcome}");
    let (wrong, right): (Vec<&str>, Vec<&str>) = outcome.stdout.lines().skip(1).partition(|l| l.ends_with("WRONG"));
    assert_eq!(wrong.len(), 1, "{wrong:#?}");
    assert!(right.len() >= 40 && right.iter().all(|l| l.ends_with("  ok")), "{right:#?}");
    let words: Vec<&str> = wrong[0].split_whitespace().collect();
    let &[kernel, net, activation, worst, bound, "WRONG"] = &words[..] else { panic!("{}", wrong[0]) };
    assert_eq!((kernel, net, activation), ("score", "2-128-100-1", "silu"));
    let [worst, bound] = [worst, bound].map(|number| number.parse::<f64>().unwrap());
    assert!(worst > 1000.0 * bound && bound > 1e-7 && bound < 1e-4, "{}", wrong[0]);
    let told = format!("computes wrongly: 1 of {} comparisons missed\nhint: update the driver", right.len() + 1);
    assert!(outcome.stderr.contains(&told), "{outcome}");
    assert!(!outcome.stderr.contains("within their bounds"), "{outcome}");
}

#[test]
fn a_run_does_not_begin() {
    let folder = Folder::new();
    for (kernel, what) in [
        ("score_matching", "the loss of dsm"),
        ("reduce_gradient", "the gradient of dsm"),
        ("adam_step", "the step of the parameters"),
        ("langevin_chains", "where chains are after three steps"),
    ] {
        assert_distrusted(&folder, &format!("{RUN} --chains 16 --chain-steps 5 {}", spoilt(kernel)), what);
    }
}

#[test]
fn a_run_goes_on_where_the_device_is_trusted() {
    let folder = Folder::new();
    let run = format!("{RUN} --chains 0 --json");
    let right = folder.done(&format!("{run} --engine cpu")).json();
    let wrong = folder.done(&format!("{run} --no-check {}", spoilt("score_matching"))).json();
    assert_eq!(wrong["engine"], "gpu");
    let [right, wrong] = [right, wrong].map(|summary| number(&summary, "final_loss"));
    assert!((wrong - right).abs() > 0.1 * right, "nothing was spoilt: {wrong}, {right}");
}

#[test]
fn chains_do_not_begin() {
    let folder = Folder::new();
    folder.done(&format!("{RUN} --engine cpu --chains 0 --out m"));
    let sample = "sample m/model.safetensors --quiet --chains 16 --steps 10";
    let chains = "where chains are after three steps";
    assert_distrusted(&folder, &format!("{sample} {}", spoilt("langevin_chains")), chains);
    // one alone is compared too, though one in ten may differ where steps are accepted or rejected
    let single = format!("{sample} --sampler mala --chains 1 {}", spoilt("hamiltonian_chains"));
    assert_distrusted(&folder, &single, chains);
    let analytic = format!("sample --target gaussian --quiet --chains 16 --steps 10 {}", spoilt("langevin_chains"));
    assert_distrusted(&folder, &analytic, chains);
    folder.done(&format!("{sample} --no-check --out s {}", spoilt("langevin_chains")));
    folder.done(&format!("{sample} --engine cpu --out right"));
    let [wrong, right] = ["s", "right"].map(|run| npy(&folder.path(&format!("{run}/samples.npy"))).1);
    let apart = wrong.iter().zip(&right).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(apart > 0.1, "nothing was spoilt: chains end {apart} apart");
}

/// A driver that is known to compute wrongly is not used, whatever the comparisons say: Mesa's software driver passes many before
/// version 25.
#[test]
fn a_driver_that_is_known_to_be_wrong_is_not_used() {
    let folder = Folder::new();
    let told = |args: &str| {
        let old = ["--pretend-driver", "llvmpipe Mesa 22.3.6"];
        folder.run_args(&args.split_whitespace().chain(old).collect::<Vec<_>>())
    };
    let runs = format!("{RUN} --engine gpu --chains 0 --out r");
    let samples = "sample --engine gpu --target gaussian --quiet --chains 16 --steps 10 --out s";
    let compares = "compare --engine gpu --quiet --losses dsm --data moons --seeds 1 --budget 10 --out c";
    folder.done("data make moons --n 9 --out x.npy");
    folder.done(&format!("{RUN} --engine cpu --chains 0 --out m"));
    let before = folder.names("");
    let evaluates = "eval m --engine gpu --quiet --json";
    let gradients = "grad --engine gpu --checkpoint m/model.safetensors --data x.npy --noise x.npy --json --out g";
    let repeats = "repro mala-banana --engine gpu --quiet --out p";
    for args in [&runs, samples, compares, evaluates, gradients, repeats, "check --json"] {
        let outcome = told(args);
        assert_eq!(outcome.code, Some(1), "{outcome}");
        assert!(outcome.stderr.contains("before version 25, this is 22.3.6"), "{outcome}");
        assert!(outcome.stderr.contains("hint: update the driver"), "{outcome}");
        if args.starts_with("check") {
            let json = outcome.json();
            assert!(json["passed"] == false && json["doubt"].is_string(), "{outcome}");
        }
    }
    assert_eq!(folder.names(""), before);
    let trusted = told(&format!("{runs} --no-check"));
    assert_eq!(trusted.code, Some(0), "{trusted}");
}

#[test]
fn a_comparison_does_not_begin() {
    let folder = Folder::new();
    // the comparison's own folder is there before its first run
    std::fs::create_dir(folder.path("c")).unwrap();
    let compare = "compare --quiet --losses dsm --data moons --seeds 1 --budget 10 --hidden 8 --batch 32 --chains 0 \
                   --set points=300 --out c";
    assert_distrusted(&folder, &format!("{compare} {}", spoilt("score_matching")), "the loss of dsm");
}
