//! The quadrature rule that densities along curves share.

/// Nodes and weights of Gauss-Legendre quadrature with six nodes on [-1, 1]. On a panel as long as two standard
/// deviations of the noise it integrates a Gaussian to 2e-8.
pub(super) const GAUSS: [(f64, f64); 6] = [
    (-0.932_469_514_203_152, 0.171_324_492_379_170_4),
    (-0.661_209_386_466_264_5, 0.360_761_573_048_138_6),
    (-0.238_619_186_083_196_9, 0.467_913_934_572_691),
    (0.238_619_186_083_196_9, 0.467_913_934_572_691),
    (0.661_209_386_466_264_5, 0.360_761_573_048_138_6),
    (0.932_469_514_203_152, 0.171_324_492_379_170_4),
];
