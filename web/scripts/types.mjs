// What is made before a build or a check, and never committed, into src/made:
//   schema.d.ts   types of the API, of its golden description
//   screens.ts    the routes of all screens: each folder of src/screens is one
//   words.en.ts, words.zh.ts   all words of a language: src/words/LANGUAGE/NAME.json and src/screens/NAME/LANGUAGE.json, below NAME
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import openapiTS, { astToString } from "openapi-typescript";

const web = dirname(dirname(fileURLToPath(import.meta.url)));
const made = join(web, "src/made");
mkdirSync(made, { recursive: true });

function write(name, text) {
  const path = join(made, name);
  if (!existsSync(path) || readFileSync(path, "utf8") !== text) writeFileSync(path, text);
}

const variable = (name) => name.replace(/-(\w)/g, (_, letter) => letter.toUpperCase());
const screens = readdirSync(join(web, "src/screens")).sort();

write(
  "screens.ts",
  [
    'import type { Section } from "../app/section";',
    ...screens.map((name) => `import * as ${variable(name)} from "../screens/${name}/route";`),
    "",
    "export const routes = [",
    ...screens.map((name) => `  ...${variable(name)}.routes,`),
    "] as const;",
    "",
    "export const sections: Section[] = [",
    ...screens.map((name) => `  ...${variable(name)}.sections,`),
    "];",
    "",
  ].join("\n"),
);

for (const language of ["en", "zh"]) {
  const shared = readdirSync(join(web, "src/words", language)).map((file) => [
    file.replace(".json", ""),
    `../words/${language}/${file}`,
  ]);
  const own = screens
    .filter((name) => existsSync(join(web, "src/screens", name, `${language}.json`)))
    .map((name) => [variable(name), `../screens/${name}/${language}.json`]);
  const all = [...shared, ...own].sort();
  write(
    `words.${language}.ts`,
    [
      ...all.map(([name, path]) => `import ${name} from "${path}";`),
      "",
      `export default { ${all.map(([name]) => name).join(", ")} };`,
      "",
    ].join("\n"),
  );
}

const description = new URL("../../tests/golden/openapi.json", import.meta.url);
write("schema.d.ts", astToString(await openapiTS(description, { defaultNonNullable: false })));
