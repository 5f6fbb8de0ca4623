//! The formulas of targets: one WGSL text each.

/// A formula, apart from its constants; what tells kernels of different targets apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the table of the module says what each is")]
pub enum Formula {
    Gaussian,
    Gmm,
    Banana,
    DoubleWell,
    Rosenbrock,
    Rastrigin,
    Ackley,
    Himmelblau,
    Funnel,
    U1,
    U2,
    U3,
    U4,
}

/// The text of `shaders/lib/target_*.wgsl`.
macro_rules! text {
    ($stem:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/shaders/lib/target_", $stem, ".wgsl"))
    };
}

impl Formula {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Gaussian,
        Self::Gmm,
        Self::Banana,
        Self::DoubleWell,
        Self::Rosenbrock,
        Self::Rastrigin,
        Self::Ackley,
        Self::Himmelblau,
        Self::Funnel,
        Self::U1,
        Self::U2,
        Self::U3,
        Self::U4,
    ];

    /// What its file is called, after `target_`.
    pub fn stem(self) -> &'static str {
        match self {
            Self::Gaussian => "gaussian",
            Self::Gmm => "gmm",
            Self::Banana => "banana",
            Self::DoubleWell => "double_well",
            Self::Rosenbrock => "rosenbrock",
            Self::Rastrigin => "rastrigin",
            Self::Ackley => "ackley",
            Self::Himmelblau => "himmelblau",
            Self::Funnel => "funnel",
            Self::U1 => "u1",
            Self::U2 => "u2",
            Self::U3 => "u3",
            Self::U4 => "u4",
        }
    }

    /// The text of its file, which defines `fn analytic_energy() -> vec4<f32>`: see `shaders/lib/target.wgsl`.
    pub fn wgsl(self) -> &'static str {
        match self {
            Self::Gaussian => text!("gaussian"),
            Self::Gmm => text!("gmm"),
            Self::Banana => text!("banana"),
            Self::DoubleWell => text!("double_well"),
            Self::Rosenbrock => text!("rosenbrock"),
            Self::Rastrigin => text!("rastrigin"),
            Self::Ackley => text!("ackley"),
            Self::Himmelblau => text!("himmelblau"),
            Self::Funnel => text!("funnel"),
            Self::U1 => text!("u1"),
            Self::U2 => text!("u2"),
            Self::U3 => text!("u3"),
            Self::U4 => text!("u4"),
        }
    }
}
