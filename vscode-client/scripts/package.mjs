// Makes out/onnx-lint-VERSION.vsix. What goes in is copied into out/vsix/ first: nothing else can slip in.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const client = fileURLToPath(new URL("..", import.meta.url));
const root = join(client, "..");
const staging = join(client, "out", "vsix");
process.chdir(client);

const manifest = JSON.parse(readFileSync("package.json", "utf8"));
const python = /__version__ = "([^"]+)"/.exec(readFileSync(join(root, "linter/onnx_lint/__init__.py"), "utf8"))[1];
if (manifest.version !== python) {
  throw new Error(`package.json says ${manifest.version}, onnx_lint says ${python}`);
}
execFileSync(process.execPath, ["scripts/build.mjs"], { stdio: "inherit" });
if (!process.argv.includes("--keep-libs")) {
  execFileSync(process.execPath, ["scripts/bundle-python.mjs"], { stdio: "inherit" });
}

rmSync(staging, { recursive: true, force: true });
mkdirSync(staging, { recursive: true });
for (const name of ["dist/extension.js", "bundled/run_server.py", "bundled/libs", "media", "package.nls.json", "CHANGELOG.md"]) {
  cpSync(name, join(staging, name), { recursive: true, filter: (path) => !path.includes("__pycache__") });
}
cpSync(join(root, "LICENSE"), join(staging, "LICENSE"));
const images = join(root, "docs", "images");
for (const name of readdirSync(images).filter((n) => n.startsWith("vscode-"))) {
  cpSync(join(images, name), join(staging, "media", name));
}
writeFileSync(join(staging, "README.md"), readFileSync("README.md", "utf8").replaceAll("../docs/images/", "media/"));
const development = ["scripts", "devDependencies", "dependencies", "private"];
const published = Object.fromEntries(Object.entries(manifest).filter(([key]) => !development.includes(key)));
writeFileSync(join(staging, "package.json"), JSON.stringify(published, null, 2));
checkMedia(published);

const vsix = join(client, "out", `onnx-lint-${manifest.version}.vsix`);
const vsce = join(client, "node_modules", "@vscode", "vsce", "vsce");
execFileSync(
  process.execPath,
  [vsce, "package", "--no-dependencies", "--no-rewrite-relative-links", "--allow-missing-repository", "--skip-license", "-o", vsix],
  { cwd: staging, stdio: ["ignore", "inherit", "inherit"] },
);
console.log(`${vsix}: ${Math.round(statSync(vsix).size / 1024)} kB`);

/** Pictures that the manifest and the README name must be there: a missing one shows only at a user's. */
function checkMedia({ icon, contributes }) {
  const steps = contributes.walkthroughs.flatMap((w) => w.steps.map((s) => s.media.image));
  const readme = [...readFileSync(join(staging, "README.md"), "utf8").matchAll(/\]\((media\/[^)]+)\)/g)].map((m) => m[1]);
  for (const name of [icon, ...steps, ...readme]) {
    statSync(join(staging, name));
  }
}
