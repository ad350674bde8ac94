// Which interpreter runs the server, with a stand-in for the Python extension, and libcst installed at a click.
const assert = require("node:assert/strict");
const vscode = require("vscode");

const { api, codes, open, setting, suite, until } = require("./support.js");

const CHOSEN = process.env.ONNX_LINT_TEST_CHOSEN;
const OTHER = process.env.ONNX_LINT_TEST_PYTHON;
const WITHOUT = process.env.ONNX_LINT_TEST_WITHOUT_LIBCST;

exports.run = suite({
  async "without a setting, the Python extension's interpreter is taken"() {
    const extension = await api();
    assert.equal(extension.interpreter(), CHOSEN);
    const document = await open("model.py");
    await codes(document.uri, ["ONX207", "ONX202", "ONX101"]);
  },

  async "another choice there restarts the server with it"() {
    const extension = await api();
    const before = extension.pid();
    await vscode.commands.executeCommand("pythonStandIn.choose", OTHER);
    await until("the other interpreter", () => extension.interpreter() === OTHER && extension.isRunning());
    assert.notEqual(extension.pid(), before);
  },

  async "the setting goes before it"() {
    const extension = await api();
    await setting("interpreter", CHOSEN);
    await until("the setting's", () => extension.interpreter() === CHOSEN && extension.isRunning());
    await setting("interpreter", "/no/such/python");
    await until("the Python extension's again", () => extension.interpreter() === OTHER && extension.isRunning());
    await setting("interpreter", undefined);
  },

  async "an environment without libcst does not run, and does after the installation"() {
    const extension = await api();
    await vscode.commands.executeCommand("pythonStandIn.choose", WITHOUT);
    await until("stopped", () => extension.interpreter() === WITHOUT && !extension.isRunning());
    const document = await open("model.py");
    await codes(document.uri, []);
    await vscode.commands.executeCommand("onnxLint.installLibcst");
    assert.ok(extension.isRunning());
    await codes(document.uri, ["ONX207", "ONX202", "ONX101"]);
  },
});
