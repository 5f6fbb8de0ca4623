//! Ten steps are the stored ones.

use ebm_gpu::engine::{Engine, StepRecord};

use crate::common::{normal_points, scale, worst};
use crate::{GPU, cpu, plan, reference, start, train};

/// Loss and gradient norm of ten steps of the reference. After a change that is meant to change them, run
/// `cargo test --release --test determinism ten_steps -- --nocapture` and take what it prints.
const TEN_STEPS: [[f64; 2]; 10] = [
    [1.097_282_417_450_592_2, 0.396_749_139_775_553_7],
    [1.115_177_919_663_942_9, 0.487_524_720_768_166_33],
    [1.053_232_230_672_921_6, 0.331_397_010_682_494_16],
    [1.114_298_346_801_370_5, 0.226_333_387_336_747_65],
    [1.001_885_544_779_62, 0.277_841_820_649_145_7],
    [1.054_767_021_484_905_2, 0.232_860_062_328_243_4],
    [0.887_049_433_663_367, 0.171_971_010_127_557_97],
    [1.221_384_577_708_413_8, 0.267_869_215_483_897_75],
    [1.406_779_205_828_233, 0.326_665_836_064_548_35],
    [0.870_941_754_687_119_4, 0.245_521_000_056_963_7],
];

#[test]
fn ten_steps_are_the_stored_ones_on_every_engine() {
    let data = normal_points(50, 2, 68);
    let plan = plan(40, 10);
    let (records, want_state) = train(&reference(), &plan, &data, start(), 10, 10);
    records.iter().for_each(|r| println!("    [{:?}, {:?}],", r.loss, r.gradient_norm));
    let flat = |records: &[StepRecord]| records.iter().flat_map(|r| [r.loss, r.gradient_norm]).collect::<Vec<_>>();
    // libraries of elementary functions and products differ in the last place
    assert!(worst(&flat(&records), TEN_STEPS.as_flattened(), 1e-9, 0.0) <= 1.0, "reference");
    for engine in [&cpu() as &dyn Engine, &*GPU] {
        let (records, state) = train(engine, &plan, &data, start(), 10, 10);
        // sums of 40 samples in f32 from normals good to 1.2e-6
        assert!(worst(&flat(&records), TEN_STEPS.as_flattened(), 2e-6, 0.0) <= 1.0, "{}", engine.name());
        for (got, want) in [
            (&state.parameters, &want_state.parameters),
            (&state.ema, &want_state.ema),
            (&state.first_moment, &want_state.first_moment),
            (&state.second_moment, &want_state.second_moment),
        ] {
            // m / sqrt(v) of the smallest gradients keeps their relative error
            assert!(worst(got, want, 0.0, 1e-5 * scale(want)) <= 1.0, "state of {}", engine.name());
        }
    }
}
