import assert from "node:assert/strict";
import { test } from "node:test";

import { isExportResult, isTarget } from "../../src/protocol";

test("a target has a file and a name", () => {
  assert.ok(isTarget({ uri: "file:///a.py", name: "Net" }));
  for (const other of [null, undefined, "Net", {}, { uri: "file:///a.py" }, { uri: 1, name: "Net" }]) {
    assert.ok(!isTarget(other));
  }
});

test("a result says whether it went well, and something to a person", () => {
  assert.ok(isExportResult({ ok: true, exports: [], report: null, outputs: [], message: "done" }));
  assert.ok(!isExportResult(null));
  assert.ok(!isExportResult({ ok: true }));
});
