// Bundles the extension into dist/, or with --tests the unit tests into out/test/.
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

import { build } from "esbuild";

process.chdir(new URL("..", import.meta.url).pathname);
const shared = { bundle: true, platform: "node", format: "cjs", target: "node20", external: ["vscode"], logLevel: "warning" };

if (process.argv.includes("--tests")) {
  rmSync("out/test", { recursive: true, force: true });
  const entryPoints = readdirSync("test/unit").map((name) => join("test/unit", name));
  await build({ ...shared, entryPoints, outdir: "out/test", sourcemap: "inline" });
} else {
  rmSync("dist", { recursive: true, force: true });
  await build({ ...shared, entryPoints: ["src/extension.ts"], outfile: "dist/extension.js", minify: true, sourcemap: true });
}
