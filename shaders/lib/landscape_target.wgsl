// An analytic target as the landscape that chains move on, a tile of them at a time.
//
// One lane of each column quad computes the energy and the gradient of its four chains. The target's constants stand in
// `weights`, four to a vec4; `net` has one entry, whose blocks hold x and the gradient.
// Reference: src/engine/cpu/landscape.rs. Needs: lib/tile.wgsl, a target, lib/target.wgsl.

// which has no products
const COLUMN_QUADS: u32 = 1u;
const STAGE: u32 = WORKGROUP;

// of column quad local / ROWS, where local % ROWS == 0; elsewhere 0
var<private> surveyed_energy: vec4<f32>;

fn prepare_survey() {
}

// Where coordinate n of a column quad's chains lies in `scratch`.
fn place_of(n: u32, quad: u32) -> u32 {
    return region + net[0].forward + quad * 4u * net[0].input + n;
}

fn slope_place(n: u32, quad: u32) -> u32 {
    return region + net[0].adjoint + quad * 4u * net[0].input + n;
}

fn slope_of(n: u32, quad: u32) -> vec4<f32> {
    return scratch[slope_place(n, quad)];
}

fn put_slope(n: u32, quad: u32, value: vec4<f32>) {
    scratch[slope_place(n, quad)] = value;
}

// What the target reads and writes.
fn dimension() -> u32 {
    return params.dim;
}

fn constant(i: u32) -> f32 {
    return weights[i / 4u][i % 4u];
}

fn at(n: u32) -> vec4<f32> {
    return scratch[place_of(n, local / ROWS)];
}

fn set_slope(n: u32, value: vec4<f32>) {
    put_slope(n, local / ROWS, value);
}

// Computes the energy and the gradient at x.
fn survey() {
    if local % ROWS == 0u {
        surveyed_energy = analytic_energy();
    }
    sync();
}

// What this invocation has of E of column quad local / ROWS.
fn energy_part() -> vec4<f32> {
    return surveyed_energy;
}
