// Runs suites of tests inside the real extension host: node host.mjs <extension folder> [suite …]
// For the suite `interpreter` also: ONNX_LINT_TEST_CHOSEN, an interpreter with libcst; ONNX_LINT_TEST_WITHOUT_LIBCST, a
// fresh one without; PYTHON_STAND_IN, the folder python-extension as a .vsix.
// Prints one line for each test; the exit code says whether all went well.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { CodeServer, openBrowser, PYTHON, required, WORK, workspace } from "./codeserver.mjs";

const [extension, ...asked] = process.argv.slice(2);
const SUITES = {
  main: { settings: { "onnxLint.interpreter": PYTHON } },
  interpreter: { settings: {}, install: "PYTHON_STAND_IN" },
};

let failed = false;
const browser = await openBrowser();
for (const name of asked.length > 0 ? asked : Object.keys(SUITES)) {
  const code = await run(name, SUITES[name]);
  failed ||= code !== 0;
}
await browser.close();
process.exit(failed ? 1 : 0);

async function run(name, { settings, install }) {
  const start = Date.now();
  const report = join(WORK, `host-${name}.json`);
  const server = new CodeServer(settings, { env: { ONNX_LINT_TEST_REPORT: report, ONNX_LINT_TEST_PYTHON: PYTHON } });
  if (install !== undefined) {
    await server.install(required(install));
  }
  await server.start();
  const page = await browser.newPage();
  const log = [];
  const ended = new Promise((resolve) => {
    page.exposeFunction("codeAutomationLog", (_type, args) => log.push(args.join(" ")));
    page.exposeFunction("codeAutomationExit", resolve);
  });
  await page.addInitScript(allowTests);
  const tests = fileURLToPath(new URL(`host/${name}.js`, import.meta.url)).replace(/\.js$/, "");
  const payload = [
    ["extensionDevelopmentPath", server.remote(extension)],
    ["extensionTestsPath", server.remote(tests)],
    ["skipWelcome", "true"],
  ];
  await page.goto(server.url(workspace(), payload));
  const code = await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 300_000, "time limit"))]);
  if (existsSync(report)) {
    console.log(JSON.parse(readFileSync(report, "utf8")).report);
  }
  if (code !== 0) {
    await page.screenshot({ path: join(WORK, `host-${name}-failed.png`) });
    console.log(`extension host: ${code}\n${log.slice(-20).join("\n")}\n${server.log.slice(-2000)}`);
  }
  await page.close();
  server.stop();
  console.log(`suite ${name}: ${code === 0 ? "ok" : "FAILED"} in ${Math.round((Date.now() - start) / 1000)} s`);
  return code;
}

/**
 * New versions of the workbench take tests from the payload only with this option, which code-server cannot be told:
 * change the page's configuration as it is read. (Answering the request for the page in its place does not do:
 * Chromium then refuses the workbench's WebSocket.)
 */
function allowTests() {
  const get = Element.prototype.getAttribute;
  Element.prototype.getAttribute = function (name) {
    const value = get.call(this, name);
    if (name !== "data-settings" || this.id !== "vscode-workbench-web-configuration") {
      return value;
    }
    const settings = JSON.parse(value);
    settings.developmentOptions = { ...settings.developmentOptions, enableSmokeTestDriver: true };
    return JSON.stringify(settings);
  };
}
