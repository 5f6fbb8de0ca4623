//! NumPy's arrays: as tables, and as they are.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ebm_gpu_fuzz::load(bytes, &["npy", "array.npy"], ebm_gpu_fuzz::TEXT));
