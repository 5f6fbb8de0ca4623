//! Tables of text, as they are and packed.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ebm_gpu_fuzz::load(
    bytes,
    &["csv", "tsv", "txt", "csv.gz"],
    ebm_gpu_fuzz::TEXT
));
