//! Archives of arrays, MNIST's format and folders of images: what they hold, and what is wrong with the broken ones.

use std::io::{Cursor, Write as _};

use ebm_gpu::data::images::{ImageShape, read_images};
use ebm_gpu::data::npy::write_npy_f64;
use flate2::write::GzEncoder;
use flate2::{Compression, Crc};
use image::{DynamicImage, GrayImage, ImageBuffer, ImageFormat, Luma, RgbImage, RgbaImage};
use zip::CompressionMethod;
use zip::write::{SimpleFileOptions, ZipWriter};

use crate::bad_tables::npy_bytes;
use crate::program::{Folder, TINY, npy, number};
use crate::results::assert_picture;

/// A byte that looks random.
fn byte(i: usize) -> u8 {
    (i.wrapping_mul(2_654_435_761) >> 13) as u8
}

/// An IDX file.
fn idx(code: u8, shape: &[u32], data: &[u8]) -> Vec<u8> {
    let sides: Vec<u8> = shape.iter().flat_map(|side| side.to_be_bytes()).collect();
    [&[0, 0, code, shape.len() as u8], sides.as_slice(), data].concat()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::default());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

/// An archive as NumPy writes it: sizes of 64 bits.
fn npz(method: CompressionMethod, files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        let options = SimpleFileOptions::default().compression_method(method).large_file(true);
        writer.start_file(*name, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn png(image: impl Into<DynamicImage>) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.into().write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// A grey image 3 wide and 2 high: item `k` of a series.
fn grey(k: usize) -> GrayImage {
    GrayImage::from_raw(3, 2, (6 * k..6 * k + 6).map(byte).collect()).unwrap()
}

fn samples(folder: &Folder, data: &str, out: &str) -> Vec<u8> {
    folder.done(&format!("{TINY} --data {data} --out {out}"));
    folder.bytes(&format!("{out}/samples.npy"))
}

/// 60 points in six dimensions in every format, as one run after another sees them.
#[test]
fn the_same_numbers_make_the_same_run() {
    let folder = Folder::new();
    let bytes: Vec<u8> = (0..360).map(byte).collect();
    let values: Vec<f64> = bytes.iter().map(|b| f64::from(*b) / 255.0).collect();
    write_npy_f64(&folder.path("t.npy"), &[60, 6], &values).unwrap();
    // images are scaled by one mean and scale unless said
    let want = samples(&folder, "t.npy --transform joint", "r-npy");

    let (array, other) = (folder.bytes("t.npy"), npy_bytes("<f4", "(2, 1)", &[0; 8]));
    folder.write("one.npz", npz(CompressionMethod::Deflated, &[("x.npy", &array)]));
    folder.write("two.npz", npz(CompressionMethod::Stored, &[("y.npy", &other), ("x.npy", &array), ("note", b"-")]));
    let doubles: Vec<u8> = values.iter().flat_map(|v| v.to_be_bytes()).collect();
    folder.write("doubles.idx", idx(0x0E, &[60, 6], &doubles));
    folder.write("images-ubyte", idx(0x08, &[60, 2, 3], &bytes));
    folder.write("images.idx3-ubyte.gz", gzip(&idx(0x08, &[60, 2, 3], &bytes)));
    std::fs::create_dir(folder.path("images")).unwrap();
    folder.write("images/about.txt", "not an image");
    // the order is that of the names, not that of their making
    for k in (0..60).rev() {
        folder.write(&format!("images/{k:02}.png"), png(grey(k)));
    }
    let sources =
        ["one.npz", "two.npz --array x", "doubles.idx", "images-ubyte", "images.idx3-ubyte.gz", "images", "images/"];
    for (k, source) in sources.into_iter().enumerate() {
        let joint = if source.contains("image") { "" } else { " --transform joint" };
        let some = samples(&folder, &format!("{source}{joint}"), &format!("r{k}"));
        assert!(some == want, "{source} gives other samples than t.npy");
    }
    let columns = samples(&folder, "t.npy --columns 4,1", "c");
    for (k, source) in ["one.npz", "images-ubyte", "images"].into_iter().enumerate() {
        let some = samples(&folder, &format!("{source} --columns 4,1"), &format!("c{k}"));
        assert!(some == columns, "{source}: other columns");
    }
    // the array's name is part of what a run can be repeated from
    folder.done("run --config r1/config.toml --quiet --out again");
    assert!(folder.bytes("again/samples.npy") == want);
}

#[test]
fn values_of_idx_files() {
    let folder = Folder::new();
    let cases: &[(u8, Vec<u8>, [f64; 2])] = &[
        (0x08, vec![255, 51], [1.0, 0.2]),
        (0x09, vec![0xff, 5], [-1.0, 5.0]),
        (0x0B, vec![0xff, 0xfe, 1, 0], [-2.0, 256.0]),
        (0x0C, vec![0xff, 0xff, 0xff, 0xfd, 0, 1, 0, 0], [-3.0, 65536.0]),
        (0x0D, [1.5f32, -2.5].iter().flat_map(|v| v.to_be_bytes()).collect(), [1.5, -2.5]),
    ];
    for (code, data, want) in cases {
        folder.write("t.idx", idx(*code, &[2], data));
        let read = ebm_gpu::data::idx::read_idx(&folder.path("t.idx")).unwrap();
        assert_eq!((read.shape, read.bytes, read.values), (vec![2], *code == 0x08, want.to_vec()), "{code:#x}");
    }
}

#[test]
fn pixels_are_from_0_to_1() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("rgb")).unwrap();
    folder.write("rgb/a.png", png(RgbImage::from_raw(2, 1, vec![0, 255, 51, 102, 153, 204]).unwrap()));
    let deep = ImageBuffer::from_raw(2, 1, vec![65535u16, 0, 13107, 26214, 39321, 52428]).unwrap();
    folder.write("rgb/b.PNG", png(DynamicImage::ImageRgb16(deep)));
    let want = [0.0, 1.0, 0.2, 0.4, 0.6, 0.8, 1.0, 0.0, 0.2, 0.4, 0.6, 0.8];
    let rgb = read_images(&folder.path("rgb")).unwrap();
    assert_eq!(rgb.shape, ImageShape { height: 1, width: 2, channels: 3 });
    assert_eq!((rgb.level, rgb.values), (1.0 / 255.0, want.to_vec()), "the coarser step");
    std::fs::create_dir(folder.path("grey")).unwrap();
    folder.write("grey/a.png", png(GrayImage::from_raw(1, 2, vec![51, 255]).unwrap()));
    folder.write("grey/b.png", png(ImageBuffer::<Luma<u16>, _>::from_raw(1, 2, vec![13107u16, 0]).unwrap()));
    let grey = read_images(&folder.path("grey")).unwrap();
    assert_eq!((grey.shape, grey.values), (ImageShape { height: 2, width: 1, channels: 1 }, vec![0.2, 1.0, 0.2, 0.0]));
    std::fs::remove_file(folder.path("grey/a.png")).unwrap();
    assert_eq!(read_images(&folder.path("grey")).unwrap().level, 1.0 / 65535.0);
}

/// Images are drawn as sheets, those of a table if their size is given.
#[test]
fn samples_of_images_are_drawn_as_images() {
    let folder = Folder::new();
    let bytes: Vec<u8> = (0..720).map(byte).collect();
    folder.write("t.idx", idx(0x08, &[120, 2, 3], &bytes));
    let values: Vec<f64> = bytes.iter().map(|b| f64::from(*b)).collect();
    write_npy_f64(&folder.path("t.npy"), &[120, 6], &values).unwrap();
    let sheets = |data: &str, out: &str| {
        folder.done(&format!("{TINY} --data {data} --out {out}"));
        assert_picture(&folder, &format!("{out}/samples.png"));
        let svg = folder.text(&format!("{out}/samples.svg"));
        svg.contains("dsm, σ = 0.3 on t<") && svg.contains("held-out data (12)") && svg.contains("σ = 0.3 (64)")
    };
    assert!(sheets("t.idx", "a") && sheets("t.npy --image 2x3", "b") && sheets("t.npy --image 1x2", "c"));
    assert!(!sheets("t.npy", "d"), "64 columns are no image unless that is said");
    assert!(!sheets("t.idx --columns 1,2,3,4", "e"), "some pixels are no image");
    folder.done("sample b --engine cpu --chains 30 --steps 5 --out s --quiet");
    assert_picture(&folder, "s/samples.png");
    assert!(folder.text("s/samples.svg").contains("chains (30)"));
}

/// The digits that come with the program, by the flags that the README gives, as few steps as will do.
#[test]
fn the_digits_are_learnt_as_images() {
    let folder = Folder::new();
    folder.write("digits8x8.csv", include_bytes!("../../data/digits8x8.csv"));
    let run = folder.done(
        "run --engine cpu --quiet --loss mdsm --data digits8x8.csv --drop 64 --image 8x8 --conditioning concat --hidden 16,16 \
         --steps 30 --chains 20 --chain-steps 3 --out r --json",
    );
    let run = run.json();
    assert_eq!(run["columns"].as_array().unwrap().len(), 64);
    assert!(run["net"] == "64-16-16-1" && run["chains"]["sampler"] == "annealed", "{run}");
    assert_eq!(npy(&folder.path("r/samples.npy")).0, [20, 64]);
    for name in ["mmd2", "swd", "energy_distance", "neighbours"] {
        number(&run, &format!("metrics.{name}"));
    }
    assert_picture(&folder, "r/samples.png");
    let svg = folder.text("r/samples.svg");
    assert_eq!(svg.matches("class=\"images\"").count(), 2);
    assert!(svg.contains(">held-out data (100 of 179 drawn)<") && svg.contains(" (20)<"));
}

#[test]
fn margins_of_images_may_be_black() {
    let folder = Folder::new();
    let margin = |i: usize| if i % 3 == 2 { 7 } else { byte(i) };
    folder.write("t.idx", idx(0x08, &[50, 3], &(0..150).map(margin).collect::<Vec<_>>()));
    let run = folder.done(&format!("{} --data t.idx --out r", TINY.replace("--quiet", "")));
    assert!(run.stderr.contains("1 of 3 columns hold one value only"), "{run}");
    folder.write("flat.idx", idx(0x08, &[50, 3], &[1, 2, 3].repeat(50)));
    folder.all_refused(TINY, &[("--data flat.idx", &["all 50 rows of flat.idx are equal: they have no density"])]);
}

#[test]
fn archives_that_are_broken() {
    let folder = Folder::new();
    let good = npy_bytes("<f4", "(3, 1)", &[1.0f32, 2.0, 4.0].map(f32::to_le_bytes).concat());
    let stored = |files: &[(&str, &[u8])]| npz(CompressionMethod::Stored, files);
    let one = stored(&[("x.npy", &good)]);
    folder.write("cut.npz", &one[..one.len() - 30]);
    folder.write("text.npz", "a,b\n1,2\n");
    folder.write("empty.npz", "");
    folder.write("none.npz", stored(&[("readme.txt", b"1")]));
    folder.write("two.npz", stored(&[("first.npy", &good), ("second.npy", &good)]));
    folder.write("array.npz", stored(&[("x.npy", b"1,2,3")]));
    folder.write("complex.npz", stored(&[("x.npy", &npy_bytes("<c8", "(1, 1)", &[0; 8]))]));
    folder.write("cube.npz", stored(&[("x.npy", &npy_bytes("<f4", "(1, 1, 2)", &[0; 8]))]));
    let at = one.windows(good.len()).position(|w| w == good).unwrap();
    let mut flipped = one.clone();
    flipped[at + good.len() - 1] ^= 1;
    folder.write("flipped.npz", flipped);
    folder.write("good.npz", &one);
    folder.all_refused(
        TINY,
        &[
            ("--data no.npz", &["there is no file no.npz"]),
            ("--data empty.npz", &["empty.npz is not a readable NPZ archive"]),
            ("--data cut.npz", &["cut.npz is not a readable NPZ archive"]),
            ("--data text.npz", &["text.npz is not a readable NPZ archive"]),
            ("--data flipped.npz", &["flipped.npz is not a readable NPZ archive"]),
            ("--data none.npz", &["none.npz holds no array"]),
            ("--data two.npz", &["two.npz holds 2 arrays", "hint: --array NAME chooses one of first, second"]),
            ("--data two.npz --array frst", &["no array `frst` in two.npz", "hint: did you mean `first`?"]),
            ("--data array.npz", &["array `x` of array.npz is not a readable NPY file", "5 bytes"]),
            ("--data complex.npz", &["array `x` of complex.npz holds values of type `<c8`"]),
            ("--data cube.npz", &["cube.npz holds an array of shape [1, 1, 2]"]),
            ("--data moons --array x", &["--array goes with a file, `moons` is a toy law", "hint: leave --array out"]),
            ("--data x.csv --array x", &["x.csv, which is no .npz archive", "hint: leave --array out"]),
        ],
    );
    folder.done(&format!("{TINY} --data good.npz"));
}

#[test]
fn idx_files_that_are_broken() {
    let folder = Folder::new();
    let good = idx(0x08, &[3, 2], &[1, 2, 3, 5, 4, 6]);
    folder.write("empty.idx", "");
    folder.write("short.idx", &good[..9]);
    folder.write("text.idx", "a,b\n1,2\n");
    folder.write("type.idx", idx(0x07, &[3, 2], &[0; 6]));
    folder.write("number.idx", idx(0x08, &[], &[0]));
    folder.write("deep.idx", [&[0, 0, 8, 40], &[0; 160][..]].concat());
    folder.write("cut.idx", &good[..good.len() - 1]);
    folder.write("long.idx", [&good[..], &[0, 0]].concat());
    folder.write("one.idx", idx(0x08, &[1, 2], &[1, 2]));
    folder.write("nan.idx", idx(0x0D, &[2, 1], &[f32::NAN, 1.0].map(f32::to_be_bytes).concat()));
    folder.write("packed.idx", gzip(&good));
    folder.write("plain.idx.gz", &good);
    folder.write("cut.idx.gz", &gzip(&good)[..25]);
    folder.write("long.idx.gz", gzip(&[good.clone(), vec![0; 100]].concat()));
    folder.write("t.npy.gz", gzip(b"1,2\n3,4\n"));
    folder.all_refused(
        TINY,
        &[
            ("--data empty.idx", &["empty.idx is empty"]),
            ("--data short.idx", &["short.idx is not a readable IDX file: it ends within its header"]),
            ("--data text.idx", &["text.idx", "starts with the bytes 97 and 44, not with 0 and 0"]),
            ("--data deep.idx", &["deep.idx", "it names 40 dimensions, the most is 8"]),
            ("--data type.idx", &["type.idx", "0x07 is no type of values"]),
            ("--data number.idx", &["number.idx", "no rows"]),
            ("--data cut.idx", &["cut.idx", "[3, 2] of 1-byte values does not fit 5 bytes of data"]),
            ("--data long.idx", &["long.idx", "[3, 2] of 1-byte values does not fit at least 7 bytes of data"]),
            ("--data one.idx", &["one.idx holds one row of numbers, at least 2 are needed"]),
            ("--data nan.idx", &["nan.idx, row 0, column 0: NaN is not a finite number"]),
            ("--data packed.idx", &["packed.idx", "bytes 31 and 139", "hint: it is packed by gzip"]),
            ("--data plain.idx.gz", &["plain.idx.gz is not a readable IDX file", "gzip"]),
            ("--data cut.idx.gz", &["cut.idx.gz is not a readable IDX file"]),
            ("--data long.idx.gz", &["long.idx.gz", "at least 7 bytes"]),
            ("--data t.npy.gz", &["t.npy.gz has none of the extensions", ".gz of text and idx"]),
        ],
    );
    folder.write("good.idx", &good);
    folder.done(&format!("{TINY} --data good.idx"));
}

#[test]
fn images_that_are_broken() {
    let folder = Folder::new();
    let make = |name: &str, files: &[(&str, Vec<u8>)]| {
        std::fs::create_dir(folder.path(name)).unwrap();
        files.iter().for_each(|(file, bytes)| folder.write(&format!("{name}/{file}"), bytes));
    };
    let wide = png(GrayImage::from_raw(6, 1, vec![9; 6]).unwrap());
    let alpha = png(RgbaImage::from_raw(1, 1, vec![9; 4]).unwrap());
    make("none", &[("a.jpg", vec![1])]);
    make("one", &[("a.png", png(grey(1)))]);
    make("sizes", &[("a.png", png(grey(1))), ("b.png", wide)]);
    make("colours", &[("a.png", png(grey(1))), ("b.png", png(RgbImage::new(3, 2)))]);
    make("alpha", &[("a.png", alpha)]);
    make("cut", &[("a.png", png(grey(1))[..50].to_vec())]);
    make("text", &[("a.png", b"a,b\n1,2\n".to_vec())]);
    make("equal", &[("a.png", png(grey(1))), ("b.png", png(grey(1)))]);
    folder.all_refused(
        TINY,
        &[
            ("--data none", &["none is a directory without .png files", "hint: "]),
            ("--data one", &["one holds one row of numbers, at least 2 are needed"]),
            ("--data sizes", &["sizes/b.png is 6 x 1 grey, sizes/a.png is 3 x 2 grey", "hint: "]),
            ("--data colours", &["colours/b.png is 3 x 2 RGB, colours/a.png is 3 x 2 grey"]),
            ("--data alpha", &["alpha/a.png has pixels of type Rgba8", "hint: save it without an alpha channel"]),
            ("--data cut", &["cut/a.png is not a readable PNG file"]),
            ("--data text", &["text/a.png is not a readable PNG file"]),
            ("--data equal", &["all 2 rows of equal are equal"]),
        ],
    );
}

/// Headers that declare more than the file holds, in 4 GB of memory.
#[cfg(target_os = "linux")]
#[test]
fn headers_that_lie_take_no_memory() {
    let folder = Folder::new();
    folder.write("huge.idx", idx(0x08, &[u32::MAX, u32::MAX], &[1; 8]));
    folder.write("huge.idx.gz", gzip(&idx(0x0E, &[u32::MAX; 3], &[1; 8])));
    folder.write("none.idx", idx(0x08, &[0, u32::MAX, u32::MAX], &[]));
    folder.write("none.npy", npy_bytes("<f4", "(0, 4611686018427387904)", &[]));
    let lying = npy_bytes("<f4", "(4611686018427387904, 4)", &[1; 8]);
    folder.write("array.npz", npz(CompressionMethod::Deflated, &[("x.npy", &lying)]));
    // width and height stand at 16 and 20, the checksum of type and content at 29
    let mut image = png(grey(1));
    image[16..24].copy_from_slice(&[0, 1, 0x86, 0xA0, 0, 1, 0x86, 0xA0]);
    let mut sum = Crc::new();
    sum.update(&image[12..29]);
    image[29..33].copy_from_slice(&sum.sum().to_be_bytes());
    std::fs::create_dir(folder.path("images")).unwrap();
    folder.write("images/a.png", image);
    folder.all_refused_by(
        TINY,
        &[
            ("--data huge.idx", &["huge.idx", "[4294967295, 4294967295]", "does not fit 8 bytes"]),
            ("--data huge.idx.gz", &["huge.idx.gz", "does not fit 8 bytes"]),
            ("--data none.idx", &["none.idx holds no row of numbers"]),
            ("--data none.npy", &["none.npy holds no row of numbers"]),
            ("--data array.npz", &["array `x` of array.npz", "4611686018427387904"]),
            ("--data images", &["images/a.png", "cannot hold 100000 x 100000 pixels"]),
        ],
        || folder.short_of_memory(),
    );
}
