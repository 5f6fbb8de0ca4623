//! `bench roofline`: what the kernels of a training step do and move, as Markdown.

use ebm_gpu::bench::{CARDS, expected_seconds, step_work};
use ebm_gpu::error::Result;
use ebm_gpu::model::{Activation, MlpSpec};

use super::super::objective::ObjectiveArgs;
use super::super::{MOST_BATCH, check_count, print_line};

#[derive(clap::Args)]
pub(super) struct Args {
    /// Widths of the networks, input first, separated by commas
    #[arg(long, default_value = "2-64-64-1,2-128-128-1,2-256-256-1", value_delimiter = ',', value_name = "NET,NET,..")]
    nets: Vec<String>,
    /// Samples of a step
    #[arg(long, default_value_t = 256)]
    batch: usize,
    #[command(flatten)]
    objective: ObjectiveArgs,
}

pub(super) fn run(args: &Args) -> Result<()> {
    check_count("batch", args.batch, 1, MOST_BATCH)?;
    print_line(&format!(
        "# Roofline of a training step: {}, batches of {}\n\n`ebm-gpu bench roofline` prints this page.\n",
        args.objective.loss, args.batch
    ))?;
    print_line(
        "| GPU | TFLOP/s | memory, GB/s | workgroup memory, TB/s | units | source |\n| --- | --- | --- | --- | --- | --- |",
    )?;
    for card in CARDS {
        print_line(&format!(
            "| {} | {:.1} | {:.0} | {:.1} | {} | {} |",
            card.name,
            1e-12 * card.flops,
            1e-9 * card.memory,
            1e-12 * card.shared,
            card.units,
            card.source
        ))?;
    }
    let columns: Vec<String> = CARDS.iter().map(|card| format!(" {}, µs |", card.name)).collect();
    print_line(&format!(
        "\n| net | kernel | workgroups | MFLOP | memory, MB | workgroup memory, MB | FLOP a byte of memory |{}",
        columns.concat()
    ))?;
    print_line(&format!("| --- | --- | --- | --- | --- | --- | --- |{}", " --- |".repeat(CARDS.len())))?;
    for net in &args.nets {
        let spec = MlpSpec::parse(net, Activation::Silu)?;
        let objective = super::objective(&args.objective, &spec)?;
        objective.check(&spec)?;
        let work = step_work(&spec, &objective, args.batch);
        for kernel in &work {
            let times: Vec<String> = CARDS.iter().map(|card| format!(" {:.2} |", 1e6 * card.seconds(kernel))).collect();
            print_line(&format!(
                "| {spec} | {} | {:.0} | {:.2} | {:.2} | {:.2} | {:.1} |{}",
                kernel.kernel,
                kernel.workgroups,
                1e-6 * kernel.flops,
                1e-6 * kernel.memory,
                1e-6 * kernel.shared,
                kernel.flops / kernel.memory,
                times.concat()
            ))?;
        }
        let sums: Vec<String> =
            CARDS.iter().map(|card| format!(" {:.2} |", 1e6 * expected_seconds(card, &work))).collect();
        print_line(&format!("| {spec} | a step | | | | | |{}", sums.concat()))?;
    }
    print_line(
        "\nA kernel takes as long as the slowest of its operations, of what goes through workgroup memory (both with as many units \
         at work as there are workgroups) and of what its workgroups read from and write to buffers, as if no cache kept it. What \
         dispatches cost to start is not in it. `bench train` on such a GPU prints what is achieved beside what is expected.",
    )
}
