//! Reads what RADV prints of a kernel: its statistics, and its assembly.

use std::collections::BTreeMap;

/// What stands before a kernel's name, before the driver's own output about it.
pub(crate) const MARK: &str = "== kernel ";

/// Multiply-adds of a turn that make a loop one of a product: a block of 4 x 4 four times over.
const LEAST_IN_A_PRODUCT: usize = 64;

/// What the compiler says of a kernel.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) label: String,
    /// Vector registers of an invocation.
    pub(crate) vgprs: u64,
    /// Scalar registers that are alive at once.
    pub(crate) sgprs: u64,
    /// Registers of both kinds that did not fit.
    pub(crate) spilled: u64,
    /// Bytes of scratch memory.
    pub(crate) scratch: u64,
    /// Bytes of workgroup memory.
    pub(crate) lds: u64,
    /// Subgroups that fit a SIMD.
    pub(crate) subgroups: u64,
    /// Instructions.
    pub(crate) instructions: u64,
    /// For each innermost loop of a product, the share of its instructions that are multiply-adds.
    pub(crate) products: Vec<f64>,
}

/// The verdicts in the order of the marks.
pub(crate) fn verdicts(text: &str) -> Vec<Verdict> {
    text.split(MARK).skip(1).map(verdict).collect()
}

fn verdict(text: &str) -> Verdict {
    let numbers: BTreeMap<&str, u64> = text
        .lines()
        .filter_map(|line| line.split_once(": "))
        .filter_map(|(name, value)| Some((name, value.trim().parse().ok()?)))
        .collect();
    let number = |name: &str| *numbers.get(name).unwrap_or_else(|| panic!("no `{name}` in what RADV says:\n{text}"));
    Verdict {
        label: text.lines().next().unwrap_or_default().to_string(),
        vgprs: number("VGPRs"),
        sgprs: number("Pre-Sched SGPRs"),
        spilled: number("Spilled SGPRs") + number("Spilled VGPRs"),
        scratch: number("Scratch size"),
        lds: number("LDS size"),
        subgroups: number("Subgroups per SIMD"),
        instructions: number("Instructions"),
        products: product_loops(text),
    }
}

/// The multiply-adds' shares of the innermost loops that are those of products.
fn product_loops(text: &str) -> Vec<f64> {
    let (mut code, mut labels, mut jumps) = (Vec::new(), BTreeMap::new(), Vec::new());
    for line in text.lines() {
        if let Some(label) = line.strip_prefix("BB").and_then(|l| l.strip_suffix(':')) {
            labels.insert(label, code.len());
        } else if let Some(instruction) = line.strip_prefix('\t') {
            let instruction = instruction.split(';').next().unwrap_or_default().trim();
            let jumps_to =
                instruction.strip_prefix("s_").filter(|i| i.starts_with("branch") || i.starts_with("cbranch"));
            if let Some((_, target)) = jumps_to.and_then(|i| i.rsplit_once("BB")) {
                jumps.push((target, code.len()));
            }
            code.push(instruction);
        }
    }
    let mut ends = BTreeMap::new();
    for (target, end) in jumps {
        // of several jumps back to one place, the last ends the loop
        if let Some(start) = labels.get(target).filter(|start| **start <= end) {
            ends.insert(*start, end);
        }
    }
    let loops: Vec<(usize, usize)> = ends.into_iter().collect();
    let holds =
        |outer: &(usize, usize), inner: &(usize, usize)| outer != inner && outer.0 <= inner.0 && inner.1 <= outer.1;
    let innermost = loops.iter().filter(|outer| !loops.iter().any(|inner| holds(outer, inner)));
    innermost.filter_map(|(start, end)| share(&code[*start..=*end])).collect()
}

/// The share of multiply-adds in a loop of a product; none in another.
fn share(code: &[&str]) -> Option<f64> {
    // hints to the scheduler take no issue slot of their own
    let issued = code.iter().filter(|i| !i.starts_with("s_delay_alu") && !i.starts_with("s_clause"));
    // two operations of one instruction are separated by ::
    let operations: Vec<&str> = issued.flat_map(|i| i.split("::")).map(str::trim).collect();
    let multiply_adds = operations.iter().filter(|o| o.starts_with("v_fma") || o.starts_with("v_dual_fma")).count();
    let loads = operations.iter().filter(|o| o.starts_with("buffer_load") || o.starts_with("global_load")).count();
    // a product only gathers; loops that draw numbers or apply activations leave them in memory
    let stores = operations.iter().any(|o| o.starts_with("buffer_store") || o.starts_with("global_store"));
    let is_product = multiply_adds >= LEAST_IN_A_PRODUCT && loads > 0 && !stores;
    is_product.then(|| multiply_adds as f64 / operations.len() as f64)
}
