import assert from "node:assert/strict";
import { test } from "node:test";

import { installCommand, LIBCST } from "../../src/libcst";

test("the interpreter's own pip installs", () => {
  assert.deepEqual(installCommand("/v/python", true, "/usr/bin/uv"), { program: "/v/python", args: ["-m", "pip", "install", LIBCST] });
});

test("an environment without pip is served by uv", () => {
  assert.deepEqual(installCommand("/v/python", false, "/usr/bin/uv"), {
    program: "/usr/bin/uv",
    args: ["pip", "install", "--python", "/v/python", LIBCST],
  });
});

test("with neither there is nothing to run", () => {
  assert.equal(installCommand("/v/python", false, undefined), undefined);
});
