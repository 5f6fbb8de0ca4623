//! Kernels compiled for a device and bound to buffers.

use std::collections::hash_map::Entry;
use std::num::NonZeroU64;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::buffers::PARAMS_STRIDE;
use super::count::Counters;
use super::device::Gpu;
use super::kernel::{BindingKind, Kernel, Shape};
use super::patience::within;
use crate::error::{Error, Result};

/// How long a driver has to compile a kernel; software drivers on slow machines need minutes.
const PATIENCE: Duration = Duration::from_secs(900);

/// A kernel with its buffers, ready to be dispatched any number of times.
pub struct Bound {
    pipeline: wgpu::ComputePipeline,
    group: wgpu::BindGroup,
    counters: Arc<Counters>,
}

impl Bound {
    /// Records a dispatch with the parameters at index `entry`.
    pub(super) fn dispatch(&self, pass: &mut wgpu::ComputePass<'_>, entry: usize, workgroups: u32) {
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, &self.group, &[(entry as u64 * PARAMS_STRIDE) as u32]);
        pass.dispatch_workgroups(workgroups, 1, 1);
        self.counters.dispatches.add(1);
    }
}

/// What makes a kernel compute wrongly: the first of these texts that it contains gives way to the one beside it. They are in
/// the slopes of analytic targets, in all products of a network, in the sum of a gradient and in Adam, which goes the wrong way.
/// The factor is so large that three steps of chains end elsewhere, and slopes of a network stay bounded with it, so that chains
/// do not explode.
const FAULTS: &[[&str; 2]] = &[
    ["put_slope(n, local / ROWS, value);", "put_slope(n, local / ROWS, 64.0 * value);"],
    ["fma(vec4<f32>(w.x), v, block.a)", "fma(vec4<f32>(w.x), 64.0 * v, block.a)"],
    ["gradient[item] = sum;", "gradient[item] = 64.0 * sum;"],
    ["let new_value = old - params.decay * old -", "let new_value = old - params.decay * old +"],
];

impl Gpu {
    /// Compiles `kernel` for `shape` (once) and binds `buffers` to it in declaration order.
    pub(super) fn bind(&self, kernel: &Kernel, shape: Shape, buffers: &[&wgpu::Buffer]) -> Result<Bound> {
        let mut pipelines = self.pipelines.lock().unwrap_or_else(PoisonError::into_inner);
        let pipeline = match pipelines.entry((kernel.name, kernel.shape_that_matters(shape))) {
            Entry::Occupied(e) => e.into_mut(),
            Entry::Vacant(e) => e.insert(self.compile(kernel, shape)?),
        };
        let entries: Vec<_> = (0u32..)
            .zip(kernel.bindings.iter().zip(buffers))
            .map(|(binding, (declared, buffer))| wgpu::BindGroupEntry {
                binding,
                resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                    buffer,
                    offset: 0,
                    // parameters are bound one entry at a time
                    size: if binding == 0 { NonZeroU64::new(declared.size as u64) } else { None },
                }),
            })
            .collect();
        self.counters.bind_groups.add(1);
        let group = self.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some(kernel.name),
            layout: &pipeline.get_bind_group_layout(0),
            entries: &entries,
        });
        let bound = Bound { pipeline: pipeline.clone(), group, counters: Arc::clone(&self.counters) };
        self.check()?;
        Ok(bound)
    }

    /// Compiles a kernel as the engine does, and drops it.
    ///
    /// # Errors
    /// The driver refuses it.
    pub fn try_kernel(&self, kernel: &Kernel, shape: Shape) -> Result<()> {
        self.compile(kernel, shape).map(drop)
    }

    /// The kernel's text, with a fault in it if the options ask for one.
    fn text(&self, kernel: &Kernel, shape: Shape) -> Result<String> {
        let source = kernel.source(shape);
        if self.options.spoil.as_deref() != Some(kernel.name) {
            return Ok(source);
        }
        let fault = FAULTS.iter().find(|[right, _]| source.contains(right));
        let [right, wrong] = fault.ok_or_else(|| Error::input(format!("no way to spoil {} is known", kernel.name)))?;
        Ok(source.replacen(right, wrong, 1))
    }

    fn compile(&self, kernel: &Kernel, shape: Shape) -> Result<wgpu::ComputePipeline> {
        self.counters.pipelines.add(1);
        let source = self.text(kernel, shape)?;
        let (device, kernel, checked) = (self.device.clone(), *kernel, self.options.checked);
        let what = format!("compiling the kernel {} on {}", kernel.name, self.summary().name);
        within(PATIENCE, &what, move || pipeline(&device, &kernel, source, checked))?
            .map_err(|e| Error::failed(format!("{} refuses the kernel {}: {e}", self.summary().name, kernel.name)))
    }
}

/// Compiles the text of a kernel; with `checked` every loop and index is bounded.
fn pipeline(
    device: &wgpu::Device,
    kernel: &Kernel,
    source: String,
    checked: bool,
) -> std::result::Result<wgpu::ComputePipeline, wgpu::Error> {
    let scope = device.push_error_scope(wgpu::ErrorFilter::Validation);
    let descriptor =
        wgpu::ShaderModuleDescriptor { label: Some(kernel.name), source: wgpu::ShaderSource::Wgsl(source.into()) };
    let module = if checked {
        device.create_shader_module(descriptor)
    } else {
        let mut checks = wgpu::ShaderRuntimeChecks::checked();
        checks.bounds_checks = false;
        checks.force_loop_bounding = false;
        checks.int_div_checks = false;
        // SAFETY: the WGSL is this crate's own; its loops end and its divisors are not 0. Its indices stay inside the
        // buffers that are bound with it: the tests run it with guard bands behind all buffers.
        unsafe { device.create_shader_module_trusted(descriptor, checks) }
    };
    let entries: Vec<_> = (0u32..)
        .zip(kernel.bindings)
        .map(|(binding, declared)| wgpu::BindGroupLayoutEntry {
            binding,
            visibility: wgpu::ShaderStages::COMPUTE,
            ty: wgpu::BindingType::Buffer {
                ty: match declared.kind {
                    BindingKind::Uniform => wgpu::BufferBindingType::Uniform,
                    BindingKind::Read => wgpu::BufferBindingType::Storage { read_only: true },
                    BindingKind::Write => wgpu::BufferBindingType::Storage { read_only: false },
                },
                has_dynamic_offset: binding == 0,
                min_binding_size: None,
            },
            count: None,
        })
        .collect();
    let label = Some(kernel.name);
    let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label, entries: &entries });
    let layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label,
        bind_group_layouts: &[Some(&layout)],
        immediate_size: 0,
    });
    let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label,
        layout: Some(&layout),
        module: &module,
        entry_point: Some(kernel.name),
        compilation_options: wgpu::PipelineCompilationOptions {
            // every kernel writes its workgroup memory before it reads it
            zero_initialize_workgroup_memory: false,
            ..Default::default()
        },
        cache: None,
    });
    match pollster::block_on(scope.pop()) {
        Some(e) => Err(e),
        None => Ok(pipeline),
    }
}
