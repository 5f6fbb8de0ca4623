//! Round trips, the orders and types of NumPy, and files that lie about their size.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use super::*;
use crate::data::testing::SplitMix64;
use rand::Rng;
use std::fs;

fn file(name: &str, bytes: &[u8]) -> std::path::PathBuf {
    let path = std::env::temp_dir().join(format!("ebm-gpu-npy-{}-{name}", std::process::id()));
    fs::write(&path, bytes).unwrap();
    path
}

fn whole(bytes: &[u8]) -> std::result::Result<(Vec<usize>, Vec<f64>), Problem> {
    parse(bytes, bytes.len() as u64)
}

fn npy(header: &str, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(header.len()).unwrap().to_le_bytes();
    [MAGIC, &[1, 0], &length, header.as_bytes(), data].concat()
}

#[test]
fn written_arrays_read_back_exactly() {
    let path = file("round", b"");
    write_npy_f64(&path, &[2, 3], &[1.0, -0.1, 1e300, 0.0, f64::MIN_POSITIVE, 7.5]).unwrap();
    assert_eq!(fs::read(&path).unwrap().len(), 128 + 48);
    let (shape, values) = read_npy(&path).unwrap();
    assert_eq!((shape, values), (vec![2, 3], vec![1.0, -0.1, 1e300, 0.0, f64::MIN_POSITIVE, 7.5]));
    write_npy_f32(&path, &[3], &[0.1, -2.0, 3e38]).unwrap();
    let (shape, values) = read_npy(&path).unwrap();
    assert_eq!((shape, values), (vec![3], [0.1f32, -2.0, 3e38].map(f64::from).to_vec()));
    assert!(write_npy_f32(&path, &[2, 2], &[1.0]).is_err());
    assert!(write_npy_f32(&path, &[usize::MAX, 2], &[1.0]).is_err());
    fs::remove_file(path).unwrap();
}

#[test]
fn other_orders_and_types_are_converted() {
    let fortran = "{'descr': '>i2', 'fortran_order': True, 'shape': (2, 3), }\n";
    let data: Vec<u8> = [1i16, -4, 2, 5, 3, 6].iter().flat_map(|v| v.to_be_bytes()).collect();
    assert_eq!(whole(&npy(fortran, &data)).unwrap(), (vec![2, 3], vec![1.0, 2.0, 3.0, -4.0, 5.0, 6.0]));
    let scalar = "{'descr': '|u1', 'fortran_order': False, 'shape': ()}";
    assert_eq!(whole(&npy(scalar, &[200])).unwrap(), (vec![], vec![200.0]));
    let signed = "{'descr': '|i1', 'fortran_order': False, 'shape': (1,)}";
    assert_eq!(whole(&npy(signed, &[200])).unwrap(), (vec![1], vec![-56.0]));
}

#[test]
fn lies_are_refused_without_allocating() {
    let dict = |descr: &str, shape: &str| format!("{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}");
    let says = |bytes: &[u8]| {
        let path = file("lie", bytes);
        let why = read_npy(&path).unwrap_err().to_string();
        fs::remove_file(path).unwrap();
        why
    };
    let huge = npy(&dict("'<f8'", "(4611686018427387904, 8)"), &[]);
    assert!(says(&huge).contains("does not fit 0 bytes"), "{}", says(&huge));
    let short = npy(&dict("'<f4'", "(3, 2)"), &[0; 20]);
    assert!(says(&short).ends_with("shape [3, 2] of 4-byte values does not fit 20 bytes of data"));
    assert!(says(&npy(&dict("'<c16'", "(1,)"), &[0; 16])).ends_with("holds values of type `<c16`"));
    assert!(says(&npy(&dict("[('a', '<f4')]", "(1,)"), &[0; 4])).ends_with("holds values of type structure"));
    assert!(says(&npy(&dict("'<f4'", "(-1,)"), &[0; 4])).ends_with("no valid `shape`"));
    assert!(says(b"\x93NUMPY\x02\x00\xff\xff\xff\xff{").ends_with("its 13 bytes hold no whole header"));
    assert!(says(b"1,2\n").contains("not a readable NPY file"));
}

#[test]
fn no_bytes_panic() {
    let good = npy("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }\n", &[7; 24]);
    let mut rng = SplitMix64(3);
    for _ in 0..20_000 {
        let mut bytes = good.clone();
        for _ in 0..1 + rng.next_u64() % 4 {
            let at = (rng.next_u64() % bytes.len() as u64) as usize;
            bytes[at] = rng.next_u64() as u8;
        }
        bytes.truncate((rng.next_u64() % 2 * 1000 + rng.next_u64() % good.len() as u64) as usize);
        let _ = whole(&bytes);
    }
}
