/** What the manifest promises must exist: texts for its keys, commands in the source, settings that are restricted. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

interface Manifest {
  capabilities: { untrustedWorkspaces: { supported: string; restrictedConfigurations: string[] } };
  contributes: {
    commands: { command: string }[];
    configuration: { properties: Record<string, { scope?: string; default?: unknown; enum?: unknown[]; enumDescriptions?: string[] }> };
  };
}

// The tests run bundled, from out/test/.
const client = join(__dirname, "..", "..");
const text = readFileSync(join(client, "package.json"), "utf8");
const manifest = JSON.parse(text) as Manifest;
const texts = JSON.parse(readFileSync(join(client, "package.nls.json"), "utf8")) as Record<string, string>;

test("each %key% has its text, and each text is used", () => {
  const used = [...text.matchAll(/"%([^"%]+)%"/g)].map((match) => match[1] ?? "");
  assert.deepEqual([...new Set(used)].sort(), Object.keys(texts).sort());
});

test("each command of the manifest is one that the source registers, and the other way round", () => {
  const source = readFileSync(join(client, "src", "commands.ts"), "utf8");
  const table = /const commands:[^{]*\{([\s\S]*?)\n {2}\};/.exec(source)?.[1] ?? "";
  const registered = [...table.matchAll(/^ {4}(\w+): /gm)].map((match) => `onnxLint.${match[1] ?? ""}`);
  assert.deepEqual(registered.sort(), manifest.contributes.commands.map((c) => c.command).sort());
});

test("every setting that the source reads is in the manifest", () => {
  const sources = readdirSync(join(client, "src")).map((name) => readFileSync(join(client, "src", name), "utf8"));
  const read = sources.flatMap((source) => [...source.matchAll(/\.get<string>\("([\w.]+)"/g)].map((match) => match[1] ?? ""));
  assert.ok(read.length >= 4);
  for (const name of read) {
    assert.ok(`onnxLint.${name}` in manifest.contributes.configuration.properties, name);
  }
});

test("settings that name a program or a place are restricted in an untrusted workspace", () => {
  const { supported, restrictedConfigurations } = manifest.capabilities.untrustedWorkspaces;
  const properties = manifest.contributes.configuration.properties;
  assert.equal(supported, "limited");
  for (const name of restrictedConfigurations) {
    assert.ok(name in properties, name);
  }
  const programs = Object.entries(properties).filter(([, setting]) => setting.scope === "machine-overridable");
  assert.ok(programs.length >= 3);
  for (const [name] of programs) {
    assert.ok(restrictedConfigurations.includes(name), name);
  }
});

test("a choice has one description for each value, and its default is one of them", () => {
  for (const [name, setting] of Object.entries(manifest.contributes.configuration.properties)) {
    if (setting.enum !== undefined && setting.enumDescriptions !== undefined) {
      assert.equal(setting.enum.length, setting.enumDescriptions.length, name);
      assert.ok(setting.enum.includes(setting.default), name);
    }
  }
});
