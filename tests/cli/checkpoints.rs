//! Checkpoints that are not what they say: refused with what is wrong where.

use std::collections::HashMap;

use ebm_gpu::data::npy::write_npy_f32;
use ebm_gpu::model::{Activation, MlpSpec, write_checkpoint};
use ebm_gpu::random::Seed;
use safetensors::{Dtype, tensor::TensorView};

use crate::program::Folder;

const GRAD: &str = "grad --engine cpu --json --data x.npy --noise z.npy --out g.safetensors --checkpoint";

/// A folder with points and noise for a 2-3-1 network, and such a network in `good.safetensors`.
fn folder() -> Folder {
    let folder = Folder::new();
    write_npy_f32(&folder.path("x.npy"), &[2, 2], &[0.5, -1.0, 0.25, 2.0]).unwrap();
    write_npy_f32(&folder.path("z.npy"), &[2, 2], &[1.0, 0.0, -0.5, 0.75]).unwrap();
    let model = MlpSpec::parse("2-3-1", Activation::Silu).unwrap().initial(Seed(3));
    write_checkpoint(&folder.path("good.safetensors"), &model, &[]).unwrap();
    folder
}

/// A change to the tensors and metadata of a checkpoint.
type Change = fn(&mut Vec<(&'static str, Vec<usize>, Vec<f32>)>, &mut HashMap<String, String>);

/// The 2-3-1 checkpoint with `change` applied.
fn changed(change: Change) -> Vec<u8> {
    let mut tensors = vec![
        ("net.0.weight", vec![3, 2], vec![0.1, -0.2, 0.3, 0.4, -0.5, 0.6]),
        ("net.0.bias", vec![3], vec![0.0, 0.1, 0.2]),
        ("net.2.weight", vec![1, 3], vec![1.0, -1.0, 0.5]),
        ("net.2.bias", vec![1], vec![0.0]),
    ];
    let entries = [
        ("format", "ebm-gpu/1"),
        ("dims", "2-3-1"),
        ("activation", "silu"),
        ("head", "energy"),
        ("conditioning", "none"),
    ];
    let mut metadata: HashMap<String, String> = entries.map(|(k, v)| (k.to_string(), v.to_string())).into();
    change(&mut tensors, &mut metadata);
    let bytes: Vec<Vec<u8>> =
        tensors.iter().map(|(_, _, values)| values.iter().flat_map(|v| v.to_le_bytes()).collect()).collect();
    let views = tensors
        .iter()
        .zip(&bytes)
        .map(|((name, shape, _), b)| (*name, TensorView::new(Dtype::F32, shape.clone(), b).unwrap()));
    safetensors::serialize(views, Some(metadata)).unwrap()
}

#[test]
fn cut_short_at_any_length() {
    let folder = folder();
    let whole = folder.bytes("good.safetensors");
    for length in
        [0, 1, 7, 8, 9, 40, whole.len() / 2, whole.len() - 53, whole.len() - 52, whole.len() - 4, whole.len() - 1]
    {
        folder.write("cut.safetensors", &whole[..length]);
        let words = ["cut.safetensors", &format!("{length} bytes"), "safetensors"];
        folder.all_refused(GRAD, &[("cut.safetensors", &words)]);
    }
    folder.done(&format!("{GRAD} good.safetensors"));
}

#[test]
fn files_of_another_kind() {
    let folder = folder();
    let noise: Vec<u8> = (0..5000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    folder.write("noise.bin", noise);
    folder.write("text.safetensors", "this is not a model\n".repeat(50));
    std::fs::create_dir(folder.path("dir.safetensors")).unwrap();
    folder.all_refused(
        GRAD,
        &[
            ("noise.bin", &["noise.bin", "5000 bytes", "safetensors", "hint: checkpoints are written by"]),
            ("text.safetensors", &["text.safetensors", "1000 bytes"]),
            ("x.npy", &["x.npy", "safetensors", "hint: "]),
            ("dir.safetensors", &["dir.safetensors", "no run has been completed there"]),
            ("none.safetensors", &["none.safetensors"]),
        ],
    );
}

#[test]
fn wrong_metadata_and_tensors() {
    let folder = folder();
    let set = |folder: &Folder, change: Change, words: &[&str]| {
        folder.write("bad.safetensors", changed(change));
        let args: Vec<&str> = GRAD.split_whitespace().chain(["bad.safetensors"]).collect();
        folder.refused(&args, &[words, &["bad.safetensors"]].concat()).err()
    };
    let cases: &[(Change, &[&str])] = &[
        (|_, m| drop(m.remove("format")), &["no `format`", "hint: a checkpoint needs"]),
        (|_, m| drop(m.remove("dims")), &["no `dims`"]),
        (|_, m| drop(m.remove("activation")), &["no `activation`"]),
        (|_, m| drop(m.remove("head")), &["no `head`"]),
        (|_, m| drop(m.remove("conditioning")), &["no `conditioning`"]),
        (|_, m| drop(m.insert("format".into(), "ebm-gpu/9".into())), &["format `ebm-gpu/9`", "`ebm-gpu/1`"]),
        (|_, m| drop(m.insert("head".into(), "score".into())), &["2-3-1", "1 outputs", "has 2"]),
        (|_, m| drop(m.insert("conditioning".into(), "scaled".into())), &["`scaled`", "`scale`"]),
        (|_, m| drop(m.insert("activation".into(), "swish".into())), &["`swish`"]),
        (|_, m| drop(m.insert("dims".into(), "2-4-1".into())), &["13 numbers", "2-4-1", "17 parameters"]),
        (|_, m| drop(m.insert("dims".into(), "two".into())), &["`two`"]),
        (|_, m| drop(m.insert("dims".into(), "2-3-0".into())), &["2-3-0", "width of 0"]),
        // the same number of parameters in another shape
        (|t, _| t[0].1 = vec![2, 3], &["net.0.weight", "[2, 3]", "[3, 2]"]),
        (|t, _| t[2].1 = vec![3], &["net.2.weight", "[3]", "[1, 3]"]),
        (|t, _| t[3].0 = "net.3.bias", &["no tensor net.2.bias"]),
        (|t, _| drop(t.pop()), &["12 numbers", "13 parameters"]),
        (|t, _| t.push(("extra", vec![2], vec![0.0; 2])), &["15 numbers", "13 parameters"]),
        (|t, _| t[0].2[3] = f32::NAN, &["NaN"]),
        (|t, _| t[3].2[0] = f32::INFINITY, &["inf"]),
    ];
    let problems: Vec<String> = cases.iter().filter_map(|(change, words)| set(&folder, *change, words)).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));

    // the unchanged file is good, also without our writer's extra entries
    folder.write("own.safetensors", changed(|_, _| ()));
    folder.done(&format!("{GRAD} own.safetensors"));
}

#[test]
fn points_that_do_not_fit_the_model() {
    let folder = folder();
    write_npy_f32(&folder.path("x3.npy"), &[2, 3], &[0.0; 6]).unwrap();
    write_npy_f32(&folder.path("z1.npy"), &[1, 2], &[0.0; 2]).unwrap();
    write_npy_f32(&folder.path("flat.npy"), &[4], &[0.0; 4]).unwrap();
    write_npy_f32(&folder.path("none.npy"), &[0, 2], &[]).unwrap();
    write_npy_f32(&folder.path("nan.npy"), &[2, 2], &[0.0, 1.0, 2.0, f32::NAN]).unwrap();
    folder.write("complex.npy", crate::bad_tables::npy_bytes("<c8", "(2, 2)", &[0; 32]));
    let cut = folder.bytes("x.npy");
    folder.write("cut.npy", &cut[..cut.len() - 3]);
    folder.all_refused(
        "grad --engine cpu --json --checkpoint good.safetensors",
        &[
            ("--data x.npy", &["dsm needs its noise", "hint: --noise"]),
            ("--data x.npy --noise x3.npy", &["x3.npy has 3 columns", "2"]),
            ("--data x3.npy --noise z.npy", &["x3.npy has 3 columns", "2"]),
            ("--data x.npy --noise z1.npy", &["z1.npy has 1 row", "x.npy has 2"]),
            ("--data flat.npy --noise z.npy", &["flat.npy", "[4]", "[B, 2]"]),
            ("--data none.npy --noise none.npy", &["none.npy", "no rows"]),
            ("--data nan.npy --noise z.npy", &["row 1, column 1 of nan.npy", "NaN"]),
            ("--data x.npy --noise complex.npy", &["complex.npy", "`<c8`"]),
            ("--data cut.npy --noise z.npy", &["cut.npy", "[2, 2]", "13 bytes"]),
            ("--data gone.npy --noise z.npy", &["there is no file gone.npy"]),
            ("--data x.npy --noise z.npy --loss dsn", &["`dsn`", "did you mean `dsm`?"]),
            ("--data x.npy --noise z.npy --weighting sigm4", &["`sigm4`", "did you mean `sigma4`?"]),
            ("--data x.npy --noise z.npy --engine gup", &["`gup`", "did you mean `gpu`?"]),
            ("--data x.npy --noise z.npy --sigma 0", &["sigma is 0"]),
            ("--data x.npy --noise z.npy --sigma nan", &["sigma is NaN"]),
            ("--data x.npy --noise z.npy --sigma -1", &["sigma", "-1"]),
            ("--data x.npy --noise z.npy --out none/g.safetensors", &["none/g.safetensors"]),
            ("--data x.npy --noise z.npy --out x.npy/g", &["x.npy/g"]),
        ],
    );
}
