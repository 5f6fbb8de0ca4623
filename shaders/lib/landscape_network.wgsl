// A network as the landscape that chains move on, a tile of them at a time.
//
// x of the tile's chains lies at `place_of` its coordinate; `survey` leaves what `slope_of` and `energy_part` read.
// Reference: src/engine/cpu/landscape.rs. Needs: lib/jet.wgsl, an activation.

// Once for each tile, before the first survey.
fn prepare_survey() {
    if FIELD == 0u && local < QUADS {
        seed_reverse(0u, 0u, local, vec4<f32>(1.0));
    }
}

// Where coordinate n of a column quad's chains lies in `scratch`.
fn place_of(n: u32, quad: u32) -> u32 {
    return place(net[0].forward, 4u * net[0].input, n, 0u, quad);
}

// Computes the gradient, and the energy where there is one, at x.
fn survey() {
    for (var pass_index = 0u; pass_index < opaque(2u - FIELD); pass_index++) {
        sweep(pass_index == 1u, 0u, 1u, 0u);
    }
}

// Coordinate n of grad E, or of minus the field.
fn slope_of(n: u32, quad: u32) -> vec4<f32> {
    return -score_of(n, quad);
}

fn put_slope(n: u32, quad: u32, value: vec4<f32>) {
    scratch[place(net[0].adjoint, 4u * net[0].input, n, 0u, quad)] = value;
}

// What this invocation has of E of column quad local / ROWS.
fn energy_part() -> vec4<f32> {
    return output_part(0u);
}
