//! How the chains of `sample` move, checked.

use ebm_gpu::error::{Error, Result, unknown_name};
use ebm_gpu::objective::Ladder;
use ebm_gpu::random::Seed;
use ebm_gpu::sample::{SamplingPlan, Stage};
use ebm_gpu::sampler::{Bounds, Hamiltonian, Langevin, STEP_PER_VARIANCE, Transition, Wall, annealed};

use super::super::{MOST_CHAINS, check_count};
use super::args::{Args, SAMPLERS};
use super::subject::{Ground, Subject};
use super::trajectories;

impl Args {
    /// The sampler's name, once the subject is known.
    pub(super) fn sampler(&self, subject: &Subject) -> Result<&str> {
        let usual = if subject.levels.len() > 1 { "annealed" } else { "ula" };
        let name = self.sampler.as_deref().unwrap_or(usual);
        if SAMPLERS.contains(&name) { Ok(name) } else { Err(unknown_name("sampler", name, SAMPLERS)) }
    }

    fn bounds(&self, subject: &Subject) -> Result<Option<Bounds>> {
        let wall = match self.wall.as_deref() {
            None | Some("reflect") => Wall::Reflect,
            Some("clamp") => Wall::Clamp,
            Some(other) => return Err(unknown_name("wall", other, &["reflect", "clamp"])),
        };
        let own = match subject.last() {
            Ground::Target(target) => target.bounds(),
            Ground::Network(_) => None,
        };
        match self.bounds.as_deref().or(own.as_ref().map(|b| &b[..])) {
            None if self.wall.is_some() => {
                Err(Error::input("--wall without a box does nothing").hint("--box LOW,HIGH"))
            }
            None => Ok(None),
            Some(&[low, high]) => Bounds::new(low, high, wall).map(Some),
            Some(other) => {
                Err(Error::input(format!("the box has {} ends, it needs 2", other.len())).hint("--box -4,4"))
            }
        }
    }

    /// How chains move at each level, checked.
    pub(super) fn plan<'a>(&self, subject: &'a Subject) -> Result<SamplingPlan<'a>> {
        check_count("chains", self.chains, 1, MOST_CHAINS)?;
        let name = self.sampler(subject)?;
        let bounds = self.bounds(subject)?;
        self.refuse_idle_flags(name)?;
        if let Some(target) = self.adapt {
            if !(target > 0.0 && target < 1.0) {
                return Err(Error::input(format!(
                    "--adapt {target}: acceptance is adapted to a share between 0 and 1"
                ))
                .hint("for example --adapt 0.7"));
            }
            if self.burn_in == 0 {
                return Err(Error::input("--adapt without burn-in adapts nothing").hint("--burn-in 500"));
            }
        }
        let transitions = self.transitions(name, bounds, subject)?;
        let all = self.burn_in.saturating_add(self.steps.saturating_mul(transitions.len() as u64));
        if !(1..u64::from(u32::MAX)).contains(&all) {
            return Err(Error::input(format!("{all} steps of each chain, there have to be from 1 to 2^32 - 2")));
        }
        let thin = self.thin.unwrap_or((self.steps / 200).max(1));
        if thin == 0 {
            return Err(Error::input("thin is 0, it has to be 1 or more"));
        }
        if (self.steps / thin) > 1_000_000 {
            return Err(
                Error::input(format!("thin is {thin}: there would be too many draws")).hint("1 to 1000000 draws")
            );
        }
        if self.draws && self.steps < thin {
            return Err(Error::input(format!("--draws: there are none in {} steps with thin {thin}", self.steps)));
        }
        let frames = self.trajectories.map(|paths| trajectories::frames(paths, self.chains, all)).transpose()?;
        let stages = transitions.into_iter().zip(&subject.levels).map(|(transition, (_, ground))| Stage {
            landscape: ground.landscape(),
            transition,
            steps: self.steps,
        });
        Ok(SamplingPlan {
            stages: stages.collect(),
            burn_in: self.burn_in,
            adapt: self.adapt,
            thin,
            frames: frames.unwrap_or_default(),
            denoise: self.denoise.then(|| subject.levels[subject.levels.len() - 1].0),
            seed: Seed(self.seed),
        })
    }

    /// Refuses flags that the sampler has no use for.
    fn refuse_idle_flags(&self, name: &str) -> Result<()> {
        const CORRECTED: &[&str] = &["mala", "hmc", "tempering"];
        let flags: [(&str, bool, &[&str]); 7] = [
            ("--adapt", self.adapt.is_some(), CORRECTED),
            ("--mass", self.mass.is_some(), CORRECTED),
            ("--leapfrogs", self.leapfrogs.is_some(), &["hmc", "tempering"]),
            ("--temperatures", self.temperatures.is_some(), &["tempering"]),
            ("--swap-every", self.swap_every.is_some(), &["tempering"]),
            ("--noise-scale", self.noise_scale.is_some(), &["ula"]),
            ("--denoise", self.denoise, &["annealed"]),
        ];
        match flags.iter().find(|(_, set, of)| *set && !of.contains(&name)) {
            Some((flag, _, of)) => {
                Err(Error::input(format!("{name} has no use for {flag}"))
                    .hint(format!("--sampler {}", of.join(" or "))))
            }
            None => Ok(()),
        }
    }

    fn transitions(&self, name: &str, bounds: Option<Bounds>, subject: &Subject) -> Result<Vec<Transition>> {
        let hamiltonian = |h: Hamiltonian| -> Result<Vec<Transition>> {
            let h = h.within(bounds)?;
            Ok(vec![match &self.mass {
                Some(mass) if mass.len() != subject.dim() => {
                    let (masses, d) = (mass.len(), subject.dim());
                    return Err(Error::input(format!("{masses} masses for {d} coordinates")));
                }
                Some(mass) => h.with_mass(mass.clone())?.into(),
                None => h.into(),
            }])
        };
        let step = |usual: f64| self.step_size.unwrap_or(usual);
        let leapfrogs = self.leapfrogs.unwrap_or(10);
        match name {
            "mala" => hamiltonian(Hamiltonian::langevin(step(0.01), self.temperature)?),
            "hmc" => hamiltonian(Hamiltonian::new(step(0.1), leapfrogs, self.temperature)?),
            "tempering" => {
                let h = Hamiltonian::new(step(0.1), leapfrogs, self.temperature)?;
                let ladder = self.temperatures.as_deref().unwrap_or(&[30.0, 15.0, 5.0, 2.0, 1.0]);
                if ladder.windows(2).any(|pair| pair[0] <= pair[1]) || ladder.last() != Some(&1.0) {
                    return Err(Error::input(format!("the temperatures are {ladder:?}: they fall, and end at 1"))
                        .hint("--temperatures 30,15,5,2,1; --temperature scales them all"));
                }
                let temperatures = ladder.iter().map(|t| t * self.temperature).collect();
                hamiltonian(h.at(temperatures, self.swap_every.unwrap_or(5))?)
            }
            "annealed" => {
                let sigmas: Vec<f64> = subject.levels.iter().map(|(sigma, _)| *sigma).collect();
                if sigmas.len() < 2 {
                    let name = &subject.name;
                    return Err(Error::input(format!("annealed chains need noise levels, and {name} has none"))
                        .hint("--ladder 5,2,1,0.5 for a target or a model that sees the level, or one trained with --loss mdsm"));
                }
                let ladder = Ladder::explicit(sigmas)?;
                let last = step(STEP_PER_VARIANCE * ladder.smallest().powi(2));
                let levels = annealed(&ladder, last, self.temperature)?;
                Ok(levels.into_iter().map(|(_, langevin)| Langevin { bounds, ..langevin }.into()).collect())
            }
            _ => {
                let mut langevin = Langevin::new(step(0.01), self.temperature)?;
                if let Some(noise) = self.noise_scale {
                    langevin = langevin.with_noise(noise)?;
                }
                Ok(vec![Langevin { bounds, ..langevin }.into()])
            }
        }
    }
}
