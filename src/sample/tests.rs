//! Sampling runs of more draws than are told one by one.

use super::*;
use crate::engine::cpu::Cpu;
use crate::random::Stream;
use crate::sampler::Langevin;
use crate::target::Target;

/// Takes note of where a run stands after some steps.
#[derive(Default)]
struct Stops {
    after: &'static [u64],
    done: u64,
    states: Vec<SamplingState>,
}

impl Listen for Stops {
    fn steps(&mut self, done: u64) {
        self.done = done;
    }

    fn wants_state(&self) -> bool {
        self.after.contains(&self.done)
    }

    fn state(&mut self, state: &SamplingState) -> Result<()> {
        self.states.push(state.clone());
        Ok(())
    }
}

#[test]
fn chains_of_many_draws_go_on_as_if_never_left() {
    let folder = std::env::temp_dir().join(format!("ebm-gpu-windows-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("folder");
    let path = folder.join("state.safetensors");
    let engine = Cpu::new().expect("threads");
    let target = Target::by_name("gaussian", Some(2)).expect("target");
    let start = Points::normal::<f64>(3, 2, Seed(2), Stream::Start, 0);
    let transition = Langevin::new(0.1, 1.0).expect("sampler").into();
    let plan = SamplingPlan {
        stages: vec![Stage { landscape: (&target).into(), transition, steps: 5001 }],
        burn_in: 6,
        adapt: None,
        thin: 1,
        denoise: None,
        frames: Frames::default(),
        seed: Seed(1),
    };
    // before windows widen, in the midst of one, at the end of one, and where they have widened twice
    let mut stops = Stops { after: &[1506, 3007, 3008, 4321], ..Default::default() };
    let want = plan.run(&engine, &start, &mut stops).expect("chains");
    let steps: Vec<u64> = want.moments.iter().map(|moment| moment.step).collect();
    assert_eq!((steps.len(), steps[0], steps[1249], steps[1250]), (1251, 4, 5000, 5001));
    assert_eq!(stops.states.len(), 4);
    let told = |sampled: &Sampled| format!("{:?}", (&sampled.moments, &sampled.diagnostics, sampled.energy));
    for state in stops.states {
        let step = state.chains.step;
        write_sampling(&path, &state, &[], &[]).expect("written");
        let (state, _, _) = read_sampling(&path, &[]).expect("readable").expect("whole");
        assert_eq!(state.draws() as u64, step - 6);
        let got = plan.resume(&engine, &start, Some(state), &mut Stops::default()).expect("chains");
        assert!(got.positions == want.positions && told(&got) == told(&want), "from step {step}");
    }
    std::fs::remove_dir_all(folder).expect("removable");
}
