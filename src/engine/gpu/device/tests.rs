//! A device that does not finish, and one that refuses.

use std::time::Instant;

use super::*;

/// A chain of operations of a second or so, each of which has to wait for the one before.
const SLOW: &str = "
    @group(0) @binding(0) var<storage, read_write> x: array<f32>;
    @compute @workgroup_size(1) fn main() {
        var a = x[0];
        for (var i = 0u; i < 300000000u; i++) { a = a * 0.999 + 1.0; }
        x[0] = a;
    }";

#[test]
fn a_device_that_does_not_finish_is_let_go() {
    let gpu = Gpu::open(&GpuOptions::default()).expect("an adapter: bash tests/install-vulkan.sh installs one");
    let device = gpu.device.clone();
    let source = wgpu::ShaderSource::Wgsl(SLOW.into());
    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor { label: None, source });
    let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: None,
        layout: None,
        module: &module,
        entry_point: None,
        compilation_options: Default::default(),
        cache: None,
    });
    let numbers = gpu.upload_values("numbers", &[1.0]).expect("uploaded");
    let group = device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: None,
        layout: &pipeline.get_bind_group_layout(0),
        entries: &[wgpu::BindGroupEntry { binding: 0, resource: numbers.raw().as_entire_binding() }],
    });
    let work = || {
        gpu.run(|pass| {
            pass.set_pipeline(&pipeline);
            pass.set_bind_group(0, &group, &[]);
            pass.dispatch_workgroups(1, 1, 1);
        })
    };
    let start = Instant::now();
    gpu.wait(&work()).expect("within two minutes");
    let all = start.elapsed();
    let error = gpu.wait_for(&work(), Duration::from_millis(1)).expect_err("too slow").to_string();
    assert!(error.ends_with("did not finish within 0.001 s"), "{error}");
    let start = Instant::now();
    drop(gpu);
    let closing = start.elapsed();
    assert!(closing < all / 3, "closing took {closing:?}, the work takes {all:?}");
    // the process should not end before the driver's threads have
    device.poll(wgpu::PollType::wait_indefinitely()).expect("done in the end");
}

/// What a driver or the validation refuses is a sentence of one line at the next look, whoever looks.
#[test]
fn what_the_device_refuses_is_told_in_a_line() {
    let gpu = Gpu::open(&GpuOptions::default()).expect("an adapter: bash tests/install-vulkan.sh installs one");
    gpu.check().expect("nothing has gone wrong");
    let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::STORAGE;
    gpu.create("of no use", 16, usage).expect("there is memory");
    for told in [gpu.check().err(), gpu.zeros::<f32>("numbers", 3).err(), gpu.upload("numbers", &[1.0f32]).err()] {
        let error = told.expect("told");
        assert!(!error.is_loss() && error.exit_code() == 1, "{error}");
        let text = error.to_string();
        assert!(text.contains(&gpu.summary.name) && text.contains("of no use") && !text.contains('\n'), "{text}");
    }
}
