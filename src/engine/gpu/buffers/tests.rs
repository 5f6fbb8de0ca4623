//! How numbers come to a device and back.

use super::*;
use crate::engine::gpu::GpuOptions;

#[test]
fn values_arrive_piece_by_piece() {
    let count = 2 * PIECE + 5;
    let values: Vec<f64> = (0..count).map(|i| i as f64 - 0.5).collect();
    for checked in [false, true] {
        let options = GpuOptions { checked, ..GpuOptions::default() };
        let gpu = Gpu::open(&options).expect("an adapter: bash tests/install-vulkan.sh installs one");
        let buffer = gpu.upload_values("values", &values).expect("uploaded");
        assert_eq!(buffer.len(), count);
        let got = gpu.download(&buffer).expect("downloaded");
        let wrong = got.iter().zip(&values).position(|(got, want)| *got != *want as f32);
        assert_eq!((got.len(), wrong), (count, None), "checked: {checked}");
    }
}
