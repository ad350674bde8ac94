/** Which interpreter runs the server: the order, and the sentence for the log that says why. */
import { expandPath, findOnPath, isInside, Machine } from "./paths";

export interface Candidate {
  python: string;
  /** Where it comes from, in words. */
  origin: string;
}

export interface Sources {
  /** The setting `onnxLint.interpreter`, as written. */
  setting: string;
  /** What the Python extension has chosen; undefined: there is none, or it has chosen nothing. */
  extension: string | undefined;
  /** Why there is nothing from the Python extension. */
  extensionMissing: string;
  /** The first workspace folder. */
  folder: string | undefined;
  /** Folders whose programs may not be started: those of an untrusted workspace. */
  untrusted: readonly string[];
}

export interface Ordered {
  candidates: Candidate[];
  /** One line for each source that gave no candidate. */
  passedOver: string[];
}

/** The interpreters to try, best first. */
export function candidates(sources: Sources, machine: Machine): Ordered {
  const out: Ordered = { candidates: [], passedOver: [] };
  const add = (python: string, origin: string): void => {
    if (isInside(python, sources.untrusted, machine)) {
      out.passedOver.push(`${origin}: ${python} lies in a workspace that is not trusted`);
    } else if (out.candidates.some((c) => c.python === python)) {
      out.passedOver.push(`${origin}: ${python}, the same again`);
    } else {
      out.candidates.push({ python, origin });
    }
  };
  fromSetting(sources, machine, add, out.passedOver);
  if (sources.extension !== undefined) {
    add(sources.extension, "the Python extension");
  } else {
    out.passedOver.push(`the Python extension: ${sources.extensionMissing}`);
  }
  for (const name of ["python3", "python"]) {
    const found = findOnPath(name, machine);
    if (found !== undefined) {
      add(found, `${name} on PATH`);
    } else {
      out.passedOver.push(`${name} on PATH: not there`);
    }
  }
  return out;
}

function fromSetting(
  sources: Sources,
  machine: Machine,
  add: (python: string, origin: string) => void,
  passedOver: string[],
): void {
  const origin = "the setting onnxLint.interpreter";
  if (sources.setting.trim() === "") {
    passedOver.push(`${origin}: empty`);
    return;
  }
  const named = expandPath(sources.setting, sources.folder, machine);
  const python = /[\\/]/.test(named) ? named : findOnPath(named, machine);
  if (python === undefined || !machine.isFile(python)) {
    passedOver.push(`${origin}: ${named} is no file`);
  } else {
    add(python, origin);
  }
}
