//! Every kernel's WGSL parses, validates and agrees with its Rust declaration. Needs no GPU.

#![allow(clippy::expect_used, reason = "a test may panic")]

use ebm_gpu::engine::gpu::QUADS_OF_SOFTWARE;
use ebm_gpu::engine::gpu::kernel::{BindingKind, Kernel, Passes, Shape, TILES, WORKGROUP};
use ebm_gpu::engine::gpu::kernels::ALL;
use ebm_gpu::model::Activation;
use ebm_gpu::target::Formula;
use naga::valid::Capabilities;
use naga::{AddressSpace, Module, StorageAccess, TypeInner};

/// Parses and validates with what the device is created with: no capability beyond WebGPU's defaults, but for kernels that share
/// loads in subgroups.
fn parse(kernel: &Kernel, shape: Shape) -> Module {
    let source = kernel.source(shape);
    let module = naga::front::wgsl::parse_str(&source)
        .unwrap_or_else(|e| panic!("{}\n{}", kernel.name, e.emit_to_string(&source)));
    let capabilities = if shape.subgroups { Capabilities::SUBGROUP } else { Capabilities::empty() };
    naga::valid::Validator::new(naga::valid::ValidationFlags::all(), capabilities)
        .subgroup_stages(naga::valid::ShaderStages::COMPUTE)
        .subgroup_operations(naga::valid::SubgroupOperationSet::BALLOT)
        .validate(&module)
        .unwrap_or_else(|e| panic!("{}\n{}", kernel.name, e.emit_to_string(&source)));
    module
}

fn shapes() -> impl Iterator<Item = Shape> {
    let kinds = [(false, false), (false, true), (true, false), (true, true)];
    Activation::ALL.into_iter().flat_map(move |activation| {
        let tiles = TILES.into_iter().zip([2, 3, 6].into_iter().cycle());
        tiles.flat_map(move |([quads, workgroup], layers)| {
            let shapes = kinds.map(|(field, tangents)| {
                let subgroups = false;
                Shape { layers, activation, quads, workgroup, field, tangents, target: None, subgroups }
            });
            let of_software = shapes.into_iter().filter(move |_| quads == QUADS_OF_SOFTWARE);
            shapes.into_iter().chain(of_software.map(|shape| Shape { subgroups: true, ..shape }))
        })
    })
}

fn shape(activation: Activation) -> Shape {
    let (field, tangents, target, subgroups) = (false, true, None, false);
    Shape { layers: 3, activation, quads: 8, workgroup: WORKGROUP, field, tangents, target, subgroups }
}

#[test]
fn every_shape_of_every_kernel_validates() {
    assert!(ALL.len() >= 6);
    for kernel in ALL {
        for shape in shapes().filter(|s| !s.field || kernel.passes.has_fields()) {
            parse(kernel, shape);
        }
    }
}

#[test]
fn every_target_validates_in_every_kernel_of_targets() {
    let kernels: Vec<_> = ALL.iter().filter(|k| matches!(k.passes, Passes::Target | Passes::Chains(_))).collect();
    assert!(!kernels.is_empty());
    for kernel in kernels {
        for target in Formula::ALL {
            parse(kernel, Shape { target: Some(target), ..shape(Activation::Silu) });
        }
    }
}

#[test]
fn bindings_agree_with_rust() {
    for kernel in ALL {
        let name = kernel.name;
        let module = parse(kernel, shape(Activation::Silu));
        let [entry] = &module.entry_points[..] else { panic!("{name}: want one entry point") };
        assert_eq!(entry.name, name);
        assert_eq!(entry.workgroup_size, [WORKGROUP, 1, 1], "{name}");

        let mut layouter = naga::proc::Layouter::default();
        layouter.update(module.to_ctx()).expect("layout");
        let mut found: Vec<_> = module.global_variables.iter().filter_map(|(_, v)| Some((v.binding?, v))).collect();
        found.sort_by_key(|(at, _)| (at.group, at.binding));
        assert_eq!(found.len(), kernel.bindings.len(), "{name}: number of bindings");
        let storage = kernel.bindings.iter().filter(|b| b.kind != BindingKind::Uniform).count();
        assert!(storage <= 8, "{name}: WebGPU guarantees 8 storage buffers, this takes {storage}");

        for (i, ((at, variable), want)) in found.iter().zip(kernel.bindings).enumerate() {
            let here = format!("{name}.{}", want.name);
            assert_eq!((at.group, at.binding), (0, i as u32), "{here}");
            assert_eq!(variable.name.as_deref(), Some(want.name), "{here}");
            let kind = match variable.space {
                AddressSpace::Uniform => BindingKind::Uniform,
                AddressSpace::Storage { access } if access.contains(StorageAccess::STORE) => BindingKind::Write,
                AddressSpace::Storage { .. } => BindingKind::Read,
                other => panic!("{here}: {other:?}"),
            };
            assert_eq!(kind, want.kind, "{here}");
            let (element, size) = match &module.types[variable.ty].inner {
                TypeInner::Array { base, stride, .. } => (*base, *stride),
                _ => (variable.ty, layouter[variable.ty].size),
            };
            assert_eq!(size as usize, want.size, "{here}: bytes");
            if let TypeInner::Struct { members, .. } = &module.types[element].inner {
                let fields: Vec<_> =
                    members.iter().map(|m| (m.name.as_deref().expect("named"), m.offset as usize)).collect();
                assert_eq!(fields, want.fields, "{here}: fields");
                assert!(members.iter().all(|m| is_plain(&module, m.ty)), "{here}: only u32, f32 and vec4");
            } else {
                assert!(want.fields.is_empty(), "{here}: Rust has a struct, the WGSL does not");
            }
        }
    }
}

fn is_plain(module: &Module, ty: naga::Handle<naga::Type>) -> bool {
    match module.types[ty].inner {
        TypeInner::Scalar(s) => s.width == 4,
        TypeInner::Vector { size, .. } => size == naga::VectorSize::Quad,
        _ => false,
    }
}

#[test]
fn workgroup_memory_is_within_what_webgpu_guarantees() {
    for kernel in ALL {
        let module = parse(kernel, shape(Activation::Gelu));
        let mut layouter = naga::proc::Layouter::default();
        layouter.update(module.to_ctx()).expect("layout");
        let bytes: u32 = module
            .global_variables
            .iter()
            .filter(|(_, v)| v.space == AddressSpace::WorkGroup)
            .map(|(_, v)| layouter[v.ty].size)
            .sum();
        assert!(bytes <= 16_384, "{}: {bytes} bytes of workgroup memory", kernel.name);
    }
}

#[test]
fn every_file_opens_with_a_sentence_and_names_its_reference() {
    for folder in ["shaders", "shaders/lib"] {
        let folder = format!("{}/{folder}", env!("CARGO_MANIFEST_DIR"));
        for file in std::fs::read_dir(folder).expect("shaders").map(|f| f.expect("file").path()) {
            let Some("wgsl") = file.extension().and_then(|e| e.to_str()) else { continue };
            let text = std::fs::read_to_string(&file).expect("text");
            assert!(text.starts_with("// ") && text.lines().next().expect("line").len() > 20, "{}", file.display());
            for path in text.split_whitespace().filter(|w| w.starts_with("src/")) {
                let path = path.trim_end_matches(['.', ',', ';', ':']);
                let found = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path).exists();
                assert!(found, "{} names {path}, which does not exist", file.display());
            }
        }
    }
}
