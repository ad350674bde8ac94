import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { isOldEnough, parseProbe, probe } from "../../src/probe";

const ANSWER = { version: [3, 11, 7], executable: "/usr/bin/python3", libcst: true, pip: false, onnxLint: false };

test("the last line is the answer, whatever stands before it", () => {
  assert.deepEqual(parseProbe(`hello from a .pth file\n${JSON.stringify(ANSWER)}\n`), ANSWER);
});

test("anything else is no answer", () => {
  for (const text of ["", "Python 2.7.18", "{}", "null", '"text"', '{"version": "3"}']) {
    assert.equal(parseProbe(text), undefined, text);
  }
});

test("3.10 is the oldest", () => {
  assert.ok(!isOldEnough([2, 7, 18]));
  assert.ok(!isOldEnough([3, 9, 20]));
  assert.ok(isOldEnough([3, 10, 0]));
  assert.ok(isOldEnough([4, 0, 0]));
});

test("a program that is no Python is answered by its own complaint", { skip: process.platform === "win32" }, async () => {
  const program = join(mkdtempSync(join(tmpdir(), "probe-")), "python");
  writeFileSync(program, "#!/bin/sh\necho first >&2\necho 'unknown option -I' >&2\nexit 2\n");
  chmodSync(program, 0o755);
  await assert.rejects(probe(program, "run_server.py"), { message: "unknown option -I" });
  await assert.rejects(probe(join(program, "missing"), "run_server.py"), /ENOTDIR|ENOENT/);
});
