//! `devices`, `shaders`, `check` and `bench`.

use ebm_gpu::engine::gpu::kernels::ALL;

use crate::program::{Folder, assert_keys, number};

#[test]
fn devices() {
    let folder = Folder::new();
    let json = folder.done("devices --json").json();
    assert_keys(&json, &["adapters", "auto.engine", "auto.adapter"]);
    let adapters = json["adapters"].as_array().unwrap();
    for (i, adapter) in adapters.iter().enumerate() {
        assert_keys(adapter, &["index", "name", "backend", "driver", "software"]);
        assert_eq!(adapter["index"], i);
    }
    let hardware = adapters.iter().any(|a| a["software"] == false);
    assert_eq!(json["auto"]["engine"], if hardware { "gpu" } else { "cpu" }, "{json}");

    let outcome = folder.done("devices");
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    assert_eq!(lines.len(), adapters.len() + 1, "{outcome}");
    for (line, adapter) in lines.iter().zip(adapters) {
        let kind = if adapter["software"] == true { "software" } else { "hardware" };
        assert!(line.contains(adapter["name"].as_str().unwrap()) && line.contains(kind), "{outcome}");
    }
    assert!(lines[adapters.len()].starts_with("auto: engine "), "{outcome}");
}

#[test]
fn shaders_are_listed_with_a_sentence() {
    let outcome = Folder::new().done("shaders");
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    assert_eq!(lines.len(), ALL.len(), "{outcome}");
    for (line, kernel) in lines.iter().zip(ALL) {
        let (name, what) = line.split_once(' ').unwrap();
        assert_eq!(name, kernel.name, "{outcome}");
        assert!(what.trim().len() > 15, "{line}");
    }
}

#[test]
fn shaders_are_dumped_as_they_are_compiled() {
    let folder = Folder::new();
    let dump = |args: &str, into: &str| {
        let outcome = folder.done(&format!("shaders --dump {into} {args}"));
        let mut want: Vec<String> = ALL.iter().map(|k| format!("{}.wgsl", k.name)).collect();
        want.sort();
        assert_eq!(folder.names(into), want);
        let mut printed: Vec<String> =
            outcome.stdout.lines().map(|l| l.rsplit('/').next().unwrap().to_string()).collect();
        printed.sort();
        assert_eq!(printed, want, "{outcome}");
        for (name, kernel) in want.iter().map(|n| (n, ALL.iter().find(|k| format!("{}.wgsl", k.name) == *n).unwrap())) {
            let source = folder.text(&format!("{into}/{name}"));
            let module = naga::front::wgsl::parse_str(&source)
                .unwrap_or_else(|e| panic!("{into}/{name}: {}", e.emit_to_string(&source)));
            let entries: Vec<&str> = module.entry_points.iter().map(|e| e.name.as_str()).collect();
            assert_eq!(entries, [kernel.name], "{into}/{name}");
        }
    };
    dump("--net 3-20-20-1 --activation softplus", "new/deep");
    dump("", "default");
    // again into the same folder, for another network
    let before = folder.text("new/deep/energy.wgsl");
    dump("--net 3-20-1 --activation gelu", "new/deep");
    assert_ne!(folder.text("new/deep/energy.wgsl"), before, "the network does not matter");
}

#[test]
fn every_variant_of_every_kernel_is_dumped() {
    let folder = Folder::new();
    let printed = folder.done("shaders --all --dump all").stdout.lines().count();
    let names = folder.names("all");
    assert_eq!(names.len(), printed);
    for kernel in ALL {
        assert!(names.iter().any(|n| n.starts_with(&format!("{}-", kernel.name))), "nothing of {}", kernel.name);
    }
    for name in
        ["score_matching-gelu-score-tangents", "contrast-silu-energy-8-64", "langevin_chains-u3", "target_energy-gmm"]
    {
        assert!(names.contains(&format!("{name}.wgsl")), "no {name}");
    }
    // a text that two variants share is written once
    let texts: std::collections::HashSet<String> = names.iter().map(|n| folder.text(&format!("all/{n}"))).collect();
    assert_eq!(texts.len(), names.len());
}

#[test]
fn the_native_engine_passes_its_check() {
    let folder = Folder::new();
    let outcome = folder.done("check --engine cpu --json");
    let json = outcome.json();
    assert_eq!((&json["passed"], &json["engine"]), (&true.into(), &"cpu".into()));
    let findings = json["findings"].as_array().unwrap();
    assert!(findings.len() >= 40, "{} findings", findings.len());
    for finding in findings {
        assert_keys(finding, &["kernel", "net", "activation"]);
        assert!(number(finding, "worst") <= number(finding, "bound"), "{finding}");
    }
    assert!(findings.iter().any(|f| number(f, "worst") > 0.0), "f32 compared with itself");
    for kernel in ALL {
        let named = |f: &serde_json::Value| {
            let words = f["kernel"].as_str().unwrap().split(|c: char| !c.is_alphanumeric() && c != '_');
            words.into_iter().any(|word| word == kernel.name)
        };
        assert!(findings.iter().any(named), "nothing about {}", kernel.name);
    }
    let count = format!("all {} comparisons are within their bounds\n", findings.len());
    assert!(outcome.stderr.ends_with(&count), "{outcome}");

    let table = folder.done("check --engine cpu");
    let lines: Vec<&str> = table.stdout.lines().collect();
    assert_eq!(lines.len(), findings.len() + 1, "{table}");
    let words: Vec<&str> = lines[0].split_whitespace().collect();
    assert_eq!(words, ["kernel", "net", "activation", "worst", "bound"], "{table}");
    assert!(lines[1..].iter().all(|l| l.ends_with("  ok")), "{table}");
}

#[test]
fn check_says_what_it_costs() {
    let help = Folder::new().done("check --help").stdout;
    let words = help.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("takes the better part of a minute for them the first time"), "{help}");
    assert!(words.contains("later checks take seconds"), "{help}");
    assert!(!help.contains("spoil"), "a flag for tests is no offer: {help}");
}

#[test]
fn bench_prints_a_time() {
    let folder = Folder::new();
    let common = "--engine cpu --net 2-16-1 --activation tanh";
    let json = folder.done(&format!("bench train {common} --batch 16 --seconds 0.2 --json")).json();
    assert!(number(&json, "ms_per_step") > 0.0 && number(&json, "ms_per_step") < 1000.0, "{json}");
    assert_keys(&json, &["engine", "adapter", "net", "loss", "batch", "gflop_per_second", "device_ms_per_step"]);
    let (speed, peak) = (number(&json, "gflop_per_second"), number(&json, "peak_gflop_per_second"));
    assert!((number(&json, "share_of_peak") - speed / peak).abs() < 1e-9 && speed < peak, "{json}");
    assert_eq!((&json["net"], &json["batch"], &json["loss"]), (&"2-16-1".into(), &16.into(), &"dsm".into()));

    let json = folder.done(&format!("bench chains {common} --chains 100 --steps 50 --json")).json();
    assert!(number(&json, "chain_steps_per_second") > 100.0, "{json}");
    assert_keys(&json, &["engine", "adapter", "net", "chains", "steps", "gflop_per_second", "share_of_peak"]);
    assert_eq!((&json["chains"], &json["steps"]), (&100.into(), &50.into()));

    let json = folder.done(&format!("bench chains {common} --chains 100,300 --sampler hmc --steps 5 --json")).json();
    let sizes = json["sizes"].as_array().unwrap();
    assert_eq!((sizes.len(), &sizes[1]["chains"], &json["sampler"]), (2, &300.into(), &"hmc".into()));
    assert!(number(&sizes[1], "chain_steps_per_second") > 100.0, "{json}");

    let text = folder.done(&format!("bench train {common} --batch 16 --seconds 0.05"));
    assert!(text.stdout.contains(" ms a step") && text.stdout.lines().count() == 1, "{text}");
    assert!(text.stdout.contains(" % of the "), "{text}");
    let text = folder.done(&format!("bench chains {common} --chains 10 --steps 5 --rounds 1"));
    assert!(text.stdout.contains(" chain steps a second") && text.stdout.lines().count() == 1, "{text}");
    assert_eq!(folder.names(""), [""; 0], "bench writes nothing");
}

#[test]
fn bench_tells_the_time_by_the_clock_of_a_device() {
    let folder = Folder::new();
    let json = folder.done("bench train --engine gpu --net 2-8-1 --batch 8 --seconds 0.1 --json").json();
    let (wall, device) = (number(&json, "ms_per_step"), number(&json, "device_ms_per_step"));
    assert!(device > 0.0 && device < 2.0 * wall, "{json}");
    assert_eq!(
        json["expected_ms_per_step"].is_null(),
        !json["adapter"].as_str().unwrap().contains("RTX 4090"),
        "{json}"
    );
}

#[test]
fn bench_prints_a_roofline() {
    let outcome = Folder::new().done("bench roofline --nets 2-16-1,2-32-1 --loss pcd --batch 64");
    for kernel in ["negative_chains", "contrast", "reduce_gradient", "adam_step", "a step"] {
        let lines = outcome.stdout.lines().filter(|l| l.contains(&format!("| {kernel} |"))).count();
        assert_eq!(lines, 2, "{kernel}: {outcome}");
    }
    assert!(outcome.stdout.contains("| RX 7900 XTX | 61.4 |"), "{outcome}");
}

#[test]
fn bench_scale_writes_laws_and_figures() {
    let folder = Folder::new();
    let outcome = folder.done("bench scale --sizes 2 --seconds 0.02 --out scaling");
    assert_eq!(outcome.stdout, "scaling/scale.md\n", "{outcome}");
    let page = folder.text("scaling/scale.md");
    let mut files = vec!["scale.md".to_string()];
    for name in ["batch", "chains", "depth", "dimension", "width"] {
        files.extend(["png", "svg"].map(|kind| format!("scale-{name}.{kind}")));
        assert!(page.contains(&format!("## {name}\n")) && page.contains(&format!("(scale-{name}.png)")), "{page}");
    }
    files.sort();
    assert_eq!(folder.names("scaling"), files);
    assert_eq!(page.matches("\nTime: ").count(), 5, "{page}");
    // two sizes of each, and a heading
    assert_eq!(page.lines().filter(|l| l.starts_with("| ")).count(), 5 * 4, "{page}");
}

/// What chains take does not depend on how long they run.
#[test]
#[cfg(target_os = "linux")]
fn the_memory_of_chains_does_not_grow_with_steps() {
    let folder = Folder::new();
    let peak = |steps: u32| {
        let bench = "bench chains --engine cpu --net 2-8-1 --chains 200000 --rounds 1 --json --steps";
        number(&folder.done(&format!("{bench} {steps}")).json(), "peak_bytes")
    };
    // 200,000 chains take 20 MB; a trace of 64 more steps, 4 bytes a coordinate, would be 100 MB
    let (few, many) = (peak(1), peak(65));
    assert!((many - few).abs() < 1e7, "{few} bytes for one step, {many} for 65");
}
