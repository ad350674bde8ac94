// What the suites share: they run inside the extension host, with `vscode` at hand, and export `run()`.
const fs = require("node:fs");
const vscode = require("vscode");

const ID = "onnx-lint.onnx-lint";

/** Wait for a condition; the limits are wide, since machines that run this are busy. */
async function until(what, condition, limit = 60_000) {
  const start = Date.now();
  for (;;) {
    const value = await condition();
    if (value) {
      return value;
    }
    if (Date.now() - start > limit) {
      throw new Error(`not within ${limit / 1000} s: ${what}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function uriOf(name) {
  return vscode.Uri.joinPath(vscode.workspace.workspaceFolders[0].uri, name);
}

async function open(name) {
  const document = await vscode.workspace.openTextDocument(uriOf(name));
  await vscode.window.showTextDocument(document);
  return document;
}

/** Our diagnostics of a document, in the order of their places. */
function ours(uri) {
  const found = vscode.languages.getDiagnostics(uri).filter((d) => d.source === "onnx-lint");
  return found.sort((a, b) => a.range.start.compareTo(b.range.start));
}

function codeOf(diagnostic) {
  return String(diagnostic.code?.value ?? diagnostic.code);
}

/** Wait until a document has exactly these codes, in order. */
async function codes(uri, expected) {
  let seen = [];
  try {
    await until("codes", () => {
      seen = ours(uri).map(codeOf);
      return seen.join() === expected.join();
    });
  } catch {
    throw new Error(`expected ${expected.join() || "nothing"}, found ${seen.join() || "nothing"} in ${uri.path}`);
  }
  return ours(uri);
}

/** The extension's interface, after its first start. */
async function api() {
  const extension = vscode.extensions.getExtension(ID);
  const exports = await extension.activate();
  await exports.started;
  return exports;
}

/** Put back the text on disk. */
async function revert(document) {
  await vscode.window.showTextDocument(document);
  await vscode.commands.executeCommand("workbench.action.files.revert");
}

async function setting(name, value) {
  await vscode.workspace.getConfiguration("onnxLint").update(name, value, vscode.ConfigurationTarget.Workspace);
}

/** `run()` for a table of tests; the report goes to the file named in ONNX_LINT_TEST_REPORT. */
function suite(tests) {
  return async () => {
    const lines = [];
    let failed = 0;
    for (const [name, test] of Object.entries(tests)) {
      const start = Date.now();
      try {
        await test();
        lines.push(`ok      ${name} (${Date.now() - start} ms)`);
      } catch (error) {
        failed += 1;
        lines.push(`FAILED  ${name}\n${error.stack}`);
      }
    }
    const report = [...lines, `${vscode.env.appName} ${vscode.version}, node ${process.version}`].join("\n");
    fs.writeFileSync(process.env.ONNX_LINT_TEST_REPORT, JSON.stringify({ failed, report }));
    if (failed > 0) {
      throw new Error(`${failed} tests failed`);
    }
  };
}

module.exports = { api, codeOf, codes, open, ours, revert, setting, suite, until, uriOf };
