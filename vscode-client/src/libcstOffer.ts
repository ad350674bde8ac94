/** Tells that libcst is missing and installs it at a click, in a task a person can watch. */
import * as vscode from "vscode";

import { Interpreter, machine } from "./interpreter";
import { installCommand, LIBCST } from "./libcst";
import { log } from "./log";
import { findOnPath } from "./paths";

/** Offer it. The command behind the button restarts the server after it. */
export async function offerLibcst(interpreter: Interpreter): Promise<void> {
  const [install, other, logs] = [
    vscode.l10n.t("Install"),
    vscode.l10n.t("Other Interpreter"),
    vscode.l10n.t("Show Logs"),
  ];
  const text = vscode.l10n.t("onnx-lint needs the package libcst in {0}.", interpreter.python);
  log.warn(`Interpreter: libcst is not installed in ${interpreter.python}`);
  const answer = await vscode.window.showWarningMessage(text, install, other, logs);
  if (answer === install) {
    await vscode.commands.executeCommand("onnxLint.installLibcst");
  } else if (answer === other) {
    await vscode.commands.executeCommand("onnxLint.selectInterpreter");
  } else if (answer === logs) {
    log.show();
  }
}

/** Install it. Returns whether it is there now; what went wrong stands in the task's terminal. */
export async function installLibcst(interpreter: Interpreter): Promise<boolean> {
  const command = installCommand(interpreter.python, interpreter.probe.pip, findOnPath("uv", machine));
  if (command === undefined) {
    void vscode.window.showErrorMessage(
      vscode.l10n.t("{0} has no pip. Install {1} by the means of your environment.", interpreter.python, LIBCST),
    );
    return false;
  }
  log.info(`Interpreter: ${command.program} ${command.args.join(" ")}`);
  const task = new vscode.Task(
    { type: "process" },
    vscode.TaskScope.Workspace,
    vscode.l10n.t("install libcst"),
    "onnx-lint",
    new vscode.ProcessExecution(command.program, command.args),
  );
  task.presentationOptions = { reveal: vscode.TaskRevealKind.Always, clear: true };
  const status = await run(task);
  if (status !== 0) {
    log.error(`Interpreter: the installation ended with ${String(status)}`);
    void vscode.window.showErrorMessage(
      vscode.l10n.t("libcst was not installed. The terminal says why; the command can be repeated from the palette."),
    );
  }
  return status === 0;
}

async function run(task: vscode.Task): Promise<number | undefined> {
  const execution = await vscode.tasks.executeTask(task);
  return new Promise((resolve) => {
    const ended = vscode.tasks.onDidEndTaskProcess((event) => {
      if (event.execution === execution) {
        finish(event.exitCode);
      }
    });
    // A task that could not be started at all has no process that ends.
    const gone = vscode.tasks.onDidEndTask((event) => {
      if (event.execution === execution) {
        setTimeout(finish, 1_000, undefined);
      }
    });
    const finish = (code: number | undefined): void => {
      ended.dispose();
      gone.dispose();
      resolve(code);
    };
  });
}
