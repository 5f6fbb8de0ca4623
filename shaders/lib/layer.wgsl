// Where one layer's parameters and blocks lie: an entry of the table `net`.
//
// Offsets count vec4. Those of parameters begin at the start of `weights` (or of a slab of the gradient), those of blocks
// at the start of the workgroup's region of `scratch`. Declared in Rust in src/engine/gpu/network.rs.

struct Layer {
    // widths, in vec4
    input: u32,
    output: u32,
    // widths, in neurons
    inputs: u32,
    outputs: u32,
    // where W [4 output][input] and the bias [output] behind it begin in `weights`, in vec4
    weight: u32,
    // where the transpose [4 input][output] begins in `weights`, in vec4
    transposed: u32,
    // where blocks begin in the workgroup's region of `scratch`, in vec4:
    // what enters the layer, before and after the pass back; z; the derivatives of phi; the adjoint of z. Kernels that carry
    // values alone put that adjoint in the place of phi', which is read once, before; they have `adjoint` of the input alone.
    forward: u32,
    adjoint: u32,
    pre: u32,
    derivative: u32,
    outgoing: u32,
    // S, and C behind it: sums over tangents
    sums: u32,
}
