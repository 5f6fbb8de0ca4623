// Compiles every <script class="wgsl"> of the page for WebGPU and says on the console how each fared.
const say = (text) => console.log(`webgpu: ${text.replaceAll("\n", " ")}`);

const adapter = await navigator.gpu?.requestAdapter();
if (!adapter) {
    say("no adapter");
} else {
    const subgroups = adapter.features.has("subgroups");
    const device = await adapter.requestDevice({ requiredFeatures: subgroups ? ["subgroups"] : [] });
    say(`adapter ${adapter.info.vendor} ${adapter.info.architecture}`);
    const scripts = [...document.querySelectorAll("script.wgsl")];
    const kernels = new Set();
    await Promise.all(
        scripts.map(async ({ id, textContent }) => {
            device.pushErrorScope("validation");
            // naga knows no such directive, and that the lanes of a subgroup go one way is known of one driver, not in general
            const prefix = id.endsWith("-subgroups") ? "enable subgroups; diagnostic(off, subgroup_uniformity);" : "";
            const module = device.createShaderModule({ code: prefix + textContent });
            device.popErrorScope();
            const { messages } = await module.getCompilationInfo();
            const problems = messages.filter((m) => m.type === "error").map((m) => `line ${m.lineNum}: ${m.message}`);
            const kernel = id.split("-")[0];
            if (problems.length === 0 && !kernels.has(kernel)) {
                kernels.add(kernel);
                const pipeline = device.createComputePipelineAsync({ layout: "auto", compute: { module } });
                await pipeline.catch((e) => problems.push(e.message));
            }
            if (prefix && !subgroups) {
                problems.unshift("this browser has no subgroups");
            }
            say(problems.length === 0 ? `compiled ${id}` : `refused ${id}: ${problems.join("; ")}`);
        }),
    );
}
say("end");
