//! What a real GPU compiler makes of every kernel, without a GPU: Mesa's RADV compiles for an AMD GPU that is not there, and
//! its compiler (ACO) says how many registers a kernel takes, whether it spills, how many subgroups fit a SIMD, and which
//! instructions its loops are made of. Needs Mesa 25 or later with its Radeon driver, on any machine.
//!
//! `EBM_GPU_ISA_TABLE=results/bench/isa.md cargo test --release --test isa` also writes the table.

#![cfg(target_os = "linux")]
#![allow(clippy::expect_used, reason = "a test may panic")]

mod driver;
mod listing;
mod subjects;
mod table;

use listing::Verdict;

/// RDNA 3 and RDNA 2.
const FAMILIES: [&str; 2] = ["navi31", "navi21"];
/// Subgroups of a SIMD below which latencies are not hidden.
const LEAST_SUBGROUPS: u64 = 8;

/// Runs `compile_for_a_family` in a process of its own, since the driver reads its environment when it is loaded.
fn verdicts(family: &str) -> Vec<Verdict> {
    let driver = driver::radeon_driver();
    let output = std::process::Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "compile_for_a_family", "--ignored", "--nocapture", "--test-threads=1"])
        .env("RADV_FORCE_FAMILY", family)
        .env("RADV_DEBUG", "asm,shaderstats")
        .env("MESA_SHADER_CACHE_DISABLE", "true")
        .env("VK_DRIVER_FILES", &driver)
        .env("VK_ICD_FILENAMES", &driver)
        .output()
        .expect("this test runs again");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{}", String::from_utf8_lossy(&output.stdout), text);
    listing::verdicts(&text)
}

#[test]
#[ignore = "only as a part of the test below, which sets the driver's environment"]
fn compile_for_a_family() {
    if std::env::var("RADV_FORCE_FAMILY").is_err() {
        return;
    }
    let device = driver::NullDevice::open();
    for subject in subjects::all() {
        eprintln!("{}{}", listing::MARK, subject.label);
        device.compile(subject.kernel, subject.shape);
    }
}

#[test]
fn no_kernel_spills_and_products_are_made_of_multiply_adds() {
    let all: Vec<(&str, Vec<Verdict>)> = FAMILIES.iter().map(|family| (*family, verdicts(family))).collect();
    let subjects = subjects::all();
    for (family, found) in &all {
        assert_eq!(found.len(), subjects.len(), "{family}: a verdict for each kernel");
        for (subject, verdict) in subjects.iter().zip(found) {
            let what = format!("{family} {}: {verdict:?}", subject.label);
            assert_eq!(verdict.label, subject.label);
            assert_eq!((verdict.spilled, verdict.scratch), (0, 0), "{what}");
            assert!(verdict.subgroups >= LEAST_SUBGROUPS, "{what}");
            assert_eq!(verdict.products.len(), subject.products(), "{what}: loops of products");
            for share in &verdict.products {
                assert!(*share > 0.5, "{what}: multiply-adds do not dominate");
            }
        }
    }
    if let Ok(path) = std::env::var("EBM_GPU_ISA_TABLE") {
        std::fs::write(&path, table::markdown(&subjects, &all)).expect("the table is written");
    }
}
