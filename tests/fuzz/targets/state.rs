//! Where runs and chains stand, under a checksum that fits.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ebm_gpu_fuzz::load(
    bytes,
    &["progress.safetensors", "chains.safetensors"],
    ebm_gpu_fuzz::TEXT
));
