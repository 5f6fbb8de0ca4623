//! The two-dimensional laws of the literature, each with its density in closed form or by quadrature.
//!
//! The generators are those of the FFJORD code (Grathwohl et al. 2019, arXiv 1810.01367) drawn as independent points
//! rather than on regular grids; `25gaussians` is the law of energy discrepancy (Schröder et al. 2023,
//! arXiv 2307.06431), `gmm2`, `banana` and `3clusters` are common in tutorials on score matching.

mod banana;
mod checkerboard;
mod curve;
mod interval;
mod mixture;
mod rings;
#[cfg(test)]
mod tests;

pub use banana::Banana;
pub use checkerboard::Checkerboard;
pub use curve::Curve;
pub use mixture::Mixture;
pub use rings::Rings;

use super::law::Law;

/// The names that [`by_name`] knows.
pub const NAMES: &[&str] = &[
    "8gaussians",
    "25gaussians",
    "3clusters",
    "2spirals",
    "checkerboard",
    "moons",
    "rings",
    "banana",
    "gmm2",
    "gmm-ncsn",
];

/// The law called `name`, if it is one of [`NAMES`].
pub fn by_name(name: &str) -> Option<Box<dyn Law>> {
    Some(match name {
        "8gaussians" => Box::new(Mixture::eight_gaussians()),
        "25gaussians" => Box::new(Mixture::twenty_five_gaussians()),
        "3clusters" => Box::new(Mixture::three_clusters()),
        "gmm2" => Box::new(Mixture::gmm2()),
        "gmm-ncsn" => Box::new(Mixture::gmm_ncsn()),
        "2spirals" => Box::new(Curve::two_spirals()),
        "moons" => Box::new(Curve::moons()),
        "rings" => Box::new(Rings),
        "checkerboard" => Box::new(Checkerboard),
        "banana" => Box::new(Banana),
        _ => return None,
    })
}
