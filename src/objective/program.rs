//! What an objective asks of an engine: the terms that one pair of passes sums, or differences of energies.
//!
//! With s the score (−∇E of an energy head, the output of a score head) at x̃ = x + σz, the loss of a sample is
//!
//! ½ w ‖z + σs‖² + ½ full ‖s‖² + Σₖ [½ sliced (vₖ·s)² + curved vₖᵀ∇s vₖ]
//!
//! with the first term where there are noise levels only, and tangents vₖ that are probes or an orthonormal basis. Every
//! objective that needs derivatives of the score is such a sum, so one kernel and one native code serve them all. Those that
//! learn by contrast need energies alone: see [`Form`](super::Form).

use super::{Contrast, Denoising, FdSsm, Probes};

/// What an engine computes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Program<'a> {
    /// A sum of terms in the score and its derivatives.
    Matching(Terms<'a>),
    /// Differences of energies.
    Difference(&'a FdSsm),
    /// Energies of data against those of negative points.
    Contrast(Contrast<'a>),
}

/// The directions along which the score is differentiated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tangents {
    /// None.
    None,
    /// Random ones, new for each sample.
    Probes(Probes),
    /// An orthonormal basis of the row space of the first weights W₁, the same for all samples of a step. E depends on x
    /// through W₁x alone, so directions orthogonal to the rows of W₁ contribute nothing to ‖∇E‖², to tr H or to their
    /// parameter gradients.
    Basis,
    /// The axes, the same for all samples. A field needs them all: with tr ∇s = tr(A W₁), the gradient by W₁ is Aᵀ, which
    /// need not lie in the row space of W₁.
    Axes,
}

/// The coefficients of the module's formula.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Terms<'a> {
    /// Noise levels, if points are noisy.
    pub denoising: Option<&'a Denoising>,
    /// The factor of ½‖s‖².
    pub full: f64,
    /// The factor of ½(vₖ·s)².
    pub sliced: f64,
    /// The factor of vₖᵀ∇s vₖ.
    pub curved: f64,
    /// Which vₖ.
    pub tangents: Tangents,
}

impl Terms<'_> {
    /// The number of tangents of a sample, for a network whose first layer turns `dim` coordinates into `width`.
    pub fn tangent_count(&self, dim: usize, width: usize) -> usize {
        match self.tangents {
            Tangents::None => 0,
            Tangents::Probes(probes) => probes.count,
            Tangents::Basis => dim.min(width),
            Tangents::Axes => dim,
        }
    }

    /// Whether the tangents are a basis that follows the first weights, which turn `input` numbers into `width`.
    pub fn basis_changes(&self, input: usize, width: usize) -> bool {
        self.tangents == Tangents::Basis && input > width
    }
}
