import assert from "node:assert/strict";
import { test } from "node:test";

import { candidates, Sources } from "../../src/candidates";
import { Machine } from "../../src/paths";

const FILES = ["/usr/bin/python3", "/usr/bin/python", "/opt/venv/bin/python", "/ws/.venv/bin/python"];

const machine: Machine = {
  platform: "linux",
  env: { PATH: "bin:.:/nowhere:/usr/bin" },
  home: "/home/me",
  isFile: (file) => FILES.includes(file),
};

const sources: Sources = {
  setting: "",
  extension: undefined,
  extensionMissing: "not installed",
  folder: "/ws",
  untrusted: [],
};

test("the setting comes first, then the Python extension, then PATH", () => {
  const found = candidates({ ...sources, setting: "${workspaceFolder}/.venv/bin/python", extension: "/opt/venv/bin/python" }, machine);
  assert.deepEqual(
    found.candidates.map((c) => c.python),
    ["/ws/.venv/bin/python", "/opt/venv/bin/python", "/usr/bin/python3", "/usr/bin/python"],
  );
  assert.match(found.candidates[0]?.origin ?? "", /setting/);
  assert.match(found.candidates[1]?.origin ?? "", /Python extension/);
});

test("every source that gives nothing says why", () => {
  const found = candidates(sources, { ...machine, env: {} });
  assert.deepEqual(found.candidates, []);
  assert.deepEqual(found.passedOver, [
    "the setting onnxLint.interpreter: empty",
    "the Python extension: not installed",
    "python3 on PATH: not there",
    "python on PATH: not there",
  ]);
});

test("a setting that names no file is passed over, not silently", () => {
  const found = candidates({ ...sources, setting: "/missing/python" }, machine);
  assert.equal(found.candidates[0]?.python, "/usr/bin/python3");
  assert.match(found.passedOver[0] ?? "", /\/missing\/python is no file/);
});

test("a bare name in the setting is looked up on PATH", () => {
  const found = candidates({ ...sources, setting: "python" }, machine);
  assert.equal(found.candidates[0]?.python, "/usr/bin/python");
});

test("in an untrusted workspace its own interpreters are not started, whoever names them", () => {
  const own = "/ws/.venv/bin/python";
  const found = candidates({ ...sources, setting: own, extension: own, untrusted: ["/ws"] }, machine);
  assert.deepEqual(
    found.candidates.map((c) => c.python),
    ["/usr/bin/python3", "/usr/bin/python"],
  );
  assert.equal(found.passedOver.filter((line) => line.includes("not trusted")).length, 2);
});

test("an interpreter is tried once", () => {
  const found = candidates({ ...sources, setting: "/usr/bin/python3", extension: "/usr/bin/python3" }, machine);
  assert.deepEqual(
    found.candidates.map((c) => c.python),
    ["/usr/bin/python3", "/usr/bin/python"],
  );
});
