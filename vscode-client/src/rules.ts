/** Documentation of rules, shown as Markdown in a preview. */
import * as vscode from "vscode";

import { log } from "./log";
import { Command } from "./protocol";
import { Execute } from "./exportFlow";

const SCHEME = "onnx-lint-rule";

export class RulePages implements vscode.TextDocumentContentProvider {
  private readonly texts = new Map<string, string>();

  constructor(private readonly execute: Execute) {}

  register(): vscode.Disposable {
    return vscode.workspace.registerTextDocumentContentProvider(SCHEME, this);
  }

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.texts.get(uri.path) ?? "";
  }

  /** Ask for a code, beginning with the one at the cursor, and show its page. */
  async ask(): Promise<void> {
    const here = codesAtCursor();
    const code = await vscode.window.showInputBox({
      title: vscode.l10n.t("Explain a rule"),
      prompt: vscode.l10n.t("Code or name of a rule"),
      value: here[0] ?? "",
    });
    if (code !== undefined && code.trim() !== "") {
      await this.show(code.trim());
    }
  }

  async show(code: string): Promise<string | undefined> {
    const text = await this.execute(Command.explainRule, [code]).catch((error: unknown) => {
      log.info(`Explanation of ${code}: ${String(error)}`);
    });
    if (typeof text !== "string" || text === "") {
      void vscode.window.showWarningMessage(vscode.l10n.t("There is no rule {0}.", code));
      return undefined;
    }
    const path = `/${code}.md`;
    this.texts.set(path, text);
    await vscode.commands.executeCommand("markdown.showPreviewToSide", vscode.Uri.from({ scheme: SCHEME, path }));
    return text;
  }
}

function codesAtCursor(): string[] {
  const editor = vscode.window.activeTextEditor;
  if (editor === undefined) {
    return [];
  }
  const line = editor.selection.active.line;
  const codes: string[] = [];
  for (const diagnostic of vscode.languages.getDiagnostics(editor.document.uri)) {
    if (diagnostic.source === "onnx-lint" && diagnostic.range.start.line <= line && line <= diagnostic.range.end.line) {
      const code = typeof diagnostic.code === "object" ? diagnostic.code.value : diagnostic.code;
      if (code !== undefined) {
        codes.push(String(code));
      }
    }
  }
  return codes;
}
