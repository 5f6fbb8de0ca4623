//! Adapters: which GPUs and software drivers there are, and which one is taken.

use std::time::Duration;

use super::kernel::Platform;
use super::patience::within;
use crate::error::{Error, Result};

/// An adapter as a person tells it from others.
#[derive(Debug, Clone, serde::Serialize)]
pub struct AdapterSummary {
    /// Its place in the list, which `--adapter` takes.
    pub index: usize,
    /// The name of the device.
    pub name: String,
    /// Vulkan, Metal or Dx12.
    pub backend: String,
    /// The driver and its version.
    pub driver: String,
    /// A program on the processor that plays a GPU.
    pub software: bool,
}

/// The first Mesa whose software driver is not known to compute some kernels wrongly: 22.3.6 does.
const SOUND_MESA: u32 = 25;

impl AdapterSummary {
    /// What is known against the driver.
    pub fn doubt(&self) -> Option<String> {
        let version = self.driver.split_once("Mesa ")?.1;
        let major: u32 = version.split('.').next()?.parse().ok()?;
        (self.software && major < SOUND_MESA).then(|| {
            format!(
                "Mesa's software driver is known to compute some kernels wrongly before version {SOUND_MESA}, this is {}: \
                 `ebm-gpu check --all` compares this program's with f64",
                version.split_whitespace().next().unwrap_or(version)
            )
        })
    }
}

fn instance() -> wgpu::Instance {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    // no validation layers: they are not installed on most machines, and our own tests check what they would
    descriptor.flags = wgpu::InstanceFlags::empty();
    wgpu::Instance::new(descriptor)
}

/// How long drivers have to say what adapters there are.
const PATIENCE: Duration = Duration::from_secs(60);

fn adapters() -> Result<Vec<(AdapterSummary, wgpu::Adapter)>> {
    within(PATIENCE, "looking for adapters", found)
}

fn found() -> Vec<(AdapterSummary, wgpu::Adapter)> {
    let found = pollster::block_on(instance().enumerate_adapters(wgpu::Backends::all()));
    found
        .into_iter()
        .enumerate()
        .map(|(index, adapter)| {
            let info = adapter.get_info();
            let summary = AdapterSummary {
                index,
                name: info.name.clone(),
                backend: format!("{:?}", info.backend),
                driver: format!("{} {}", info.driver, info.driver_info).trim().to_string(),
                software: info.device_type == wgpu::DeviceType::Cpu,
            };
            (summary, adapter)
        })
        .collect()
}

/// What kernels for an adapter are shaped for.
pub(super) fn platform(summary: &AdapterSummary, adapter: &wgpu::Adapter) -> Platform {
    let info = adapter.get_info();
    let has_subgroups = adapter.features().contains(wgpu::Features::SUBGROUP);
    platform_of(summary, info.device_type, has_subgroups.then_some([info.subgroup_min_size, info.subgroup_max_size]))
}

/// The same by the least and the most lanes of a subgroup, if there are subgroups. Of software drivers, Mesa's alone is known to
/// make consecutive invocations the lanes of one.
fn platform_of(summary: &AdapterSummary, kind: wgpu::DeviceType, lanes: Option<[u32; 2]>) -> Platform {
    let is_known = summary.driver.contains("Mesa") && summary.doubt().is_none();
    match (kind, lanes) {
        (wgpu::DeviceType::Cpu, Some([8, 8])) if is_known => Platform::SoftwareSubgroups,
        (wgpu::DeviceType::Cpu, _) => Platform::Software,
        (wgpu::DeviceType::IntegratedGpu, _) => Platform::IntegratedGpu,
        _ => Platform::Gpu,
    }
}

/// All adapters of this machine.
///
/// # Errors
/// A driver does not answer.
pub fn list() -> Result<Vec<AdapterSummary>> {
    Ok(adapters()?.into_iter().map(|(summary, _)| summary).collect())
}

/// The adapter that `auto` takes: the first of the best kind of hardware, if there is any.
///
/// # Errors
/// A driver does not answer.
pub fn best_hardware() -> Result<Option<AdapterSummary>> {
    let hardware = adapters()?.into_iter().filter(|(summary, _)| !summary.software);
    Ok(hardware.min_by_key(|(_, a)| rank(a.get_info().device_type)).map(|(summary, _)| summary))
}

/// What to do where there is no adapter.
pub const INSTALL_HINT: &str = "install a Vulkan driver: your GPU's own, or Mesa's software driver 25 or later (on Debian \
    and Ubuntu: apt-get install mesa-vulkan-drivers; Debian 12 needs it from bookworm-backports)";

/// The adapter that `wanted` names (an index or part of a name), or the best one: hardware before software.
///
/// # Errors
/// No adapter at all, or none of that name.
pub(super) fn choose(wanted: Option<&str>) -> Result<(AdapterSummary, wgpu::Adapter)> {
    let mut all = adapters()?;
    if wanted.is_some_and(|w| w.trim().is_empty()) {
        return Err(Error::input("the name of the adapter is empty").hint("`ebm-gpu devices` lists them"));
    }
    if all.is_empty() {
        return Err(Error::input("there is no Vulkan, Metal or DX12 adapter on this machine").hint(INSTALL_HINT));
    }
    let at = match wanted {
        None => all.iter().enumerate().min_by_key(|(_, (_, a))| rank(a.get_info().device_type)).map(|(i, _)| i),
        Some(text) => all.iter().position(|(summary, _)| match text.parse::<usize>() {
            Ok(index) => summary.index == index,
            Err(_) => summary.name.to_lowercase().contains(&text.to_lowercase()),
        }),
    };
    match at {
        Some(i) => Ok(all.swap_remove(i)),
        None => {
            let names: Vec<_> = all.iter().map(|(s, _)| format!("{} {}", s.index, s.name)).collect();
            Err(Error::input(format!("no adapter is called `{}`", wanted.unwrap_or_default()))
                .hint(format!("the adapters are: {}", names.join("; "))))
        }
    }
}

fn rank(kind: wgpu::DeviceType) -> u8 {
    match kind {
        wgpu::DeviceType::DiscreteGpu => 0,
        wgpu::DeviceType::IntegratedGpu => 1,
        wgpu::DeviceType::VirtualGpu => 2,
        wgpu::DeviceType::Other => 3,
        wgpu::DeviceType::Cpu => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wgpu::DeviceType;

    fn summary(driver: &str, software: bool) -> AdapterSummary {
        let (name, backend, driver) = ("a name".into(), "Vulkan".into(), driver.to_string());
        AdapterSummary { index: 0, name, backend, driver, software }
    }

    #[test]
    fn subgroups_are_shared_where_their_lanes_are_known() {
        let mesa = "llvmpipe Mesa 25.0.7-2~bpo12+1 (LLVM 15.0.6)";
        for (driver, kind, lanes, platform) in [
            (mesa, DeviceType::Cpu, Some([8, 8]), Platform::SoftwareSubgroups),
            // on processors with vectors of another length
            (mesa, DeviceType::Cpu, Some([4, 4]), Platform::Software),
            (mesa, DeviceType::Cpu, Some([8, 16]), Platform::Software),
            (mesa, DeviceType::Cpu, None, Platform::Software),
            ("llvmpipe Mesa 22.3.6 (LLVM 15.0.6)", DeviceType::Cpu, Some([8, 8]), Platform::Software),
            ("SwiftShader driver", DeviceType::Cpu, Some([8, 8]), Platform::Software),
            (
                "Intel open-source Mesa driver Mesa 25.0.7",
                DeviceType::IntegratedGpu,
                Some([8, 8]),
                Platform::IntegratedGpu,
            ),
            ("NVIDIA 580.159.04", DeviceType::DiscreteGpu, Some([32, 32]), Platform::Gpu),
        ] {
            let found = platform_of(&summary(driver, kind == DeviceType::Cpu), kind, lanes);
            assert_eq!(found, platform, "{driver}, {lanes:?}");
        }
    }

    #[test]
    fn old_software_drivers_are_doubted() {
        let doubt = |driver: &str, software: bool| summary(driver, software).doubt();
        let old = doubt("llvmpipe Mesa 22.3.6 (LLVM 15.0.6)", true).expect("it computes wrongly");
        assert!(old.contains("this is 22.3.6: "), "{old}");
        assert_eq!(doubt("llvmpipe Mesa 25.0.7-2~bpo12+1 (LLVM 15.0.6)", true), None);
        assert_eq!(doubt("radv Mesa 22.3.6", false), None);
        assert_eq!(doubt("SwiftShader driver", true), None);
    }
}
