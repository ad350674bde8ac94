/** Finds the interpreter that runs the server, and says in the log which it is and why. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as vscode from "vscode";

import { candidates } from "./candidates";
import { log } from "./log";
import { Machine } from "./paths";
import { isOldEnough, MINIMUM, Probe, probe } from "./probe";
import { CLIENT_ID } from "./protocol";
import { chosenInPythonExtension } from "./pythonExtension";

export interface Interpreter {
  python: string;
  origin: string;
  probe: Probe;
}

export const machine: Machine = {
  platform: process.platform,
  env: process.env,
  home: os.homedir(),
  isFile: (file) => {
    try {
      return fs.statSync(file).isFile();
    } catch {
      return false; // there is none, or it may not be looked at
    }
  },
};

/** The first usable interpreter; undefined if there is none. `script` is `run_server.py`. */
export async function findInterpreter(script: string): Promise<Interpreter | undefined> {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  const folders = (vscode.workspace.workspaceFolders ?? []).map((f) => f.uri.fsPath);
  const chosen = await chosenInPythonExtension(folder);
  const { candidates: tried, passedOver } = candidates(
    {
      setting: vscode.workspace.getConfiguration(CLIENT_ID, folder).get<string>("interpreter", ""),
      extension: chosen.python,
      extensionMissing: chosen.missing,
      folder: folder?.fsPath,
      untrusted: vscode.workspace.isTrusted ? [] : folders,
    },
    machine,
  );
  for (const line of passedOver) {
    log.info(`Interpreter: passed over ${line}`);
  }
  for (const { python, origin } of tried) {
    try {
      const answer = await probe(python, script);
      const version = answer.version.join(".");
      if (isOldEnough(answer.version)) {
        log.info(`Interpreter: ${python} (Python ${version}), from ${origin}`);
        return { python, origin, probe: answer };
      }
      log.warn(`Interpreter: passed over ${python} from ${origin}: Python ${version} is older than ${MINIMUM.join(".")}`);
    } catch (error) {
      log.warn(`Interpreter: passed over ${python} from ${origin}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  log.error("Interpreter: none found");
  return undefined;
}
