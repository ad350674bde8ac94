/** The inputs of an export as a person edits and the workspace remembers them. What they mean, the server knows. */
import { Target } from "./protocol";

export interface Choice {
  inputs: string[];
  engine: string;
}

/** Where something may be kept from one session to the next; a part of `vscode.Memento`. */
export interface Store {
  get(key: string): unknown;
  update(key: string, value: unknown): PromiseLike<void>;
  keys(): readonly string[];
}

const PREFIX = "inputs:";

/** What was last used for each target of a workspace. */
export class Remembered {
  constructor(private readonly store: Store) {}

  get(target: Target): Choice | undefined {
    const value = this.store.get(key(target)) as Partial<Choice> | undefined;
    const valid =
      Array.isArray(value?.inputs) && value.inputs.every((i) => typeof i === "string") && typeof value.engine === "string";
    return valid ? (value as Choice) : undefined;
  }

  async set(target: Target, choice: Choice): Promise<void> {
    await this.store.update(key(target), choice);
  }

  /** Forget all. Returns how many there were. */
  async clear(): Promise<number> {
    const ours = this.store.keys().filter((k) => k.startsWith(PREFIX));
    for (const one of ours) {
      await this.store.update(one, undefined);
    }
    return ours.length;
  }
}

function key(target: Target): string {
  return `${PREFIX}${target.uri}#${target.name}`;
}

/** What is wrong with the form of one input, or undefined. The exporter checks the meaning. */
export function formProblem(spec: string): string | undefined {
  if (spec.trim() === "") {
    return undefined; // an empty one is taken away
  }
  if (!/^\s*[A-Za-z_]\w*\s*:/.test(spec)) {
    return "NAME:DTYPE[SIZES], for example x:float32[n=2,3,h=224]";
  }
  const opened = spec.split("[").length;
  const closed = spec.split("]").length;
  return opened === closed ? undefined : "a bracket is missing";
}

/** The list after one input was edited: replaced, taken away when empty, added at the end. */
export function edited(inputs: readonly string[], index: number, text: string): string[] {
  const out = [...inputs];
  const spec = text.trim();
  if (spec === "") {
    out.splice(index, 1);
  } else {
    out[index] = spec;
  }
  return out;
}

export function sameInputs(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((text, i) => text === b[i]);
}
