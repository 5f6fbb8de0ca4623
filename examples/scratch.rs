use ebm_gpu::engine::{Engine, gpu::GpuEngine};
use ebm_gpu::model::*;
use ebm_gpu::objective::*;
use ebm_gpu::points::Points;
use ebm_gpu::random::Seed;
use std::time::Instant;
fn main() {
    for checked in [false, true] {
        let g = GpuEngine::open(None, checked).unwrap();
        for (net, act) in [("2-64-64-1", Activation::Silu), ("2-7-1", Activation::Silu), ("2-7-1", Activation::Gelu)] {
            let m = MlpSpec::parse(net, act).unwrap().initial(Seed(1));
            let p = Points::new(2, vec![0.1; 64 * 2]);
            let o = Objective::Dsm(Dsm::new(0.3, Weighting::Sigma2).unwrap());
            for _ in 0..2 {
                let t = Instant::now();
                g.energy(&m, &p).unwrap();
                let a = t.elapsed();
                let t = Instant::now();
                g.score(&m, &p).unwrap();
                let b = t.elapsed();
                let t = Instant::now();
                g.loss_gradient(&m, &o, &p, &p).unwrap();
                let c = t.elapsed();
                println!("checked {checked} {net} {act:?} energy {a:?} score {b:?} dsm {c:?}");
            }
        }
    }
}
