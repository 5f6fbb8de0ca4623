//! Training is the same in pieces, and taken up again wherever it was left.

use ebm_gpu::engine::{Engine, StepRecord, TrainingPlan};
use ebm_gpu::error::Result;
use ebm_gpu::eval::{Health, Validation};
use ebm_gpu::model::Model;
use ebm_gpu::optimizer::Optimizer;
use ebm_gpu::random::Seed;
use ebm_gpu::train::{
    EarlyStopping, Pauses, Progress, Watch, read_progress, train as train_to_the_end, write_progress,
};

use crate::common::normal_points;
use crate::{GPU, contrasting, cpu, model, plan, reference, start, train};

#[test]
fn pieces_and_resumption_change_nothing() {
    let data = normal_points(50, 2, 66);
    let plan = plan(70, 40);
    for engine in [&reference() as &dyn Engine, &cpu(), &*GPU] {
        let name = engine.name();
        let (records, state) = train(engine, &plan, &data, start(), 40, 40);
        assert_eq!((records.len(), state.step), (40, 40), "{name}");
        assert!(state.parameters != start().parameters && state.ema != state.parameters, "{name} did train");
        for piece in [1, 3, 7] {
            let (more, again) = train(engine, &plan, &data, start(), 40, piece);
            assert!(more == records && again == state, "{name} differs in pieces of {piece}");
        }
        let (_, half) = train(engine, &plan, &data, start(), 17, 40);
        let (rest, resumed) = train(engine, &plan, &data, half, 40, 40);
        assert!(rest == records[17..] && resumed == state, "{name} differs when resumed");
    }
}

#[test]
fn pieces_and_resumption_change_no_negatives() {
    let data = normal_points(50, 2, 70);
    for objective in contrasting() {
        let plan = TrainingPlan { objective, ..plan(70, 12) };
        for engine in [&reference() as &dyn Engine, &cpu(), &*GPU] {
            let name = format!("{} {}", engine.name(), plan.objective.name());
            let (records, state) = train(engine, &plan, &data, start(), 12, 12);
            assert!(state.parameters != start().parameters, "{name} did train");
            assert_eq!(state.replay.is_some(), plan.objective.name() == "pcd");
            let (more, again) = train(engine, &plan, &data, start(), 12, 5);
            assert!(more == records && again == state, "{name} differs in pieces of 5");
            let (_, half) = train(engine, &plan, &data, start(), 7, 12);
            let (rest, resumed) = train(engine, &plan, &data, half, 12, 12);
            assert!(rest == records[7..] && resumed == state, "{name} differs when resumed");
        }
    }
}

/// Wants a checkpoint some calls after the last, and keeps them all.
#[derive(Default)]
struct Saving {
    steps: Vec<StepRecord>,
    looks: Vec<(u64, f64)>,
    checkpoints: Vec<Progress>,
    calls: std::cell::Cell<u32>,
}

impl Watch for Saving {
    fn steps(&mut self, records: &[StepRecord]) -> Result<()> {
        self.steps.extend_from_slice(records);
        Ok(())
    }

    fn checkpoint(&mut self, progress: &Progress, _: &Model) -> Result<()> {
        let told = self.steps.last().map_or(0, |record| record.step);
        assert!(told == 0 || told == progress.history.steps(), "step {told} of {} was told", progress.history.steps());
        assert!(self.steps.windows(2).all(|two| two[0].step + 1 == two[1].step), "steps were not told");
        self.checkpoints.push(progress.clone());
        self.calls.set(0);
        Ok(())
    }

    fn validated(&mut self, step: u64, loss: f64) -> Result<()> {
        self.looks.push((step, loss));
        Ok(())
    }

    fn health(&mut self, _: &Health) -> Result<()> {
        Ok(())
    }

    fn wants_checkpoint(&self) -> bool {
        self.calls.set(self.calls.get() + 1);
        self.calls.get() > 2
    }
}

/// Early stopping, replay buffers and all, at whatever step and through a file.
#[test]
fn a_run_goes_on_from_any_checkpoint() {
    let folder = std::env::temp_dir().join(format!("ebm-gpu-determinism-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("folder");
    let path = folder.join("p.safetensors");
    let data = normal_points(50, 2, 73);
    let [_, pcd, _, _] = contrasting();
    for objective in [pcd, plan(1, 1).objective] {
        let validation =
            Validation::new(&objective, &model().spec, &normal_points(9, 2, 74), Seed(75)).expect("points");
        // a learning rate that soon makes nothing better
        let plan = TrainingPlan {
            objective,
            optimizer: Optimizer { learning_rate: 0.3, ..plan(8, 90).optimizer },
            ..plan(8, 90)
        };
        let stopping = Some(EarlyStopping { validation: &validation, every: 4, patience: 5 });
        for engine in [&reference() as &dyn Engine, &cpu(), &*GPU] {
            let name = format!("{} {}", engine.name(), plan.objective.name());
            let go = |progress: Progress, checkpoints: u64, watch: &mut Saving| {
                let pauses = Pauses { checkpoints, stopping };
                train_to_the_end(engine, &model(), &plan, &data, progress, pauses, watch).expect("steps")
            };
            let mut whole = Saving::default();
            let want = go(Progress::start(&model()), 13, &mut whole);
            assert!(want.progress.state.step < 90, "{name}: patience ends it");
            assert!(
                want.best().is_some_and(|best| best.step > 0 && best.step + 20 == want.progress.state.step),
                "{name}"
            );
            assert!(whole.checkpoints.len() > 3, "{name}: {}", whole.checkpoints.len());
            let end = whole.checkpoints.last().expect("the end").state.step;
            assert_eq!(end, want.progress.state.step, "{name}: the end is saved");
            for checkpoint in whole.checkpoints {
                let step = checkpoint.state.step;
                write_progress(&path, &model(), &checkpoint, &[]).expect("written");
                let (read, _, _) = read_progress(&path).expect("readable").expect("whole");
                assert!(read == checkpoint, "{name} {step}");
                let mut rest = Saving::default();
                let got = go(read, 0, &mut rest);
                assert!(
                    got.model == want.model && got.progress.state == want.progress.state,
                    "{name} from step {step}"
                );
                assert!(got.progress.history == want.progress.history, "{name} {step}");
                assert!(got.progress.looks == want.progress.looks, "{name} {step}");
                let later: Vec<_> = whole.looks.iter().copied().filter(|(of, _)| *of > step).collect();
                assert_eq!(rest.looks, later, "{name} {step}");
                assert!(got.progress.seconds > checkpoint.seconds || step == end, "{name} {step}");
            }
        }
    }
    std::fs::remove_dir_all(folder).expect("removable");
}
