// A stand-in for ms-python.python, which cannot be installed without its marketplace.
const vscode = require("vscode");

exports.activate = (context) => {
  let chosen = process.env.ONNX_LINT_TEST_CHOSEN;
  const changed = new vscode.EventEmitter();
  const choose = (path) => {
    chosen = path;
    changed.fire({ id: path, path });
  };
  context.subscriptions.push(changed, vscode.commands.registerCommand("pythonStandIn.choose", choose));
  return {
    ready: Promise.resolve(),
    environments: {
      getActiveEnvironmentPath: () => ({ id: chosen, path: chosen }),
      resolveEnvironment: async (environment) => ({ executable: { uri: vscode.Uri.file(environment.path) } }),
      onDidChangeActiveEnvironmentPath: changed.event,
    },
  };
};
