//! The flags of `compare`, and the runs that they ask for.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use ebm_gpu::data::{Dataset, toy};
use ebm_gpu::error::{Error, Result, nearest};

use super::super::check_count;
use super::super::endurance::EnduranceArgs;
use super::super::engine::EngineArgs;
use super::super::run;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The objectives, as `run --loss` names them
    #[arg(long, value_delimiter = ',', default_value = "dsm,ssm,cd,ed", value_name = "LOSS,LOSS,..")]
    losses: Vec<String>,
    /// The data sets, as `run --data` names them
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "8gaussians,2spirals,checkerboard,rings",
        value_name = "NAME|FILE,.."
    )]
    data: Vec<String>,
    /// Runs of each objective on each data set, with seeds 0, 1, ...
    #[arg(long, default_value_t = 5)]
    seeds: u64,
    /// What every run may spend on training: so many steps, or so many seconds (20s)
    #[arg(long, default_value = "4000", value_name = "STEPS|SECONDS", allow_hyphen_values = true)]
    pub(super) budget: String,
    /// Flags of `run` for all runs: --set net=2-64-64-1 --set batch=128; for one objective: --set dsm:sigma=0.1; or for one
    /// data set, by its name in tables: --set sp500_nasdaq:columns=sp500,nasdaq. Flags without a value are set by
    /// --set FLAG=true
    #[arg(long = "set", value_name = "[LOSS|DATA:]FLAG=VALUE")]
    set: Vec<String>,
    /// Widths of the network, as in `run`
    #[arg(long, conflicts_with = "hidden")]
    net: Option<String>,
    /// Widths of the hidden layers alone, as in `run`
    #[arg(long, value_name = "H,H,..")]
    hidden: Option<String>,
    /// Samples of a step
    #[arg(long)]
    batch: Option<usize>,
    /// Langevin chains of each run
    #[arg(long)]
    chains: Option<usize>,

    #[command(flatten)]
    pub(super) engine: EngineArgs,
    #[command(flatten)]
    pub(super) endurance: EnduranceArgs,
    /// Folder of the results; runs that are there already are not repeated
    #[arg(long, default_value = "results/compare", value_name = "DIR")]
    pub(super) out: PathBuf,
    /// Repeat runs that are there with other settings
    #[arg(long)]
    pub(super) force: bool,
    /// Print one JSON object
    #[arg(long)]
    pub(super) json: bool,
    /// No progress and no messages on stderr
    #[arg(long)]
    pub(super) quiet: bool,
}

/// What training may cost.
#[derive(Clone, Copy)]
pub(super) enum Budget {
    Steps(u64),
    Seconds(f64),
}

/// The runs of one objective on one data set.
pub(super) struct Pair {
    /// The data set's name in tables and folders.
    pub(super) data: String,
    pub(super) loss: String,
    /// All flags but the seed, the steps and the folder.
    flags: Vec<String>,
    /// Seconds between saves of a run.
    save_every: f64,
}

impl Pair {
    /// All flags of its runs but the seed, the steps and the folder.
    pub(super) fn flags(&self) -> &[String] {
        &self.flags
    }

    /// The run of this seed.
    pub(super) fn run(&self, seed: u64, steps: u64, out: &Path) -> Result<run::Args> {
        let folder = out.join(&self.data).join(&self.loss).join(format!("seed-{seed}"));
        let own = [format!("--seed={seed}"), format!("--steps={steps}"), "--quiet".into(), "--force".into()];
        let out = format!("--out={}", folder.display());
        run::Args::of_flags(self.flags.iter().cloned().chain(own).chain([out]))
            .map(|run| run.saved_every(self.save_every))
            .map_err(|e| e.of(format!("{} on {}", self.loss, self.data)))
    }
}

impl Args {
    pub(super) fn seeds(&self) -> Result<std::ops::Range<u64>> {
        check_count("seeds", self.seeds as usize, 1, 10_000)?;
        Ok(0..self.seeds)
    }

    pub(super) fn budget(&self) -> Result<Budget> {
        let wrong = || {
            Error::input(format!("--budget {}: it is a number of steps, or of seconds with an s", self.budget))
                .hint("--budget 4000, or --budget 20s")
        };
        match self.budget.strip_suffix('s') {
            Some(seconds) => {
                let seconds: f64 = seconds.parse().map_err(|_| wrong())?;
                if seconds > 0.0 && seconds <= 1e6 { Ok(Budget::Seconds(seconds)) } else { Err(wrong()) }
            }
            None => Ok(Budget::Steps(self.budget.parse().map_err(|_| wrong())?)),
        }
    }

    pub(super) fn budget_in_words(&self) -> String {
        match self.budget.strip_suffix('s') {
            Some(seconds) => format!("{seconds} seconds"),
            None => format!("{} steps", self.budget),
        }
    }

    /// What was set for all runs or for some, as flags.
    pub(super) fn settings(&self) -> String {
        let own = [
            self.net.as_ref().map(|net| format!("net={net}")),
            self.hidden.as_ref().map(|hidden| format!("hidden={hidden}")),
            self.batch.map(|batch| format!("batch={batch}")),
            self.chains.map(|chains| format!("chains={chains}")),
        ];
        let all: Vec<String> = own.into_iter().flatten().chain(self.set.iter().cloned()).collect();
        if all.is_empty() { "all as in run".to_string() } else { all.join(", ") }
    }

    /// All pairs, data sets outside.
    pub(super) fn pairs(&self) -> Result<Vec<Pair>> {
        for (what, names) in [("losses", &self.losses), ("data", &self.data)] {
            if let Some(twice) = (1..names.len()).find(|i| names[..*i].contains(&names[*i])) {
                return Err(Error::input(format!("--{what} names {} twice", names[twice])));
            }
        }
        for set in &self.set {
            let Some(name) = split(set)?.0 else { continue };
            let data: Vec<String> = self.data.iter().map(|data| short_name(data)).collect();
            match (self.losses.iter().any(|loss| loss == name), data.iter().any(|data| data == name)) {
                (false, false) => {
                    return Err(Error::input(format!("--set {set}: {name} is neither an objective nor a data set"))
                        .hint(format!("they are {} and {}", self.losses.join(", "), data.join(", "))));
                }
                (true, true) => {
                    return Err(Error::input(format!("--set {set}: {name} is an objective and a data set"))
                        .hint("rename the file"));
                }
                _ => {}
            }
        }
        let mut names = BTreeSet::new();
        let mut pairs = Vec::new();
        for data in &self.data {
            let name = short_name(data);
            if !names.insert(name.clone()) {
                return Err(Error::input(format!("two data sets are called {name}"))
                    .hint("their folders and rows need names of their own: rename a file"));
            }
            for loss in &self.losses {
                let flags = self.flags(data, loss)?;
                let save_every = self.endurance.save_every;
                pairs.push(Pair { data: name.clone(), loss: loss.clone(), flags, save_every });
            }
        }
        Ok(pairs)
    }

    fn flags(&self, data: &str, loss: &str) -> Result<Vec<String>> {
        let mut flags = vec![format!("--loss={loss}"), format!("--data={data}")];
        let engine = &self.engine;
        flags.push(format!("--engine={}", engine.engine));
        flags.push(format!("--max-submit-ms={}", engine.max_submit_ms));
        flags.extend(engine.adapter.iter().map(|a| format!("--adapter={a}")));
        flags.extend(self.endurance.no_check.then(|| "--no-check".to_string()));
        flags.extend(self.net.iter().map(|net| format!("--net={net}")));
        flags.extend(self.hidden.iter().map(|hidden| format!("--hidden={hidden}")));
        flags.extend(self.batch.iter().map(|batch| format!("--batch={batch}")));
        flags.extend(self.chains.iter().map(|chains| format!("--chains={chains}")));
        for set in &self.set {
            let (of, flag) = split(set)?;
            if of.is_none_or(|of| of == loss || of == short_name(data)) {
                flags.push(format!("--{}", flag.strip_suffix("=true").unwrap_or(flag)));
            }
        }
        Ok(flags)
    }
}

/// The objective or data set that a `--set` is for, and its `FLAG=VALUE`.
fn split(set: &str) -> Result<(Option<&str>, &str)> {
    let (of, flag) = match set.split_once('=') {
        Some((name, _)) => match name.split_once(':') {
            Some((of, _)) => (Some(of), &set[of.len() + 1..]),
            None => (None, set),
        },
        None => (None, ""),
    };
    let name = flag.split('=').next().unwrap_or_default();
    const OWN: &[&str] = &[
        "loss",
        "data",
        "seed",
        "steps",
        "out",
        "force",
        "json",
        "quiet",
        "config",
        "engine",
        "adapter",
        "save-every",
    ];
    if name.is_empty() || OWN.contains(&name) {
        return Err(Error::input(format!("--set {set}: it sets flags of `run` other than {}", OWN.join(", ")))
            .hint("--set batch=128, or --set dsm:sigma=0.1"));
    }
    let known = run::Args::names();
    if !known.iter().any(|flag| flag == name) {
        let error = Error::input(format!("--set {set}: `run` has no flag --{name}"));
        return Err(match nearest(name, known.iter().map(String::as_str)) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint("`ebm-gpu run --help` lists its flags"),
        });
    }
    Ok((of, flag))
}

/// A toy law's name, or a file's stem.
fn short_name(data: &str) -> String {
    if toy::NAMES.contains(&data) {
        return data.to_string();
    }
    Dataset::file_name(Path::new(data))
}
