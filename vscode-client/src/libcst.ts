/** The command line that installs libcst, the one package of the server that is not pure Python. */

export const LIBCST = "libcst>=1.8.6,<2";

export interface Install {
  program: string;
  args: string[];
}

/** pip of the interpreter; where it has none (environments made by uv), uv itself. Undefined: there is neither. */
export function installCommand(python: string, hasPip: boolean, uv: string | undefined): Install | undefined {
  if (hasPip) {
    return { program: python, args: ["-m", "pip", "install", LIBCST] };
  }
  if (uv !== undefined) {
    return { program: uv, args: ["pip", "install", "--python", python, LIBCST] };
  }
  return undefined;
}
