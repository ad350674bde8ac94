/** The module classes of a file, as the server's lenses name them. */
import * as vscode from "vscode";
import { CodeLensRequest, LanguageClient } from "vscode-languageclient/node";

import { Command, isTarget, Target } from "./protocol";

/** What can be exported from a document that is open; nothing if the server does not run. */
export async function targetsOf(client: LanguageClient | undefined, uri: vscode.Uri): Promise<Target[]> {
  if (client === undefined) {
    return [];
  }
  const textDocument = { uri: client.code2ProtocolConverter.asUri(uri) };
  const lenses = await client.sendRequest(CodeLensRequest.type, { textDocument });
  const targets: Target[] = [];
  for (const lens of lenses ?? []) {
    const argument: unknown = lens.command?.arguments?.[0];
    if (lens.command?.command === Command.export && isTarget(argument)) {
      targets.push({ uri: argument.uri, name: argument.name });
    }
  }
  return targets;
}
