/** The commands of the palette. */
import * as vscode from "vscode";

import { ExportFlow, Execute } from "./exportFlow";
import { Remembered } from "./inputs";
import { installLibcst } from "./libcstOffer";
import { log } from "./log";
import { CLIENT_ID, Command, isTarget, Method, Target } from "./protocol";
import { RulePages } from "./rules";
import { Server } from "./server";

export interface Parts {
  server: Server;
  execute: Execute;
  flow: ExportFlow;
  remembered: Remembered;
  rules: RulePages;
}

/** The name after `onnxLint.`, and what it does. */
export function registerCommands(parts: Parts): vscode.Disposable[] {
  const { server, execute, flow, remembered, rules } = parts;
  const commands: Record<string, (argument: unknown) => unknown> = {
    export: (argument) => (isTarget(argument) ? flow.start(argument) : flow.fromEditor(asUri(argument))),
    exportScript: (argument) => flow.startScript(asUri(argument)?.toString()),
    cancelExport: () => execute(Command.cancelExport, []),
    showReport: (argument) => showReport(execute, isTarget(argument) ? argument : flow.last),
    forgetInputs: async () => {
      const count = await remembered.clear();
      void vscode.window.showInformationMessage(vscode.l10n.t("Forgot the inputs of {0} models.", count));
    },
    fixAll: () =>
      vscode.commands.executeCommand("editor.action.codeAction", { kind: "source.fixAll.onnxLint", apply: "first" }),
    explainRule: (argument) => (typeof argument === "string" ? rules.show(argument) : rules.ask()),
    reload: () => execute(Command.reload, []),
    restart: () => server.restart("asked for"),
    showLogs: () => {
      log.show();
    },
    selectInterpreter: () => selectInterpreter(),
    installLibcst: async () => {
      if (server.interpreter !== undefined && (await installLibcst(server.interpreter))) {
        await server.restart("libcst was installed");
      }
    },
    selectEngine: () => selectEngine(),
    viewServerText: () => viewServerText(server),
    openWalkthrough: () =>
      vscode.commands.executeCommand("workbench.action.openWalkthrough", "onnx-lint.onnx-lint#start", false),
  };
  return Object.entries(commands).map(([name, action]) => vscode.commands.registerCommand(`${CLIENT_ID}.${name}`, action));
}

function asUri(argument: unknown): vscode.Uri | undefined {
  return argument instanceof vscode.Uri ? argument : undefined;
}

async function showReport(execute: Execute, target: Target | undefined): Promise<unknown> {
  const uri = target === undefined ? null : await execute(Command.showReport, [target]);
  if (uri === null) {
    void vscode.window.showInformationMessage(vscode.l10n.t("There is no report yet: export a model first."));
  }
  return uri;
}

async function selectInterpreter(): Promise<void> {
  const own = { label: `$(file-code) ${vscode.l10n.t("Choose a file…")}`, id: "file" };
  const python = { label: `$(snake) ${vscode.l10n.t("Select in the Python extension…")}`, id: "extension" };
  const setting = { label: `$(gear) ${vscode.l10n.t("Open the setting onnxLint.interpreter")}`, id: "setting" };
  const hasExtension = vscode.extensions.getExtension("ms-python.python") !== undefined;
  const items = hasExtension ? [python, own, setting] : [own, setting];
  const title = vscode.l10n.t("Interpreter that runs the onnx-lint server");
  const item = await vscode.window.showQuickPick(items, { title });
  if (item?.id === "extension") {
    await vscode.commands.executeCommand("python.setInterpreter");
  } else if (item?.id === "setting") {
    await vscode.commands.executeCommand("workbench.action.openSettings", "onnxLint.interpreter");
  } else if (item?.id === "file") {
    const [file] = (await vscode.window.showOpenDialog({ title, canSelectMany: false })) ?? [];
    if (file !== undefined) {
      await update("interpreter", file.fsPath);
    }
  }
}

async function selectEngine(): Promise<void> {
  const current = vscode.workspace.getConfiguration(CLIENT_ID).get<string>("engine");
  const details: Record<string, string> = {
    config: vscode.l10n.t("What the project's configuration says"),
    torchscript: "torch.onnx.export(dynamo=False)",
    dynamo: "torch.onnx.export(dynamo=True)",
    both: vscode.l10n.t("Both engines"),
  };
  const items = Object.entries(details).map(([label, detail]) => ({ label, detail, description: label === current ? "✓" : "" }));
  const item = await vscode.window.showQuickPick(items, { title: vscode.l10n.t("Export engine to check for") });
  if (item !== undefined) {
    await update("engine", item.label);
  }
}

/** Set a setting where a person expects it: in the workspace if one is open. */
async function update(setting: string, value: unknown): Promise<void> {
  const target =
    vscode.workspace.workspaceFolders === undefined ? vscode.ConfigurationTarget.Global : vscode.ConfigurationTarget.Workspace;
  await vscode.workspace.getConfiguration(CLIENT_ID).update(setting, value, target);
}

/** What the server believes to stand in the active file: for reports of a fault in the synchronisation. */
async function viewServerText(server: Server): Promise<void> {
  const document = vscode.window.activeTextEditor?.document;
  if (document === undefined || server.running === undefined) {
    return;
  }
  const uri = server.running.code2ProtocolConverter.asUri(document.uri);
  const answer: unknown = await server.running.sendRequest(Method.viewText, { uri });
  const text = typeof answer === "string" ? answer : (answer as { text?: string } | null)?.text;
  const view = await vscode.workspace.openTextDocument({ language: "python", content: text ?? "" });
  await vscode.window.showTextDocument(view, { viewColumn: vscode.ViewColumn.Beside, preview: true });
}
