//! Training is the same whatever the size of submissions, and whether the data fit a binding or not.

use ebm_gpu::engine::cpu::Native;
use ebm_gpu::engine::{Engine, TrainingPlan};

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
    let [cd, pcd, ed, _] = contrasting();
    for (objective, batch, steps) in [(plan(1, 1).objective, 256, 600), (cd, 256, 20), (pcd, 64, 20), (ed, 256, 20)] {
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
