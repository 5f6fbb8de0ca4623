//! NumPy's arrays.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ebm_gpu_fuzz::load(bytes, &["npy"], ebm_gpu_fuzz::TEXT));
