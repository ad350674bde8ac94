/** What server and client say to each other beyond the language server protocol itself. */

export const CLIENT_ID = "onnxLint";

/** Commands of the server. vscode-languageclient registers each as a command of the editor. */
export const Command = {
  export: "onnx-lint.export",
  exportScript: "onnx-lint.exportScript",
  cancelExport: "onnx-lint.cancelExport",
  showReport: "onnx-lint.showReport",
  inputSpec: "onnx-lint.inputSpec",
  explainRule: "onnx-lint.explainRule",
  reload: "onnx-lint.reload",
} as const;

export const Method = {
  status: "onnx-lint/status",
  didChangeTrust: "onnx-lint/didChangeTrust",
  viewText: "onnx-lint/viewText",
} as const;

/** A module class of a file; without a name what the file exports when it is run. */
export interface Target {
  uri: string;
  name: string;
}

/** A request to export. Without inputs, the client asks for them. */
export interface ExportRequest extends Target {
  inputs?: string[];
  engine?: string;
  /** Whether the server looks for a change that makes the export right, and puts it into the documents. */
  repair?: boolean;
}

export interface InputSpec {
  inputs: string[];
  remembered: boolean;
}

/** What one engine's export gave; the keys the client reads. */
export interface EngineExport {
  engine: string;
  ok: boolean;
}

export interface ExportResult {
  ok: boolean;
  exports: EngineExport[];
  report: string | null;
  outputs: string[];
  message: string;
}

export interface ServerStatus {
  state: "indexing" | "ready" | "exporting" | "error";
  message: string;
  engine: string;
  files: number;
}

export function isTarget(value: unknown): value is Target {
  const target = value as Partial<Target> | null | undefined;
  return typeof target?.uri === "string" && typeof target.name === "string";
}

export function isExportResult(value: unknown): value is ExportResult {
  const result = value as Partial<ExportResult> | null | undefined;
  return typeof result?.ok === "boolean" && typeof result.message === "string";
}
