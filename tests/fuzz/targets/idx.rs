//! IDX files, as they are and packed.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ebm_gpu_fuzz::load(bytes, &["idx", "idx.gz"], ebm_gpu_fuzz::DEFLATED));
