// The extension with the server that comes with it, seen through the editor's own interface.
const assert = require("node:assert/strict");
const vscode = require("vscode");

const { api, codeOf, codes, open, ours, revert, setting, suite, until, uriOf } = require("./support.js");

const MODEL = ["ONX207", "ONX202", "ONX101"];
// A change after which there is a hazard with a safe fix.
const SAFE = ["torch.relu(x) * 2.0", "x.data.relu() * 2.0"];
const run = (command, ...args) => vscode.commands.executeCommand(command, ...args);

async function actionsAt(uri, range, kind) {
  return run("vscode.executeCodeActionProvider", uri, range, kind?.value);
}

async function replace(document, from, to) {
  const at = document.getText().indexOf(from);
  assert.notEqual(at, -1, from);
  const edit = new vscode.WorkspaceEdit();
  edit.replace(document.uri, new vscode.Range(document.positionAt(at), document.positionAt(at + from.length)), to);
  assert.ok(await vscode.workspace.applyEdit(edit));
}

exports.run = suite({
  async "the setting's interpreter runs the server"() {
    const extension = await api();
    assert.equal(extension.interpreter(), process.env.ONNX_LINT_TEST_PYTHON);
    assert.ok(extension.isRunning());
  },

  async "diagnostics stand under the right characters, also behind an emoji"() {
    const document = await open("model.py");
    const found = await codes(document.uri, MODEL);
    assert.deepEqual(
      found.map((d) => document.getText(d.range)),
      ["len(x)", "x.sum().item()", "x.mean() > 0"],
    );
    const { Error: error, Warning: warning } = vscode.DiagnosticSeverity;
    assert.deepEqual(
      found.map((d) => d.severity),
      [warning, error, error],
    );
  },

  async "a diagnostic links to its rule and to where its value came from"() {
    const document = await open("model.py");
    const [, item] = await codes(document.uri, MODEL);
    assert.match(item.code.target.toString(), /^https?:.*item-call|ONX202/i);
    const [origin] = item.relatedInformation;
    assert.equal(document.getText(origin.location.range).trim().slice(0, 1), "x");
    assert.match(origin.message, /input of the model/);
  },

  async "an origin chain leads through another file"() {
    const document = await open("scaling.py");
    const [tensor] = await codes(document.uri, ["ONX209"]);
    const files = tensor.relatedInformation.map((r) => r.location.uri.path.split("/").at(-1));
    assert.ok(files.includes("model.py"), files.join());
  },

  async "hover on a diagnostic explains the rule"() {
    const document = await open("model.py");
    const [, item] = await codes(document.uri, MODEL);
    const hovers = await until("hover", async () => {
      const found = await run("vscode.executeHoverProvider", document.uri, item.range.start.translate(0, 9));
      return found.length > 0 ? found : undefined;
    });
    const text = hovers.flatMap((h) => h.contents.map((c) => c.value)).join("\n");
    assert.match(text, /item/);
  },

  async "a safe fix is preferred, and fixes"() {
    const document = await open("model.py");
    await replace(document, ...SAFE);
    const data = (await codes(document.uri, [...MODEL, "ONX205"])).at(-1);
    const actions = await actionsAt(document.uri, data.range, vscode.CodeActionKind.QuickFix);
    const fix = actions.find((a) => a.isPreferred);
    assert.match(fix.title, /detach/);
    assert.ok(await vscode.workspace.applyEdit(fix.edit));
    assert.match(document.getText(), /x\.detach\(\)\.relu\(\)/);
    await codes(document.uri, MODEL);
    await revert(document);
  },

  async "an unsafe fix is offered, and not preferred"() {
    const document = await open("model.py");
    const [length] = await codes(document.uri, MODEL);
    const actions = await actionsAt(document.uri, length.range, vscode.CodeActionKind.QuickFix);
    const fix = actions.find((a) => /shape\[0\]/.test(a.title));
    assert.ok(!fix.isPreferred);
    assert.ok(await vscode.workspace.applyEdit(fix.edit));
    assert.match(document.getText(), /rows = x\.shape\[0\]/);
    // A size instead of a constant: now what the helper does with it shows.
    await codes(document.uri, ["ONX202", "ONX101"]);
    await revert(document);
    await codes(document.uri, MODEL);
  },

  async "a rule is switched off for a line"() {
    const document = await open("model.py");
    const [, item] = await codes(document.uri, MODEL);
    const actions = await actionsAt(document.uri, item.range, vscode.CodeActionKind.QuickFix);
    const disable = actions.find((a) => /^Disable ONX202 .*line$/.test(a.title));
    assert.ok(await vscode.workspace.applyEdit(disable.edit));
    await codes(document.uri, ["ONX207", "ONX101"]);
    await revert(document);
    await codes(document.uri, MODEL);
  },

  async "fix all applies what is safe, and only that"() {
    const document = await open("model.py");
    await replace(document, ...SAFE);
    await codes(document.uri, [...MODEL, "ONX205"]);
    await run("onnxLint.fixAll");
    await until("fixed", () => /x\.detach\(\)\.relu\(\)/.test(document.getText()));
    assert.match(document.getText(), /rows = len\(x\)/);
    assert.match(document.getText(), /total = x\.sum\(\)\.item\(\)/);
    await revert(document);
    await codes(document.uri, MODEL);
  },

  async "a file that does not parse keeps what is right elsewhere"() {
    const document = await open("model.py");
    await codes(document.uri, MODEL);
    await replace(document, "return torch.relu(x) * 2.0", "return torch.relu(x) * (");
    await until("syntax error", () => ours(document.uri).some((d) => codeOf(d).startsWith("ONX0")));
    assert.deepEqual(
      ours(document.uri)
        .map(codeOf)
        .filter((c) => !c.startsWith("ONX0")),
      MODEL,
    );
    await revert(document);
    await codes(document.uri, MODEL);
  },

  async "an edit in a helper shows in the files that depend on it"() {
    const model = await open("model.py");
    const helper = await open("scaling.py");
    await codes(helper.uri, ["ONX209"]);
    await replace(helper, "factor = float(rows)", "factor = x.sum().item()");
    await codes(helper.uri, ["ONX202", "ONX209"]);
    await replace(model, "return scaled(x, rows)", "return x");
    await codes(helper.uri, []);
    await revert(model);
    await revert(helper);
    await codes(helper.uri, ["ONX209"]);
  },

  async "an untitled document is linted"() {
    const content = "from torch import nn\n\nclass A(nn.Module):\n    def forward(self, x):\n        return x * x.sum().item()\n";
    const document = await vscode.workspace.openTextDocument({ language: "python", content });
    await vscode.window.showTextDocument(document);
    const [item] = await codes(document.uri, ["ONX202"]);
    assert.equal(document.getText(item.range), "x.sum().item()");
    await run("workbench.action.revertAndCloseActiveEditor");
  },

  async "in a notebook, a diagnostic stands in its cell"() {
    const notebook = await vscode.workspace.openNotebookDocument(uriOf("notebook.ipynb"));
    await vscode.window.showNotebookDocument(notebook);
    const [imports, model] = notebook.getCells().filter((c) => c.kind === vscode.NotebookCellKind.Code);
    const [item] = await codes(model.document.uri, ["ONX202"]);
    assert.equal(model.document.getText(item.range), "x.sum().item()");
    assert.deepEqual(ours(imports.document.uri), []);
    await run("workbench.action.closeActiveEditor");
  },

  async "settings count at once"() {
    const document = await open("model.py");
    await codes(document.uri, MODEL);
    await setting("ignore", ["ONX202"]);
    await codes(document.uri, ["ONX207", "ONX101"]);
    await setting("ignore", undefined);
    await setting("engine", "dynamo");
    await codes(document.uri, ["ONX101"]);
    await setting("engine", undefined);
    await setting("enable", false);
    await codes(document.uri, []);
    await setting("enable", undefined);
    await codes(document.uri, MODEL);
  },

  async "server and editor have the same text after edits among surrogate pairs"() {
    const document = await open("model.py");
    await replace(document, '"🦄"', '"🦄é🦄"');
    await replace(document, "é🦄", "\u2028ü");
    await replace(document, "total = x.sum()", "total = (🦄)");
    await replace(document, "(🦄)", "x.sum()");
    const text = document.getText();
    await run("onnxLint.viewServerText");
    await until("the view", () => vscode.window.activeTextEditor?.document.isUntitled);
    assert.equal(vscode.window.activeTextEditor.document.getText(), text);
    await run("workbench.action.revertAndCloseActiveEditor");
    await revert(document);
    await codes(document.uri, MODEL);
  },

  async "a lens above each module exports it"() {
    const document = await open("model.py");
    const lenses = await until("lenses", async () => {
      const found = await run("vscode.executeCodeLensProvider", document.uri, 10);
      return found.length >= 2 ? found : undefined;
    });
    const exported = lenses.filter((l) => l.command.command === "onnx-lint.export");
    assert.deepEqual(
      exported.map((l) => [document.lineAt(l.range.start.line).text, l.command.arguments[0].name]),
      [
        ["class Gate(nn.Module):", "Gate"],
        ["class Plain(nn.Module):", "Plain"],
      ],
    );
  },

  async "the guessed inputs of a model export it right with both engines"() {
    const document = await open("model.py");
    const target = { uri: document.uri.toString(), name: "Plain" };
    const { inputs } = await run("onnx-lint.inputSpec", target);
    assert.match(inputs.join(), /^x:float32\[/);
    const result = await run("onnx-lint.export", { ...target, inputs, engine: "both" });
    assert.ok(result.ok, result.message);
    assert.deepEqual(result.exports.map((e) => e.engine).sort(), ["dynamo", "torchscript"]);
    for (const uri of [...result.outputs, result.report]) {
      await vscode.workspace.fs.stat(vscode.Uri.parse(uri));
    }
    await until("the report", () =>
      vscode.window.tabGroups.all.some((g) => g.tabs.some((t) => t.label === "ONNX export: Plain")),
    );
    await run("workbench.action.closeAllEditors");
  },

  async "an export that is cancelled ends, and says so"() {
    const document = await open("model.py");
    const target = { uri: document.uri.toString(), name: "Plain" };
    const ended = run("onnx-lint.export", { ...target, inputs: ["x:float32[n=2,3]"], engine: "both" });
    await until("the export to be cancelled", () => run("onnxLint.cancelExport"));
    const result = await ended;
    assert.equal(result.ok, false);
    assert.match(result.message, /cancel/i);
    await run("workbench.action.closeAllEditors");
  },

  async "a rule is explained"() {
    const text = await run("onnxLint.explainRule", "ONX202");
    assert.match(text, /item/);
    await until("the preview", () =>
      vscode.window.tabGroups.all.some((g) => g.tabs.some((t) => t.input instanceof vscode.TabInputWebview)),
    );
    await run("workbench.action.closeAllEditors");
  },

  async "restart: another process, one only, and the diagnostics are back"() {
    const extension = await api();
    const document = await open("model.py");
    const before = extension.pid();
    await Promise.all([run("onnxLint.restart"), run("onnxLint.restart")]);
    assert.ok(extension.isRunning());
    assert.notEqual(extension.pid(), before);
    assert.throws(() => process.kill(before, 0), { code: "ESRCH" });
    await codes(document.uri, MODEL);
  },

  async "a crashed server is started again, until it crashes five times"() {
    const extension = await api();
    const document = await open("model.py");
    for (let crash = 1; crash <= 4; crash += 1) {
      const before = extension.pid();
      process.kill(before, "SIGKILL");
      await until(`start ${crash}`, () => extension.isRunning() && extension.pid() !== before);
      await codes(document.uri, MODEL);
    }
    process.kill(extension.pid(), "SIGKILL");
    await until("given up", () => !extension.isRunning() && extension.pid() === undefined);
    await codes(document.uri, []);
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    assert.ok(!extension.isRunning());
    await run("onnxLint.restart");
    assert.ok(extension.isRunning());
    await codes(document.uri, MODEL);
  },
});
