// Sorts the draws of each coordinate, as keys in their order, by Batcher's bitonic network: one part of it a dispatch.
//
// series [..][each]: from `source` on the draws of one coordinate after another, `count` of which are sorted: those of chains
// cut in parts (lib/halves.wgsl). keys [coordinates][padded], filled up with the largest. A workgroup owns BLOCK keys of one
// coordinate. Needs: lib/keys.wgsl, lib/halves.wgsl. Reference: src/sampler/diagnostics/rank.rs (normal_scores).

struct SortParams {
    count: u32,
    // a power of two, BLOCK or more
    padded: u32,
    each: u32,
    source: u32,
    parts: u32,
    length: u32,
    draws: u32,
    // 1 if the keys are made of the series first
    fresh: u32,
    // merges up to these sizes are done within blocks ...
    first_size: u32,
    last_size: u32,
    // ... unless this is not 0: one step over so many keys of a merge of size last_size
    stride: u32,
    unused: u32,
}

@group(0) @binding(0) var<uniform> params: SortParams;
@group(0) @binding(1) var<storage, read> series: array<f32>;
@group(0) @binding(2) var<storage, read_write> keys: array<u32>;

const BLOCK: u32 = 2048u;
const_assert BLOCK % (2u * WORKGROUP) == 0u;
const_assert 4u * BLOCK <= 16384u;

var<workgroup> shared_keys: array<u32, BLOCK>;

fn fresh_key(at: u32) -> u32 {
    let p = at % params.padded;
    if p >= params.count {
        return 0xffffffffu;
    }
    let draw = part_start(p / params.length, params.parts, params.length, params.draws) + p % params.length;
    return key_of(series[params.source + (at / params.padded) * params.each + draw]);
}

// The place of the lower key of a pair: all places without the bit `stride`.
fn lower(pair: u32, stride: u32) -> u32 {
    return 2u * pair - (pair & (stride - 1u));
}

// Does the key at this place stand in a run of `size` that ascends?
fn ascends(at: u32, size: u32) -> bool {
    return ((at & (params.padded - 1u)) & size) == 0u;
}

@compute @workgroup_size(WORKGROUP)
fn sort_keys(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) index: u32) {
    let first = group.x * BLOCK;
    if params.stride > 0u {
        for (var pair = first / 2u + index; pair < first / 2u + BLOCK / 2u; pair += WORKGROUP) {
            let a = lower(pair, params.stride);
            let b = a + params.stride;
            let x = keys[a];
            let y = keys[b];
            if (x > y) == ascends(a, params.last_size) {
                keys[a] = y;
                keys[b] = x;
            }
        }
    } else {
        for (var i = index; i < BLOCK; i += WORKGROUP) {
            if params.fresh == 1u {
                shared_keys[i] = fresh_key(first + i);
            } else {
                shared_keys[i] = keys[first + i];
            }
        }
        workgroupBarrier();
        for (var size = params.first_size; size <= params.last_size; size *= 2u) {
            for (var stride = min(size, BLOCK) / 2u; stride > 0u; stride /= 2u) {
                for (var pair = index; pair < BLOCK / 2u; pair += WORKGROUP) {
                    let a = lower(pair, stride);
                    let b = a + stride;
                    let x = shared_keys[a];
                    let y = shared_keys[b];
                    if (x > y) == ascends(first + a, size) {
                        shared_keys[a] = y;
                        shared_keys[b] = x;
                    }
                }
                workgroupBarrier();
            }
        }
        for (var i = index; i < BLOCK; i += WORKGROUP) {
            keys[first + i] = shared_keys[i];
        }
    }
}
