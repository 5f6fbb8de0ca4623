//! Random numbers: Philox against published answers, normals against f64 and against their law, WGSL against Rust.

#![allow(clippy::expect_used, reason = "a test may panic")]

mod common;

use common::{distance, normal_below, worst};
use ebm_gpu::random::{Seed, Stream, normals, philox4x32_10, pick, uniform};
use rand::Rng as _;
use wgpu::util::DeviceExt as _;

/// Counter, key and words of `philox4x32 10` in Random123's `kat_vectors`.
const KNOWN: [([u32; 4], [u32; 2], [u32; 4]); 3] = [
    ([0; 4], [0; 2], [0x6627_E8D5, 0xE169_C58D, 0xBC57_AC4C, 0x9B00_DBD8]),
    ([u32::MAX; 4], [u32::MAX; 2], [0x408F_276D, 0x41C8_3B0E, 0xA20B_C7C6, 0x6D54_51FD]),
    (
        [0x243F_6A88, 0x85A3_08D3, 0x1319_8A2E, 0x0370_7344],
        [0xA409_3822, 0x299F_31D0],
        [0xD16C_FE09, 0x94FD_CCEB, 0x5001_E420, 0x2412_6EA1],
    ),
];

#[test]
fn philox_gives_the_known_answers() {
    for (counter, key, words) in KNOWN {
        assert_eq!(philox4x32_10(counter, key), words, "counter {counter:08x?}");
    }
    let seed = Seed(0x299F_31D0_A409_3822);
    assert_eq!(seed.key(), KNOWN[2].1, "low word first");
    let [index, step, block, _] = KNOWN[2].0;
    let counter = [index, step, block, Stream::Chain as u32];
    assert_eq!(seed.words(Stream::Chain, index, step, block), philox4x32_10(counter, seed.key()));
}

#[test]
fn streams_have_the_numbers_that_shaders_and_saved_runs_rely_on() {
    let streams = [Stream::Init, Stream::Batch, Stream::Noise, Stream::Probe, Stream::Chain, Stream::Accept];
    let more = [Stream::Data, Stream::Start, Stream::Host];
    assert!(streams.into_iter().chain(more).map(|s| s as u32).eq(0..9));
}

#[test]
fn a_sequence_is_the_words_in_order() {
    let seed = Seed(7);
    let words: Vec<u32> = (0..5).flat_map(|block| seed.words(Stream::Data, 3, 0, block)).collect();
    let mut one = seed.sequence(Stream::Data, 3);
    let got: Vec<u32> = (0..words.len()).map(|_| one.next_u32()).collect();
    assert_eq!(got, words);

    let mut two = seed.sequence(Stream::Data, 3);
    assert_eq!(two.next_u64(), u64::from(words[1]) << 32 | u64::from(words[0]));
    let mut bytes = [0; 11];
    two.fill_bytes(&mut bytes);
    let want: Vec<u8> = words[2..5].iter().flat_map(|w| w.to_le_bytes()).take(11).collect();
    assert_eq!(bytes[..], want);
    assert_eq!(two.next_u32(), words[5], "a part of a word is a whole one gone");
}

#[test]
fn uniforms_are_inside_the_open_interval() {
    let half = f64::from(f32::EPSILON) / 2.0;
    assert_eq!((uniform::<f64>(0), uniform::<f64>(u32::MAX)), (half, 1.0 - half));
    for word in [0, 1, 511, 512, 1 << 31, u32::MAX - 512, u32::MAX - 511, u32::MAX] {
        let u: f32 = uniform(word);
        assert!(u > 0.0 && u < 1.0, "{word} gives {u}");
        assert_eq!(f64::from(u), uniform::<f64>(word), "exact in f32");
    }
}

#[test]
fn picks_are_rows_and_every_row_is_as_likely() {
    for count in [1, 2, 3, 7, 1000, 1 << 31, u32::MAX] {
        for word in [0, 1, u32::MAX / 2, u32::MAX - 1, u32::MAX] {
            assert!(pick(word, count) < count, "{word} of {count}");
        }
        assert_eq!((pick(0, count), pick(u32::MAX, count)), (0, count - 1));
    }
    let mut seen = [0_u32; 7];
    let draws = 70_000;
    for i in 0..draws {
        seen[pick(Seed(1).words(Stream::Batch, i, 1, 0)[0], 7) as usize] += 1;
    }
    // chi-square with 6 degrees of freedom exceeds 38.3 once in a million seeds
    let expected = f64::from(draws) / 7.0;
    let chi: f64 = seen.iter().map(|n| (f64::from(*n) - expected).powi(2) / expected).sum();
    assert!(chi < 38.3, "chi-square {chi}: {seen:?}");
}

#[test]
fn normals_in_f32_are_those_of_f64() {
    let (mut single, mut double) = (Vec::new(), Vec::new());
    let words = (0..250_000).map(|i| Seed(2).words(Stream::Noise, i, 0, 0)).chain(extreme_words());
    for words in words {
        single.extend(normals::<f32>(words).map(f64::from));
        double.extend(normals::<f64>(words));
    }
    // the radius is at most 5.77, the logarithm under it good to 1e-7 of itself, sine and cosine to 1e-7: 1.2e-6 in all
    assert!(worst(&single, &double, 0.0, 1.2e-6) <= 1.0);
}

/// Words at the ends of their range and at the corners of the circle.
fn extreme_words() -> impl Iterator<Item = [u32; 4]> {
    let edges = [0, 511, 512, 1 << 29, 1 << 30, 3 << 29, (1 << 31) - 1, 1 << 31, 3 << 30, u32::MAX - 511, u32::MAX];
    edges.into_iter().flat_map(move |a| edges.map(|b| [a, b, b, a]))
}

#[test]
fn normals_have_the_normal_law() {
    let count = 1_000_000;
    let z: Vec<f64> = (0..count / 4).flat_map(|i| Seed(3).normals::<f64>(Stream::Chain, i, 5, 1)).collect();
    let n = f64::from(count);
    // standard errors of the mean of z^k: the variance of z^k is (2k - 1)!! - ((k - 1)!! for even k)^2
    for (power, want, variance) in [(1, 0.0, 1.0), (2, 1.0, 2.0), (3, 0.0, 15.0), (4, 3.0, 96.0)] {
        let mean = z.iter().map(|z| z.powi(power)).sum::<f64>() / n;
        let errors = (mean - want) / (variance / n).sqrt();
        assert!(errors.abs() < 5.0, "moment {power} is {mean}, {errors} standard errors off");
    }
    // Kolmogorov: P(sqrt(n) D > 2.69) = 2 exp(-2 2.69^2) = 1e-6
    let found = distance(z.into_iter(), normal_below);
    assert!(found < 2.69, "Kolmogorov-Smirnov distance {found}");
}

#[test]
fn normals_at_neighbouring_places_are_independent() {
    let count = 100_000;
    let at = |index: u32, step, block, stream| Seed(4).normals::<f64>(stream, index, step, block);
    type Pair = Box<dyn Fn(u32) -> [f64; 2]>;
    let pairs: [(&str, Pair); 7] = [
        ("coordinates 0 and 1", Box::new(move |i| [at(i, 1, 0, Stream::Chain)[0], at(i, 1, 0, Stream::Chain)[1]])),
        ("coordinates 1 and 2", Box::new(move |i| [at(i, 1, 0, Stream::Chain)[1], at(i, 1, 0, Stream::Chain)[2]])),
        ("coordinates 2 and 3", Box::new(move |i| [at(i, 1, 0, Stream::Chain)[2], at(i, 1, 0, Stream::Chain)[3]])),
        ("chains", Box::new(move |i| [at(i, 1, 0, Stream::Chain)[0], at(i + 1, 1, 0, Stream::Chain)[0]])),
        ("steps", Box::new(move |i| [at(5, i, 0, Stream::Chain)[0], at(5, i + 1, 0, Stream::Chain)[0]])),
        ("blocks", Box::new(move |i| [at(i, 1, 0, Stream::Chain)[0], at(i, 1, 1, Stream::Chain)[0]])),
        ("streams", Box::new(move |i| [at(i, 1, 0, Stream::Chain)[0], at(i, 1, 0, Stream::Noise)[0]])),
    ];
    for (what, pair) in pairs {
        // z and z' as they are, and their squares, which see a common radius
        let sums = (0..count)
            .map(&pair)
            .fold([0.0; 2], |s, [a, b]| [s[0] + a * b, s[1] + (a * a - 1.0) * (b * b - 1.0) / 2.0]);
        let errors = sums.map(|s| s / f64::from(count).sqrt());
        assert!(errors.iter().all(|e| e.abs() < 5.0), "{what}: {errors:?} standard errors");
    }
}

/// Counters in, words and normals out; beside the words of Philox, the counters themselves serve as words.
const TEST_KERNEL: &str = "
@group(0) @binding(0) var<storage, read> counters: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> keys: array<vec2<u32>>;
@group(0) @binding(2) var<storage, read_write> words: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read_write> numbers: array<vec4<f32>>;

@compute @workgroup_size(64)
fn random_words(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < arrayLength(&counters) {
        let counter = counters[id.x];
        let drawn = philox4x32_10(counter, keys[id.x]);
        words[2u * id.x] = drawn;
        words[2u * id.x + 1u] = vec4<u32>(
            pick(drawn.x, 7u), pick(drawn.y, 0xffffffffu), pick(counter.x, 60000u), pick(counter.y, 1u));
        numbers[4u * id.x] = vec4<f32>(open_uniform(drawn.xy), open_uniform(drawn.zw));
        numbers[4u * id.x + 1u] = normals(drawn);
        numbers[4u * id.x + 2u] = vec4<f32>(open_uniform(counter.xy), open_uniform(counter.zw));
        numbers[4u * id.x + 3u] = normals(counter);
    }
}
";

#[test]
fn wgsl_draws_the_words_of_rust() {
    let mut places: Vec<([u32; 4], [u32; 2])> = KNOWN.iter().map(|k| (k.0, k.1)).collect();
    places.extend(extreme_words().map(|w| (w, [w[1], w[0]])));
    places.extend((0..3000).map(|i| (Seed(5).words(Stream::Host, i, 0, 0), [i, !i])));
    places.extend((0..1001).map(|i| ([i, 7, i % 3, Stream::Chain as u32], Seed(6).key())));
    let (words, numbers) = run_test_kernel(&places);

    let (mut got, mut want) = (Vec::new(), Vec::new());
    for (i, (counter, key)) in places.iter().enumerate() {
        let drawn = philox4x32_10(*counter, *key);
        let picks = [pick(drawn[0], 7), pick(drawn[1], u32::MAX), pick(counter[0], 60_000), pick(counter[1], 1)];
        assert_eq!(words[2 * i..2 * i + 2], [drawn, picks], "place {i}: counter {counter:08x?}, key {key:08x?}");
        assert_eq!(numbers[4 * i], drawn.map(uniform::<f32>), "uniforms of place {i}");
        assert_eq!(numbers[4 * i + 2], counter.map(uniform::<f32>), "uniforms of {counter:08x?}");
        got.extend([numbers[4 * i + 1], numbers[4 * i + 3]].concat().into_iter().map(f64::from));
        want.extend([normals::<f64>(drawn), normals::<f64>(*counter)].concat());
    }
    // 1.2e-6 as on the host; WGSL grants its division and square root 2.5 units of 6e-8 each, 1.3e-6 of 5.77
    assert!(worst(&got, &want, 0.0, 2.5e-6) <= 1.0);
}

fn run_test_kernel(places: &[([u32; 4], [u32; 2])]) -> (Vec<[u32; 4]>, Vec<[f32; 4]>) {
    const GUARD: u32 = 0x4048_F5C3; // 3.14 as f32
    const BAND: usize = 64;
    let (device, queue) = open();
    let source = format!("{}{TEST_KERNEL}", include_str!("../shaders/lib/philox.wgsl"));
    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: Some("random_words"),
        source: wgpu::ShaderSource::Wgsl(source.into()),
    });
    let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: Some("random_words"),
        layout: None,
        module: &module,
        entry_point: Some("random_words"),
        compilation_options: Default::default(),
        cache: None,
    });
    let buffer = |contents: &[u8]| {
        let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC;
        device.create_buffer_init(&wgpu::util::BufferInitDescriptor { label: None, contents, usage })
    };
    let guarded = |len: usize| buffer(bytemuck::cast_slice(&vec![[GUARD; 4]; len + BAND]));
    let counters: Vec<_> = places.iter().map(|p| p.0).collect();
    let keys: Vec<_> = places.iter().map(|p| p.1).collect();
    let buffers = [
        buffer(bytemuck::cast_slice(&counters)),
        buffer(bytemuck::cast_slice(&keys)),
        guarded(2 * places.len()),
        guarded(4 * places.len()),
    ];
    let entries: Vec<_> = (0..)
        .zip(&buffers)
        .map(|(binding, b)| wgpu::BindGroupEntry { binding, resource: b.as_entire_binding() })
        .collect();
    let layout = &pipeline.get_bind_group_layout(0);
    let group = device.create_bind_group(&wgpu::BindGroupDescriptor { label: None, layout, entries: &entries });
    let mut encoder = device.create_command_encoder(&Default::default());
    {
        let mut pass = encoder.begin_compute_pass(&Default::default());
        pass.set_pipeline(&pipeline);
        pass.set_bind_group(0, &group, &[]);
        pass.dispatch_workgroups(places.len().div_ceil(64) as u32, 1, 1);
    }
    queue.submit([encoder.finish()]);
    let read = |source: &wgpu::Buffer, len: usize| -> Vec<[u32; 4]> {
        let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
        let staging = device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: source.size(),
            usage,
            mapped_at_creation: false,
        });
        let mut encoder = device.create_command_encoder(&Default::default());
        encoder.copy_buffer_to_buffer(source, 0, &staging, 0, source.size());
        queue.submit([encoder.finish()]);
        staging.map_async(wgpu::MapMode::Read, .., |result| result.expect("mapped"));
        device.poll(wgpu::PollType::wait_indefinitely()).expect("the device answers");
        let all: Vec<[u32; 4]> = bytemuck::cast_slice(&staging.get_mapped_range(..).expect("mapped")).to_vec();
        assert_eq!(all[len..], vec![[GUARD; 4]; BAND], "written after the end");
        all[..len].to_vec()
    };
    let numbers = read(&buffers[3], 4 * places.len());
    (read(&buffers[2], 2 * places.len()), numbers.into_iter().map(|n| n.map(f32::from_bits)).collect())
}

/// The adapter that the other tests take (`common::gpu`), opened without the crate.
fn open() -> (wgpu::Device, wgpu::Queue) {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
    let mut adapters = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::all()));
    if let Ok(wanted) = std::env::var("EBM_GPU_TEST_ADAPTER") {
        let mut index = 0..;
        adapters.retain(|a| {
            let here = index.next().map(|i: usize| i.to_string());
            here.as_ref() == Some(&wanted) || a.get_info().name.to_lowercase().contains(&wanted.to_lowercase())
        });
    }
    adapters.sort_by_key(|a| a.get_info().device_type == wgpu::DeviceType::Cpu);
    let Some(adapter) = adapters.first() else {
        panic!("there is no adapter; run `bash tests/install-vulkan.sh` to install a software driver");
    };
    eprintln!("adapter: {}", adapter.get_info().name);
    pollster::block_on(adapter.request_device(&Default::default())).expect("the adapter opens")
}

#[test]
fn philox_is_that_of_an_independent_crate() {
    for i in 0..10_000 {
        let counter = Seed(8).words(Stream::Host, i, 0, 0);
        let key = [counter[0].rotate_left(7), !counter[3]];
        assert_eq!(philox4x32_10(counter, key), rand_philox::philox4x32_10(counter, key), "{counter:08x?}");
    }
}
