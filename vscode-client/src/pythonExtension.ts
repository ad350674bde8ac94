/** The interpreter chosen in the Python extension, which may not be there: other editors have none, or another one. */
import * as vscode from "vscode";

const ID = "ms-python.python";

/** How long the extension may take to start before the search goes on without it; its later choice restarts the server. */
const TIME_LIMIT_MS = 15_000;

/** The part of the Python extension's interface that is used here. */
interface PythonApi {
  readonly environments: {
    getActiveEnvironmentPath(resource?: vscode.Uri): { readonly path: string };
    resolveEnvironment(environment: { readonly path: string }): Promise<{ executable: { uri?: vscode.Uri } } | undefined>;
    readonly onDidChangeActiveEnvironmentPath: vscode.Event<unknown>;
  };
}

export interface Chosen {
  python?: string;
  /** Why there is none. */
  missing: string;
}

let api: PythonApi | undefined;

async function connect(): Promise<PythonApi | string> {
  if (api !== undefined) {
    return api;
  }
  const extension = vscode.extensions.getExtension<PythonApi>(ID);
  if (extension === undefined) {
    return "not installed";
  }
  const late = new Promise<undefined>((resolve) => setTimeout(resolve, TIME_LIMIT_MS, undefined));
  const found = await Promise.race([extension.activate(), late]);
  if (found === undefined) {
    return "it does not start";
  }
  // Older versions have no `environments`, whatever the type says.
  if ((found.environments as unknown) === undefined) {
    return "its version does not tell the interpreter";
  }
  api = found;
  return api;
}

/** The interpreter chosen for a folder. Never throws: a fault of the other extension must not stop this one. */
export async function chosenInPythonExtension(folder: vscode.Uri | undefined): Promise<Chosen> {
  try {
    const connected = await connect();
    if (typeof connected === "string") {
      return { missing: connected };
    }
    const environment = await connected.environments.resolveEnvironment(
      connected.environments.getActiveEnvironmentPath(folder),
    );
    const uri = environment?.executable.uri;
    return uri === undefined ? { missing: "no interpreter is chosen" } : { python: uri.fsPath, missing: "" };
  } catch (error) {
    return { missing: `it failed: ${String(error)}` };
  }
}

/** Tell when another interpreter is chosen there. Does nothing if the extension is not there (yet). */
export function onDidChangeChoice(listener: () => void): vscode.Disposable | undefined {
  return api?.environments.onDidChangeActiveEnvironmentPath(listener);
}
