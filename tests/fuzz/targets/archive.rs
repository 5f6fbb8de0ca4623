//! NumPy's archives.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ebm_gpu_fuzz::load(bytes, &["npz"], ebm_gpu_fuzz::DEFLATED));
