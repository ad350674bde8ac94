// Starts a real VS Code (code-server) with an extension, and a page on it in headless Chromium.
//
// Set by tools/editors.sh: ONNX_LINT_EDITORS (the cache folder with node_modules/playwright-core), CODE_SERVER (its
// entry.js), CHROMIUM, ONNX_LINT_TEST_PYTHON (an interpreter with torch), WORK (a folder for this run).
import { spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import net from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const { chromium } = createRequire(join(required("ONNX_LINT_EDITORS"), "package.json"))("playwright-core");

export const WORK = required("WORK");
export const PYTHON = required("ONNX_LINT_TEST_PYTHON");
export const FIXTURE = fileURLToPath(new URL("../../fixtures/editors/workspace", import.meta.url));

const QUIET = {
  "workbench.startupEditor": "none",
  "telemetry.telemetryLevel": "off",
  "extensions.autoCheckUpdates": false,
  "extensions.autoUpdate": false,
  "extensions.ignoreRecommendations": true,
  "workbench.enableExperiments": false,
  "workbench.tips.enabled": false,
  "chat.commandCenter.enabled": false,
  "workbench.secondarySideBar.defaultVisibility": "hidden",
  "editor.minimap.enabled": false,
  "editor.unicodeHighlight.nonBasicASCII": false,
  "files.autoSave": "off",
  "git.enabled": false,
  "window.confirmBeforeClose": "never",
};

const BROWSER = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export function required(name) {
  const value = process.env[name];
  if (!value) {
    throw new Error(`${name} is not set: start this with tools/editors.sh`);
  }
  return value;
}

/** A copy of the sample workspace of its own, so that a test may write there. */
export function workspace(from = FIXTURE) {
  const folder = join(mkdtempSync(join(WORK, "w-")), "models");
  cpSync(from, folder, { recursive: true });
  return folder;
}

export class CodeServer {
  log = "";

  /** A data folder of its own; what is in `user` counts as user settings. */
  constructor(settings = {}, { trust = false, env = {} } = {}) {
    this.data = mkdtempSync(join(WORK, "code-server-"));
    this.trust = trust;
    this.env = env;
    mkdirSync(join(this.data, "user/User"), { recursive: true });
    mkdirSync(join(this.data, "ext"), { recursive: true });
    writeFileSync(join(this.data, "config.yaml"), "auth: none\n");
    const all = { ...QUIET, "security.workspace.trust.enabled": trust, ...settings };
    writeFileSync(join(this.data, "user/User/settings.json"), JSON.stringify(all, null, 2));
    process.on("exit", () => this.stop());
  }

  get #common() {
    const { data } = this;
    return ["--config", join(data, "config.yaml"), "--user-data-dir", join(data, "user"), "--extensions-dir", join(data, "ext")];
  }

  /** Install an extension from a .vsix, as a person would. */
  async install(vsix) {
    const child = spawn(process.execPath, [required("CODE_SERVER"), ...this.#common, "--install-extension", vsix, "--force"]);
    let text = "";
    child.stdout.on("data", (chunk) => (text += chunk));
    child.stderr.on("data", (chunk) => (text += chunk));
    const code = await new Promise((resolve) => child.on("exit", resolve));
    if (code !== 0) {
      throw new Error(`installation of ${vsix} ended with ${code}: ${text}`);
    }
  }

  async start() {
    this.port = await freePort();
    const args = ["--bind-addr", `127.0.0.1:${this.port}`, "--auth", "none", "--disable-telemetry", "--disable-update-check"];
    args.push("--disable-getting-started-override", ...(this.trust ? [] : ["--disable-workspace-trust"]));
    // A process group of its own: code-server forks, and the extension host is a child of the fork.
    this.child = spawn(process.execPath, [required("CODE_SERVER"), ...this.#common, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
      env: { ...process.env, ...this.env },
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.on("data", (chunk) => (this.log += chunk));
    }
    await until("code-server answers", async () => {
      try {
        return (await fetch(`http://127.0.0.1:${this.port}/healthz`)).ok;
      } catch {
        return false; // not listening yet
      }
    });
  }

  /** The address of the workbench with a folder open; `payload` as the workbench takes it. */
  url(folder, payload = []) {
    return `http://127.0.0.1:${this.port}/?folder=${encodeURIComponent(folder)}&payload=${encodeURIComponent(JSON.stringify(payload))}`;
  }

  /** A file as the workbench names it. */
  remote(path) {
    return `vscode-remote://127.0.0.1:${this.port}${path}`;
  }

  stop() {
    if (this.child !== undefined) {
      try {
        process.kill(-this.child.pid, "SIGTERM");
      } catch {
        // it is gone already
      }
      this.child = undefined;
    }
    rmSync(this.data, { recursive: true, force: true, maxRetries: 5 });
  }
}

export async function openBrowser() {
  return chromium.launch({ executablePath: required("CHROMIUM"), headless: true, args: BROWSER });
}

/** Wait for a condition; on a machine under load the workbench takes its time, so the limits are wide. */
export async function until(what, condition, limit = 90_000) {
  const start = Date.now();
  for (;;) {
    const value = await condition();
    if (value) {
      return value;
    }
    if (Date.now() - start > limit) {
      throw new Error(`not within ${limit / 1000} s: ${what}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function freePort() {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
