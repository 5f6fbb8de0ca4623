//! Laws of the random directions v of sliced objectives, all with E[v vᵀ] = I.

use crate::error::{Error, Result, unknown_name};

/// The law of a probe vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProbeLaw {
    /// N(0, I).
    Gaussian,
    /// ±1 in each coordinate, independent. The least variance of the three.
    Rademacher,
    /// Uniform on the sphere of radius √d.
    Sphere,
}

impl ProbeLaw {
    /// Every law.
    pub const ALL: [Self; 3] = [Self::Gaussian, Self::Rademacher, Self::Sphere];

    /// The name in flags and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gaussian => "gaussian",
            Self::Rademacher => "rademacher",
            Self::Sphere => "sphere",
        }
    }

    /// The law of that name.
    ///
    /// # Errors
    /// An unknown name, with the nearest valid one; the unit sphere, with the reason.
    pub fn by_name(name: &str) -> Result<Self> {
        if name == "unit-sphere" {
            return Err(Error::input(
                "probes on the unit sphere have E[v v'] = I/d: ssm-vr would learn the score divided by d, ssm a loss divided by d",
            )
            .hint("--probe-law sphere has radius sqrt(d)"));
        }
        let names = Self::ALL.map(Self::name);
        Self::ALL.into_iter().find(|l| l.name() == name).ok_or_else(|| unknown_name("probe law", name, &names))
    }
}
