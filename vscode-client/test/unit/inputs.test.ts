import assert from "node:assert/strict";
import { test } from "node:test";

import { Choice, edited, formProblem, Remembered, sameInputs, Store } from "../../src/inputs";

class Memory implements Store {
  readonly values = new Map<string, unknown>();
  get(key: string): unknown {
    return this.values.get(key);
  }
  update(key: string, value: unknown): Promise<void> {
    if (value === undefined) {
      this.values.delete(key);
    } else {
      this.values.set(key, value);
    }
    return Promise.resolve();
  }
  keys(): readonly string[] {
    return [...this.values.keys()];
  }
}

const NET = { uri: "file:///ws/net.py", name: "Net" };
const CHOICE: Choice = { inputs: ["x:float32[n=2,3]"], engine: "both" };

test("inputs are remembered for one class of one file", async () => {
  const remembered = new Remembered(new Memory());
  await remembered.set(NET, CHOICE);
  assert.deepEqual(remembered.get(NET), CHOICE);
  assert.equal(remembered.get({ ...NET, name: "Other" }), undefined);
  assert.equal(remembered.get({ ...NET, uri: "file:///ws/other.py" }), undefined);
});

test("forgetting leaves what is not ours", async () => {
  const memory = new Memory();
  await memory.update("something", 1);
  const remembered = new Remembered(memory);
  await remembered.set(NET, CHOICE);
  assert.equal(await remembered.clear(), 1);
  assert.deepEqual(memory.keys(), ["something"]);
});

test("what an older version kept in another form is not used", async () => {
  const memory = new Memory();
  const remembered = new Remembered(memory);
  await remembered.set(NET, CHOICE);
  for (const old of [["x:float32[1]"], { inputs: "x" }, { inputs: [1], engine: "both" }, null]) {
    await memory.update(memory.keys()[0] ?? "", old);
    assert.equal(remembered.get(NET), undefined);
  }
});

test("an edited input replaces, an empty one is taken away, a new one comes last", () => {
  assert.deepEqual(edited(["a:int", "b:int"], 0, " c:int "), ["c:int", "b:int"]);
  assert.deepEqual(edited(["a:int", "b:int"], 0, "  "), ["b:int"]);
  assert.deepEqual(edited(["a:int"], 1, "b:int"), ["a:int", "b:int"]);
  assert.deepEqual(edited(["a:int"], 1, ""), ["a:int"]);
});

test("the form is checked, the meaning is the exporter's", () => {
  for (const good of ["x:float32[n=2,3,h=224]", "ids:int64[b,s]=30522", "flag:bool=True", "text:str=a b", "s:float32[]", ""]) {
    assert.equal(formProblem(good), undefined, good);
  }
  for (const bad of ["float32[2]", "x float32", "1x:int", "x:float32[2,3"]) {
    assert.notEqual(formProblem(bad), undefined, bad);
  }
});

test("inputs are the same when every text and their order are", () => {
  assert.ok(sameInputs(["a", "b"], ["a", "b"]));
  assert.ok(!sameInputs(["a", "b"], ["b", "a"]));
  assert.ok(!sameInputs(["a"], ["a", "b"]));
});
