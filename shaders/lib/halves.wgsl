// Where the draws of chains cut in parts lie. Reference: src/sampler/diagnostics/ess.rs (Halves).

// The first draw of a part: of chains [chains][draws] cut in `parts` (1 or 2) of `length` draws, from both ends.
fn part_start(part: u32, parts: u32, length: u32, draws: u32) -> u32 {
    return (part / parts) * draws + (part % parts) * (draws - length);
}
