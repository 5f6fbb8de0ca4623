//! The least work of an objective: what has to go through the weights, counted.

use super::{Objective, Program, Proposal, Tangents};
use crate::model::{Head, MlpSpec};

impl Objective {
    /// The columns a sample that have to go through the weights beyond the first, passes and outer products together.
    pub fn least_columns(&self, spec: &MlpSpec) -> usize {
        let width = spec.dims()[1];
        match self.program(spec.head()) {
            Program::Difference(fd) => 3 * (1 + 2 * fd.probes),
            Program::Contrast(contrast) => 3 * (contrast.negatives + 1) + self.chain_passes(spec),
            Program::Matching(terms) => {
                let tangents = terms.tangent_count(spec.dim(), width);
                match spec.head() {
                    Head::Energy => 3 * (tangents + 2),
                    Head::Score => 3 * (tangents + 1),
                }
            }
        }
    }

    /// The same through the first weights: nothing has to go back through them but what a norm of the score or a chain asks
    /// for, the even part of differences is 0 before them, and directions that all samples share pass them once a step.
    fn first_columns(&self, spec: &MlpSpec) -> usize {
        match self.program(spec.head()) {
            Program::Difference(fd) => 2 * (1 + fd.probes),
            Program::Contrast(contrast) => 2 * (contrast.negatives + 1) + self.chain_passes(spec),
            Program::Matching(terms) => {
                let tangents = match terms.tangents {
                    Tangents::Probes(probes) => 2 * probes.count,
                    Tangents::None | Tangents::Basis | Tangents::Axes => 0,
                };
                match spec.head() {
                    Head::Energy => 4 + tangents + usize::from(terms.denoising.is_some() || terms.full > 0.0),
                    Head::Score => 2 + tangents,
                }
            }
        }
    }

    /// Passes of the chains that make negatives: there and back in each step.
    fn chain_passes(&self, spec: &MlpSpec) -> usize {
        match self.program(spec.head()) {
            Program::Contrast(contrast) => match contrast.proposal {
                Proposal::Chains(cd, _) => 2 * cd.steps,
                _ => 0,
            },
            _ => 0,
        }
    }

    /// The multiply-adds a sample that products with weights need.
    pub fn least_multiply_adds(&self, spec: &MlpSpec) -> usize {
        let layers: Vec<usize> = spec.layers().iter().map(|layer| layer.weight.len()).collect();
        let (first, rest) = (layers[0], layers[1..].iter().sum::<usize>());
        self.first_columns(spec) * first + self.least_columns(spec) * rest
    }
}
