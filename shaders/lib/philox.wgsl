// Random numbers: Philox4x32-10 and standard normals from it.
//
// A number is a function of the seed (the key) and of the counter (index of the sample, chain or parameter; step; block
// of four; stream). The words are bit-exact on every device; the normals agree to a few units in the last place, since
// logarithm, sine and cosine are polynomials here (WGSL allows its own an error of 2^-11).
// Reference: src/random.rs, src/real.rs.

const STREAM_BATCH: u32 = 1u;
const STREAM_NOISE: u32 = 2u;
const STREAM_PROBE: u32 = 3u;
const STREAM_CHAIN: u32 = 4u;
const STREAM_ACCEPT: u32 = 5u;
const STREAM_NEGATIVE: u32 = 9u;
const STREAM_REPLAY: u32 = 10u;
const STREAM_RESTART: u32 = 11u;

// The low and the high word of a 32 x 32 bit product.
fn wide_product(a: u32, b: u32) -> vec2<u32> {
    let a0 = a & 0xffffu;
    let a1 = a >> 16u;
    let b0 = b & 0xffffu;
    let b1 = b >> 16u;
    let p01 = a0 * b1;
    let p10 = a1 * b0;
    let middle = ((a0 * b0) >> 16u) + (p01 & 0xffffu) + (p10 & 0xffffu);
    return vec2<u32>(a * b, a1 * b1 + (p01 >> 16u) + (p10 >> 16u) + (middle >> 16u));
}

fn philox4x32_10(counter: vec4<u32>, key: vec2<u32>) -> vec4<u32> {
    var c = counter;
    var k = key;
    for (var round = 0u; round < 10u; round++) {
        let a = wide_product(0xD2511F53u, c.x);
        let b = wide_product(0xCD9E8D57u, c.z);
        c = vec4<u32>(b.y ^ c.y ^ k.x, b.x, a.y ^ c.w ^ k.y, a.x);
        k += vec2<u32>(0x9E3779B9u, 0xBB67AE85u);
    }
    return c;
}

// A row out of `count`, from one word.
fn pick(word: u32, count: u32) -> u32 {
    return wide_product(word, count).y;
}

// Uniform in the open interval (0, 1), 23 bits, exact.
fn open_uniform(words: vec2<u32>) -> vec2<f32> {
    return (vec2<f32>(words >> vec2<u32>(9u)) + 0.5) * 1.1920928955078125e-7;
}

// 2 artanh s = ln((1 + s) / (1 - s)) for |s| <= 1/3, relative error 1e-7.
fn two_artanh(s: vec4<f32>) -> vec4<f32> {
    let q = s * s;
    var p = fma(q, vec4<f32>(2.0 / 15.0), vec4<f32>(2.0 / 13.0));
    p = fma(q, p, vec4<f32>(2.0 / 11.0));
    p = fma(q, p, vec4<f32>(2.0 / 9.0));
    p = fma(q, p, vec4<f32>(2.0 / 7.0));
    p = fma(q, p, vec4<f32>(2.0 / 5.0));
    p = fma(q, p, vec4<f32>(2.0 / 3.0));
    p = fma(q, p, vec4<f32>(2.0));
    return s * p;
}

// ln u for positive normal u.
fn log_normal_range(u: vec2<f32>) -> vec2<f32> {
    let bits = bitcast<vec2<u32>>(u) - vec2<u32>(0x3F3504F3u);
    let exponent = vec2<f32>(bitcast<vec2<i32>>(bits) >> vec2<u32>(23u));
    let m = bitcast<vec2<f32>>((bits & vec2<u32>(0x007FFFFFu)) + vec2<u32>(0x3F3504F3u));
    let s = (m - 1.0) / (m + 1.0);
    return fma(exponent, vec2<f32>(0.6931471805599453), two_artanh(vec4<f32>(s, s)).xy);
}

// sin(pi x) and cos(pi x) for |x| <= 1: sines in xy, cosines in zw.
fn sin_cos_pi(x: vec2<f32>) -> vec4<f32> {
    let quadrant = round(2.0 * x);
    let t = fma(quadrant, vec2<f32>(-0.5), x) * 3.141592653589793;
    let s = t * t;
    var p = fma(s, vec2<f32>(1.0 / 362880.0), vec2<f32>(-1.0 / 5040.0));
    p = fma(s, p, vec2<f32>(1.0 / 120.0));
    p = fma(s, p, vec2<f32>(-1.0 / 6.0));
    let sine = fma(t * s, p, t);
    p = fma(s, vec2<f32>(-1.0 / 3628800.0), vec2<f32>(1.0 / 40320.0));
    p = fma(s, p, vec2<f32>(-1.0 / 720.0));
    p = fma(s, p, vec2<f32>(1.0 / 24.0));
    p = fma(s, p, vec2<f32>(-0.5));
    let cosine = fma(s, p, vec2<f32>(1.0));
    let q = bitcast<vec2<u32>>(vec2<i32>(quadrant));
    let odd = (q & vec2<u32>(1u)) == vec2<u32>(1u);
    let a = select(sine, cosine, odd);
    let b = select(cosine, sine, odd);
    let flip_a = (q & vec2<u32>(2u)) == vec2<u32>(2u);
    let flip_b = ((q + 1u) & vec2<u32>(2u)) == vec2<u32>(2u);
    return vec4<f32>(select(a, -a, flip_a), select(b, -b, flip_b));
}

// Four standard normals from four words, by Box and Muller.
fn normals(words: vec4<u32>) -> vec4<f32> {
    let radius = sqrt(-2.0 * log_normal_range(open_uniform(words.xz)));
    let turn = fma(open_uniform(words.yw), vec2<f32>(2.0), vec2<f32>(-1.0));
    let sc = sin_cos_pi(turn);
    return vec4<f32>(radius.x * sc.z, radius.x * sc.x, radius.y * sc.w, radius.y * sc.y);
}
