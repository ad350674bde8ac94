/** Export of a model, from the person's side: which class, which inputs, and what to look at afterwards. */
import * as vscode from "vscode";

import { Choice, edited, formProblem, Remembered, sameInputs } from "./inputs";
import { log } from "./log";
import { CLIENT_ID, Command, ExportRequest, ExportResult, InputSpec, isExportResult, Target } from "./protocol";
import { ReportView } from "./report";

/** Sends a command to the server. */
export type Execute = (command: string, args: unknown[]) => Promise<unknown>;

const ENGINES = ["both", "torchscript", "dynamo"];

export class ExportFlow {
  /** What was exported last in this session. */
  last: Target | undefined;

  constructor(
    private readonly execute: Execute,
    private readonly remembered: Remembered,
    private readonly reports: ReportView,
    private readonly targets: (uri: vscode.Uri) => Promise<Target[]>,
  ) {}

  /** From the palette: choose a class of the active file, then export it. */
  async fromEditor(uri: vscode.Uri | undefined): Promise<unknown> {
    const document = uri ?? vscode.window.activeTextEditor?.document.uri;
    if (document === undefined) {
      void vscode.window.showInformationMessage(vscode.l10n.t("Open the Python file of the model first."));
      return undefined;
    }
    const target = await chooseTarget(document, await this.targets(document));
    return target === undefined ? undefined : this.start(target);
  }

  /** Ask for what is missing, export, and show what came out. Returns the server's answer, undefined if given up. */
  async start(request: ExportRequest): Promise<ExportResult | undefined> {
    if (!vscode.workspace.isTrusted) {
      await refuse();
      return undefined;
    }
    const choice = await this.choose(request);
    if (choice === undefined) {
      return undefined;
    }
    await this.saveFirst(request);
    this.last = { uri: request.uri, name: request.name };
    const argument = { uri: request.uri, name: request.name, inputs: choice.inputs, engine: choice.engine, repair: request.repair ?? false };
    return this.finish(request.name, await this.execute(Command.export, [argument]));
  }

  /** Run a script and verify what it exports. Without a URI, that in the active editor. */
  async startScript(given: string | undefined): Promise<ExportResult | undefined> {
    const uri = given ?? vscode.window.activeTextEditor?.document.uri.toString();
    if (uri === undefined) {
      void vscode.window.showInformationMessage(vscode.l10n.t("Open the Python file of the script first."));
      return undefined;
    }
    if (!vscode.workspace.isTrusted) {
      await refuse();
      return undefined;
    }
    const target: Target = { uri, name: "" };
    await this.saveFirst(target);
    this.last = target;
    const name = vscode.Uri.parse(uri).path.split("/").at(-1) ?? "";
    return this.finish(name, await this.execute(Command.exportScript, [target]));
  }

  private async finish(name: string, result: unknown): Promise<ExportResult | undefined> {
    if (!isExportResult(result)) {
      log.info(`Export of ${name}: no result`);
      return undefined;
    }
    log.info(`Export of ${name}: ${result.message}`);
    await this.show(name, result);
    return result;
  }

  private async choose(request: ExportRequest): Promise<Choice | undefined> {
    const folder = vscode.Uri.parse(request.uri);
    const engine = request.engine ?? vscode.workspace.getConfiguration(CLIENT_ID, folder).get<string>("export.engine", "both");
    if (request.inputs !== undefined) {
      return { inputs: request.inputs, engine };
    }
    const spec = (await this.execute(Command.inputSpec, [{ uri: request.uri, name: request.name }])) as InputSpec | null;
    const fallback: Choice = { inputs: spec?.inputs ?? [], engine };
    const choice = await askForInputs(request.name, this.remembered.get(request) ?? fallback, fallback);
    if (choice !== undefined) {
      await this.remembered.set(request, choice);
    }
    return choice;
  }

  /** The export reads the file from disk. */
  private async saveFirst(target: Target): Promise<void> {
    const uri = vscode.Uri.parse(target.uri).toString();
    const document = vscode.workspace.textDocuments.find((d) => d.uri.toString() === uri);
    if (document?.isDirty === true && !document.isUntitled) {
      await document.save();
    }
  }

  private async show(name: string, result: ExportResult): Promise<void> {
    const open = vscode.workspace.getConfiguration(CLIENT_ID).get<string>("export.open", "report");
    const report = result.report === null ? undefined : vscode.Uri.parse(result.report);
    const model = result.outputs[0] === undefined ? undefined : vscode.Uri.parse(result.outputs[0]);
    const buttons: [string, () => Thenable<unknown>][] = [];
    if (report !== undefined) {
      if (open === "report") {
        await this.reports.show(report, name);
      } else {
        buttons.push([vscode.l10n.t("Show Report"), () => this.reports.show(report, name)]);
      }
    }
    if (model !== undefined) {
      if (open === "folder") {
        await reveal(model);
      } else {
        buttons.push([vscode.l10n.t("Show Folder"), () => reveal(model)]);
      }
    }
    if (!result.ok) {
      buttons.push([
        vscode.l10n.t("Show Problems"),
        () => vscode.commands.executeCommand("workbench.actions.view.problems"),
      ]);
    }
    if (open === "nothing" && result.ok) {
      return;
    }
    // Not awaited: a message stays until it is clicked or closed, and the export is over.
    const say = result.ok ? vscode.window.showInformationMessage : vscode.window.showWarningMessage;
    void say(result.message, ...buttons.map(([title]) => title)).then((answer) =>
      buttons.find(([title]) => title === answer)?.[1](),
    );
  }
}

async function refuse(): Promise<void> {
  const manage = vscode.l10n.t("Manage Trust");
  const text = vscode.l10n.t("An export runs the model's code. Trust this workspace first.");
  if ((await vscode.window.showWarningMessage(text, manage)) === manage) {
    await vscode.commands.executeCommand("workbench.trust.manage");
  }
}

/** One of the module classes of a file; a name typed in where there are none. */
async function chooseTarget(uri: vscode.Uri, targets: readonly Target[]): Promise<Target | undefined> {
  if (targets.length === 1) {
    return targets[0];
  }
  if (targets.length > 1) {
    const items = targets.map((target) => ({ label: `$(symbol-class) ${target.name}`, target }));
    const title = vscode.l10n.t("Export to ONNX and verify");
    return (await vscode.window.showQuickPick(items, { title, placeHolder: vscode.l10n.t("Which class?") }))?.target;
  }
  const name = await vscode.window.showInputBox({
    title: vscode.l10n.t("Export to ONNX and verify"),
    prompt: vscode.l10n.t("Name of a module class, an instance or a function that makes one"),
    ignoreFocusOut: true,
  });
  return name === undefined || name.trim() === "" ? undefined : { uri: uri.toString(), name: name.trim() };
}

interface Row extends vscode.QuickPickItem {
  act: () => Promise<Choice | undefined> | Choice;
  done?: boolean;
}

/** A list that shows what will be used: Enter exports, any other row changes something and comes back. */
async function askForInputs(name: string, start: Choice, fallback: Choice): Promise<Choice | undefined> {
  let choice = start;
  for (;;) {
    const row = await vscode.window.showQuickPick(rows(choice, fallback), {
      title: vscode.l10n.t("Export {0} to ONNX", name),
      placeHolder: vscode.l10n.t("Enter exports; choose an input to change it"),
      ignoreFocusOut: true,
    });
    if (row === undefined) {
      return undefined;
    }
    if (row.done === true) {
      return choice;
    }
    choice = (await row.act()) ?? choice;
  }
}

function rows(choice: Choice, fallback: Choice): Row[] {
  const { inputs, engine } = choice;
  const out: Row[] = [
    { label: `$(play) ${vscode.l10n.t("Export")}`, description: inputs.join("  "), done: true, act: () => choice },
    { label: vscode.l10n.t("Inputs"), kind: vscode.QuickPickItemKind.Separator, act: () => choice },
  ];
  inputs.forEach((input, index) => {
    out.push({ label: `$(edit) ${input}`, act: () => editInput(choice, index) });
  });
  out.push({ label: `$(add) ${vscode.l10n.t("Add an input")}`, act: () => editInput(choice, inputs.length) });
  if (!sameInputs(inputs, fallback.inputs)) {
    out.push({
      label: `$(discard) ${vscode.l10n.t("Use the default")}`,
      description: fallback.inputs.join("  "),
      act: () => ({ inputs: fallback.inputs, engine }),
    });
  }
  out.push(
    { label: vscode.l10n.t("Engine"), kind: vscode.QuickPickItemKind.Separator, act: () => choice },
    { label: `$(settings-gear) ${vscode.l10n.t("Engine: {0}", engine)}`, act: () => chooseEngine(choice) },
  );
  return out;
}

async function editInput(choice: Choice, index: number): Promise<Choice | undefined> {
  const text = await vscode.window.showInputBox({
    title: index < choice.inputs.length ? vscode.l10n.t("Change an input") : vscode.l10n.t("Add an input"),
    prompt: vscode.l10n.t("name:dtype[sizes], as in x:float32[n=2,3,h=224]: n and h are dynamic axes. Empty: no such input."),
    value: choice.inputs[index] ?? "",
    validateInput: formProblem,
    ignoreFocusOut: true,
  });
  return text === undefined ? undefined : { ...choice, inputs: edited(choice.inputs, index, text) };
}

async function chooseEngine(choice: Choice): Promise<Choice | undefined> {
  const engine = await vscode.window.showQuickPick(ENGINES, { title: vscode.l10n.t("Export engine"), ignoreFocusOut: true });
  return engine === undefined ? undefined : { ...choice, engine };
}

async function reveal(file: vscode.Uri): Promise<void> {
  if (vscode.workspace.getWorkspaceFolder(file) !== undefined) {
    await vscode.commands.executeCommand("revealInExplorer", file);
  } else {
    await vscode.commands.executeCommand("revealFileInOS", file);
  }
}
