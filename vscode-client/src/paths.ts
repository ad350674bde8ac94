/** Paths and search paths, as plain functions over the machine they are given. */
import * as path from "node:path";

/** What the functions below may know of the machine. */
export interface Machine {
  platform: NodeJS.Platform;
  env: Record<string, string | undefined>;
  home: string;
  isFile(file: string): boolean;
}

function rules(machine: Machine): path.PlatformPath {
  return machine.platform === "win32" ? path.win32 : path.posix;
}

/** Replace `~`, `${workspaceFolder}` and `${env:NAME}`; a relative path is one of the workspace folder. */
export function expandPath(text: string, folder: string | undefined, machine: Machine): string {
  const on = rules(machine);
  let out = text.trim();
  if (out === "~" || out.startsWith("~/") || out.startsWith("~\\")) {
    out = on.join(machine.home, out.slice(1));
  }
  out = out.replace(/\$\{workspaceFolder\}/g, folder ?? "");
  out = out.replace(/\$\{env:([^}]*)\}/g, (_, name: string) => machine.env[name] ?? "");
  if (out !== "" && !on.isAbsolute(out) && /[\\/]/.test(out) && folder !== undefined) {
    out = on.join(folder, out);
  }
  return on.isAbsolute(out) ? on.normalize(out) : out;
}

/**
 * The absolute path of a program, or undefined. Relative folders of PATH are passed over: they lie in whatever is open.
 * On Windows the system's own search would begin in the current folder.
 */
export function findOnPath(name: string, machine: Machine): string | undefined {
  const on = rules(machine);
  const folders = (machine.env.PATH ?? machine.env.Path ?? "").split(on.delimiter);
  const endings = machine.platform === "win32" ? [".exe"] : [""];
  for (const folder of folders) {
    if (!on.isAbsolute(folder)) {
      continue;
    }
    for (const ending of endings) {
      const file = on.join(folder, name.endsWith(ending) ? name : name + ending);
      if (machine.isFile(file)) {
        return file;
      }
    }
  }
  return undefined;
}

/** Whether a path lies in one of the folders. Links are not followed: what is named there can be changed there. */
export function isInside(file: string, folders: readonly string[], machine: Machine): boolean {
  const on = rules(machine);
  return folders.some((folder) => {
    const rest = on.relative(folder, file);
    return rest === "" || (!rest.startsWith("..") && !on.isAbsolute(rest));
  });
}
