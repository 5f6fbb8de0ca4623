//! What an MLP is: its widths, its activation, and where each layer's parameters lie.

use std::fmt;
use std::ops::Range;

use super::Activation;
use crate::error::{Error, Result};
use crate::random::{Seed, Stream, uniform};

/// The shape of an energy network: d inputs, hidden widths, one output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MlpSpec {
    dims: Vec<usize>,
    activation: Activation,
}

/// The most parameters of a network: a gibibyte in f64.
const MOST_PARAMETERS: usize = 1 << 27;

/// One affine layer z = W a + b, and where its parameters lie in the flat array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// Width of a.
    pub input: usize,
    /// Width of z.
    pub output: usize,
    /// W, `[output, input]` row-major.
    pub weight: Range<usize>,
    /// b, `[output]`.
    pub bias: Range<usize>,
}

impl MlpSpec {
    /// A network with these widths, input first.
    ///
    /// # Errors
    /// Fewer than one hidden layer, a width of 0, or an output that is not a scalar.
    pub fn new(dims: Vec<usize>, activation: Activation) -> Result<Self> {
        let text = join(&dims);
        if dims.len() < 3 {
            return Err(Error::input(format!("net {text} has {} widths, an MLP needs at least 3", dims.len()))
                .hint("input, hidden widths, output: for example 2-128-128-1"));
        }
        if let Some(i) = dims.iter().position(|d| *d == 0) {
            return Err(Error::input(format!("net {text} has a width of 0 at position {}", i + 1))
                .hint("every width is at least 1"));
        }
        if let Some(d) = dims.iter().find(|d| **d > 65_536) {
            return Err(Error::input(format!("net {text} has a width of {d}, the most is 65536")));
        }
        if dims[dims.len() - 1] != 1 {
            return Err(Error::input(format!(
                "net {text} ends in {} outputs, an energy is 1 number",
                dims[dims.len() - 1]
            ))
            .hint("end the widths with 1"));
        }
        let spec = Self { dims, activation };
        let count = spec.parameter_count();
        if count > MOST_PARAMETERS {
            return Err(Error::input(format!("net {text} has {count} parameters, the most is {MOST_PARAMETERS}")));
        }
        Ok(spec)
    }

    /// A network from text such as `2-128-128-1`.
    ///
    /// # Errors
    /// As [`MlpSpec::new`], and text that is not whole numbers joined by `-`.
    pub fn parse(net: &str, activation: Activation) -> Result<Self> {
        let dims = net.split('-').map(str::parse).collect::<std::result::Result<_, _>>().map_err(|_| {
            Error::input(format!("net `{net}` is not a list of widths")).hint("for example 2-128-128-1")
        })?;
        Self::new(dims, activation)
    }

    /// All widths, input first.
    pub fn dims(&self) -> &[usize] {
        &self.dims
    }

    /// The dimension d of the points.
    pub fn input(&self) -> usize {
        self.dims[0]
    }

    /// The activation of the hidden layers.
    pub fn activation(&self) -> Activation {
        self.activation
    }

    /// The affine layers in order; parameters are laid out as PyTorch's `parameters()` yields them.
    pub fn layers(&self) -> Vec<Layer> {
        let mut at = 0;
        let mut take = |n: usize| {
            at += n;
            at - n..at
        };
        self.dims
            .windows(2)
            .map(|d| Layer { input: d[0], output: d[1], weight: take(d[0] * d[1]), bias: take(d[1]) })
            .collect()
    }

    /// The number of parameters.
    pub fn parameter_count(&self) -> usize {
        self.dims.windows(2).map(|d| (d[0] + 1) * d[1]).sum()
    }

    /// Initial parameters: weights and biases uniform in ±1/√input, as `torch.nn.Linear`. Rounded to f32, so that every
    /// engine starts from the same numbers.
    pub fn initial(&self, seed: Seed) -> Model {
        let mut parameters = vec![0.0; self.parameter_count()];
        for layer in self.layers() {
            let bound = 1.0 / (layer.input as f64).sqrt();
            for i in layer.weight.chain(layer.bias) {
                let word = seed.words(Stream::Init, i as u32, 0, 0)[0];
                parameters[i] = f64::from((bound * (2.0 * uniform::<f64>(word) - 1.0)) as f32);
            }
        }
        Model { spec: self.clone(), parameters }
    }
}

impl fmt::Display for MlpSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&join(&self.dims))
    }
}

fn join(dims: &[usize]) -> String {
    dims.iter().map(ToString::to_string).collect::<Vec<_>>().join("-")
}

/// A network with its parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// The shape.
    pub spec: MlpSpec,
    /// All parameters, laid out as [`MlpSpec::layers`] says.
    pub parameters: Vec<f64>,
}
