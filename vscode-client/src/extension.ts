/** onnx-lint in VS Code: starts the language server and gives its commands a face. What is wrong with code, it knows. */
import * as vscode from "vscode";
import { LanguageClient, Middleware } from "vscode-languageclient/node";

import { registerCommands } from "./commands";
import { debounced } from "./debounce";
import { ExportFlow } from "./exportFlow";
import { Remembered } from "./inputs";
import { log } from "./log";
import { CLIENT_ID, Command, isTarget, Method } from "./protocol";
import { onDidChangeChoice } from "./pythonExtension";
import { ReportView } from "./report";
import { RulePages } from "./rules";
import { Server } from "./server";
import { StatusItems } from "./status";
import { targetsOf } from "./targets";

const SETTLE_MS = 500;

/** What the extension gives to other extensions and to tests. */
export interface Api {
  /** Resolves when the first start is over, well or badly. */
  readonly started: Promise<void>;
  /** The path of the interpreter that was taken. */
  interpreter(): string | undefined;
  isRunning(): boolean;
  /** The server's process id. */
  pid(): number | undefined;
}

let server: Server | undefined;

export function activate(context: vscode.ExtensionContext): Api {
  const status = new StatusItems();
  const reports = new ReportView();
  const remembered = new Remembered(context.workspaceState);
  const running = (): LanguageClient | undefined => server?.running;
  const execute = async (command: string, args: unknown[]): Promise<unknown> => {
    const client = running();
    if (client === undefined) {
      void vscode.window.showWarningMessage(vscode.l10n.t("The onnx-lint server is not running."));
      return undefined;
    }
    return client.sendRequest("workspace/executeCommand", { command, arguments: args });
  };
  const flow = new ExportFlow(execute, remembered, reports, (uri) => targetsOf(running(), uri));
  const rules = new RulePages(execute);
  const owned = new Server(context, status, middleware(flow, rules, reports));
  server = owned;
  context.subscriptions.push(log, status, reports, owned, rules.register());
  context.subscriptions.push(...registerCommands({ server: owned, execute, flow, remembered, rules }));
  const started = owned.restart("the extension was activated");
  context.subscriptions.push(...listeners(owned, started), targetContext(owned));
  return {
    started,
    interpreter: () => owned.interpreter?.python,
    isRunning: () => owned.running !== undefined,
    pid: () => owned.pid,
  };
}

export async function deactivate(): Promise<void> {
  await server?.stop();
}

/** What the server's own commands mean here: its lenses and code actions carry them. */
function middleware(flow: ExportFlow, rules: RulePages, reports: ReportView): Middleware {
  return {
    executeCommand: (command, args, next) => {
      const first: unknown = args[0];
      if (command === Command.export && isTarget(first)) {
        return flow.start(first);
      }
      if (command === Command.exportScript && isTarget(first)) {
        return flow.startScript(first.uri);
      }
      if (command === Command.explainRule && typeof first === "string") {
        return rules.show(first);
      }
      return next(command, args) as unknown;
    },
    window: {
      showDocument: async (params, token, next) => {
        const uri = vscode.Uri.parse(params.uri);
        if (uri.scheme !== "file" || !uri.path.endsWith(".html")) {
          return next(params, token);
        }
        await reports.show(uri, uri.path.split("/").at(-1) ?? "");
        return { success: true };
      },
    },
  };
}

/** What may mean another interpreter, or another server. */
function listeners(owned: Server, started: Promise<void>): { dispose(): unknown }[] {
  const search = debounced(SETTLE_MS, (reason) => void owned.interpreterMayHaveChanged(reason));
  const restart = debounced(SETTLE_MS, (reason) => void owned.restart(reason));
  let choice: vscode.Disposable | undefined;
  const connect = (): void => {
    choice ??= onDidChangeChoice(() => {
      search.call("another interpreter was chosen in the Python extension");
    });
  };
  void started.then(connect);
  return [
    search,
    restart,
    { dispose: () => { choice?.dispose(); } },
    vscode.extensions.onDidChange(() => {
      connect();
      search.call("extensions came or went");
    }),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration(`${CLIENT_ID}.importStrategy`)) {
        restart.call("the setting importStrategy changed");
      } else if (event.affectsConfiguration(`${CLIENT_ID}.interpreter`)) {
        search.call("the setting interpreter changed");
      }
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(() => {
      void owned.running?.sendNotification(Method.didChangeTrust, { trusted: true });
      search.call("the workspace is trusted now");
    }),
  ];
}

/** Keeps the context key that shows the export in menus only where there is something to export. */
function targetContext(owned: Server): vscode.Disposable {
  const update = async (editor: vscode.TextEditor | undefined): Promise<void> => {
    const python = editor?.document.languageId === "python";
    const targets = python ? await targetsOf(owned.running, editor.document.uri) : [];
    await vscode.commands.executeCommand("setContext", `${CLIENT_ID}.hasTargets`, targets.length > 0);
  };
  const later = debounced(SETTLE_MS, () => void update(vscode.window.activeTextEditor));
  const subscriptions = [
    vscode.window.onDidChangeActiveTextEditor(() => {
      later.call("");
    }),
    vscode.workspace.onDidSaveTextDocument(() => {
      later.call("");
    }),
    vscode.languages.onDidChangeDiagnostics((event) => {
      const active = vscode.window.activeTextEditor?.document.uri.toString();
      if (event.uris.some((uri) => uri.toString() === active)) {
        later.call("");
      }
    }),
    later,
  ];
  later.call("");
  return vscode.Disposable.from(...subscriptions);
}
