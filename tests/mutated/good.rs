//! Small whole files of every format.

use std::io::{Cursor, Write as _};

use ebm_gpu::data::npy::{write_npy_f32, write_npy_f64};
use ebm_gpu::engine::{ChainState, StepRecord};
use ebm_gpu::model::{Activation, Conditioning, Head, MlpSpec, write_checkpoint};
use ebm_gpu::points::Points;
use ebm_gpu::random::Seed;
use ebm_gpu::sample::{SamplingState, write_sampling};
use ebm_gpu::train::{Best, Looks, Progress, write_progress};
use flate2::Compression;
use flate2::write::GzEncoder;
use image::{DynamicImage, GrayImage, ImageFormat, Luma};
use zip::CompressionMethod;
use zip::write::{SimpleFileOptions, ZipWriter};

use crate::loading::{ARRAY, CHAINS, DEFLATED, PROGRESS, TABLE, TEXT};

/// A format: the fuzz target that tries it (`tests/fuzz`), the name of its file, its bytes, and how many bytes a byte of the
/// file may become.
pub(crate) struct Format {
    pub(crate) target: &'static str,
    pub(crate) name: &'static str,
    pub(crate) bytes: Vec<u8>,
    pub(crate) growth: usize,
}

fn value(i: usize) -> f64 {
    (i * 7919 % 101) as f64 / 8.0 - 5.0
}

fn text(separator: &str) -> Vec<u8> {
    let row = |i: usize| [i, i + 1, i + 2].map(|k| value(k).to_string()).join(separator);
    let rows: Vec<String> = (0..24).map(|i| row(3 * i)).collect();
    format!("a{separator}b{separator}c\n{}\n", rows.join("\n")).into_bytes()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::default());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

fn archive(method: CompressionMethod, array: &[u8]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file("x.npy", SimpleFileOptions::default().compression_method(method)).unwrap();
    writer.write_all(array).unwrap();
    writer.finish().unwrap().into_inner()
}

/// Whole numbers of a byte in three axes, the first of which runs fastest: what takes most memory for its size.
fn fortran() -> Vec<u8> {
    let header = "{'descr': '|i1', 'fortran_order': True, 'shape': (12, 3, 4), }\n";
    let numbers: Vec<u8> = (0..12 * 3 * 4).map(|i| (i * 37 % 251) as u8).collect();
    let length = (header.len() as u16).to_le_bytes();
    [&b"\x93NUMPY\x01\x00"[..], &length, header.as_bytes(), &numbers].concat()
}

fn checkpoint(folder: &std::path::Path, conditioning: Conditioning) -> Vec<u8> {
    let spec = MlpSpec::hidden(2, &[4, 3], Activation::Silu, Head::Energy, conditioning).unwrap();
    let metadata = [
        ("data", "{\"data\":\"moons\"}".to_string()),
        ("data_mean", "[0.5, 0.25]".into()),
        ("data_deviation", "[1.0, 2.0]".into()),
        ("ladder", "[1.0, 0.5, 0.1]".into()),
        ("transform", "standardise".into()),
        ("seed", "3".into()),
    ];
    let path = folder.join("good.safetensors");
    write_checkpoint(&path, &spec.initial(Seed(1)), &metadata).unwrap();
    std::fs::read(path).unwrap()
}

fn progress(folder: &std::path::Path) -> Vec<u8> {
    let spec = MlpSpec::hidden(2, &[3], Activation::Silu, Head::Energy, Conditioning::None).unwrap();
    let model = spec.initial(Seed(2));
    let mut progress = Progress::start(&model);
    for step in 1..=9 {
        progress.history.add(&StepRecord { step, loss: value(step as usize), gradient_norm: 1.0 });
    }
    progress.state.step = 9;
    progress.state.replay = Some(Points::new(2, (0..12).map(value).collect()));
    progress.looks = Looks { best: Some((Best { step: 7, loss: 0.25 }, model.parameters.clone())), waited: 2 };
    let path = folder.join("good-progress.safetensors");
    write_progress(&path, &model, &progress, &[("seed", "3".to_string())]).unwrap();
    std::fs::read(path).unwrap()
}

fn chains(folder: &std::path::Path) -> Vec<u8> {
    let mut state = SamplingState::default();
    let numbers = |count: usize| (0..count).map(value).collect::<Vec<_>>();
    state.chains = ChainState {
        step: 9,
        unreported: 3,
        positions: numbers(12),
        standings: numbers(18),
        exchanges: vec![4, 0, 7],
        draws: 2,
        kept: numbers(24),
    };
    let path = folder.join("good-chains.safetensors");
    let table = Points::new(2, numbers(8));
    write_sampling(&path, &state, &[(TABLE, table)], &[("seed", "3".to_string())]).unwrap();
    std::fs::read(path).unwrap()
}

/// All of them; `folder` may be written into.
pub(crate) fn formats(folder: &std::path::Path) -> Vec<Format> {
    let of = |target, name, bytes, growth| Format { target, name, bytes, growth };
    let path = folder.join("good.npy");
    write_npy_f64(&path, &[24, 3], &(0..72).map(value).collect::<Vec<_>>()).unwrap();
    let doubles = std::fs::read(&path).unwrap();
    write_npy_f32(&path, &[24, 3], &(0..72).map(|i| value(i) as f32).collect::<Vec<_>>()).unwrap();
    let singles = std::fs::read(&path).unwrap();
    let pixels: Vec<u8> = (0..24 * 6).map(|i| (i * 37 % 251) as u8).collect();
    let idx = [&[0, 0, 8, 3, 0, 0, 0, 24, 0, 0, 0, 2, 0, 0, 0, 3][..], &pixels].concat();
    let png = |image: DynamicImage| {
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, ImageFormat::Png).unwrap();
        bytes.into_inner()
    };
    let deep = image::ImageBuffer::<Luma<u16>, _>::from_raw(3, 2, vec![0, 500, 60_000, 7, 9, 1]).unwrap();
    vec![
        of("table", "a.csv", text(","), TEXT),
        of("table", "a.tsv", text("\t"), TEXT),
        of("table", "a.txt", text(" "), TEXT),
        of("table", "a.csv.gz", gzip(&text(";")), TEXT),
        of("array", "a.npy", doubles.clone(), TEXT),
        of("array", "b.npy", singles, TEXT),
        of("array", ARRAY, doubles.clone(), TEXT),
        of("array", "fortran-array.npy", fortran(), TEXT),
        of("archive", "a.npz", archive(CompressionMethod::Deflated, &doubles), DEFLATED),
        of("archive", "b.npz", archive(CompressionMethod::Stored, &doubles), DEFLATED),
        of("idx", "a.idx", idx.clone(), TEXT),
        of("idx", "a.idx.gz", gzip(&idx), DEFLATED),
        of("images", "a.png", png(GrayImage::from_raw(3, 2, pixels[..6].to_vec()).unwrap().into()), DEFLATED),
        of("images", "b.png", png(deep.into()), DEFLATED),
        of("checkpoint", "a.safetensors", checkpoint(folder, Conditioning::None), TEXT),
        of("checkpoint", "b.safetensors", checkpoint(folder, Conditioning::Concat), TEXT),
        of("state", PROGRESS, progress(folder), TEXT),
        of("state", CHAINS, chains(folder), TEXT),
    ]
}
