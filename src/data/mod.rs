//! Where points come from: laws with an exact sampler and density, and tables read from files.
//!
//! | module | subject |
//! | --- | --- |
//! | [`Dataset`] | a law or a file, split and transformed for training |
//! | [`law`] | the trait [`Law`]: sampler, smoothed log-density, score, extent, modes |
//! | [`toy`] | the laws of the literature, on the line and in the plane, by name |
//! | [`table`] | files of any format as [`Points`](crate::points::Points) with column names |
//! | [`ExportFormat`] | points as CSV and NPY files |
//! | [`npy`] | the NPY array format, both ways |
//! | `npz`, [`idx`], [`images`] | archives of arrays, MNIST's format, folders of PNG files |
//! | [`NpyStream`] | draws of chains, written to an NPY file as they come |
//! | [`transform`] | from the units of the data to those of the network, and back |
//! | [`Preparation`], [`Split`] | what is done to the points of a file before training |
//! | [`standardize`] | shift and scale to mean 0 and standard deviation 1, and back |

mod dataset;
mod export;
pub mod idx;
pub mod images;
pub mod law;
pub mod npy;
mod npy_stream;
mod npz;
mod prepare;
pub mod standardize;
mod suspects;
pub mod table;
#[cfg(test)]
pub(crate) mod testing;
pub mod toy;
pub mod transform;

pub use dataset::Dataset;
pub use export::ExportFormat;
pub use images::ImageShape;
pub use law::{Law, Modes};
pub use npy_stream::NpyStream;
pub use prepare::{Level, Preparation, Split};
pub use standardize::Standardizer;
pub use suspects::{Outlier, Suspects};
pub use table::{Part, Table, read_table};
pub use transform::{Transform, TransformKind};
