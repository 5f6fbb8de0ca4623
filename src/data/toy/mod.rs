//! The one- and two-dimensional laws of the literature, each with its density in closed form or by quadrature.
//!
//! The generators of `8gaussians`, `2spirals`, `swissroll`, `checkerboard`, `moons`, `rings`, `circles` and `pinwheel` are
//! those of the FFJORD code (Grathwohl et al. 2019, arXiv 1810.01367), drawn as independent points rather than on regular
//! grids; `25gaussians`, `gauss1d` and `mix1d` are laws of energy discrepancy (Schröder et al. 2023, arXiv 2307.06431);
//! `moons-maf` and `banana-maf` stand in codes of masked autoregressive flows (Papamakarios et al. 2017, arXiv 1705.07057);
//! `gmm2`, `gmm8`, `rings4`, `banana` and `3clusters` are common in tutorials on energies and score matching.
//!
//! `u1` to `u4` are the potentials of Rezende and Mohamed 2015 (arXiv 1505.05770), to which [`target`](crate::target) has the
//! energies.
//!
//! `line` and `cos` are FFJORD's too, whose curves have no noise and so no density: here they have some. Names that end with
//! `-torchebm` are laws of torchebm's generators of data, whose constants are others than those of the same word alone.

mod annuli;
mod banana;
mod checkerboard;
mod curve;
mod interval;
mod mixture;
mod pinwheel;
mod potential;
mod quadrature;
mod rings;
#[cfg(test)]
mod tests;

pub use annuli::Annuli;
pub use banana::Banana;
pub use checkerboard::Checkerboard;
pub use curve::Curve;
pub use mixture::Mixture;
pub use pinwheel::Pinwheel;
pub use potential::PotentialOnBox;
pub use rings::Rings;

use super::law::Law;

/// A law that can be asked for by name.
#[derive(Debug, Clone, Copy)]
pub struct Toy {
    /// Its name.
    pub name: &'static str,
    /// What it is, in one line.
    pub about: &'static str,
    make: fn() -> Box<dyn Law>,
}

impl Toy {
    /// The law itself.
    pub fn law(&self) -> Box<dyn Law> {
        (self.make)()
    }
}

macro_rules! toys {
    ($($name:literal, $law:expr, $about:literal;)*) => {
        /// All laws, in the order in which they are listed.
        pub const ALL: &[Toy] = &[$(Toy { name: $name, about: $about, make: || Box::new($law) }),*];

        /// The names that [`by_name`] knows.
        pub const NAMES: &[&str] = &[$($name),*];
    };
}

toys! {
    "8gaussians", Mixture::eight_gaussians(), "eight Gaussians on a circle of radius 2.83, apart";
    "25gaussians", Mixture::twenty_five_gaussians(), "25 Gaussians on a lattice";
    "3clusters", Mixture::three_clusters(), "three Gaussians at the corners of a triangle";
    "2spirals", Curve::two_spirals(), "two spirals of one and a half turns";
    "checkerboard", Checkerboard::large(), "uniform on the dark cells of a 4 x 4 board";
    "moons", Curve::moons(), "two interleaved half circles of radius 2, noise 0.2";
    "rings", Rings::four(), "four thin circles of radius 0.75 to 3";
    "banana", Banana::unit(), "a Gaussian bent along a parabola, of unit width";
    "gmm2", Mixture::gmm2(), "two far Gaussians of equal weight";
    "gmm-ncsn", Mixture::gmm_ncsn(), "two far Gaussians of weights 0.8 and 0.2";
    "circles", Rings::circles(), "two circles of radius 1.5 and 3, noise 0.24";
    "swissroll", Curve::swissroll(), "one spiral of one and a half turns";
    "pinwheel", Pinwheel, "five bent arms";
    "gmm8", Mixture::gmm8(), "eight Gaussians on the unit circle, close together";
    "rings4", Annuli, "four rings of radius 1 to 4, blurred in radius alone";
    "banana-maf", Banana::maf(), "a wide banana along the second coordinate, to x1 = 60";
    "moons-maf", Curve::moons_maf(), "two interleaved half circles of radius 1, noise 0.05";
    "gauss1d", Mixture::gauss1d(), "a standard normal on the line";
    "mix1d", Mixture::mix1d(), "two far Gaussians on the line, of weights 0.2 and 0.8";
    "gaussian", Mixture::gaussian(), "a standard normal in the plane";
    "gmm2-unequal", Mixture::gmm2_unequal(), "two far Gaussians of weights 0.2 and 0.8";
    "star", Mixture::star(), "250 Gaussians of random weights along five petals";
    "u1", PotentialOnBox::u1(), "two arcs of a ring, on [-4, 4]²: exp(-E) as in `sample`";
    "u2", PotentialOnBox::u2(), "a wave across [-4, 4]²";
    "u3", PotentialOnBox::u3(), "a wave across [-4, 4]² that parts and meets again";
    "u4", PotentialOnBox::u4(), "a wave across [-4, 4]² that parts";
    "line", Curve::line(), "a diagonal of length 7.07, noise 0.05";
    "cos", Curve::cos(), "a wave of height 2.5, noise 0.05";
    "8gaussians-torchebm", Mixture::eight_gaussians_torchebm(), "eight dots of width 0.02 on a circle of radius 2";
    "gmm8-torchebm", Mixture::gmm8_torchebm(), "eight dots of width 0.05 on the unit circle";
    "moons-torchebm", Curve::moons_torchebm(), "moons-maf by another name";
    "checkerboard-torchebm", Checkerboard::torchebm(), "32 unit cells of an 8 x 8 board, noise 0.01";
    "circle-torchebm", Rings::circle_torchebm(), "the unit circle, noise 0.05";
    "swissroll-torchebm", Curve::swissroll_torchebm(), "one spiral of three turns, noise 0.0018";
    "pinwheel-torchebm", Curve::pinwheel_torchebm(), "five arms that make most of a turn";
}

/// The law called `name`, if it is one of [`NAMES`].
pub fn by_name(name: &str) -> Option<Box<dyn Law>> {
    ALL.iter().find(|toy| toy.name == name).map(Toy::law)
}
