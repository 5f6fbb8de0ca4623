//! Training against an independent Adam on the gradients of the batches, and the learning-rate schedule.

#![allow(clippy::expect_used, reason = "a test may panic")]

mod common;

use common::{network, normal_points, worst};
use ebm_gpu::engine::cpu::Reference;
use ebm_gpu::engine::{Engine, Given, TrainingPlan, TrainingState};
use ebm_gpu::model::{Activation, Model};
use ebm_gpu::objective::{Denoising, Objective, Weighting};
use ebm_gpu::optimizer::{Optimizer, Schedule};
use ebm_gpu::points::Points;
use ebm_gpu::random::{Seed, Stream, pick};

/// One step of Adam as the papers write it, on (θ, m, v, average).
fn adam(o: &Optimizer, rate: f64, t: i32, gradient: &[f64], state: &mut TrainingState) {
    let norm = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
    let clip = if o.clip > 0.0 { (o.clip / norm).min(1.0) } else { 1.0 };
    for (i, g) in gradient.iter().map(|g| g * clip).enumerate() {
        let (m, v) = (&mut state.first_moment[i], &mut state.second_moment[i]);
        *m = o.beta1 * *m + (1.0 - o.beta1) * g;
        *v = o.beta2 * *v + (1.0 - o.beta2) * g * g;
        let (m_hat, v_hat) = (*m / (1.0 - o.beta1.powi(t)), *v / (1.0 - o.beta2.powi(t)));
        let theta = state.parameters[i];
        state.parameters[i] = theta - rate * (m_hat / (v_hat.sqrt() + o.epsilon) + o.weight_decay * theta);
        let kept = o.ema.min(f64::from(t - 1) / f64::from(t + 3));
        state.ema[i] = kept * state.ema[i] + (1.0 - kept) * state.parameters[i];
    }
}

const ADAM: Optimizer = Optimizer {
    learning_rate: 0.02,
    schedule: Schedule::Cosine,
    warmup: 3,
    beta1: 0.85,
    beta2: 0.97,
    epsilon: 1e-3,
    weight_decay: 0.1,
    clip: 0.08,
    // from the fifth step on
    ema: 0.5,
};

#[test]
fn training_is_adam_on_the_gradient_of_its_batches() {
    let reference = Reference::new().expect("threads");
    let (rows, batch, steps, seed) = (23, 70, 12, Seed(41));
    let data = normal_points(rows, 2, 42);
    let model = network("2-5-4-1", Activation::Silu, 43);
    let objective = Objective::Denoising(Denoising::single(0.4, Weighting::SIGMA2).expect("sigma"));
    let plain = Optimizer { clip: 0.0, weight_decay: 0.0, ema: 0.0, schedule: Schedule::Constant, warmup: 0, ..ADAM };
    for optimizer in [ADAM, plain] {
        optimizer.check().expect("valid");
        let plan = TrainingPlan { objective: objective.clone(), batch, optimizer, steps, seed };
        let mut want = TrainingState::start(&model);
        let mut norms = Vec::new();
        let mut training = reference.train(&model, &plan, &data, want.clone()).expect("plan");
        let mut records = Vec::new();
        while (records.len() as u64) < steps {
            records.extend(training.advance(steps).expect("steps"));
        }
        for (step, record) in (1..=steps).zip(&records) {
            let row = |s: usize| pick(seed.words(Stream::Batch, s as u32, step as u32, 0)[0], rows as u32) as usize;
            let points = Points::new(2, (0..batch).flat_map(|s| data.row(row(s)).to_vec()).collect());
            let noise =
                (0..batch).flat_map(|s| seed.normals::<f64>(Stream::Noise, s as u32, step as u32, 0)[..2].to_vec());
            let now = Model { parameters: want.parameters.clone(), ..model.clone() };
            let noise = Points::new(2, noise.collect());
            let got = reference.loss_gradient(&now, &objective, &Given::noisy(&points, &noise)).expect("dsm");
            let norm = got.gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
            let reported = [record.step as f64, record.loss, record.gradient_norm];
            assert!(worst(&reported, &[step as f64, got.loss(), norm], 1e-14, 0.0) <= 1.0, "record of step {step}");
            adam(&optimizer, optimizer.rate(step, steps), step as i32, &got.gradient, &mut want);
            norms.push(norm);
            want.step = step;
        }
        let clipped = norms.iter().filter(|n| **n > ADAM.clip).count();
        assert!(clipped > 1 && clipped < 11, "norms on both sides of the clip: {norms:?}");
        let got = training.state().expect("state");
        assert_eq!(got.step, want.step);
        let flat = |s: &TrainingState| [&s.parameters[..], &s.ema, &s.first_moment, &s.second_moment].concat();
        // twelve steps in another order of operations; numbers of order 1 may cancel to small ones
        assert!(worst(&flat(&got), &flat(&want), 2e-14, 1e-15) <= 1.0);
    }
}

#[test]
fn the_learning_rate_warms_up_and_follows_its_schedule() {
    let rates =
        |optimizer: Optimizer, steps: u64| -> Vec<f64> { (1..=steps + 1).map(|s| optimizer.rate(s, steps)).collect() };
    let constant = Optimizer { learning_rate: 2.0, schedule: Schedule::Constant, warmup: 0, ..ADAM };
    let cosine = Optimizer { schedule: Schedule::Cosine, ..constant };
    let fall = [2.0, 1.707_106_781_186_547_5, 1.0, 0.292_893_218_813_452_5, 0.0];
    for (optimizer, want) in [
        (constant, [2.0; 5]),
        (Optimizer { warmup: 3, ..constant }, [0.5, 1.0, 1.5, 2.0, 2.0]),
        (cosine, fall),
        (Optimizer { warmup: 1, ..cosine }, [1.0, fall[1], fall[2], fall[3], fall[4]]),
    ] {
        assert!(worst(&rates(optimizer, 4), &want, 0.0, 1e-15) <= 1.0, "{optimizer:?}");
    }
}
