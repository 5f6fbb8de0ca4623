// Chains on their way into a tile and out of it: `chains` [count, dim] row-major. Needs: lib/tile.wgsl, a landscape,
// `chains`, `params`.

fn key() -> vec2<u32> {
    return vec2<u32>(params.key_low, params.key_high);
}

// One coordinate of four chains; chains past the end repeat the last.
fn coordinate(first: u32, n: u32) -> vec4<f32> {
    let last = params.count - 1u;
    return vec4<f32>(
        chains[min(first, last) * params.dim + n], chains[min(first + 1u, last) * params.dim + n],
        chains[min(first + 2u, last) * params.dim + n], chains[min(first + 3u, last) * params.dim + n]);
}

fn load_chains(first: u32) {
    let quad = local / ROWS;
    for (var n = local % ROWS; n < params.dim; n += ROWS) {
        scratch[place_of(n, quad)] = coordinate(first + 4u * quad, n);
    }
}

fn store_chains(first: u32) {
    let quad = local / ROWS;
    for (var n = local % ROWS; n < params.dim; n += ROWS) {
        let x = scratch[place_of(n, quad)];
        for (var j = 0u; j < 4u; j++) {
            let chain = first + 4u * quad + j;
            if chain < params.count {
                chains[chain * params.dim + n] = x[j];
            }
        }
    }
}
