//! `grad` on every engine, against each other and against a closed form.

use ebm_gpu::data::npy::{write_npy_f32, write_npy_f64};
use ebm_gpu::model::{Activation, MlpSpec, write_checkpoint};
use ebm_gpu::random::Seed;
use safetensors::{Dtype, SafeTensors};
use serde_json::Value;

use crate::program::{Folder, assert_keys, number};

const DIMS: [usize; 4] = [3, 17, 9, 1];
const BATCH: usize = 21;

/// Numbers of size 1 that f32 holds, the same every time.
fn numbers(count: usize, seed: u32) -> Vec<f32> {
    (0..count as u32).map(|i| ((i + 1000 * seed) as f32 * 12.9898).sin() * 1.6).collect()
}

/// A folder with a 3-17-9-1 network whose weights are `factor` times the initial ones, points and noise.
fn folder(factor: f64) -> Folder {
    let folder = Folder::new();
    let mut model = MlpSpec::parse("3-17-9-1", Activation::Tanh).unwrap().initial(Seed(4));
    model.parameters.iter_mut().for_each(|p| *p *= factor);
    write_checkpoint(&folder.path("m.safetensors"), &model, &[]).unwrap();
    write_npy_f32(&folder.path("x.npy"), &[BATCH, 3], &numbers(3 * BATCH, 1)).unwrap();
    let noise: Vec<f64> = numbers(3 * BATCH, 2).into_iter().map(f64::from).collect();
    write_npy_f64(&folder.path("z.npy"), &[BATCH, 3], &noise).unwrap();
    folder
}

/// The printed object and all entries of the gradient, after checking names, shapes and type.
fn gradient(folder: &Folder, args: &str, dtype: Dtype) -> (Value, Vec<f64>) {
    let common = "--checkpoint m.safetensors --data x.npy --noise z.npy --out g.safetensors --json";
    let outcome = folder.run(&format!("grad {common} {args}"));
    let hint = "for the gpu engine, run `bash tests/install-vulkan.sh` to install a software driver";
    assert_eq!(outcome.code, Some(0), "{outcome}\n{hint}");
    let bytes = folder.bytes("g.safetensors");
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let mut names = file.names();
    names.sort_unstable();
    let want = ["net.0.bias", "net.0.weight", "net.2.bias", "net.2.weight", "net.4.bias", "net.4.weight"];
    assert_eq!(names, want);
    let mut entries = Vec::new();
    for (l, widths) in DIMS.windows(2).enumerate() {
        for (kind, shape) in [("weight", vec![widths[1], widths[0]]), ("bias", vec![widths[1]])] {
            let tensor = file.tensor(&format!("net.{}.{kind}", 2 * l)).unwrap();
            assert_eq!((tensor.shape(), tensor.dtype()), (&shape[..], dtype), "net.{}.{kind}", 2 * l);
            match dtype {
                Dtype::F64 => entries.extend(tensor.data().as_chunks().0.iter().map(|b| f64::from_le_bytes(*b))),
                _ => entries.extend(tensor.data().as_chunks().0.iter().map(|b| f64::from(f32::from_le_bytes(*b)))),
            }
        }
    }
    std::fs::remove_file(folder.path("g.safetensors")).unwrap();
    (outcome.json(), entries)
}

fn norm(values: &[f64]) -> f64 {
    values.iter().map(|v| v * v).sum::<f64>().sqrt()
}

#[test]
fn engines_agree() {
    let folder = folder(1.5);
    let settings = "--sigma 0.4 --weighting one";
    let (want, reference) = gradient(&folder, &format!("{settings} --engine reference"), Dtype::F64);
    assert!(norm(&reference) > 1e-2, "a gradient of 0 agrees with everything");
    let adapter = std::env::var("EBM_GPU_TEST_ADAPTER").map_or(String::new(), |name| format!("--adapter {name}"));
    for engine in ["cpu", &format!("gpu {adapter}")] {
        let (got, entries) = gradient(&folder, &format!("{settings} --engine {engine}"), Dtype::F32);
        let difference: Vec<f64> = entries.iter().zip(&reference).map(|(g, w)| g - w).collect();
        let relative = norm(&difference) / norm(&reference);
        assert!(relative <= 1e-4, "{engine}: the gradient differs by {relative} of its norm");
        let (loss, wanted) = (number(&got, "loss"), number(&want, "loss"));
        assert!((loss - wanted).abs() <= 1e-4 * wanted.abs(), "{engine}: loss {loss}, the reference's {wanted}");
        assert_eq!(got["engine"], engine.split(' ').next().unwrap());
    }
}

#[test]
fn engines_agree_on_contrast() {
    let folder = folder(1.5);
    for (each, seed) in [(1, 3), (4, 5)] {
        write_npy_f32(&folder.path(&format!("y{each}.npy")), &[BATCH, each, 3], &numbers(3 * BATCH * each, seed))
            .unwrap();
    }
    let adapter = std::env::var("EBM_GPU_TEST_ADAPTER").map_or(String::new(), |name| format!("--adapter {name}"));
    for (settings, says) in [
        ("--loss cd --alpha 0.1 --negatives y1.npy", "E(x) - E(y) + 0.1 (E(x)^2 + E(y)^2), y given"),
        ("--loss pcd --negatives y1.npy", "E(x) - E(y), y given"),
        ("--loss ed --ed-w 0.5 --negatives y4.npy", "M = 4, w = 0.5, y given"),
        ("--loss nce --negatives y4.npy --nu 4", "nu = 4, y given, q normal"),
        ("--loss nce --noise-std 2 --negatives y4.npy", "standard deviation (2.0000, 2.0000, 2.0000)"),
    ] {
        let (want, reference) = gradient(&folder, &format!("{settings} --engine reference"), Dtype::F64);
        assert!(norm(&reference) > 1e-2, "a gradient of 0 agrees with everything");
        assert!(want["objective"].as_str().unwrap().contains(says), "{want}");
        for engine in ["cpu", &format!("gpu {adapter}")] {
            let (got, entries) = gradient(&folder, &format!("{settings} --engine {engine}"), Dtype::F32);
            let difference: Vec<f64> = entries.iter().zip(&reference).map(|(g, w)| g - w).collect();
            let relative = norm(&difference) / norm(&reference);
            assert!(relative <= 1e-4, "{engine} {settings}: the gradient differs by {relative} of its norm");
            let (loss, wanted) = (number(&got, "loss"), number(&want, "loss"));
            assert!((loss - wanted).abs() <= 1e-4 * wanted.abs(), "{engine}: loss {loss}, the reference's {wanted}");
        }
    }
    for (args, words) in [
        ("--loss ed", "hint: --negatives y.npy"),
        ("--loss cd --negatives y4.npy", "cd has one negative point for each sample, here are 4 each"),
        ("--loss pcd", "pcd needs its negative points y"),
        ("--loss dsm --noise x.npy --sigma x.npy", "the noise levels of 21 points are [21]"),
        ("--loss nce --negatives y4.npy --nu 3", "21 points with 3 each need 63"),
        ("--loss ed --negatives x.npy --ed-w -1", "w is -1"),
    ] {
        folder.all_refused("grad --checkpoint m.safetensors --data x.npy --engine cpu", &[(args, &[words])]);
    }
}

/// The negatives of a run's own noise law: grad takes it from the checkpoint.
#[test]
fn noise_contrast_knows_its_law() {
    let folder = Folder::new();
    let small = "run --engine cpu --steps 5 --chains 0 --points 500 --hidden 8 --quiet --out r";
    folder.done(&format!("{small} --loss nce --noise-std 3"));
    write_npy_f32(&folder.path("x.npy"), &[4, 2], &numbers(8, 1)).unwrap();
    write_npy_f32(&folder.path("y.npy"), &[4, 2], &numbers(8, 2)).unwrap();
    let args =
        "grad --checkpoint r/model.safetensors --loss nce --data x.npy --negatives y.npy --engine reference --json";
    let objective =
        |more: &str| folder.done(&format!("{args} {more}")).json()["objective"].as_str().unwrap().to_string();
    assert!(objective("").ends_with("q normal, mean (0.0000, 0.0000), standard deviation (3.0000, 3.0000)"));
    assert!(objective("--noise-std 1").ends_with("standard deviation (1.0000, 1.0000)"));
    assert!(!objective("--noise-scale 2").contains("3.0000, 3.0000"));
}

/// What is given decides what is computed and said; what is no number is named, whatever the dimension.
#[test]
fn what_is_given_is_looked_at() {
    let folder = folder(1.5);
    write_npy_f32(&folder.path("levels.npy"), &[BATCH], &(0..BATCH).map(|i| 0.1 + i as f32).collect::<Vec<_>>())
        .unwrap();
    let mut probes = numbers(3 * BATCH, 6);
    write_npy_f32(&folder.path("v.npy"), &[BATCH, 3], &probes).unwrap();
    probes[12..15].fill(0.0);
    write_npy_f32(&folder.path("still.npy"), &[BATCH, 3], &probes).unwrap();
    let common = "grad --checkpoint m.safetensors --data x.npy --engine cpu";
    for (args, objective, warning) in [
        ("--loss dsm --noise z.npy --sigma levels.npy", "z and sigma given", "does not see the noise level"),
        ("--loss ssm --probes v.npy --noise z.npy", "1 v a sample, given", "ssm has no use for --noise"),
        ("--loss fd-ssm --probes v.npy", "eps = |v|, 1 v a sample, given", ""),
        ("--loss esm --nu 3 --sigma 2", "1/2 |s|^2 + tr grad s", "esm has no use for --sigma"),
    ] {
        let outcome = folder.done(&format!("{common} {args} --json"));
        assert!(outcome.json()["objective"].as_str().unwrap().contains(objective), "{outcome}");
        assert_eq!(outcome.stderr.contains("warning: "), !warning.is_empty(), "{outcome}");
        assert!(outcome.stderr.contains(warning), "{outcome}");
    }
    folder.all_refused(
        common,
        &[
            ("--loss fd-ssm --probes still.npy", &["probe 0 of sample 4 is 0"]),
            ("--json --noise z.npy --losses no/such/folder/l.npy", &["cannot write no/such/folder/l.npy"]),
        ],
    );
    let small = "run --engine cpu --steps 2 --chains 0 --hidden 4 --quiet --out r --data t.csv";
    let rows: String = (0..40).map(|i| format!("{}\n", (f64::from(i) * 0.7).sin())).collect();
    std::fs::write(folder.path("t.csv"), format!("a\n{rows}")).unwrap();
    folder.done(small);
    write_npy_f32(&folder.path("nan.npy"), &[3], &[1.0, f32::NAN, 2.0]).unwrap();
    folder.all_refused(
        "grad --checkpoint r/model.safetensors --loss esm --data nan.npy",
        &[("--engine reference", &["row 1 of nan.npy is NaN"])],
    );
}

#[test]
fn what_is_printed() {
    let folder = folder(1.5);
    let (printed, entries) = gradient(&folder, "--engine reference", Dtype::F64);
    assert_keys(&printed, &["loss", "gradient_norm", "objective", "engine", "net", "batch"]);
    assert_eq!((&printed["net"], &printed["batch"]), (&"3-17-9-1".into(), &BATCH.into()));
    let printed_norm = number(&printed, "gradient_norm");
    assert!(
        (printed_norm - norm(&entries)).abs() <= 1e-12 * printed_norm,
        "{printed_norm} is not the norm of the file"
    );
    assert!(printed["objective"].as_str().unwrap().contains("sigma = 0.3 (a standard deviation)"), "{printed}");
    let lines = folder.done("grad --checkpoint m.safetensors --data x.npy --noise z.npy --engine cpu").stdout;
    let starts: Vec<&str> = lines.lines().map(|l| l.split(' ').next().unwrap()).collect();
    assert_eq!(starts, ["loss", "gradient", "1/2"], "{lines}");
    assert_eq!(folder.names(""), ["m.safetensors", "x.npy", "z.npy"], "nothing is written without --out");
}

/// A network whose weights are 0 has no gradient by x, so that the loss is w/2 E|z|², w = 1/σ², 1 or σ²; and only the
/// last weights, 0 in tanh's odd network, get no gradient from it.
#[test]
fn a_flat_energy_has_the_loss_of_its_noise() {
    let folder = folder(0.0);
    let square: f64 = numbers(3 * BATCH, 2).iter().map(|z| f64::from(*z).powi(2)).sum::<f64>() / BATCH as f64;
    for (weighting, factor) in [("one", 1.0 / 0.16), ("sigma2", 1.0), ("sigma4", 0.16)] {
        let args = format!("--engine reference --sigma 0.4 --weighting {weighting}");
        let (printed, entries) = gradient(&folder, &args, Dtype::F64);
        let (loss, want) = (number(&printed, "loss"), 0.5 * factor * square);
        assert!((loss - want).abs() <= 1e-12 * want, "{weighting}: loss {loss}, want {want}");
        assert_eq!(norm(&entries), 0.0, "{weighting}");
    }
}
