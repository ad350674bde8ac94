/** The server's life: started, stopped, restarted one after the other, and started again after a crash, within limits. */
import { ChildProcess, spawn } from "node:child_process";
import * as path from "node:path";
import * as vscode from "vscode";
import {
  CloseAction,
  ErrorAction,
  LanguageClient,
  LanguageClientOptions,
  Middleware,
  RevealOutputChannelOn,
} from "vscode-languageclient/node";

import { CrashWindow } from "./crashes";
import { findInterpreter, Interpreter } from "./interpreter";
import { offerLibcst } from "./libcstOffer";
import { log } from "./log";
import { Progress } from "./progress";
import { CLIENT_ID, Method, ServerStatus } from "./protocol";
import { StatusItems } from "./status";

const STOP_LIMIT_MS = 3_000;
const KILL_AFTER_MS = 2_000;

/** Log what goes wrong; what a person must know is shown by this extension, once. */
class Client extends LanguageClient {
  override error(message: string, data?: unknown): void {
    super.error(message, data, false);
  }
}

export class Server implements vscode.Disposable {
  private client: LanguageClient | undefined;
  private process: ChildProcess | undefined;
  private queue: Promise<void> = Promise.resolve();
  private readonly crashes = new CrashWindow();
  private readonly progress = new Progress(() => this.client);
  private disposed = false;

  /** The interpreter of the running server, or the last one tried. */
  interpreter: Interpreter | undefined;

  constructor(
    private readonly context: vscode.ExtensionContext,
    private readonly status: StatusItems,
    private readonly middleware: Middleware,
  ) {}

  /** `run_server.py` beside the bundled packages. */
  get script(): string {
    return this.context.asAbsolutePath(path.join("bundled", "run_server.py"));
  }

  /** The running client, or undefined. */
  get running(): LanguageClient | undefined {
    return this.client?.isRunning() === true ? this.client : undefined;
  }

  /** The server's process id, for those who want to look at it. */
  get pid(): number | undefined {
    return this.process?.pid;
  }

  /** Start, or start anew. Resolves when the server runs, or when it is known (and shown) that it does not. */
  restart(reason: string): Promise<void> {
    this.crashes.clear();
    return this.enqueue(async () => {
      log.info(`Server: starting (${reason})`);
      await this.stopNow();
      await this.startNow();
    });
  }

  /** Restart if another interpreter would be taken now. */
  async interpreterMayHaveChanged(reason: string): Promise<void> {
    await this.enqueue(async () => {
      const found = await findInterpreter(this.script);
      const before = this.interpreter;
      if (found?.python !== before?.python || found?.probe.libcst !== before?.probe.libcst) {
        log.info(`Server: starting (${reason})`);
        await this.stopNow();
        await this.startNow(found);
      }
    });
  }

  stop(): Promise<void> {
    return this.enqueue(() => this.stopNow());
  }

  dispose(): void {
    this.disposed = true;
    this.process?.kill();
  }

  /** One at a time: never two servers. */
  private enqueue(task: () => Promise<void>): Promise<void> {
    const next = this.queue.then(task).catch((error: unknown) => {
      log.error(error instanceof Error ? error : String(error));
    });
    this.queue = next;
    return next;
  }

  private async startNow(found?: Interpreter): Promise<void> {
    if (this.disposed) {
      return;
    }
    this.status.starting();
    this.interpreter = found ?? (await findInterpreter(this.script));
    this.status.interpreter(this.interpreter);
    if (this.interpreter === undefined) {
      this.status.failed(vscode.l10n.t("No Python interpreter"));
      void this.tellNoInterpreter();
      return;
    }
    if (!this.interpreter.probe.libcst) {
      this.status.failed(vscode.l10n.t("libcst is not installed"));
      void offerLibcst(this.interpreter);
      return;
    }
    const client = new Client(CLIENT_ID, "onnx-lint", this.spawner(this.interpreter), this.options());
    this.client = client;
    client.onNotification(Method.status, (status: ServerStatus) => {
      this.status.server(status);
    });
    try {
      await client.start();
      const info = client.initializeResult?.serverInfo;
      log.info(`Server: ${info?.name ?? "onnx-lint"} ${info?.version ?? ""} runs as process ${String(this.pid)}`);
      this.status.running();
    } catch (error) {
      log.error(`Server: did not start: ${error instanceof Error ? error.message : String(error)}`);
      if (this.client === client) {
        await this.stopNow();
        this.crashed();
      }
    }
  }

  private spawner(interpreter: Interpreter): () => Promise<ChildProcess> {
    const fromEnvironment =
      vscode.workspace.getConfiguration(CLIENT_ID).get<string>("importStrategy") === "fromEnvironment";
    const args = ["-X", "utf8", "-u", "-I", this.script, ...(fromEnvironment ? ["--from-environment"] : []), "--lsp"];
    return () => {
      const cwd = vscode.workspace.workspaceFolders?.find((f) => f.uri.scheme === "file")?.uri.fsPath;
      log.debug(`Server: ${interpreter.python} ${args.join(" ")}`);
      return new Promise((resolve, reject) => {
        const child = spawn(interpreter.python, args, { cwd, windowsHide: true });
        this.process = child;
        child.once("spawn", () => {
          resolve(child);
        });
        child.once("error", reject);
        child.once("exit", (code, signal) => {
          log.info(`Server: process ${String(child.pid)} ended with ${signal ?? `exit code ${String(code)}`}`);
        });
      });
    };
  }

  private options(): LanguageClientOptions {
    return {
      documentSelector: [
        { scheme: "file", language: "python" },
        { scheme: "untitled", language: "python" },
        { scheme: "vscode-notebook-cell", language: "python" },
      ],
      outputChannel: log,
      traceOutputChannel: log,
      revealOutputChannelOn: RevealOutputChannelOn.Never,
      synchronize: { configurationSection: CLIENT_ID },
      initializationOptions: () => ({
        trusted: vscode.workspace.isTrusted,
        settings: JSON.parse(JSON.stringify(vscode.workspace.getConfiguration(CLIENT_ID))) as unknown,
      }),
      middleware: { ...this.middleware, handleWorkDoneProgress: this.progress.handle },
      initializationFailedHandler: (error) => {
        log.error(`Server: refused to start: ${String(error)}`);
        return false;
      },
      errorHandler: {
        error: (error, _message, count) => {
          log.warn(`Server: connection: ${error.message}`);
          return { action: (count ?? 0) <= 3 ? ErrorAction.Continue : ErrorAction.Shutdown, handled: true };
        },
        // A start during `client.start()` fails there; after it, this is the only one who knows.
        closed: () => {
          const client = this.client;
          if (client?.isRunning() === true) {
            void this.enqueue(async () => {
              if (this.client === client) {
                await this.stopNow();
                this.crashed();
              }
            });
          }
          return { action: CloseAction.DoNotRestart, handled: true };
        },
      },
    };
  }

  private crashed(): void {
    if (this.disposed) {
      return;
    }
    if (this.crashes.crashed()) {
      log.warn(`Server: ended unexpectedly (${this.crashes.count} of ${this.crashes.limit} times), starting again`);
      void this.enqueue(() => this.startNow());
      return;
    }
    const minutes = Math.round(this.crashes.seconds / 60);
    const text = vscode.l10n.t(
      "The onnx-lint server ended unexpectedly {0} times within {1} minutes and was not started again.",
      this.crashes.count,
      minutes,
    );
    log.error(text);
    this.status.failed(vscode.l10n.t("Server ended unexpectedly"));
    void this.tell(text);
  }

  private async tell(text: string): Promise<void> {
    const [logs, again] = [vscode.l10n.t("Show Logs"), vscode.l10n.t("Restart")];
    const answer = await vscode.window.showErrorMessage(text, logs, again);
    if (answer === logs) {
      log.show();
    } else if (answer === again) {
      await this.restart("asked for after crashes");
    }
  }

  private async tellNoInterpreter(): Promise<void> {
    const [select, logs] = [vscode.l10n.t("Select Interpreter"), vscode.l10n.t("Show Logs")];
    const text = vscode.l10n.t("onnx-lint found no Python 3.10 or newer to run its server with.");
    const answer = await vscode.window.showErrorMessage(text, select, logs);
    if (answer === select) {
      await vscode.commands.executeCommand("onnxLint.selectInterpreter");
    } else if (answer === logs) {
      log.show();
    }
  }

  private async stopNow(): Promise<void> {
    const [client, child] = [this.client, this.process];
    this.client = undefined;
    this.process = undefined;
    this.progress.endAll();
    try {
      await client?.dispose(STOP_LIMIT_MS);
    } catch (error) {
      // A client that never ran cannot be stopped; its process is ended below all the same.
      log.debug(`Server: stop: ${error instanceof Error ? error.message : String(error)}`);
    }
    if (child !== undefined) {
      await ended(child);
    }
  }
}

/** Wait until a process is gone; end it if it does not go. */
async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) {
    return;
  }
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => child.kill("SIGKILL"), KILL_AFTER_MS);
    child.once("exit", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
