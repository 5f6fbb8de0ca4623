//! Training and chains are the same on one thread and on three.

use ebm_gpu::engine::cpu::Native;
use ebm_gpu::engine::{Engine, TrainingPlan, TrainingState, advance_by};
use ebm_gpu::model::{Activation, Conditioning, Head, Model};
use ebm_gpu::objective::{Denoising, FdSsm, Ladder, Objective, ProbeLaw, Probes, Weighting};
use ebm_gpu::random::Seed;
use ebm_gpu::sampler::{Adaptation, Bounds, Hamiltonian, Transition, Wall};

use crate::chains::move_chains;
use crate::common::{network_of, normal_points};
use crate::{model, plan, start, train, train_model};

#[test]
fn the_number_of_threads_changes_nothing() {
    let data = normal_points(50, 2, 65);
    // 1500 samples are 24 tiles in 16 groups
    let plan = plan(1500, 20);
    let [one, three] = [1, 3].map(|threads| Native::<f32>::with_threads(threads).expect("threads"));
    let results = [&one, &three].map(|engine| train(engine, &plan, &data, start(), 20, 20));
    assert!(results[0] == results[1], "training");
    assert!(move_chains(&one, &model(), 300, &[25]) == move_chains(&three, &model(), 300, &[25]), "chains");
}

/// Objectives that match scores, each with a network of every kind that it is for.
fn matching() -> Vec<(Objective, Model)> {
    let probes = Probes::new(2, ProbeLaw::Rademacher).expect("probes");
    let ladder = Ladder::geometric(1.0, 0.1, 5).expect("ladder");
    let mdsm = Objective::Denoising(Denoising { ladder, weighting: Weighting::SIGMA2 });
    let of = |net, head, conditioning| network_of(net, Activation::Silu, head, conditioning, 61);
    let energy = |net| of(net, Head::Energy, Conditioning::None);
    let field = |net| of(net, Head::Score, Conditioning::None);
    vec![
        // along the axes, and along a basis of the first weights
        (Objective::Esm, energy("6-7-5-1")),
        (Objective::Esm, energy("6-4-5-1")),
        // parameters that several tasks update, the last of them fewer
        (Objective::Ssm(probes), energy("6-40-45-1")),
        (Objective::Esm, field("6-7-5-6")),
        (Objective::Ssm(probes), energy("6-7-5-1")),
        (Objective::Ssm(probes), field("6-7-5-6")),
        (Objective::SsmVr(probes), energy("6-7-5-1")),
        (Objective::SsmVr(probes), field("6-7-5-6")),
        (Objective::FdSsm(FdSsm::new(2, 0.1).expect("epsilon")), energy("6-7-5-1")),
        (mdsm.clone(), of("6-7-5-1", Head::Energy, Conditioning::Concat)),
        (mdsm, of("6-7-5-6", Head::Score, Conditioning::Scale)),
    ]
}

#[test]
fn the_number_of_threads_changes_no_matching() {
    let data = normal_points(50, 6, 92);
    let [one, three] = [1, 3].map(|threads| Native::<f32>::with_threads(threads).expect("threads"));
    for (objective, model) in matching() {
        // some tiles, and a last one that is not full
        let plan = TrainingPlan { objective, ..plan(700, 8) };
        let start = TrainingState::start(&model);
        let results = [&one, &three].map(|engine| train_model(engine, &model, &plan, &data, start.clone(), 8, 8));
        let what = format!("{} {} {}", plan.objective.name(), model.spec.head().name(), model.spec);
        assert!(results[0].1.parameters != start.parameters, "{what} did train");
        assert!(results[0] == results[1], "{what}");
    }
}

/// Chains that accept or refuse: plain, adapting in a box, and at several temperatures.
#[test]
fn the_number_of_threads_changes_no_hamiltonian_chains() {
    let plain = Hamiltonian::new(0.3, 3, 0.8).expect("sampler");
    let bounds = Some(Bounds::new(-2.0, 2.0, Wall::Reflect).expect("box"));
    let adapting = Hamiltonian { adaptation: Some(Adaptation { target: 0.8 }), ..plain.clone() };
    let boxed = adapting.within(bounds).expect("mirrors");
    let tempered = plain.clone().at(vec![3.0, 1.5, 0.8], 2).expect("temperatures");
    let start = normal_points(300, 2, 93);
    let [one, three] = [1, 3].map(|threads| Native::<f32>::with_threads(threads).expect("threads"));
    for transition in [plain, boxed, tempered].map(Transition::from) {
        let results = [&one, &three].map(|engine| {
            let landscape = model();
            let mut chains = engine.chains((&landscape).into(), &transition, &start, Seed(94)).expect("chains");
            advance_by(chains.as_mut(), 20).expect("steps");
            (chains.moments().expect("moments"), chains.fares().expect("fares"), chains.state().expect("state"))
        });
        let accepted = results[0].1.acceptance.as_ref().is_some_and(|all| all.iter().sum::<f64>() > 0.0);
        assert!(accepted, "{transition:?} moves");
        assert!(results[0] == results[1], "{transition:?}");
    }
}
