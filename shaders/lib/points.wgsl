// Points of a row-major buffer as the columns of a tile. Needs: lib/tile.wgsl, `points`, `params`.

// One coordinate of four points; points past the end repeat the last.
fn coordinate(first: u32, n: u32) -> vec4<f32> {
    let last = params.count - 1u;
    return vec4<f32>(
        points[min(first, last) * params.dim + n], points[min(first + 1u, last) * params.dim + n],
        points[min(first + 2u, last) * params.dim + n], points[min(first + 3u, last) * params.dim + n]);
}

// Sets the input of the tile whose first point is `first`.
fn load_points(first: u32) {
    let quad = local / ROWS;
    for (var n = local % ROWS; n < params.dim; n += ROWS) {
        scratch[place(net[0].forward, 4u * net[0].input, n, 0u, quad)] = coordinate(first + 4u * quad, n);
    }
}
