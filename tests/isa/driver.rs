//! RADV on hardware that is not there: just enough Vulkan to have it compile a kernel.

use std::ffi::CString;
use std::path::PathBuf;

use ash::vk;
use ebm_gpu::engine::gpu::kernel::{BindingKind, Kernel, Shape};
use naga::back::spv;
use naga::proc::{BoundsCheckPolicies, BoundsCheckPolicy};
use naga::valid::{Capabilities, ValidationFlags, Validator};

/// The driver file of Mesa's Radeon driver.
pub(crate) fn radeon_driver() -> PathBuf {
    ["/usr/share/vulkan/icd.d", "/usr/local/share/vulkan/icd.d", "/etc/vulkan/icd.d"]
        .iter()
        .filter_map(|folder| std::fs::read_dir(folder).ok())
        .flat_map(|files| files.filter_map(|file| Some(file.ok()?.path())))
        .find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("radeon_icd")))
        .expect("there is no Radeon driver of Mesa 25 or later: run `bash tests/install-vulkan.sh`")
}

/// A device without hardware: it compiles, and does nothing else.
pub(crate) struct NullDevice {
    // the loader has to stay
    _entry: ash::Entry,
    _instance: ash::Instance,
    device: ash::Device,
}

impl NullDevice {
    pub(crate) fn open() -> Self {
        // SAFETY: plain Vulkan calls in their order; what they make lives as long as the process.
        unsafe {
            let entry = ash::Entry::load().expect("a Vulkan loader: run `bash tests/install-vulkan.sh`");
            let application = vk::ApplicationInfo::default().api_version(vk::API_VERSION_1_3);
            let info = vk::InstanceCreateInfo::default().application_info(&application);
            let instance = entry.create_instance(&info, None).expect("an instance");
            let devices = instance.enumerate_physical_devices().expect("devices");
            let queue = [vk::DeviceQueueCreateInfo::default().queue_family_index(0).queue_priorities(&[1.0])];
            let mut memory_model = vk::PhysicalDeviceVulkan12Features::default()
                .vulkan_memory_model(true)
                .vulkan_memory_model_device_scope(true);
            let info = vk::DeviceCreateInfo::default().queue_create_infos(&queue).push_next(&mut memory_model);
            let device = instance.create_device(devices[0], &info, None).expect("the null device opens");
            Self { _entry: entry, _instance: instance, device }
        }
    }

    /// Compiles a kernel as wgpu does for trusted shaders; the driver tells of it on stderr.
    pub(crate) fn compile(&self, kernel: &Kernel, shape: Shape) {
        let words = spirv(kernel, shape);
        let entry = CString::new(kernel.name).expect("a name");
        let kind = |kind| match kind {
            BindingKind::Uniform => vk::DescriptorType::UNIFORM_BUFFER,
            BindingKind::Read | BindingKind::Write => vk::DescriptorType::STORAGE_BUFFER,
        };
        let bindings: Vec<_> = (0u32..)
            .zip(kernel.bindings)
            .map(|(at, binding)| {
                vk::DescriptorSetLayoutBinding::default()
                    .binding(at)
                    .descriptor_type(kind(binding.kind))
                    .descriptor_count(1)
                    .stage_flags(vk::ShaderStageFlags::COMPUTE)
            })
            .collect();
        // SAFETY: as above; the SPIR-V is naga's own, of a module that it has validated.
        unsafe {
            let info = vk::DescriptorSetLayoutCreateInfo::default().bindings(&bindings);
            let sets = [self.device.create_descriptor_set_layout(&info, None).expect("a set layout")];
            let info = vk::PipelineLayoutCreateInfo::default().set_layouts(&sets);
            let layout = self.device.create_pipeline_layout(&info, None).expect("a pipeline layout");
            let info = vk::ShaderModuleCreateInfo::default().code(&words);
            let module = self.device.create_shader_module(&info, None).expect("a module");
            let stage = vk::PipelineShaderStageCreateInfo::default()
                .stage(vk::ShaderStageFlags::COMPUTE)
                .module(module)
                .name(&entry);
            let info = vk::ComputePipelineCreateInfo::default().layout(layout).stage(stage);
            self.device.create_compute_pipelines(vk::PipelineCache::null(), &[info], None).expect("it compiles");
        }
    }
}

fn spirv(kernel: &Kernel, shape: Shape) -> Vec<u32> {
    let source = kernel.source(shape);
    let module = naga::front::wgsl::parse_str(&source).expect("valid WGSL");
    let info = Validator::new(ValidationFlags::all(), Capabilities::empty()).validate(&module).expect("valid");
    let unchecked = BoundsCheckPolicy::Unchecked;
    let options = spv::Options {
        lang_version: (1, 3),
        bounds_check_policies: BoundsCheckPolicies {
            index: unchecked,
            buffer: unchecked,
            image_load: unchecked,
            binding_array: unchecked,
        },
        zero_initialize_workgroup_memory: spv::ZeroInitializeWorkgroupMemoryMode::None,
        force_loop_bounding: false,
        ..Default::default()
    };
    spv::write_vec(&module, &info, &options, None).expect("SPIR-V")
}
