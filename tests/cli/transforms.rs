//! What is done to data before the network sees them, and how it is undone on the way out.

use ebm_gpu::data::npy::write_npy_f64;
use ebm_gpu::data::{Dataset, Part, Preparation, TransformKind};
use ebm_gpu::engine::cpu::Reference;
use ebm_gpu::eval::{Evaluation, Target};
use ebm_gpu::model::{Activation, MlpSpec, read_checkpoint};
use ebm_gpu::random::Seed;

use crate::program::{Folder, TINY, npy, number};
use crate::results::assert_picture;

/// 300 rows of three correlated columns in (0, 1), skewed.
fn values() -> Vec<f64> {
    (0..300)
        .flat_map(|i| {
            let t = f64::from(i);
            let (a, b) = ((0.7 * t).sin() + 0.3 * (0.13 * t).cos(), (1.9 * t).sin());
            [a, a + 0.5 * b, 0.3 * a * b + 0.2 * (0.31 * t).sin()].map(|v| 1.0 / (1.0 + (1.0 - v).exp()))
        })
        .collect()
}

fn moments(values: &[f64], axis: usize) -> [f64; 2] {
    let column = || values.iter().skip(axis).step_by(3);
    let n = column().count() as f64;
    let mean = column().sum::<f64>() / n;
    [mean, (column().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt()]
}

/// The samples of `run`, and those of `sample` from its checkpoint, have the mean and the spread of the data.
#[test]
fn samples_are_in_the_units_of_the_data() {
    let folder = Folder::new();
    write_npy_f64(&folder.path("t.npy"), &[300, 3], &values()).unwrap();
    let cases = [
        "--transform standardise",
        "--transform joint",
        "--transform whiten",
        // noise and steps are in the units of the data
        "--transform none --sigma 0.05 --step-size 0.00002",
        "--logit 0.05 --range 0,1",
        "--logit 0.05 --range 0,1 --transform whiten --dequantise=0.01",
    ];
    for (k, flags) in cases.into_iter().enumerate() {
        let run = folder.done(&format!("{TINY} --data t.npy --out r{k} --json {flags}")).json();
        assert_eq!(run["columns"], serde_json::json!(["0", "1", "2"]));
        let step = if flags.contains("none") { "--step-size 0.00002" } else { "" };
        folder.done(&format!(
            "sample r{k} {step} --engine cpu --chains 64 --steps 20 --out s{k} --quiet --draws --thin 20"
        ));
        for file in [format!("r{k}/samples.npy"), format!("s{k}/samples.npy"), format!("s{k}/draws.npy")] {
            let samples = npy(&folder.path(&file)).1;
            for axis in 0..3 {
                let ([mean, spread], [want, width]) = (moments(&samples, axis), moments(&values(), axis));
                assert!((mean - want).abs() < width, "{flags}, {file}: column {axis} has mean {mean}, not {want}");
                assert!((0.4..2.5).contains(&(spread / width)), "{flags}, {file}: spread {spread}, not {width}");
            }
            let steps = |v: &f64| (v / 0.01 - (v / 0.01).round()).abs() < 1e-3;
            assert_eq!(samples.iter().all(steps), flags.contains("dequantise"), "{flags}, {file}");
        }
    }
}

#[test]
fn checkpoints_say_what_is_undone() {
    let folder = Folder::new();
    write_npy_f64(&folder.path("t.npy"), &[300, 3], &values()).unwrap();
    let keys = |flags: &str, out: &str| {
        folder.done(&format!("{TINY} --data t.npy --out {out} {flags}"));
        let (_, metadata) = read_checkpoint(&folder.path(out)).unwrap();
        ["mean", "scale", "factor", "logit", "range", "level"].map(|key| metadata.contains_key(key))
    };
    assert_eq!(keys("", "a"), [true, true, false, false, false, false]);
    assert_eq!(keys("--transform whiten", "b"), [true, false, true, false, false, false]);
    let all = keys("--logit 0.1 --range 0,1 --dequantise=0.25 --transform joint", "c");
    assert_eq!(all, [true, true, false, true, true, true]);
    let sample = folder.done("sample b --engine cpu --chains 64 --steps 200 --quiet --json --out s").json();
    assert!(sample["warnings"].to_string().contains("of the network's coordinates"), "{sample}");
    for axis in 0..3 {
        let x = &sample["coordinates"][axis];
        assert!((number(x, "data_mean") - moments(&values(), axis)[0]).abs() < 0.02, "{x}");
        assert!((number(x, "data_variance").sqrt() / moments(&values(), axis)[1] - 1.0).abs() < 0.1, "{x}");
        assert!(x["draws_mean"].is_null(), "{x}");
    }
    // a start beyond what the logit takes
    folder.all_refused("sample c --engine cpu --chains 4", &[("--start 5,6", &["--start: 5.", "outside the range"])]);
}

/// Data that a model's logit is not made for have no density there: `eval` says where they leave the range.
#[test]
fn other_data_stay_in_the_range_of_the_logit() {
    let folder = Folder::new();
    write_npy_f64(&folder.path("t.npy"), &[300, 3], &values()).unwrap();
    folder.done(&format!("{TINY} --hidden 16 --steps 3000 --data t.npy --out a --logit 0.05 --range 0,1"));
    folder.done(&format!(
        "{TINY} --hidden 16 --steps 3000 --data t.npy --out b --logit 0.05 --range 0,1 --dequantise=0.01"
    ));
    let mut inside = values();
    inside[7] = 1.0;
    write_npy_f64(&folder.path("inside.npy"), &[300, 3], &inside).unwrap();
    let mut outside = values();
    outside[3 * 41 + 1] = 1.25;
    write_npy_f64(&folder.path("outside.npy"), &[300, 3], &outside).unwrap();
    for model in ["a", "b"] {
        let command = format!("eval {model} --engine cpu --quiet --chains 0 --ais 512,200");
        let eval = folder.done(&format!("{command} --data inside.npy --json")).json();
        assert!(number(&eval, "metrics.nll").is_finite(), "{eval}");
        folder.all_refused(
            &command,
            &[
                ("--data outside.npy", &["outside.npy, row 41, column `1`: 1.25 lies outside the range 0 to 1"]),
                ("--data outside.npy --columns 0,1,2", &["row 41, column `1`: 1.25"]),
            ],
        );
    }
    // points of a law have no rows
    let plane: Vec<f64> = values().into_iter().take(600).collect();
    write_npy_f64(&folder.path("p.npy"), &[300, 2], &plane).unwrap();
    folder.done(&format!("{TINY} --data p.npy --out c --logit 0.05 --range 0,1"));
    let says = "lies outside the range 0 to 1 of the model's logit";
    folder.all_refused("eval c --engine cpu --quiet", &[("--data 8gaussians", &["8gaussians, column `x", says])]);
}

/// −ln q is told in the units of the data: their logarithm, or a thousand of them, change it by the derivative.
#[test]
fn densities_are_in_the_units_of_the_data() {
    let folder = Folder::new();
    let one: Vec<f64> = values().into_iter().step_by(3).collect();
    let logit = |x: f64| {
        let p = 0.1 + 0.8 * x;
        (p / (1.0 - p)).ln()
    };
    write_npy_f64(&folder.path("x.npy"), &[300], &one).unwrap();
    write_npy_f64(&folder.path("y.npy"), &[300], &one.iter().map(|x| logit(*x)).collect::<Vec<_>>()).unwrap();
    write_npy_f64(&folder.path("k.npy"), &[300], &one.iter().map(|x| 1000.0 * x).collect::<Vec<_>>()).unwrap();
    let load = |name: &str, preparation: &Preparation| {
        let path = folder.path(name).display().to_string();
        Dataset::prepared(&path, Part::default(), preparation, 2, Seed(5)).unwrap()
    };
    let model = MlpSpec::parse("1-16-1", Activation::Silu).unwrap().initial(Seed(2));
    let nll = |data: &Dataset, sigma: f64| {
        let engine = Reference::new().unwrap();
        let aim = Target { sigma, normalized: false };
        let evaluation = Evaluation {
            engine: &engine,
            model: &model,
            data,
            aim,
            chains: None,
            spread: None,
            annealing: None,
            seed: Seed(5),
        };
        evaluation.run().unwrap().nll.unwrap()
    };
    let through = load("x.npy", &Preparation { logit: Some(0.1), range: Some([0.0, 1.0]), ..Preparation::default() });
    let direct = load("y.npy", &Preparation::default());
    let test = through.transform.undo(&through.test);
    let slope = |x: &f64| (0.8 / ((0.1 + 0.8 * x) * (0.9 - 0.8 * x))).ln();
    let mean = test.values().iter().map(slope).sum::<f64>() / test.count() as f64;
    let apart = nll(&through, 0.0) - nll(&direct, 0.0) + mean;
    assert!(apart.abs() < 1e-9 && mean > 1.0, "{apart} with a derivative of {mean}");
    for kind in [TransformKind::Standardise, TransformKind::Whiten] {
        let preparation = Preparation { transform: Some(kind), ..Preparation::default() };
        let (small, large) = (load("x.npy", &preparation), load("k.npy", &preparation));
        for sigma in [0.0, 0.3] {
            let apart = nll(&large, sigma) - nll(&small, sigma) - 1000f64.ln();
            assert!(apart.abs() < 1e-9, "{kind:?}, sigma = {sigma}: {apart}");
        }
    }
}

#[test]
fn figures_of_transformed_data() {
    let folder = Folder::new();
    write_npy_f64(&folder.path("t.npy"), &[450, 2], &values()).unwrap();
    for (k, flags) in ["--transform whiten", "--logit 0.05 --range 0,1"].into_iter().enumerate() {
        let run = folder.done(&format!("{TINY} --data t.npy --out r{k} --json {flags}")).json();
        number(&run, "metrics.nll");
        assert!(run["bits_per_dim"].is_null(), "{run}");
        for name in ["energy.png", "samples.png", "score.png"] {
            assert_picture(&folder, &format!("r{k}/{name}"));
        }
        folder.done(&format!("sample r{k} --engine cpu --chains 64 --steps 20 --trajectories 3 --out s{k} --quiet"));
        for name in ["samples.png", "trajectories.png"] {
            assert_picture(&folder, &format!("s{k}/{name}"));
        }
    }
}

#[test]
fn transforms_that_cannot_be() {
    let folder = Folder::new();
    folder.write("t.csv", "a,b,c\n1,2,3\n2,1,3\n4,4,8\n3,5,8\n0,7,7\n5,1,6\n");
    folder.write("half.csv", "a\n1\n2.5\n4\n7\n");
    folder.write("flat.csv", "a,b\n1,0\n2,0\n3,0\n7,0\n");
    folder.all_refused(
        TINY,
        &[
            ("--data t.csv --transform witen", &["`witen`", "did you mean `whiten`?", "joint"]),
            ("--data t.csv --transform whiten", &["cannot be whitened", "column `c`", "combination", "--dequantise"]),
            ("--data flat.csv --transform whiten", &["column `b` of flat.csv is 0 in all 4 rows", "--drop"]),
            ("--data flat.csv --image 1x2 --transform whiten", &["column `b` holds one value only"]),
            ("--data t.csv --logit 0.1", &["--logit needs the range", "t.csv", "--range LOW,HIGH"]),
            ("--data t.csv --logit 0.6 --range 0,10", &["alpha is 0.6", "below 0.5"]),
            ("--data t.csv --logit 0 --range 0,10", &["alpha is 0,"]),
            ("--data t.csv --range 0,7", &["t.csv, row 2, column `c`: 8 lies outside the range 0 to 7"]),
            ("--data t.csv --range 7,0", &["--range 7,0"]),
            ("--data t.csv --range 7", &["the range has 1 ends", "--range 0,255"]),
            ("--data half.csv --dequantise", &["half.csv holds 2.5", "--dequantise=STEP"]),
            ("--data half.csv --dequantise=-1", &["--dequantise -1", "above 0"]),
            ("--data half.csv --dequantise=oak", &["--dequantise=oak", "is a number"]),
            ("--data t.csv --image 2x2", &["t.csv has 3 columns", "2 x 2 has 4", "--drop"]),
            ("--data t.csv --image 3", &["--image 3", "--image 8x8"]),
            ("--data t.csv --image 0x3", &["--image 0x3"]),
            ("--transform whiten", &["--transform goes with a file", "8gaussians"]),
            ("--dequantise", &["--dequantise goes with a file"]),
            ("--logit 0.1", &["--logit goes with a file"]),
            ("--range 0,1", &["--range goes with a file"]),
            ("--image 1x2", &["--image goes with a file"]),
        ],
    );
    folder.done(&format!("{TINY} --data t.csv --dequantise --transform whiten"));
    folder.done(&format!("{TINY} --data half.csv --dequantise=0.5"));
}
