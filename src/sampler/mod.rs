//! How chains move: transitions that leave exp(−E/T) in place, exactly or nearly.
//!
//! | sampler | transition | leaves exp(−E/T) |
//! | --- | --- | --- |
//! | `ula` | [`Langevin`] | up to a bias of order η |
//! | `mala` | [`Hamiltonian`] with one leapfrog of step √(2η) | exactly |
//! | `hmc` | [`Hamiltonian`] | exactly |
//! | `annealed` | [`Langevin`] at each level of a ladder of noise | as `ula`, at the last level |
//! | `tempering` | [`Hamiltonian`] at several temperatures that exchange their chains | exactly, at each temperature |

mod annealed;
mod bounds;
pub mod diagnostics;
mod hamiltonian;
mod langevin;

pub use annealed::{STEP_PER_VARIANCE, annealed};
pub use bounds::{Bounds, Wall};
pub use hamiltonian::{Adaptation, Hamiltonian, MOST_REPLICAS, NormalBase};
pub use langevin::Langevin;

/// How chains move.
#[derive(Debug, Clone, PartialEq)]
pub enum Transition {
    /// Without correction.
    Langevin(Langevin),
    /// Corrected by accepting or rejecting.
    Hamiltonian(Hamiltonian),
}

impl From<Langevin> for Transition {
    fn from(langevin: Langevin) -> Self {
        Self::Langevin(langevin)
    }
}

impl From<Hamiltonian> for Transition {
    fn from(hamiltonian: Hamiltonian) -> Self {
        Self::Hamiltonian(hamiltonian)
    }
}
