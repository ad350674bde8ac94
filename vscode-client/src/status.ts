/** The entries of the language status menu: the server's state, its interpreter, the engine. */
import * as vscode from "vscode";

import { Interpreter } from "./interpreter";
import { ServerStatus } from "./protocol";

const PYTHON: vscode.DocumentFilter[] = [{ language: "python" }];

export class StatusItems implements vscode.Disposable {
  private readonly state = vscode.languages.createLanguageStatusItem("onnxLint.state", PYTHON);
  private readonly python = vscode.languages.createLanguageStatusItem("onnxLint.interpreter", PYTHON);
  private readonly engine = vscode.languages.createLanguageStatusItem("onnxLint.engine", PYTHON);

  /** What the server said last. */
  last: ServerStatus | undefined;

  constructor() {
    this.state.name = "onnx-lint";
    this.state.command = { command: "onnxLint.showLogs", title: vscode.l10n.t("Show Logs") };
    this.python.name = vscode.l10n.t("onnx-lint: interpreter");
    this.python.command = { command: "onnxLint.selectInterpreter", title: vscode.l10n.t("Select") };
    this.engine.name = vscode.l10n.t("onnx-lint: engine");
    this.engine.command = { command: "onnxLint.selectEngine", title: vscode.l10n.t("Select") };
    this.engine.text = vscode.l10n.t("Engine: not known yet");
    this.interpreter(undefined);
  }

  starting(): void {
    this.set(vscode.l10n.t("starting"), vscode.LanguageStatusSeverity.Information, true);
  }

  /** The server answers; its own reports follow. */
  running(): void {
    if (this.last === undefined || this.last.state === "error") {
      this.set(vscode.l10n.t("ready"), vscode.LanguageStatusSeverity.Information, false);
    } else {
      this.server(this.last);
    }
  }

  failed(detail: string): void {
    this.last = undefined;
    this.set(vscode.l10n.t("not running"), vscode.LanguageStatusSeverity.Error, false, detail);
  }

  server(status: ServerStatus): void {
    this.last = status;
    const error = status.state === "error";
    const words = {
      indexing: vscode.l10n.t("indexing"),
      ready: vscode.l10n.t("ready"),
      exporting: vscode.l10n.t("exporting"),
      error: vscode.l10n.t("error"),
    };
    const files = status.files > 0 ? vscode.l10n.t("{0} files", status.files) : "";
    const detail = [status.message, files].filter((text) => text !== "").join(", ");
    const severity = error ? vscode.LanguageStatusSeverity.Error : vscode.LanguageStatusSeverity.Information;
    this.set(words[status.state], severity, status.state === "indexing" || status.state === "exporting", detail);
    this.engine.text = vscode.l10n.t("Engine: {0}", status.engine);
    void vscode.commands.executeCommand("setContext", "onnxLint.exporting", status.state === "exporting");
  }

  interpreter(interpreter: Interpreter | undefined): void {
    if (interpreter === undefined) {
      this.python.text = vscode.l10n.t("No interpreter");
      this.python.detail = undefined;
    } else {
      this.python.text = `Python ${interpreter.probe.version.join(".")}`;
      this.python.detail = interpreter.python;
    }
  }

  dispose(): void {
    this.state.dispose();
    this.python.dispose();
    this.engine.dispose();
  }

  private set(word: string, severity: vscode.LanguageStatusSeverity, busy: boolean, detail?: string): void {
    this.state.text = `onnx-lint: ${word}`;
    this.state.severity = severity;
    this.state.busy = busy;
    this.state.detail = detail;
  }
}
