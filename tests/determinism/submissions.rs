//! Training is the same whatever the size of submissions, and whether the data fit a binding or not.

use ebm_gpu::engine::cpu::Native;
use ebm_gpu::engine::{ChainState, Chains, Engine, TrainingPlan, Worth, advance_by};
use ebm_gpu::objective::{FdSsm, Objective, ProbeLaw, Probes};
use ebm_gpu::random::Seed;
use ebm_gpu::sampler::{Hamiltonian, Langevin, Transition};
use ebm_gpu::target::Target;

use crate::common::{self, normal_points};
use crate::{GPU, contrasting, model, plan, start, train};

#[test]
fn the_size_of_submissions_changes_nothing() {
    let data = normal_points(50, 2, 67);
    // more steps than a ring of 512 slots holds twice over
    let results = [500.0, 0.5]
        .map(|max_submit_ms| train(&common::gpu_with(max_submit_ms), &plan(5, 1100), &data, start(), 1100, 1100));
    assert!(results[0] == results[1]);
    assert_eq!(results[0].1.step, 1100);
}

#[test]
fn data_beyond_a_binding_are_sent_batch_by_batch() {
    // 1.6 MB of data, in bindings of 1 MiB of which each half has room for 128 steps
    let data = normal_points(200_000, 2, 91);
    let small = common::gpu_of_bindings(1 << 20);
    let [cd, pcd, ed, nce] = contrasting();
    let sphere = || Probes::new(2, ProbeLaw::Sphere).expect("probes");
    for (objective, batch, steps) in [
        (plan(1, 1).objective, 256, 600),
        (Objective::Esm, 256, 20),
        (Objective::Ssm(sphere()), 256, 20),
        (Objective::FdSsm(FdSsm::new(2, 0.1).expect("epsilon")), 256, 20),
        (cd, 256, 20),
        (pcd, 64, 20),
        (ed, 256, 20),
        (nce, 256, 20),
    ] {
        let plan = TrainingPlan { objective, ..plan(batch, steps) };
        let want = train(&*GPU, &plan, &data, start(), steps, steps);
        let got = train(&small, &plan, &data, start(), steps, steps);
        assert!(got == want, "{}", plan.objective.name());
    }
    // where not even a batch fits, both numbers are told
    let plan = plan(200_000, 3);
    let error = small.train(&model(), &plan, &data, start()).err().expect("refused").to_string();
    // with the guard band of a checked device
    assert!(error.contains("data takes 1601024 bytes") && error.contains("at most 1048576"), "{error}");
}

/// Some steps with three draws on the way, left in the middle and taken up again by chains that are made anew; looks at them.
fn watched(make: &dyn Fn() -> Box<dyn Chains + 'static>, look: &mut dyn FnMut(&mut dyn Chains)) -> ChainState {
    let mut chains = make();
    chains.watch(3).expect("room");
    for _ in 0..2 {
        advance_by(chains.as_mut(), 3).expect("steps");
        chains.keep().expect("a draw");
    }
    let state = chains.state().expect("a state");
    drop(chains);
    let mut chains = make();
    chains.watch(3).expect("room");
    chains.restore(&state).expect("the same chains");
    advance_by(chains.as_mut(), 3).expect("steps");
    chains.keep().expect("a draw");
    let state = chains.state().expect("a state");
    look(chains.as_mut());
    state
}

#[test]
fn chains_beyond_a_binding_go_in_groups_and_are_the_same() {
    // with its guard band a binding holds 16,256 pairs of coordinates, and the states of 4,064 columns
    static SMALL: std::sync::LazyLock<ebm_gpu::engine::gpu::GpuEngine> =
        std::sync::LazyLock::new(|| common::gpu_of_bindings(1 << 17));
    let langevin = Transition::from(Langevin::new(0.05, 1.0).expect("numbers"));
    let hmc = Hamiltonian::new(0.4, 2, 1.0).expect("numbers");
    let tempering = Hamiltonian { temperatures: vec![4.0, 2.0, 1.0], swap_every: 2, ..hmc.clone() };
    for (what, transition, columns) in
        [("langevin", langevin, 40_001), ("hmc", hmc.into(), 9_001), ("tempering", tempering.into(), 9_003)]
    {
        let mut looks = Vec::new();
        let mut states = Vec::new();
        for engine in [&*GPU, &*SMALL] {
            let target = Target::by_name("gmm", None).expect("a target");
            let start = normal_points(columns, 2, 93);
            let make = || engine.chains((&target).into(), &transition, &start, Seed(64)).expect("chains");
            states.push(watched(&make, &mut |chains| {
                let moments = chains.moments().expect("moments");
                let (fares, first) = (chains.fares().expect("fares"), chains.first(usize::MAX).expect("first"));
                looks.push((moments, fares, first, chains.worth().expect("worth")));
            }));
        }
        let differs = |of: fn(&ChainState) -> &Vec<f64>| {
            of(&states[0]).iter().zip(of(&states[1])).position(|(a, b)| a.to_bits() != b.to_bits())
        };
        let places = [differs(|s| &s.positions), differs(|s| &s.standings), differs(|s| &s.kept)];
        let counted = |s: &ChainState| (s.step, s.unreported, s.draws, s.exchanges.clone(), s.kept.len());
        assert_eq!(counted(&states[0]), counted(&states[1]), "{what}");
        assert_eq!(places, [None; 3], "{what}: the first numbers of positions, standings and draws that differ");
        let [(moments, fares, first, worth), (other_moments, other_fares, other_first, other_worth)] = &looks[..]
        else {
            panic!("two looks");
        };
        assert!(first == other_first && worth.energies == other_worth.energies, "{what}: the first chains");
        // three draws have no R-hat: what is NaN stays out
        let means = |worth: &Worth| worth.diagnostics.coordinates.iter().map(|c| c.mean).collect::<Vec<_>>();
        assert_eq!(means(worth), means(other_worth), "{what}: what draws are worth");
        // sums over other groups round otherwise
        let near = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 1e-5 * (1.0 + a.abs()));
        assert!(near(&moments.mean, &other_moments.mean) && near(&moments.variance, &other_moments.variance), "{what}");
        assert_eq!(moments.acceptance.is_some(), other_moments.acceptance.is_some());
        assert!(near(&[moments.acceptance.unwrap_or(0.0)], &[other_moments.acceptance.unwrap_or(0.0)]), "{what}");
        assert!(fares.acceptance == other_fares.acceptance && fares.energies == other_fares.energies, "{what}: fares");
        assert!(near(&fares.exchanges, &other_fares.exchanges), "{what}: exchanges");
    }
}

#[test]
fn threads_and_submissions_change_no_negatives() {
    let data = normal_points(50, 2, 71);
    let [one, three] = [1, 3].map(|threads| Native::<f32>::with_threads(threads).expect("threads"));
    for objective in contrasting() {
        let plan = TrainingPlan { objective, ..plan(77, 15) };
        let results = [&one, &three].map(|engine| train(engine, &plan, &data, start(), 15, 15));
        assert!(results[0] == results[1], "threads, {}", plan.objective.name());
    }
    let [.., pcd, _, _] = contrasting();
    let plan = TrainingPlan { objective: pcd, ..plan(33, 40) };
    let results =
        [500.0, 0.5].map(|max_submit_ms| train(&common::gpu_with(max_submit_ms), &plan, &data, start(), 40, 40));
    assert!(results[0] == results[1], "submissions");
}
