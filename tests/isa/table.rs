//! The table of verdicts.

use std::fmt::Write as _;

use ebm_gpu::engine::gpu::kernel::Passes;

use crate::listing::Verdict;
use crate::subjects::Subject;

/// What stands before the table, and what has been tried, after it.
const HEAD: &str = include_str!("head.md");
const TRIED: &str = include_str!("tried.md");

/// The page `results/bench/isa.md`.
pub(crate) fn markdown(subjects: &[Subject], all: &[(&str, Vec<Verdict>)]) -> String {
    let mut text = HEAD.to_string();
    for (family, verdicts) in all {
        let name = if *family == "navi31" { "navi31 (RDNA 3)" } else { "navi21 (RDNA 2)" };
        let _ = writeln!(
            text,
            "\n## {name}\n\n| kernel | VGPRs | SGPRs | workgroup memory | spilled, scratch | subgroups per SIMD | instructions | \
             multiply-adds in loops of products | least work |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
        );
        for (subject, v) in subjects.iter().zip(verdicts) {
            let shares: Vec<String> = v.products.iter().map(|s| format!("{:.0} %", 100.0 * s)).collect();
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} B | {}, {} B | {} | {} | {} | {} |",
                v.label,
                v.vgprs,
                v.sgprs,
                v.lds,
                v.spilled,
                v.scratch,
                v.subgroups,
                v.instructions,
                shares.join(", "),
                least_work(subject)
            );
        }
    }
    text + "\n" + TRIED
}

/// Columns of a sample that have to go through the weights.
fn least_work(subject: &Subject) -> &'static str {
    match (subject.kernel.passes, subject.shape.field, subject.shape.tangents) {
        _ if subject.shape.target.is_some() => "",
        (Passes::Value, ..) => "1",
        (Passes::Score | Passes::Chains(_), false, _) if subject.kernel.name == "hamiltonian_chains" => "2 a leapfrog",
        (Passes::Score | Passes::Negatives, false, _) => "2",
        (Passes::Chains(_), false, _) => "2 a step",
        (Passes::Score | Passes::Negatives, true, _) => "1",
        (Passes::Chains(_), true, _) => "1 a step",
        (Passes::Matching, false, true) => "3 (K + 2)",
        (Passes::Matching, false, false) => "6",
        (Passes::Matching, true, true) => "3 (K + 1)",
        (Passes::Matching, true, false) => "3",
        (Passes::Difference, ..) => "3 (2 K + 1)",
        (Passes::Contrast, ..) => "3 (M + 1)",
        (Passes::None | Passes::Target, ..) => "",
    }
}
