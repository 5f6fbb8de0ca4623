//! Activations and their first three derivatives.

use crate::error::{Result, unknown_name};
use crate::real::Real;

/// The activation φ of every hidden layer. Twins: `shaders/lib/activation_*.wgsl`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Activation {
    /// z σ(z), with σ the logistic function (Elfwing et al. 2017, arXiv:1702.03118).
    Silu,
    /// ln(1 + eᶻ).
    Softplus,
    /// tanh z.
    Tanh,
    /// z Φ(z), with Φ the normal distribution function (Hendrycks and Gimpel 2016, arXiv:1606.08415).
    Gelu,
    /// max(z, 0). Its second derivative is 0 almost everywhere.
    Relu,
    /// z where z > 0, else z / 100. Its second derivative is 0 almost everywhere.
    LeakyRelu,
}

impl Activation {
    /// Every activation.
    pub const ALL: [Self; 6] = [Self::Silu, Self::Softplus, Self::Tanh, Self::Gelu, Self::Relu, Self::LeakyRelu];

    /// The name in flags, files and shader names.
    pub fn name(self) -> &'static str {
        match self {
            Self::Silu => "silu",
            Self::Softplus => "softplus",
            Self::Tanh => "tanh",
            Self::Gelu => "gelu",
            Self::Relu => "relu",
            Self::LeakyRelu => "leaky-relu",
        }
    }

    /// The activation of that name.
    ///
    /// # Errors
    /// An unknown name, with the nearest valid one.
    pub fn by_name(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|a| a.name() == name).ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(|a| a.name()).collect();
            unknown_name("activation", name, &names)
        })
    }

    /// Twice continuously differentiable: what objectives with second derivatives need.
    pub fn is_smooth(self) -> bool {
        !matches!(self, Self::Relu | Self::LeakyRelu)
    }
}

/// φ(z), φ′(z), φ″(z), φ‴(z). A type for each activation, so that loops over it are compiled without a branch inside.
pub(crate) trait Phi<T>: Copy + Sync {
    fn derivatives(self, z: T) -> [T; 4];
}

/// Runs `$body` with `$phi` bound to the [`Phi`] of an activation.
macro_rules! with_phi {
    ($activation:expr, $phi:ident => $body:expr) => {{
        use $crate::model::phi;
        match $activation {
            $crate::model::Activation::Silu => {
                let $phi = phi::Silu;
                $body
            }
            $crate::model::Activation::Softplus => {
                let $phi = phi::Softplus;
                $body
            }
            $crate::model::Activation::Tanh => {
                let $phi = phi::Tanh;
                $body
            }
            $crate::model::Activation::Gelu => {
                let $phi = phi::Gelu;
                $body
            }
            $crate::model::Activation::Relu => {
                let $phi = phi::LeakyRelu(0.0);
                $body
            }
            $crate::model::Activation::LeakyRelu => {
                let $phi = phi::LeakyRelu(0.01);
                $body
            }
        }
    }};
}
pub(crate) use with_phi;

/// The implementations of [`Phi`].
pub(crate) mod phi {
    use super::{Phi, Real};

    #[derive(Clone, Copy)]
    pub(crate) struct Silu;
    #[derive(Clone, Copy)]
    pub(crate) struct Softplus;
    #[derive(Clone, Copy)]
    pub(crate) struct Tanh;
    #[derive(Clone, Copy)]
    pub(crate) struct Gelu;
    #[derive(Clone, Copy)]
    pub(crate) struct LeakyRelu(pub(crate) f64);

    /// Derivatives one to three of σ.
    #[inline(always)]
    fn logistic_derivatives<T: Real>(s: T) -> [T; 3] {
        let s1 = s * (T::of(1.0) - s);
        let s2 = s1 * (T::of(1.0) - T::of(2.0) * s);
        let s3 = s1 * (T::of(1.0) - T::of(6.0) * s1);
        [s1, s2, s3]
    }

    impl<T: Real> Phi<T> for Silu {
        #[inline(always)]
        fn derivatives(self, z: T) -> [T; 4] {
            let s = z.logistic();
            let [s1, s2, s3] = logistic_derivatives(s);
            [z * s, z.mul_add(s1, s), z.mul_add(s2, T::of(2.0) * s1), z.mul_add(s3, T::of(3.0) * s2)]
        }
    }

    impl<T: Real> Phi<T> for Softplus {
        #[inline(always)]
        fn derivatives(self, z: T) -> [T; 4] {
            let (value, s) = z.softplus();
            let [s1, s2, _] = logistic_derivatives(s);
            [value, s, s1, s2]
        }
    }

    impl<T: Real> Phi<T> for Tanh {
        #[inline(always)]
        fn derivatives(self, z: T) -> [T; 4] {
            let t = z.tanh();
            let d = T::of(1.0) - t * t;
            [t, d, T::of(-2.0) * t * d, d * (T::of(6.0) * t * t - T::of(2.0))]
        }
    }

    impl<T: Real> Phi<T> for Gelu {
        #[inline(always)]
        fn derivatives(self, z: T) -> [T; 4] {
            let cdf = T::of(0.5) * (T::of(1.0) + (z * T::of(std::f64::consts::FRAC_1_SQRT_2)).erf());
            // far out its square must not become infinite, and exp of f32 is cut off above 0
            let is_far = z * z >= T::of(1e4);
            let square = if is_far { T::of(1e4) } else { z * z };
            let pdf = T::of(0.398_942_280_401_432_7) * (T::of(-0.5) * square).exp();
            let pdf = if is_far { T::of(0.0) } else { pdf };
            [z * cdf, cdf + z * pdf, pdf * (T::of(2.0) - square), pdf * z * (square - T::of(4.0))]
        }
    }

    impl<T: Real> Phi<T> for LeakyRelu {
        #[inline(always)]
        fn derivatives(self, z: T) -> [T; 4] {
            // the slope of NaN is NaN
            let below = if z <= T::of(0.0) { T::of(self.0) } else { z };
            let slope = if z > T::of(0.0) { T::of(1.0) } else { below };
            [slope * z, slope, T::of(0.0), T::of(0.0)]
        }
    }
}
