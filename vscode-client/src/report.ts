/** Shows a report of an export, one page of HTML without anything from outside, in a view of the editor. */
import * as vscode from "vscode";

import { withPolicy } from "./policy";

export class ReportView implements vscode.Disposable {
  private readonly panels = new Map<string, vscode.WebviewPanel>();

  /** Show the page; a view that shows it already gets its new text. */
  async show(file: vscode.Uri, name: string): Promise<void> {
    const html = withPolicy(new TextDecoder().decode(await vscode.workspace.fs.readFile(file)));
    const key = file.toString();
    const known = this.panels.get(key);
    if (known !== undefined) {
      known.webview.html = html;
      known.reveal(undefined, true);
      return;
    }
    const panel = vscode.window.createWebviewPanel(
      "onnxLint.report",
      vscode.l10n.t("ONNX export: {0}", name),
      { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true },
      { enableScripts: true, enableFindWidget: true, localResourceRoots: [] },
    );
    panel.webview.html = html;
    this.panels.set(key, panel);
    panel.onDidDispose(() => this.panels.delete(key));
  }

  dispose(): void {
    for (const panel of [...this.panels.values()]) {
      panel.dispose();
    }
  }
}
