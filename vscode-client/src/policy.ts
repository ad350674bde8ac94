/** What a page in a view may do: its own styles and scripts, pictures it holds itself, and nothing from anywhere. */
const POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; font-src data:; form-action 'none'; base-uri 'none'";

/** The page with the policy as the first thing in its head. A stricter policy of the page's own counts as well. */
export function withPolicy(html: string): string {
  const meta = `<meta http-equiv="Content-Security-Policy" content="${POLICY}">`;
  const head = /<head(\s[^>]*)?>/i.exec(html);
  if (head === null) {
    return `${meta}${html}`;
  }
  const at = head.index + head[0].length;
  return html.slice(0, at) + meta + html.slice(at);
}
