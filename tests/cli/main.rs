//! The program as a person or a script meets it: exit codes, stdout and stderr as text, and the files that it leaves.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]

mod bad_flags;
mod bad_paths;
mod bad_tables;
mod checkpoints;
mod commands;
mod comparisons;
mod config;
mod data;
mod divergence;
mod evaluations;
mod formats;
mod going;
mod gradients;
mod help;
mod long;
mod losses;
mod markup;
mod memory;
mod objectives;
mod pages;
mod program;
mod repeats;
mod repro;
mod results;
mod resume;
mod samples;
mod splits;
mod tables;
mod transforms;
mod wrong_driver;
