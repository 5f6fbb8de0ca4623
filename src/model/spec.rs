//! What an MLP is: its widths, its activation, its head, its conditioning, and where each layer's parameters lie.

use std::fmt;
use std::ops::Range;

use super::Activation;
use crate::error::{Error, Result, unknown_name};
use crate::random::{Seed, Stream, uniform};

/// What the network gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Head {
    /// A scalar, the energy E(x); the score is −∇E.
    Energy,
    /// A vector of the dimension of the points, the score s(x) itself. Nothing makes it a gradient.
    Score,
}

impl Head {
    /// Every head.
    pub const ALL: [Self; 2] = [Self::Energy, Self::Score];

    /// The name in flags and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Energy => "energy",
            Self::Score => "score",
        }
    }

    /// The head of that name.
    ///
    /// # Errors
    /// An unknown name, with the nearest valid one.
    pub fn by_name(name: &str) -> Result<Self> {
        let names = Self::ALL.map(Self::name);
        Self::ALL.into_iter().find(|h| h.name() == name).ok_or_else(|| unknown_name("head", name, &names))
    }

    /// Numbers that the network gives for points of this dimension.
    fn outputs(self, dim: usize) -> usize {
        match self {
            Self::Energy => 1,
            Self::Score => dim,
        }
    }
}

/// How the network depends on the noise level σ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Conditioning {
    /// Not at all.
    None,
    /// Its output is divided by σ (Song and Ermon 2020, arXiv:2006.09011).
    Scale,
    /// ln σ is one more input, behind the coordinates of the point; no derivative is taken along it.
    Concat,
}

impl Conditioning {
    /// Every conditioning.
    pub const ALL: [Self; 3] = [Self::None, Self::Scale, Self::Concat];

    /// The name in flags and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Scale => "scale",
            Self::Concat => "concat",
        }
    }

    /// The conditioning of that name.
    ///
    /// # Errors
    /// An unknown name, with the nearest valid one.
    pub fn by_name(name: &str) -> Result<Self> {
        let names = Self::ALL.map(Self::name);
        Self::ALL.into_iter().find(|c| c.name() == name).ok_or_else(|| unknown_name("conditioning", name, &names))
    }
}

/// The shape of a network: d inputs, hidden widths, 1 output for an energy and d for a score field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MlpSpec {
    dims: Vec<usize>,
    activation: Activation,
    head: Head,
    conditioning: Conditioning,
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
    /// An energy network without conditioning, with these widths, input first.
    ///
    /// # Errors
    /// As [`MlpSpec::conditioned`].
    pub fn new(dims: Vec<usize>, activation: Activation) -> Result<Self> {
        Self::conditioned(dims, activation, Head::Energy, Conditioning::None)
    }

    /// A network with these widths: the dimension d of the points first, the outputs last. With
    /// [`Conditioning::Concat`] the first layer takes d + 1 numbers.
    ///
    /// # Errors
    /// Fewer than one hidden layer, a width of 0, or an output that does not fit the head.
    pub fn conditioned(
        dims: Vec<usize>,
        activation: Activation,
        head: Head,
        conditioning: Conditioning,
    ) -> Result<Self> {
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
        let (has, want) = (dims[dims.len() - 1], head.outputs(dims[0]));
        if has != want {
            let what = match head {
                Head::Energy => "an energy is 1 number".to_string(),
                Head::Score => format!("a score field on {} dimensions has {want}", dims[0]),
            };
            return Err(Error::input(format!("net {text} ends in {has} outputs, {what}")).hint(match head {
                Head::Energy if has == dims[0] => format!("end the widths with {want}, or --head score"),
                _ => format!("end the widths with {want}"),
            }));
        }
        let spec = Self { dims, activation, head, conditioning };
        let count = spec.parameter_count();
        if count > MOST_PARAMETERS {
            return Err(Error::input(format!("net {text} has {count} parameters, the most is {MOST_PARAMETERS}")));
        }
        Ok(spec)
    }

    /// A network on points of dimension `dim` with these hidden widths.
    ///
    /// # Errors
    /// As [`MlpSpec::conditioned`].
    pub fn hidden(
        dim: usize,
        hidden: &[usize],
        activation: Activation,
        head: Head,
        conditioning: Conditioning,
    ) -> Result<Self> {
        Self::conditioned([&[dim], hidden, &[head.outputs(dim)]].concat(), activation, head, conditioning)
    }

    /// An energy network without conditioning from text such as `2-128-128-1`.
    ///
    /// # Errors
    /// As [`MlpSpec::parse_conditioned`].
    pub fn parse(net: &str, activation: Activation) -> Result<Self> {
        Self::parse_conditioned(net, activation, Head::Energy, Conditioning::None)
    }

    /// A network from text such as `2-128-128-1`.
    ///
    /// # Errors
    /// As [`MlpSpec::conditioned`], and text that is not whole numbers joined by `-`.
    pub fn parse_conditioned(
        net: &str,
        activation: Activation,
        head: Head,
        conditioning: Conditioning,
    ) -> Result<Self> {
        let dims = net.split('-').map(str::parse).collect::<std::result::Result<_, _>>().map_err(|_| {
            Error::input(format!("net `{net}` is not a list of widths")).hint("for example 2-128-128-1")
        })?;
        Self::conditioned(dims, activation, head, conditioning)
    }

    /// All widths, the dimension of the points first.
    pub fn dims(&self) -> &[usize] {
        &self.dims
    }

    /// The dimension d of the points.
    pub fn dim(&self) -> usize {
        self.dims[0]
    }

    /// The activation of the hidden layers.
    pub fn activation(&self) -> Activation {
        self.activation
    }

    /// What the network gives.
    pub fn head(&self) -> Head {
        self.head
    }

    /// How the network depends on the noise level.
    pub fn conditioning(&self) -> Conditioning {
        self.conditioning
    }

    /// Widths as the layers see them: those of `dims`, with the input of ln σ where there is one.
    fn widths(&self) -> Vec<usize> {
        let mut widths = self.dims.clone();
        widths[0] += usize::from(self.conditioning == Conditioning::Concat);
        widths
    }

    /// The affine layers in order; parameters are laid out as PyTorch's `parameters()` yields them.
    pub fn layers(&self) -> Vec<Layer> {
        let mut at = 0;
        let mut take = |n: usize| {
            at += n;
            at - n..at
        };
        self.widths()
            .windows(2)
            .map(|d| Layer { input: d[0], output: d[1], weight: take(d[0] * d[1]), bias: take(d[1]) })
            .collect()
    }

    /// The number of parameters.
    pub fn parameter_count(&self) -> usize {
        self.widths().windows(2).map(|d| (d[0] + 1) * d[1]).sum()
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

impl Model {
    /// The bias of the last output: of the energy, where the network gives one.
    pub fn output_bias(&self) -> f64 {
        self.parameters.last().copied().unwrap_or_default()
    }

    /// The network at one noise level: the same function of x, without conditioning. ln σ goes into the biases of the
    /// first layer, 1/σ into the last.
    pub fn at(&self, sigma: f64) -> Self {
        let spec = MlpSpec { conditioning: Conditioning::None, ..self.spec.clone() };
        let mut parameters = self.parameters.clone();
        let layers = self.spec.layers();
        match self.spec.conditioning {
            Conditioning::None => {}
            Conditioning::Scale => {
                let last = &layers[layers.len() - 1];
                parameters[last.weight.start..].iter_mut().for_each(|p| *p /= sigma);
            }
            Conditioning::Concat => {
                let (first, d) = (&layers[0], self.spec.dim());
                let rows = self.parameters[first.weight.clone()].chunks_exact(d + 1);
                let weight = rows.clone().flat_map(|row| &row[..d]).copied();
                let bias = self.parameters[first.bias.clone()].iter().zip(rows).map(|(b, row)| b + row[d] * sigma.ln());
                parameters = weight.chain(bias).chain(self.parameters[first.bias.end..].iter().copied()).collect();
            }
        }
        Self { spec, parameters }
    }
}
