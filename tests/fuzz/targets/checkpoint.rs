//! Checkpoints of networks.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ebm_gpu_fuzz::load(bytes, &["safetensors"], ebm_gpu_fuzz::TEXT));
