//! Philox4x32-10, the counter-based generator behind every random number of a run.
//!
//! Twin of `shaders/lib/philox.wgsl`, bit for bit. A number is a pure function of the seed (the key) and of where it is
//! used (the counter: index of the sample, chain or parameter; step; block of four; stream), so all engines draw the
//! same numbers, chain `i` does not depend on how many chains there are, and work can be cut into pieces anywhere.
//! Source: Salmon, Moraes, Dror and Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3".

use crate::real::Real;

/// What a random number is for: the last word of the counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Stream {
    /// Initial weights and biases.
    Init = 0,
    /// Rows of a mini-batch.
    Batch = 1,
    /// Noise of denoising score matching.
    Noise = 2,
    /// Probe vectors.
    Probe = 3,
    /// Langevin noise.
    Chain = 4,
    /// Accept or reject.
    Accept = 5,
    /// Sampling of data.
    Data = 6,
    /// Starting points of chains.
    Start = 7,
    /// Splitting and subsampling of data, random projections: what is done on the host.
    Host = 8,
    /// What carries negative points away from where they start.
    Negative = 9,
    /// Slots of a replay buffer, and which chains begin anew.
    Replay = 10,
    /// Where chains of a replay buffer begin.
    Restart = 11,
    /// Noise of a grey level on the values of images.
    Dequantise = 12,
}

const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];

/// Ten rounds of Philox on four words of counter under two words of key.
#[inline(always)]
pub fn philox4x32_10(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for _ in 0..10 {
        let a = u64::from(MULTIPLIERS[0]) * u64::from(counter[0]);
        let b = u64::from(MULTIPLIERS[1]) * u64::from(counter[2]);
        counter = [(b >> 32) as u32 ^ counter[1] ^ key[0], b as u32, (a >> 32) as u32 ^ counter[3] ^ key[1], a as u32];
        key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
    }
    counter
}

/// The seed of a run: the 64-bit key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seed(pub u64);

impl Seed {
    /// The key as the two words that Philox takes, low word first.
    #[inline(always)]
    pub fn key(self) -> [u32; 2] {
        [self.0 as u32, (self.0 >> 32) as u32]
    }

    /// Four random words for one place of use.
    #[inline(always)]
    pub fn words(self, stream: Stream, index: u32, step: u32, block: u32) -> [u32; 4] {
        philox4x32_10([index, step, block, stream as u32], self.key())
    }

    /// Standard normals for coordinates `4 block .. 4 block + 4` of one sample.
    #[inline(always)]
    pub fn normals<T: Real>(self, stream: Stream, index: u32, step: u32, block: u32) -> [T; 4] {
        normals(self.words(stream, index, step, block))
    }

    /// A stream of words for code that consumes numbers one after another, such as samplers of data.
    pub fn sequence(self, stream: Stream, index: u32) -> Sequence {
        Sequence { seed: self, stream, index, next: 0, words: [0; 4] }
    }
}

/// A uniform number in the open interval (0, 1) with 23 random bits, exact in f32: (k + ½) 2⁻²³.
#[inline(always)]
pub fn uniform<T: Real>(word: u32) -> T {
    (T::from_u32(word >> 9) + T::of(0.5)) * T::of(1.0 / 8_388_608.0)
}

/// A row out of `count`, from one word; the bias is below `count` · 2⁻³².
#[inline(always)]
pub fn pick(word: u32, count: u32) -> u32 {
    ((u64::from(word) * u64::from(count)) >> 32) as u32
}

/// Four standard normals from four words, by Box and Muller; |z| ≤ √(−2 ln 2⁻²⁴) = 5.77.
#[inline(always)]
pub fn normals<T: Real>(words: [u32; 4]) -> [T; 4] {
    let [a, b] = normal_pair(words[0], words[1]);
    let [c, d] = normal_pair(words[2], words[3]);
    [a, b, c, d]
}

#[inline(always)]
fn normal_pair<T: Real>(radius: u32, angle: u32) -> [T; 2] {
    let r = (T::of(-2.0) * uniform::<T>(radius).ln_normal()).sqrt();
    let turn = T::of(2.0) * uniform::<T>(angle) - T::of(1.0);
    let (sin, cos) = turn.sin_cos_pi();
    [r * cos, r * sin]
}

/// Random words one after another (see [`Seed::sequence`]); a generator for the traits of `rand`.
#[derive(Debug, Clone)]
pub struct Sequence {
    seed: Seed,
    stream: Stream,
    index: u32,
    next: u64,
    words: [u32; 4],
}

impl rand::TryRng for Sequence {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        let lane = (self.next % 4) as usize;
        if lane == 0 {
            let block = self.next / 4;
            self.words = self.seed.words(self.stream, self.index, (block >> 32) as u32, block as u32);
        }
        self.next += 1;
        Ok(self.words[lane])
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        let low = self.try_next_u32()?;
        Ok(u64::from(self.try_next_u32()?) << 32 | u64::from(low))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        for chunk in bytes.chunks_mut(4) {
            let word = self.try_next_u32()?.to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
        Ok(())
    }
}
