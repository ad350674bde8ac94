// Fills bundled/libs/ with onnx-lint itself and the pure-Python packages its server needs.
// The Python that does it: ONNX_LINT_PYTHON, else the project's .venv, else python3. It needs pip.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const client = fileURLToPath(new URL("..", import.meta.url));
const root = join(client, "..");
const libs = join(client, "bundled", "libs");
const venv = join(root, ".venv", process.platform === "win32" ? "Scripts/python.exe" : "bin/python");
const python = process.env.ONNX_LINT_PYTHON ?? (existsSync(venv) ? venv : "python3");

rmSync(libs, { recursive: true, force: true });
pip(join(libs, "linter"), [root]);
// Wheels for any machine and the oldest Python that is served: one extension fits all.
const anywhere = ["--only-binary", ":all:", "--platform", "any", "--implementation", "py", "--abi", "none", "--python-version", "3.10"];
pip(join(libs, "server"), [...anywhere, "--require-hashes", "-r", join(client, "bundled", "requirements.txt")]);
refuseNative();

function pip(target, what) {
  execFileSync(python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-compile", "--target", target, ...what], {
    stdio: "inherit",
  });
  rmSync(join(target, "bin"), { recursive: true, force: true });
}

/** A compiled module would work on the machine that packaged it, and nowhere else. */
function refuseNative() {
  const native = readdirSync(libs, { recursive: true }).filter((name) => /\.(so|pyd|dylib|dll)$/.test(name));
  if (native.length > 0) {
    throw new Error(`not pure Python: ${native.join(", ")}`);
  }
}
