// No sentence stands in a screen: they are in the words of both languages. Finds texts and attributes that people read.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const web = dirname(dirname(fileURLToPath(import.meta.url)));
const READ = new Set(["title", "label", "placeholder", "alt", "aria-label", "description", "message", "error"]);
const LETTERS = /\p{L}{2,}(?!.*:\/\/$)/u; // "https://" is no word
const found = [];

function look(file) {
  const source = ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX);
  const note = (node, text) => {
    const { line } = source.getLineAndCharacterOfPosition(node.getStart());
    found.push(`${relative(web, file)}:${line + 1}: ${text.trim().slice(0, 60)}`);
  };
  const walk = (node) => {
    if (ts.isJsxText(node) && LETTERS.test(node.text) && !node.parent.openingElement?.getText().startsWith("<code"))
      note(node, node.text);
    if (ts.isJsxAttribute(node) && READ.has(node.name.getText()) && node.initializer) {
      const value = ts.isJsxExpression(node.initializer) ? node.initializer.expression : node.initializer;
      if (value && ts.isStringLiteralLike(value) && LETTERS.test(value.text)) note(node, value.text);
    }
    ts.forEachChild(node, walk);
  };
  walk(source);
}

for (const each of readdirSync(join(web, "src"), { recursive: true }))
  if (each.endsWith(".tsx")) look(join(web, "src", each));
if (found.length) {
  console.error(`these words are in one language only; put them into en.json and zh.json:\n${found.join("\n")}`);
  process.exit(1);
}
