/** Shows the progress that the server reports: what can be cancelled as a notification with a button, else in the status bar. */
import * as vscode from "vscode";
import {
  HandleWorkDoneProgressSignature,
  ProgressToken,
  WorkDoneProgressBegin,
  WorkDoneProgressCancelNotification,
  WorkDoneProgressEnd,
  WorkDoneProgressReport,
} from "vscode-languageclient/node";

type Value = WorkDoneProgressBegin | WorkDoneProgressReport | WorkDoneProgressEnd;

interface Shown {
  report(value: WorkDoneProgressReport): void;
  end(): void;
}

/** A part of the client. */
export interface Sender {
  sendNotification(type: typeof WorkDoneProgressCancelNotification.type, params: { token: ProgressToken }): Promise<void>;
}

export class Progress {
  private readonly shown = new Map<ProgressToken, Shown>();

  constructor(private readonly sender: () => Sender | undefined) {}

  /** The client's middleware `handleWorkDoneProgress`. */
  readonly handle = (token: ProgressToken, value: Value, next: HandleWorkDoneProgressSignature): void => {
    if (value.kind === "begin") {
      if (value.cancellable === true) {
        this.begin(token, value);
      } else {
        next(token, value);
      }
      return;
    }
    const shown = this.shown.get(token);
    if (shown === undefined) {
      next(token, value);
    } else if (value.kind === "report") {
      shown.report(value);
    } else {
      shown.end();
      // The client's own part holds a listener for the token until it sees the end.
      next(token, value);
    }
  };

  /** The server is gone, and no end will come. */
  endAll(): void {
    for (const shown of [...this.shown.values()]) {
      shown.end();
    }
  }

  private begin(token: ProgressToken, begin: WorkDoneProgressBegin): void {
    const options = { location: vscode.ProgressLocation.Notification, title: begin.title, cancellable: true };
    void vscode.window.withProgress(options, (progress, cancelled) => {
      cancelled.onCancellationRequested(() => {
        void this.sender()?.sendNotification(WorkDoneProgressCancelNotification.type, { token });
      });
      return new Promise<void>((resolve) => {
        let percentage = 0;
        const report = (value: { message?: string; percentage?: number }): void => {
          const increment = value.percentage === undefined ? undefined : Math.max(0, value.percentage - percentage);
          percentage += increment ?? 0;
          progress.report({ message: value.message, increment });
        };
        this.shown.set(token, {
          report,
          end: () => {
            this.shown.delete(token);
            resolve();
          },
        });
        report(begin);
      });
    });
  }
}
