import * as vscode from "vscode";

/** The channel "onnx-lint" of the Output view; its level is set there. */
export const log: vscode.LogOutputChannel = vscode.window.createOutputChannel("onnx-lint", { log: true });
