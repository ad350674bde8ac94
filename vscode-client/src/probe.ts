/** Asks an interpreter what it is, by running a few lines in it that even an old Python understands. */
import { execFile } from "node:child_process";

export interface Probe {
  version: [number, number, number];
  executable: string;
  /** Whether packages the server needs from the interpreter are there. */
  libcst: boolean;
  pip: boolean;
  /** Whether onnx-lint itself and its server's library are installed. */
  onnxLint: boolean;
}

export const MINIMUM: readonly [number, number] = [3, 10];

/** How long an interpreter may take to answer: the first start after boot on a slow disk takes seconds. */
const TIME_LIMIT_MS = 30_000;

/** Run the probe. Rejects with one line that says what is wrong. */
export function probe(python: string, script: string): Promise<Probe> {
  return new Promise((resolve, reject) => {
    execFile(python, ["-I", script, "--probe"], { timeout: TIME_LIMIT_MS, windowsHide: true }, (error, stdout, stderr) => {
      const answer = parseProbe(stdout);
      if (answer !== undefined) {
        resolve(answer);
      } else {
        reject(new Error(lastLine(stderr) ?? error?.message.split("\n")[0] ?? "it gave no answer"));
      }
    });
  });
}

/** The answer of the probe, or undefined if it is none. Whatever else an interpreter prints stands before it. */
export function parseProbe(stdout: string): Probe | undefined {
  const line = stdout.trimEnd().split("\n").at(-1) ?? "";
  try {
    const value = JSON.parse(line) as Partial<Probe> | null;
    return Array.isArray(value?.version) && typeof value.executable === "string" ? (value as Probe) : undefined;
  } catch {
    return undefined; // no JSON: not our script's last line
  }
}

export function isOldEnough(version: readonly number[]): boolean {
  const [major = 0, minor = 0] = version;
  return major > MINIMUM[0] || (major === MINIMUM[0] && minor >= MINIMUM[1]);
}

function lastLine(text: string): string | undefined {
  const line = text.trim().split("\n").at(-1)?.trim();
  return line === "" ? undefined : line;
}
