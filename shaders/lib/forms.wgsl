// How the energies of a sample become its loss and its derivatives, for objectives that learn by contrast. With M negatives
// y of a sample, and F = E, or E + ln q in the last form:
//
//     difference       F(x) - F(y) + alpha (F(x)^2 + F(y)^2)
//     ranking          ln(w/M + 1/M sum over y of exp(F(x) - F(y)))
//     classification   softplus(-G(x)) + sum over y of softplus(G(y)),   G = -F - ln M
//
// Reference: src/objective/contrast.rs. Needs: lib/philox.wgsl, `params`.

const FORM_DIFFERENCE: u32 = 0u;
const FORM_RANKING: u32 = 1u;
const FORM_CLASSIFICATION: u32 = 2u;

// of column quad local / ROWS, where local % ROWS == 0: the losses, F(x), the derivative of the loss by F(x)
var<private> loss: vec4<f32>;
var<private> positive: vec4<f32>;
var<private> positive_slope: vec4<f32>;
// the sum of exp(F(x) - F(y)) and w so far is total exp(top), with every term of total at most 1
var<private> top: vec4<f32>;
var<private> total: vec4<f32>;

struct Softplus {
    value: vec4<f32>,
    slope: vec4<f32>,
}

// ln(1 + exp(z)) and its derivative.
fn soft(z: vec4<f32>) -> Softplus {
    let e = exp(-abs(z));
    let tail = 1.0 / (1.0 + e);
    let above = z > vec4<f32>(0.0);
    return Softplus(max(z, vec4<f32>(0.0)) + two_artanh(e / (2.0 + e)), select(e * tail, tail, above));
}

// ln of a number from 1 on.
fn natural_log(x: vec4<f32>) -> vec4<f32> {
    return vec4<f32>(log_normal_range(x.xy), log_normal_range(x.zw));
}

// Adds exp(gap) to the running sum.
fn add_to_total(gap: vec4<f32>) {
    // max drops NaN; the sum has it, which is seen by its bits: WGSL may assume that no arithmetic meets it
    let both = top + gap;
    let is_nan = (bitcast<vec4<u32>>(both) & vec4<u32>(0x7FFFFFFFu)) > vec4<u32>(0x7F800000u);
    let higher = select(max(top, gap), both, is_nan);
    // what is below exp(-87) of the largest term is lost in rounding
    let floor = vec4<f32>(-87.0);
    total = total * exp(max(top - higher, floor)) + exp(max(gap - higher, floor));
    top = higher;
}

// Takes in F(x), for the forms in which x has a part of its own.
fn take_positive(value: vec4<f32>) {
    positive = value;
    if params.form == FORM_CLASSIFICATION {
        let s = soft(positive + vec4<f32>(params.log_count));
        loss = s.value;
        positive_slope = s.slope;
    }
}

// What a negative adds to the loss and to the derivative by F(x), and the derivative by its own F.
fn settle(negative: vec4<f32>) -> vec4<f32> {
    let log_count = vec4<f32>(params.log_count);
    if params.form == FORM_RANKING {
        let log_total = top + natural_log(total);
        loss = log_total - log_count;
        let weight = exp(max(positive - negative - log_total, vec4<f32>(-87.0)));
        positive_slope += weight;
        return -weight;
    }
    if params.form == FORM_CLASSIFICATION {
        let s = soft(-negative - log_count);
        loss += s.value;
        return -s.slope;
    }
    let alpha = vec4<f32>(params.alpha);
    loss = positive - negative + alpha * fma(positive, positive, negative * negative);
    positive_slope = fma(2.0 * alpha, positive, vec4<f32>(1.0));
    return fma(2.0 * alpha, negative, vec4<f32>(-1.0));
}
