//! Where points come from: laws with an exact sampler and density, and tables read from files.
//!
//! | module | subject |
//! | --- | --- |
//! | [`Dataset`] | a law or a file, split and standardised for training |
//! | [`law`] | the trait [`Law`]: sampler, smoothed log-density, score, extent, modes |
//! | [`toy`] | the laws of the literature, on the line and in the plane, by name |
//! | [`table`] | files of any format as [`Points`](crate::points::Points) with column names |
//! | [`ExportFormat`] | points as CSV and NPY files |
//! | [`npy`] | the NPY array format, both ways |
//! | [`npz`], [`idx`], [`images`] | archives of arrays, MNIST's format, folders of PNG files |
//! | [`NpyStream`] | draws of chains, written to an NPY file as they come |
//! | [`standardize`] | shift and scale to mean 0 and standard deviation 1, and back |

mod dataset;
mod export;
pub mod idx;
pub mod images;
pub mod law;
pub mod npy;
mod npy_stream;
pub mod npz;
pub mod standardize;
pub mod table;
#[cfg(test)]
pub(crate) mod testing;
pub mod toy;

pub use dataset::Dataset;
pub use export::ExportFormat;
pub use law::{Law, Modes};
pub use npy_stream::NpyStream;
pub use standardize::Standardizer;
pub use table::{Part, Table, read_table};
