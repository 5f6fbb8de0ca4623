//! Tables of text.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ebm_gpu_fuzz::load(bytes, &["csv", "tsv", "txt"], ebm_gpu_fuzz::TEXT));
